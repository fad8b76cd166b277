//! Reads one answer, streamed or whole.
//!
//! | what comes | what it means |
//! | --- | --- |
//! | `response.completed`, `response.incomplete` | the end |
//! | `completed`, but as long as the limit, of a server that says no more | cut off there |
//! | `response.failed`, `error`, `error` in a body | that error |
//! | the end of the bytes before one of those, `[DONE]` or not | `incomplete` |
//! | a whole body that is still `queued` or `in_progress` | `incomplete`: it was asked for in the background |
//! | an empty `output` at the end of a stream | nothing: the items came before |
//! | unknown events (`response.web_search_call.searching`, ...) | nothing: the item itself is told at its end |

use mosaic_core::{
    Cost, Decoder, Delivery, ModelEnd, ModelError, ModelEvent, Origin, Profile, StopReason, Usage,
};
use serde_json::{Value, json};

use super::event::{Event, Response};
use super::items::{self, Items, Piece, Place, Said, Thought};
use crate::wire::decode::{self, FramedDecoder, Reader};
use crate::wire::error;
use crate::wire::framing::Shape;
use crate::wire::parts::Parts;

/// The decoder of both deliveries. An answer of `cut_at` tokens was cut, whatever its status says.
pub(super) fn decoder(profile: &Profile, delivery: Delivery, cut_at: Option<u64>) -> Box<dyn Decoder> {
    let answer = Answer {
        origin: profile.origin.clone(),
        cut_at,
        parts: Parts::default(),
        items: Items::default(),
        id: None,
        done: false,
    };
    Box::new(FramedDecoder::new(delivery, Shape::Events, answer))
}

#[derive(Debug)]
struct Answer {
    origin: Origin,
    cut_at: Option<u64>,
    parts: Parts,
    items: Items,
    id: Option<String>,
    done: bool,
}

impl Reader for Answer {
    fn event(&mut self, data: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let data = data.trim();
        // Proxies end every stream like one of Chat Completions. It does not stand for the end that this API has.
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let event: Event<'_> = decode::event(data)?;
        let (parts, items) = (&mut self.parts, &mut self.items);
        let place = Place { id: event.item_id.get(), index: event.output_index.0 };
        let content = event.content_index.or_zero();
        match event.kind.get().unwrap_or_default() {
            "response.output_text.delta" => {
                let piece = event.delta.take().unwrap_or_default();
                items.said(place, content, Said::Text, Piece::More(piece), parts, events);
            }
            "response.output_text.done" => {
                let whole = event.text.0.unwrap_or_default();
                items.said(place, content, Said::Text, Piece::All(whole), parts, events);
            }
            "response.refusal.delta" => {
                let piece = event.delta.take().unwrap_or_default();
                items.said(place, content, Said::Refusal, Piece::More(piece), parts, events);
            }
            "response.refusal.done" => {
                let whole = event.refusal.0.unwrap_or_default();
                items.said(place, content, Said::Refusal, Piece::All(whole), parts, events);
            }
            "response.content_part.added" => {
                let part: Value = parse(event.part.map(|part| part.get()));
                if let (Some(said), _) = items::said_in(&part) {
                    items.said(place, content, said, Piece::All("".into()), parts, events);
                }
            }
            "response.content_part.done" => {
                let part: Value = parse(event.part.map(|part| part.get()));
                items.content_done(place, content, &part, parts, events);
            }
            "response.reasoning_summary_text.delta" => {
                let piece = event.delta.take().unwrap_or_default();
                let index = event.summary_index.or_zero();
                items.thought(place, Thought::Summary, index, piece, parts, events);
            }
            "response.reasoning_text.delta" => {
                let piece = event.delta.take().unwrap_or_default();
                items.thought(place, Thought::Content, content, piece, parts, events);
            }
            "response.function_call_arguments.delta" => {
                let piece = event.delta.take().unwrap_or_default();
                items.arguments(place, Piece::More(piece), parts, events);
            }
            "response.function_call_arguments.done" => {
                let whole = event.arguments.0.unwrap_or_default();
                items.arguments(place, Piece::All(whole), parts, events);
            }
            "response.output_item.added" => {
                items.added(place.index, parse(event.item.map(|item| item.get())), parts, events);
            }
            "response.output_item.done" => {
                items.done(place.index, parse(event.item.map(|item| item.get())), parts, events);
            }
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                let response = event.response.map_or("{}", |response| response.get());
                return self.close(decode::event(response)?, events);
            }
            kind => {
                let told = event.error.is_some_and(|error| !matches!(error.get(), "{}" | "\"\"" | "false"));
                if kind == "error" || (kind != "response.created" && told) {
                    return Err(error::from_object(&parse(Some(data))));
                }
                // The events of the beginning hold the response, and the whole request with it: only its id is wanted.
                if let (None, Some(response)) = (&self.id, event.response) {
                    let response: Response<'_> = decode::event(response.get())?;
                    self.id = response.id.get().map(str::to_owned);
                }
            }
        }
        Ok(())
    }

    fn body(&mut self, body: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let response: Response<'_> = decode::body(body)?;
        let failed = failure(&response).is_some();
        if response.output.is_none() && !failed {
            let json = parse(Some(body));
            let says = ["message", "detail", "errors"].iter().any(|key| json.get(*key).is_some());
            return Err(if says || json.is_array() {
                error::from_object(&json)
            } else {
                error::unreadable("answer", body, None)
            });
        }
        if failed {
            return Err(error::from_object(&parse(Some(body))));
        }
        self.close(response, events)
    }

    fn end(&mut self, _: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        Err(error::incomplete("`response.completed`"))
    }

    fn done(&self) -> bool {
        self.done
    }

    fn provider(&self) -> &str {
        &self.origin.provider
    }
}

impl Answer {
    fn close(&mut self, response: Response<'_>, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let status = response.status.get().unwrap_or("completed");
        if let Some(failure) = failure(&response) {
            return Err(error::from_object(&json!({ "error": failure })));
        }
        if matches!(status, "queued" | "in_progress") {
            return Err(error::incomplete("its end: the response is still being made in the background"));
        }
        let output = response.output.map(|output| output.0).unwrap_or_default();
        self.items.close(output, &mut self.parts, events);
        self.parts.end_all(events);
        let usage = response.usage.0.unwrap_or_default();
        let (usage, cost): (Usage, Option<Cost>) = (usage.usage(), usage.cost());
        let cut = self.cut_at.is_some_and(|limit| usage.output >= limit);
        let reason = response.incomplete_details.0.as_ref().and_then(|details| details.reason.get());
        let stop = match (status, reason) {
            ("completed", None) if cut => StopReason::Length,
            ("completed", None) if self.items.called() => StopReason::ToolCalls,
            ("completed", None) => StopReason::Stop,
            (_, Some("max_output_tokens" | "max_tokens" | "length")) => StopReason::Length,
            (_, Some("content_filter")) => StopReason::ContentFilter,
            (other, reason) => StopReason::Other { reason: reason.unwrap_or(other).to_owned() },
        };
        events.push(ModelEvent::Done(ModelEnd {
            stop,
            usage,
            cost,
            origin: self.origin.clone(),
            response_id: response.id.get().map(str::to_owned).or(self.id.take()),
        }));
        self.done = true;
        Ok(())
    }
}

/// The error that the response tells. A failed one may tell none.
fn failure(response: &Response<'_>) -> Option<Value> {
    match &response.error {
        Some(Value::Object(members)) if !members.is_empty() => response.error.clone(),
        Some(Value::String(text)) if !text.is_empty() => Some(json!({ "message": text })),
        _ if response.status.get() == Some("failed") => Some(json!({ "code": "server_error" })),
        _ => None,
    }
}

fn parse(json: Option<&str>) -> Value {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or(Value::Null)
}
