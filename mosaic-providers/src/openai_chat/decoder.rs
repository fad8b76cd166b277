//! Reads one answer, streamed or whole.
//!
//! | what comes | what it means |
//! | --- | --- |
//! | `data: [DONE]` | the end |
//! | the end of the bytes after a finish reason | the end: Perplexity and others send no `[DONE]` |
//! | the end of the bytes before a finish reason | `incomplete` |
//! | `[DONE]` before anything was said | `incomplete` |
//! | `error` in a chunk, a choice or a body | that error |
//! | `choices: []`, unknown members, `null` for anything | nothing |
//! | an empty or missing finish reason before `[DONE]` | the end, for an unknown reason |

use std::borrow::Cow;

use mosaic_core::{
    Cost, Decoder, Delivery, ErrorKind, ModelEnd, ModelError, ModelEvent, Origin, Profile, StopReason, Usage,
};
use serde_json::Value;

use super::calls::Calls;
use super::chunk::{Choice, Chunk, Message, ToolDelta};
use super::kept::Kept;
use super::quirks::{CostFigure, Quirks, ReasoningTokens};
use super::reasoning::Thinking;
use crate::wire::decode::{self, FramedDecoder, Reader};
use crate::wire::error;
use crate::wire::framing::Shape;
use crate::wire::lenient::{Int, Maybe, Str};
use crate::wire::parts::{Building, Parts};

/// The decoder of both deliveries.
pub(super) fn decoder(profile: &Profile, quirks: &Quirks, delivery: Delivery) -> Box<dyn Decoder> {
    let answer = Answer {
        origin: profile.origin.clone(),
        reasoning_tokens: quirks.reasoning_tokens,
        cost_figure: quirks.cost,
        parts: Parts::default(),
        text: None,
        refusal: None,
        thinking: Thinking::default(),
        calls: Calls::default(),
        kept: Kept::default(),
        spoke: false,
        stop: None,
        usage: Usage::default(),
        cost: None,
        id: None,
        done: false,
    };
    Box::new(FramedDecoder::new(delivery, Shape::Events, answer))
}

#[derive(Debug)]
struct Answer {
    origin: Origin,
    reasoning_tokens: ReasoningTokens,
    cost_figure: CostFigure,
    parts: Parts,
    text: Option<u32>,
    refusal: Option<u32>,
    thinking: Thinking,
    calls: Calls,
    kept: Kept,
    /// Whether there was a choice.
    spoke: bool,
    stop: Option<StopReason>,
    usage: Usage,
    cost: Option<Cost>,
    id: Option<String>,
    done: bool,
}

impl Reader for Answer {
    /// One event of a stream.
    fn event(&mut self, data: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let data = data.trim();
        if data == "[DONE]" {
            if !self.spoke {
                return Err(error::incomplete("anything said in it"));
            }
            self.close(events);
            return Ok(());
        }
        if data.is_empty() {
            return Ok(());
        }
        let chunk: Chunk<'_> = decode::event(data)?;
        if failed(&chunk) {
            return Err(error::from_object(&serde_json::from_str(data).unwrap_or(Value::Null)));
        }
        self.chunk(chunk, events)
    }

    /// A whole body.
    fn body(&mut self, body: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let chunk: Chunk<'_> = decode::body(body)?;
        if failed(&chunk) {
            return Err(error::from_object(&serde_json::from_str(body).unwrap_or(Value::Null)));
        }
        if chunk.choices.value.is_none() {
            let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
            let says = ["message", "detail", "errors"].iter().any(|key| json.get(*key).is_some());
            return Err(if says || json.is_array() {
                error::from_object(&json)
            } else {
                error::unreadable("answer", body, None)
            });
        }
        self.chunk(chunk, events)?;
        self.close(events);
        Ok(())
    }

    fn end(&mut self, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if self.stop.is_none() {
            return Err(error::incomplete("`[DONE]` or a finish reason"));
        }
        self.close(events);
        Ok(())
    }

    fn done(&self) -> bool {
        self.done
    }

    fn provider(&self) -> &str {
        &self.origin.provider
    }
}

impl Answer {
    fn chunk(&mut self, chunk: Chunk<'_>, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if self.id.is_none() {
            self.id = chunk.id.get().map(str::to_owned);
        }
        self.kept.last("citations", chunk.citations);
        self.kept.last("search_results", chunk.search_results);
        self.kept.last("moderation", chunk.moderation);
        self.kept.filter("prompt_filter_results", chunk.prompt_filter_results);
        let Chunk { choices, usage, x_groq, .. } = chunk;
        let mut usage = usage.0.or_else(|| x_groq.0.and_then(|groq| groq.usage.0));
        // Only one answer is asked for; a server that sends more is heard for its first.
        if let Some(mut choice) = choices.value.filter(|choice| choice.index.or_zero() == 0) {
            usage = usage.or(choice.usage.0.take());
            self.choice(choice, events)?;
        }
        if let Some(usage) = usage {
            self.cost = usage.cost(self.cost_figure).or(self.cost);
            self.usage = usage.usage(self.reasoning_tokens);
        }
        Ok(())
    }

    fn choice(&mut self, choice: Choice<'_>, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let first = !self.spoke;
        self.spoke = true;
        self.kept.filter("content_filter_results", choice.content_filter_results);
        match (choice.delta.0, choice.message.0) {
            (Some(delta), _) => self.message(delta, events),
            // A stream whose chunks hold messages only: the first is the answer, the others repeat it.
            (None, Some(message)) if first || self.parts.is_empty() => self.message(*message, events),
            (None, _) => {}
        }
        if let Some(reason) = choice.finish_reason.get() {
            if reason == "error" {
                return Err(ModelError::new(
                    ErrorKind::Server,
                    "the provider ended the answer with the finish reason `error`; ask again",
                ));
            }
            self.stop = Some(stop(reason));
        }
        Ok(())
    }

    fn message(&mut self, mut message: Message<'_>, events: &mut Vec<ModelEvent>) {
        self.thinking.take(&mut message, &mut self.parts, events);
        if let Some(text) = message.content.text.take() {
            push(&mut self.text, Building::Text, text, &mut self.parts, events);
        }
        self.kept.annotations(message.annotations.0);
        for part in message.content.parts {
            self.content_part(part, events);
        }
        if let Some(text) = message.refusal.take() {
            push(&mut self.refusal, Building::Refusal, text, &mut self.parts, events);
        }
        for call in message.tool_calls.0 {
            self.calls.take(call.0.unwrap_or_default(), &mut self.parts, events);
        }
        if let Some(function) = message.function_call.0 {
            let call = ToolDelta { index: Int(None), id: Str(None), function: Maybe(Some(*function)) };
            self.calls.take(call, &mut self.parts, events);
        }
    }

    /// A part of a content that is a list: text, or Mistral's thinking and references.
    fn content_part(&mut self, part: Value, events: &mut Vec<ModelEvent>) {
        if let Some(text) = part.get("text").and_then(Value::as_str).filter(|text| !text.is_empty()) {
            push(&mut self.text, Building::Text, Cow::Borrowed(text), &mut self.parts, events);
        }
        for thought in part.get("thinking").and_then(Value::as_array).into_iter().flatten() {
            if let Some(text) = thought.get("text").and_then(Value::as_str).filter(|text| !text.is_empty()) {
                self.thinking.show(Cow::Borrowed(text), &mut self.parts, events);
            }
        }
        if part.get("type").and_then(Value::as_str) == Some("reference") {
            let building = Building::Provider { kind: "reference".to_owned(), data: part };
            self.parts.start(building, events);
        }
    }

    fn close(&mut self, events: &mut Vec<ModelEvent>) {
        self.thinking.close(&mut self.parts);
        self.kept.close(&mut self.parts, events);
        self.parts.end_all(events);
        events.push(ModelEvent::Done(ModelEnd {
            stop: self.stop.take().unwrap_or(StopReason::Other { reason: String::new() }),
            usage: self.usage,
            cost: self.cost,
            origin: self.origin.clone(),
            response_id: self.id.take(),
        }));
        self.done = true;
    }
}

/// Adds to the one part of its kind: this API has a single text and a single refusal an answer.
fn push(
    slot: &mut Option<u32>,
    building: impl FnOnce(String) -> Building,
    text: Cow<'_, str>,
    parts: &mut Parts,
    events: &mut Vec<ModelEvent>,
) {
    let part = match *slot {
        Some(part) => part,
        None => *slot.insert(parts.start(building(String::new()), events)),
    };
    parts.push(part, text, events);
}

fn failed(chunk: &Chunk<'_>) -> bool {
    let told = |error: &Option<Value>| match error {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
        Some(_) => true,
    };
    told(&chunk.error)
        || chunk.object.get() == Some("error")
        || chunk.x_groq.0.as_ref().is_some_and(|groq| told(&groq.error))
        || chunk.choices.value.as_ref().is_some_and(|choice| told(&choice.error))
}

/// The reason in our words. Servers beside OpenAI pass their engine's on.
fn stop(reason: &str) -> StopReason {
    match reason {
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" | "STOP" => StopReason::Stop,
        "tool_calls" | "function_call" | "tool_use" => StopReason::ToolCalls,
        "length" | "max_tokens" | "model_length" | "MAX_TOKENS" => StopReason::Length,
        "content_filter" | "safety" | "SAFETY" | "refusal" => StopReason::ContentFilter,
        other => StopReason::Other { reason: other.to_owned() },
    }
}
