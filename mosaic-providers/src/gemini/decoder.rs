//! Reads one answer, streamed or whole.
//!
//! | what comes | what it means |
//! | --- | --- |
//! | a chunk with a finish reason | the answer is whole, but its usage may still follow: it ends with the bytes |
//! | the end of the bytes after a finish reason | the end |
//! | the end of the bytes before one, or inside of the array | `incomplete` |
//! | `promptFeedback.blockReason` | `content_filtered` |
//! | `error` | that error |
//! | neither candidates nor feedback, and the end | `incomplete`: the API does this, and asking again helps |
//!
//! Older models give a finish reason with every chunk, so the first is not the end.
//!
//! | part | becomes |
//! | --- | --- |
//! | `text` | text; neighbours are pieces of one |
//! | `text` with `thought` | reasoning; the signature is kept as `{"signature"}` |
//! | `functionCall` | a tool call |
//! | a signature on a text or a call | reasoning without text, `{"signature", "of"}`: before the call, after the text |
//! | anything else, and the candidate's grounding and citations | a provider block |
//!
//! Source: <https://ai.google.dev/api/generate-content>, <https://ai.google.dev/gemini-api/docs/thought-signatures>

use std::borrow::Cow;

use mosaic_core::{Decoder, Delivery, ModelEnd, ModelError, ModelEvent, Origin, Profile};
use serde_json::{Map, Value, json};

use super::chunk::{Call, Candidate, Chunk, Piece, WireUsage};
use super::finish;
use crate::wire::decode::{self, FramedDecoder, Reader};
use crate::wire::error;
use crate::wire::framing::Shape;
use crate::wire::parts::{Building, Parts};

/// The decoder of both deliveries and both forms of a stream.
pub(super) fn decoder(profile: &Profile, delivery: Delivery) -> Box<dyn Decoder> {
    let answer = Answer {
        origin: profile.origin.clone(),
        parts: Parts::default(),
        open: None,
        calls: false,
        notes: Map::new(),
        reason: None,
        usage: WireUsage::default(),
        id: None,
        done: false,
    };
    Box::new(FramedDecoder::new(delivery, Shape::Objects, answer))
}

#[derive(Debug)]
struct Answer {
    origin: Origin,
    parts: Parts,
    /// The text or the thought that the next piece may continue.
    open: Option<Open>,
    calls: bool,
    /// Grounding, fetched pages and citations: in a stream the last ones count.
    notes: Map<String, Value>,
    reason: Option<String>,
    usage: WireUsage,
    id: Option<String>,
    done: bool,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    part: u32,
    thought: bool,
}

impl Reader for Answer {
    fn event(&mut self, data: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let data = data.trim();
        // Gateways that speak several APIs may end every stream alike.
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        self.chunk(decode::event(data)?, data, events)
    }

    fn body(&mut self, body: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if body.starts_with('[') {
            // The array of a stream, where a whole answer was asked for.
            for data in decode::body::<Vec<&serde_json::value::RawValue>>(body)? {
                self.chunk(decode::event(data.get())?, data.get(), events)?;
            }
        } else {
            self.chunk(decode::body(body)?, body, events)?;
        }
        self.end(events)
    }

    fn end(&mut self, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let Some(reason) = self.reason.take() else {
            return Err(error::incomplete("a finish reason"));
        };
        let stop = finish::stop(&reason, self.calls)?;
        for (kind, data) in std::mem::take(&mut self.notes) {
            self.block(kind.clone(), json!({ kind: data }), events);
        }
        self.parts.end_all(events);
        events.push(ModelEvent::Done(ModelEnd {
            stop,
            usage: self.usage.usage(),
            cost: None,
            origin: self.origin.clone(),
            response_id: self.id.take(),
        }));
        self.done = true;
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
    fn chunk(
        &mut self,
        chunk: Chunk<'_>,
        data: &str,
        events: &mut Vec<ModelEvent>,
    ) -> Result<(), ModelError> {
        if chunk.error.is_some_and(|error| !error.is_null()) {
            return Err(error::from_object(&serde_json::from_str(data).unwrap_or(Value::Null)));
        }
        if self.id.is_none() {
            self.id = chunk.response_id.get().map(str::to_owned);
        }
        if let Some(usage) = chunk.usage_metadata.0 {
            self.usage.update(usage);
        }
        if let Some(candidate) = chunk.candidates.value {
            self.candidate(candidate, events);
        } else if let Some(feedback) = chunk.prompt_feedback.0
            && let Some(reason) = feedback.block_reason.get()
        {
            return Err(finish::blocked(reason, feedback.block_reason_message.get()));
        }
        Ok(())
    }

    fn candidate(&mut self, candidate: Candidate<'_>, events: &mut Vec<ModelEvent>) {
        for piece in candidate.content.0.unwrap_or_default().parts.0 {
            self.piece(piece.0.unwrap_or_default(), events);
        }
        let notes = [
            ("groundingMetadata", candidate.grounding_metadata.0),
            ("urlContextMetadata", candidate.url_context_metadata.0),
            ("citationMetadata", candidate.citation_metadata.0),
        ];
        for (name, note) in notes {
            // The chunks before the last have an empty one.
            if let Some(note) = note.filter(|note| !note.is_empty()) {
                self.notes.insert(name.to_owned(), note.into());
            }
        }
        // Of several reasons the last counts: older models say STOP with every chunk.
        if let Some(reason) = candidate.finish_reason.get() {
            self.reason = Some(reason.to_owned());
        }
    }

    fn piece(&mut self, piece: Piece<'_>, events: &mut Vec<ModelEvent>) {
        let signature = piece.signature.get().map(str::to_owned);
        if let Some(call) = piece.call.0 {
            return self.call(call, signature, events);
        }
        if let Some(kind) = piece.block().map(str::to_owned) {
            let mut block = piece.rest;
            if piece.thought {
                block.insert("thought".to_owned(), true.into());
            }
            if let Some(signature) = signature {
                block.insert("thoughtSignature".to_owned(), signature.into());
            }
            return self.block(kind, block.into(), events);
        }
        let text = piece.text.take().unwrap_or_default();
        if text.is_empty() && signature.is_none() {
            return;
        }
        let chars = signature.as_ref().map_or(0, |_| text.chars().count());
        if !text.is_empty() || piece.thought {
            let part = self.open(piece.thought, events);
            self.parts.push(part, text, events);
        }
        let Some(signature) = signature else { return };
        if !piece.thought {
            return self.mark(json!({ "signature": signature, "of": "text", "chars": chars }), events);
        }
        let part = self.open(true, events);
        if let Some(Building::Reasoning { opaque, .. }) = self.parts.get_mut(part) {
            *opaque = Some(json!({ "signature": signature }));
        }
        // What follows has no part in this signature.
        self.close(events);
    }

    fn call(&mut self, call: Call<'_>, signature: Option<String>, events: &mut Vec<ModelEvent>) {
        if let Some(signature) = signature {
            self.mark(json!({ "signature": signature, "of": "call" }), events);
        }
        self.close(events);
        self.calls = true;
        let part = self.parts.start(
            Building::Call {
                wire_id: call.id.get().map(str::to_owned),
                name: call.name.get().unwrap_or_default().to_owned(),
                arguments: String::new(),
            },
            events,
        );
        let args = call.args.map(|args| args.get()).filter(|args| *args != "null").unwrap_or_default();
        self.parts.push(part, Cow::Borrowed(args), events);
        self.parts.end(part, events);
    }

    /// Keeps a signature beside the part that it came with.
    fn mark(&mut self, opaque: Value, events: &mut Vec<ModelEvent>) {
        self.close(events);
        let part =
            self.parts.start(Building::Reasoning { text: String::new(), opaque: Some(opaque) }, events);
        self.parts.end(part, events);
    }

    fn block(&mut self, kind: String, data: Value, events: &mut Vec<ModelEvent>) {
        self.close(events);
        let part = self.parts.start(Building::Provider { kind, data }, events);
        self.parts.end(part, events);
    }

    /// The part that a text or a thought goes on with, or a new one.
    fn open(&mut self, thought: bool, events: &mut Vec<ModelEvent>) -> u32 {
        match self.open {
            Some(open) if open.thought == thought => return open.part,
            _ => self.close(events),
        }
        let building = if thought {
            Building::Reasoning { text: String::new(), opaque: None }
        } else {
            Building::Text(String::new())
        };
        let part = self.parts.start(building, events);
        self.open = Some(Open { part, thought });
        part
    }

    fn close(&mut self, events: &mut Vec<ModelEvent>) {
        if let Some(open) = self.open.take() {
            self.parts.end(open.part, events);
        }
    }
}
