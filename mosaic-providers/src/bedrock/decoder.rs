//! Reads one answer, streamed or whole. The first byte tells which: a length below 32 MiB begins no JSON and no page.
//!
//! | event | what it means |
//! | --- | --- |
//! | `messageStart` | nothing that we keep |
//! | `contentBlockStart`, `contentBlockDelta`, `contentBlockStop` | a part |
//! | `messageStop` | the stop reason: all is said; a stream without it is `incomplete` |
//! | `metadata` | the figures; the last event |
//! | an exception, an error | that error |
//! | anything unknown | nothing |
//!
//! # When an answer is complete
//! The figures come after `messageStop`, so the end is told with `metadata`. A stream that ends between the two, or inside
//! of `metadata`, is complete all the same: every word is there and why it ended, and asking again would cost it all a
//! second time. Its figures are unreported then, 0.
//!
//! Source: <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html>

use mosaic_core::{Decoder, ErrorKind, ModelEnd, ModelError, ModelEvent, Origin, Profile, StopReason, Usage};
use serde_json::Value;

use super::blocks::Blocks;
use super::error;
use super::event::{Body, Event};
use crate::event_stream::{EventStreamError, EventStreamParser, Message};
use crate::wire::decode;
use crate::wire::error as wire;
use crate::wire::parts::Parts;

/// The longest whole body: 64 MiB.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// The decoder of both deliveries.
pub(super) fn decoder(profile: &Profile) -> Box<dyn Decoder> {
    Box::new(Converse {
        framing: Framing::Start,
        answer: Answer {
            origin: profile.origin.clone(),
            parts: Parts::default(),
            blocks: Blocks::default(),
            stop: None,
            usage: None,
            done: false,
        },
        over: false,
    })
}

#[derive(Debug)]
enum Framing {
    Start,
    Events(EventStreamParser),
    Body(Vec<u8>),
}

#[derive(Debug)]
struct Converse {
    framing: Framing,
    answer: Answer,
    over: bool,
}

impl Decoder for Converse {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if self.over {
            return Ok(());
        }
        let result = self.take(bytes, events);
        self.close(result)
    }

    fn finish(&mut self, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if self.over {
            return Ok(());
        }
        let result = match &self.framing {
            Framing::Start => Err(wire::incomplete("a body")),
            Framing::Events(_) if self.answer.stop.is_some() => {
                self.answer.close(events);
                Ok(())
            }
            Framing::Events(_) => Err(wire::incomplete("`messageStop`")),
            Framing::Body(body) => match utf8(body).map(str::trim) {
                Ok("") => Err(wire::incomplete("a body")),
                Ok(body) => self.answer.body(body, events),
                Err(error) => Err(error),
            },
        };
        self.over = true;
        self.close(result)
    }
}

impl Converse {
    fn take(&mut self, bytes: &[u8], events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if let (Framing::Start, Some(first)) = (&self.framing, bytes.first()) {
            self.framing = match first {
                0 | 1 => Framing::Events(EventStreamParser::new()),
                _ => Framing::Body(Vec::new()),
            };
        }
        match &mut self.framing {
            Framing::Start => Ok(()),
            Framing::Events(parser) => {
                let mut feed = parser.feed(bytes);
                while let Some(message) = feed.next().map_err(unreadable)? {
                    self.answer.message(&message, events)?;
                    if self.answer.done {
                        break;
                    }
                }
                Ok(())
            }
            Framing::Body(body) => {
                if body.len().saturating_add(bytes.len()) > BODY_LIMIT {
                    return Err(ModelError::new(
                        ErrorKind::Decode,
                        format!(
                            "the answer is longer than {BODY_LIMIT} bytes; ask for a shorter one, or stream it"
                        ),
                    ));
                }
                body.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn close(&mut self, result: Result<(), ModelError>) -> Result<(), ModelError> {
        self.over |= result.is_err() || self.answer.done;
        result.map_err(|mut error| {
            error.provider.get_or_insert_with(|| self.answer.origin.provider.to_string());
            error
        })
    }
}

fn unreadable(source: EventStreamError) -> ModelError {
    let mut error =
        ModelError::new(ErrorKind::Decode, format!("the provider's stream cannot be read: {source}"))
            .with_source(source);
    // What was damaged on its way may come whole the next time.
    error.retryable = matches!(source, EventStreamError::Checksum { .. });
    error
}

fn utf8(bytes: &[u8]) -> Result<&str, ModelError> {
    std::str::from_utf8(bytes).map_err(|error| {
        ModelError::new(
            ErrorKind::Decode,
            format!("the provider sent invalid UTF-8 at byte {} of an event or body", error.valid_up_to()),
        )
        .with_source(error)
    })
}

#[derive(Debug)]
struct Answer {
    origin: Origin,
    parts: Parts,
    blocks: Blocks,
    stop: Option<StopReason>,
    usage: Option<Usage>,
    done: bool,
}

impl Answer {
    fn message(&mut self, message: &Message<'_>, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let header = |name: &str| message.headers.text(name).unwrap_or_default();
        match header(":message-type") {
            "exception" => Err(error::from_exception(header(":exception-type"), message.payload)),
            "error" => Err(error::from_error(header(":error-code"), header(":error-message"))),
            // Everything else is an event by the format's rules.
            _ => self.event(header(":event-type"), utf8(message.payload)?, events),
        }
    }

    fn event(&mut self, kind: &str, payload: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if !matches!(
            kind,
            "contentBlockDelta" | "contentBlockStart" | "contentBlockStop" | "messageStop" | "metadata"
        ) {
            return Ok(());
        }
        let event: Event<'_> = decode::event(payload)?;
        let index = event.content_block_index.or_zero();
        match kind {
            "contentBlockDelta" => {
                self.blocks.delta(index, event.delta.0.unwrap_or_default(), &mut self.parts, events);
            }
            "contentBlockStart" => {
                if let Some(start) = event.start.filter(Value::is_object) {
                    self.blocks.start(index, start, &mut self.parts, events);
                }
            }
            "contentBlockStop" => self.blocks.stop(index, &mut self.parts, events),
            "messageStop" => self.stop = Some(stop(event.stop_reason.get().unwrap_or_default())),
            _ => self.usage = Some(event.usage.0.unwrap_or_default().usage()),
        }
        if self.stop.is_some() && self.usage.is_some() {
            self.close(events);
        }
        Ok(())
    }

    fn body(&mut self, body: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let whole: Body<'_> = decode::body(body)?;
        let Some(said) = whole.output.0.and_then(|output| output.message.0) else {
            let json = serde_json::from_str(body).unwrap_or(Value::Null);
            return Err(error::from_body(&json).unwrap_or_else(|| wire::unreadable("answer", body, None)));
        };
        for (index, block) in (0_u64..).zip(said.content.0) {
            self.blocks.whole(index, block, &mut self.parts, events);
        }
        self.stop = Some(stop(whole.stop_reason.get().unwrap_or_default()));
        self.usage = whole.usage.0.map(super::event::WireUsage::usage);
        self.close(events);
        Ok(())
    }

    fn close(&mut self, events: &mut Vec<ModelEvent>) {
        self.blocks.stop_all(&mut self.parts, events);
        self.parts.end_all(events);
        events.push(ModelEvent::Done(ModelEnd {
            stop: self.stop.take().unwrap_or(StopReason::Other { reason: String::new() }),
            usage: self.usage.unwrap_or_default(),
            cost: None,
            origin: self.origin.clone(),
            // It is in a header of the answer (`x-amzn-requestid`), which a decoder does not see.
            response_id: None,
        }));
        self.done = true;
    }
}

/// The reason in our words. Source: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_MessageStopEvent.html>
fn stop(reason: &str) -> StopReason {
    match reason {
        "end_turn" | "stop_sequence" => StopReason::Stop,
        "tool_use" => StopReason::ToolCalls,
        "max_tokens" | "model_context_window_exceeded" => StopReason::Length,
        "content_filtered" | "guardrail_intervened" | "refusal" => StopReason::ContentFilter,
        other => StopReason::Other { reason: other.to_owned() },
    }
}
