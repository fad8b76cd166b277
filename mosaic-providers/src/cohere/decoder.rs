//! Reads one answer, streamed or whole.
//!
//! | event | what it means |
//! | --- | --- |
//! | `message-start` | the id |
//! | `content-start`, `-delta`, `-end` | text or reasoning |
//! | `tool-plan-delta` | more of the plan |
//! | `tool-call-start`, `-delta`, `-end` | a call |
//! | `citation-start` | a citation, whole |
//! | `message-end` | the finish reason, the figures, the end; a stream without it is `incomplete` |
//! | an error, a finish reason `ERROR` or `TIMEOUT` | that error |
//! | anything unknown | nothing |
//!
//! Contents and calls are numbered apart from each other.
//!
//! Source: <https://docs.cohere.com/docs/streaming>

use std::borrow::Cow;

use mosaic_core::{
    Decoder, Delivery, ErrorKind, ModelEnd, ModelError, ModelEvent, Origin, Profile, StopReason, Usage,
};
use serde_json::{Value, json};

use super::event::{Block, Body, Call, Delta, Event, WireUsage};
use crate::wire::decode::{self, FramedDecoder, Reader};
use crate::wire::error;
use crate::wire::framing::Shape;
use crate::wire::lenient::Maybe;
use crate::wire::parts::{Building, Parts};

/// The kinds of the parts that only Cohere understands.
pub(super) const PLAN: &str = "tool_plan";
pub(super) const CITATIONS: &str = "citations";

/// The decoder of both deliveries.
pub(super) fn decoder(profile: &Profile, delivery: Delivery) -> Box<dyn Decoder> {
    let answer = Answer {
        origin: profile.origin.clone(),
        parts: Parts::default(),
        contents: Vec::new(),
        calls: Vec::new(),
        plan: None,
        citations: Vec::new(),
        stop: None,
        usage: Usage::default(),
        id: None,
        done: false,
    };
    Box::new(FramedDecoder::new(delivery, Shape::Events, answer))
}

#[derive(Debug)]
struct Answer {
    origin: Origin,
    parts: Parts,
    /// Their numbers on the wire, and ours.
    contents: Vec<(u64, u32)>,
    calls: Vec<(u64, u32)>,
    plan: Option<u32>,
    citations: Vec<Value>,
    stop: Option<StopReason>,
    usage: Usage,
    id: Option<String>,
    done: bool,
}

impl Reader for Answer {
    fn event(&mut self, data: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let data = data.trim();
        // Sent after the end by Cohere; before it, it ends nothing.
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let event: Event<'_> = decode::event(data)?;
        if told(event.error.as_ref()) || (event.kind.get().is_none() && event.message.get().is_some()) {
            return Err(error::from_object(&serde_json::from_str(data).unwrap_or(Value::Null)));
        }
        let index = event.index.or_zero();
        let delta = event.delta.0.unwrap_or_default();
        match event.kind.get().unwrap_or_default() {
            "message-start" => self.id = event.id.get().map(str::to_owned),
            "content-end" => end(&mut self.contents, index, &mut self.parts, events),
            "tool-call-end" => end(&mut self.calls, index, &mut self.parts, events),
            "message-end" => {
                let Delta { finish_reason, usage, error, .. } = delta;
                self.finish(finish_reason.get(), error.get(), usage)?;
                self.close(events);
            }
            "content-start" | "content-delta" | "tool-plan-delta" | "tool-call-start" | "tool-call-delta"
            | "citation-start" => {
                let Some(message) = delta.message.0 else { return Ok(()) };
                for block in message.content.0 {
                    self.content(index, block, events);
                }
                self.plan(message.tool_plan.take(), events);
                for call in message.tool_calls.0 {
                    self.call(index, call, events);
                }
                self.citations.extend(message.citations.0);
            }
            _ => {}
        }
        Ok(())
    }

    fn body(&mut self, body: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let whole: Body<'_> = decode::body(body)?;
        let message = match whole.message.0 {
            Some(message) if !told(whole.error.as_ref()) => message,
            _ => {
                let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
                let says = ["message", "error", "detail"].iter().any(|key| told(json.get(*key)));
                return Err(if says {
                    error::from_object(&json)
                } else {
                    error::unreadable("answer", body, None)
                });
            }
        };
        self.id = whole.id.get().map(str::to_owned);
        for (index, block) in (0_u64..).zip(message.content.0) {
            self.content(index, block, events);
            end(&mut self.contents, index, &mut self.parts, events);
        }
        self.plan(message.tool_plan.take(), events);
        for (index, call) in (0_u64..).zip(message.tool_calls.0) {
            self.call(index, call, events);
            end(&mut self.calls, index, &mut self.parts, events);
        }
        self.citations = message.citations.0;
        self.finish(whole.finish_reason.get(), None, whole.usage)?;
        self.close(events);
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        Err(error::incomplete("`message-end`"))
    }

    fn done(&self) -> bool {
        self.done
    }

    fn provider(&self) -> &str {
        &self.origin.provider
    }
}

impl Answer {
    /// A block begins or goes on. One whose start was forgotten begins with its first piece.
    fn content(&mut self, index: u64, block: Block<'_>, events: &mut Vec<ModelEvent>) {
        let part = match place(&self.contents, index) {
            Some(part) => part,
            None => {
                let building = match (block.kind.get(), block.thinking.get()) {
                    (Some("thinking"), _) | (None, Some(_)) => {
                        Building::Reasoning { text: String::new(), opaque: None }
                    }
                    _ => Building::Text(String::new()),
                };
                let part = self.parts.start(building, events);
                self.contents.push((index, part));
                part
            }
        };
        for piece in [block.thinking.take(), block.text.take()].into_iter().flatten() {
            self.parts.push(part, piece, events);
        }
    }

    fn plan(&mut self, piece: Option<Cow<'_, str>>, events: &mut Vec<ModelEvent>) {
        let Some(piece) = piece else { return };
        let part = match self.plan {
            Some(part) => part,
            None => {
                let building =
                    Building::Provider { kind: PLAN.to_owned(), data: Value::String(String::new()) };
                *self.plan.insert(self.parts.start(building, events))
            }
        };
        if let Some(Building::Provider { data: Value::String(plan), .. }) = self.parts.get_mut(part) {
            plan.push_str(&piece);
        }
    }

    fn call(&mut self, index: u64, call: Call<'_>, events: &mut Vec<ModelEvent>) {
        // The plan comes before the calls.
        if let Some(plan) = self.plan.take() {
            self.parts.end(plan, events);
        }
        let function = call.function.0.unwrap_or_default();
        let part = match place(&self.calls, index) {
            Some(part) => part,
            None => {
                let building = Building::Call {
                    wire_id: call.id.get().map(str::to_owned),
                    name: function.name.get().unwrap_or_default().to_owned(),
                    arguments: String::new(),
                };
                let part = self.parts.start(building, events);
                self.calls.push((index, part));
                part
            }
        };
        if let Some(piece) = function.arguments.take() {
            self.parts.push(part, piece, events);
        }
    }

    fn finish(
        &mut self,
        reason: Option<&str>,
        why: Option<&str>,
        usage: Maybe<Box<WireUsage>>,
    ) -> Result<(), ModelError> {
        let failed = match (reason, why) {
            (Some("TIMEOUT"), _) => Some((ErrorKind::Timeout, "the answer took too long; ask again")),
            (Some("ERROR"), _) | (_, Some(_)) => Some((ErrorKind::Server, "the answer failed; ask again")),
            _ => None,
        };
        if let Some((kind, what)) = failed {
            let mut failed = error::from_object(&json!({ "message": why.unwrap_or(what) }));
            failed.kind = kind;
            return Err(failed);
        }
        self.stop = reason.map(stop);
        self.usage = usage.0.map(|usage| usage.usage()).unwrap_or_default();
        Ok(())
    }

    fn close(&mut self, events: &mut Vec<ModelEvent>) {
        if !self.citations.is_empty() {
            let data = std::mem::take(&mut self.citations).into();
            self.parts.start(Building::Provider { kind: CITATIONS.to_owned(), data }, events);
        }
        self.parts.end_all(events);
        events.push(ModelEvent::Done(ModelEnd {
            stop: self.stop.take().unwrap_or(StopReason::Other { reason: String::new() }),
            usage: self.usage,
            cost: None,
            origin: self.origin.clone(),
            response_id: self.id.take(),
        }));
        self.done = true;
    }
}

fn place(numbers: &[(u64, u32)], index: u64) -> Option<u32> {
    numbers.iter().find(|(wire, _)| *wire == index).map(|(_, part)| *part)
}

/// Ends the part of that number, so that a later one of the same number is another.
fn end(numbers: &mut Vec<(u64, u32)>, index: u64, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
    if let Some(at) = numbers.iter().position(|(wire, _)| *wire == index) {
        let (_, part) = numbers.remove(at);
        parts.end(part, events);
    }
}

fn told(member: Option<&Value>) -> bool {
    match member {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    }
}

/// The reason in our words. Source: <https://docs.cohere.com/reference/chat>
fn stop(reason: &str) -> StopReason {
    match reason {
        "COMPLETE" | "STOP_SEQUENCE" => StopReason::Stop,
        "TOOL_CALL" => StopReason::ToolCalls,
        "MAX_TOKENS" | "ERROR_LIMIT" => StopReason::Length,
        "ERROR_TOXIC" => StopReason::ContentFilter,
        other => StopReason::Other { reason: other.to_owned() },
    }
}
