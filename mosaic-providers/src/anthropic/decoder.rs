//! Reads one answer, streamed or whole.
//!
//! | event | what it means |
//! | --- | --- |
//! | `message_start` | id and first figures |
//! | `content_block_start`, `_delta`, `_stop` | a part |
//! | `message_delta` | the stop reason and the last figures |
//! | `message_stop` | the end; a stream without it is `incomplete` |
//! | `error` | that error |
//! | `ping`, anything unknown | nothing |
//!
//! Source: <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use mosaic_core::{Decoder, Delivery, ModelEnd, ModelError, ModelEvent, Origin, Profile, StopReason};
use serde_json::Value;

use super::blocks::Blocks;
use super::event::{Body, Event, WireUsage};
use crate::wire::decode::{self, FramedDecoder, Reader};
use crate::wire::error;
use crate::wire::framing::Shape;
use crate::wire::parts::Parts;

/// The decoder of both deliveries.
pub(super) fn decoder(profile: &Profile, delivery: Delivery) -> Box<dyn Decoder> {
    let answer = Answer {
        origin: profile.origin.clone(),
        parts: Parts::default(),
        blocks: Blocks::default(),
        stop: None,
        usage: WireUsage::default(),
        id: None,
        done: false,
    };
    Box::new(FramedDecoder::new(delivery, Shape::Events, answer))
}

#[derive(Debug)]
struct Answer {
    origin: Origin,
    parts: Parts,
    blocks: Blocks,
    stop: Option<StopReason>,
    usage: WireUsage,
    id: Option<String>,
    done: bool,
}

impl Reader for Answer {
    fn event(&mut self, data: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let data = data.trim();
        // A gateway that speaks both APIs may end every stream alike.
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let event: Event<'_> = decode::event(data)?;
        let index = event.index.or_zero();
        match event.kind.get().unwrap_or_default() {
            "content_block_delta" => {
                self.blocks.delta(index, event.delta.0.unwrap_or_default(), &mut self.parts, events);
            }
            "content_block_start" => {
                self.blocks.start(index, event.content_block.0.unwrap_or_default(), &mut self.parts, events);
            }
            "content_block_stop" => self.blocks.stop(index, &mut self.parts, events),
            "message_start" => {
                let start = event.message.0.unwrap_or_default();
                self.id = start.id.get().map(str::to_owned);
                self.usage.update(start.usage.0.unwrap_or_default());
            }
            "message_delta" => {
                self.stop =
                    event.delta.0.and_then(|delta| delta.stop_reason.get().map(stop)).or(self.stop.take());
                self.usage.update(event.usage.0.unwrap_or_default());
            }
            "message_stop" => self.close(events),
            kind => {
                if kind == "error" || event.error.is_some_and(|error| !error.is_null()) {
                    return Err(error::from_object(&serde_json::from_str(data).unwrap_or(Value::Null)));
                }
            }
        }
        Ok(())
    }

    fn body(&mut self, body: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let whole: Body<'_> = decode::body(body)?;
        let failed = whole.kind.get() == Some("error") || whole.error.is_some_and(|error| !error.is_null());
        let content = match whole.content {
            Some(content) if !failed => content,
            _ if failed => {
                return Err(error::from_object(&serde_json::from_str(body).unwrap_or(Value::Null)));
            }
            _ => return Err(error::unreadable("answer", body, None)),
        };
        self.id = whole.id.get().map(str::to_owned);
        for (index, block) in (0_u64..).zip(content.0) {
            self.blocks.start(index, block, &mut self.parts, events);
            self.blocks.stop(index, &mut self.parts, events);
        }
        self.stop = whole.stop_reason.get().map(stop);
        self.usage.update(whole.usage.0.unwrap_or_default());
        self.close(events);
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        Err(error::incomplete("`message_stop`"))
    }

    fn done(&self) -> bool {
        self.done
    }

    fn provider(&self) -> &str {
        &self.origin.provider
    }
}

impl Answer {
    fn close(&mut self, events: &mut Vec<ModelEvent>) {
        self.blocks.stop_all(&mut self.parts, events);
        self.parts.end_all(events);
        events.push(ModelEvent::Done(ModelEnd {
            stop: self.stop.take().unwrap_or(StopReason::Other { reason: String::new() }),
            usage: self.usage.usage(),
            cost: None,
            origin: self.origin.clone(),
            response_id: self.id.take(),
        }));
        self.done = true;
    }
}

/// The reason in our words. Source: <https://docs.anthropic.com/en/api/handling-stop-reasons>
fn stop(reason: &str) -> StopReason {
    match reason {
        "end_turn" | "stop_sequence" => StopReason::Stop,
        "tool_use" => StopReason::ToolCalls,
        "max_tokens" | "model_context_window_exceeded" => StopReason::Length,
        "refusal" => StopReason::ContentFilter,
        other => StopReason::Other { reason: other.to_owned() },
    }
}
