//! Reads one answer, streamed or whole.
//!
//! | member | what it means |
//! | --- | --- |
//! | `message.thinking`, `message.content` | more reasoning, more text |
//! | `message.tool_calls` | calls, each whole |
//! | `done: true` | the end, with the reason and the figures; a stream without it is `incomplete` |
//! | `error` | that error |
//! | anything unknown | nothing |
//!
//! Source: <https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion>

use std::borrow::Cow;

use mosaic_core::{Decoder, Delivery, ModelEnd, ModelError, ModelEvent, Origin, Profile, StopReason, Usage};
use serde_json::Value;

use super::chunk::{Call, Chunk};
use crate::wire::decode::{self, FramedDecoder, Reader};
use crate::wire::error;
use crate::wire::framing::Shape;
use crate::wire::parts::{Building, Parts};

/// The decoder of both deliveries.
pub(super) fn decoder(profile: &Profile, delivery: Delivery) -> Box<dyn Decoder> {
    let answer = Answer {
        origin: profile.origin.clone(),
        parts: Parts::default(),
        text: None,
        thinking: None,
        done: false,
    };
    Box::new(FramedDecoder::new(delivery, Shape::Objects, answer))
}

#[derive(Debug)]
struct Answer {
    origin: Origin,
    parts: Parts,
    text: Option<u32>,
    thinking: Option<u32>,
    done: bool,
}

impl Reader for Answer {
    fn event(&mut self, data: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let data = data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        self.chunk(decode::event(data)?, data, events)
    }

    /// One object; a server that streams whatever it is asked for sends several.
    fn body(&mut self, body: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let mut objects = serde_json::Deserializer::from_str(body).into_iter::<Chunk<'_>>();
        let mut begin = 0;
        while let Some(object) = objects.next() {
            let end = objects.byte_offset();
            let data = body.get(begin..end).unwrap_or_default();
            begin = end;
            match object {
                Ok(chunk) => self.chunk(chunk, data, events)?,
                Err(source) if source.is_eof() => return Err(error::incomplete("the rest of its JSON")),
                Err(source) => return Err(error::unreadable("answer", body, Some(source))),
            }
            if self.done {
                return Ok(());
            }
        }
        self.end(events)
    }

    fn end(&mut self, _: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        Err(error::incomplete("`done: true`"))
    }

    fn done(&self) -> bool {
        self.done
    }

    fn provider(&self) -> &str {
        &self.origin.provider
    }
}

impl Answer {
    fn chunk(
        &mut self,
        mut chunk: Chunk<'_>,
        data: &str,
        events: &mut Vec<ModelEvent>,
    ) -> Result<(), ModelError> {
        let done = chunk.done.get() == Some("true");
        let failed =
            chunk.error.as_ref().is_some_and(|error| !error.is_null() && error != false && error != "");
        if failed {
            return Err(error::from_object(&serde_json::from_str(data).unwrap_or(Value::Null)));
        }
        match chunk.message.0.take() {
            Some(message) => {
                if let Some(piece) = message.thinking.take() {
                    let building = || Building::Reasoning { text: String::new(), opaque: None };
                    push(&mut self.thinking, building, piece, &mut self.parts, events);
                }
                if let Some(piece) = message.content.take() {
                    let building = || Building::Text(String::new());
                    push(&mut self.text, building, piece, &mut self.parts, events);
                }
                for call in message.tool_calls.0 {
                    self.call(&call.0.unwrap_or_default(), events);
                }
            }
            // `{"message": "..."}` and other texts that are no answer.
            None if !done && chunk.done.get().is_none() => {
                let json: Value = serde_json::from_str(data).unwrap_or(Value::Null);
                let says =
                    ["message", "detail"].iter().any(|key| json.get(*key).is_some_and(Value::is_string));
                return Err(if says {
                    error::from_object(&json)
                } else {
                    error::unreadable("answer", data, None)
                });
            }
            None => {}
        }
        if done {
            let reason = chunk.done_reason.get().map_or(StopReason::Other { reason: String::new() }, stop);
            self.close(reason, chunk.usage(), events);
        }
        Ok(())
    }

    fn call(&mut self, call: &Call<'_>, events: &mut Vec<ModelEvent>) {
        let Some(function) = &call.function.0 else { return };
        let building = Building::Call {
            wire_id: call.id.get().map(str::to_owned),
            name: function.name.get().unwrap_or_default().to_owned(),
            arguments: String::new(),
        };
        let part = self.parts.start(building, events);
        // It is whole, but what began before it has not ended: parts end in their order.
        self.parts.push(part, Cow::Owned(function.arguments()), events);
    }

    fn close(&mut self, stop: StopReason, usage: Usage, events: &mut Vec<ModelEvent>) {
        self.parts.end_all(events);
        events.push(ModelEvent::Done(ModelEnd {
            stop,
            usage,
            cost: None,
            origin: self.origin.clone(),
            response_id: None,
        }));
        self.done = true;
    }
}

/// Adds to the one part of its kind: this API has a single text and a single reasoning an answer.
fn push(
    slot: &mut Option<u32>,
    building: impl FnOnce() -> Building,
    piece: Cow<'_, str>,
    parts: &mut Parts,
    events: &mut Vec<ModelEvent>,
) {
    let part = match *slot {
        Some(part) => part,
        None => *slot.insert(parts.start(building(), events)),
    };
    parts.push(part, piece, events);
}

/// The reason in our words. Calls come with the reason `stop`.
fn stop(reason: &str) -> StopReason {
    match reason {
        "stop" => StopReason::Stop,
        "length" => StopReason::Length,
        other => StopReason::Other { reason: other.to_owned() },
    }
}
