//! A wire format of lines, for tests: `t <text>` is a piece of text, `u <tokens>` the length of the answer,
//! `end` the terminal event, all else an error. An answer as long as its limit was cut.
#![allow(dead_code, unreachable_pub)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use mosaic_core::{
    Codec, Decoder, Delivery, Encodable, EncodeError, ErrorKind, GroupBody, Headers, HttpRequest, ModelEnd,
    ModelError, ModelEvent, Part, PartKind, Profile, StopReason, ToolSpec, Usage,
};

#[derive(Debug, Clone, Default)]
pub struct ToyCodec {
    fragments: Arc<AtomicUsize>,
    tools: Arc<AtomicUsize>,
}

impl ToyCodec {
    /// How many fragments were made.
    pub fn fragments(&self) -> usize {
        self.fragments.load(Ordering::SeqCst)
    }

    /// How many lists of tools were made.
    pub fn tools_made(&self) -> usize {
        self.tools.load(Ordering::SeqCst)
    }
}

impl Codec for ToyCodec {
    fn api(&self) -> &'static str {
        "toy"
    }

    fn fragment(&self, group: &GroupBody, _: &Profile) -> Result<Bytes, EncodeError> {
        self.fragments.fetch_add(1, Ordering::SeqCst);
        let (role, parts) = match group {
            GroupBody::User { parts } => ("user", parts),
            GroupBody::Assistant { parts, .. } => ("assistant", parts),
            _ => return Ok(Bytes::new()),
        };
        let said = |part: &Part| match part {
            Part::Text { text } => text.clone(),
            Part::ToolCall(call) => format!("<call {}>", call.name),
            other => format!("{other:?}"),
        };
        Ok(format!("[{role}:{}]", parts.iter().map(said).collect::<String>()).into())
    }

    fn tools(&self, tools: &[&ToolSpec], _: &Profile) -> Result<Bytes, EncodeError> {
        self.tools.fetch_add(1, Ordering::SeqCst);
        Ok(tools.iter().map(|tool| format!("{};", tool.name)).collect::<String>().into())
    }

    fn encode(&self, request: &Encodable<'_>) -> Result<HttpRequest, EncodeError> {
        let mut http = HttpRequest { url: format!("{}/toy", request.base_url), ..HttpRequest::default() };
        http.headers.push("x-version", "1");
        if !request.instructions.is_empty() {
            http.body.push(format!("[system:{}]", request.instructions).into());
        }
        http.body.extend(request.fragments.iter().cloned());
        if let Some(tools) = request.tools {
            http.body.push(format!("[tools:{}]", String::from_utf8_lossy(tools)).into());
        }
        if let Some(output) = request.output {
            http.body.push(format!("[output:{}]", output.schema).into());
        }
        Ok(http)
    }

    fn decoder(&self, profile: &Profile, _: Delivery) -> Box<dyn Decoder> {
        Box::new(ToyDecoder::new(profile))
    }

    fn limited_decoder(&self, profile: &Profile, _: Delivery, limit: Option<u64>) -> Box<dyn Decoder> {
        Box::new(ToyDecoder { limit, ..ToyDecoder::new(profile) })
    }

    fn error(&self, status: u16, _: &Headers, body: &[u8]) -> ModelError {
        let kind = if status == 429 { ErrorKind::RateLimited } else { ErrorKind::Server };
        ModelError::new(kind, String::from_utf8_lossy(body))
    }
}

#[derive(Debug)]
struct ToyDecoder {
    profile: Profile,
    line: String,
    text: Option<String>,
    usage: Usage,
    limit: Option<u64>,
    done: bool,
}

impl ToyDecoder {
    fn new(profile: &Profile) -> Self {
        Self {
            profile: profile.clone(),
            line: String::new(),
            text: None,
            usage: Usage::default(),
            limit: None,
            done: false,
        }
    }

    fn line(&mut self, line: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if let Some(delta) = line.strip_prefix("t ") {
            if self.text.is_none() {
                events.push(ModelEvent::Start { part: 0, kind: PartKind::Text });
            }
            let delta = delta.replace("\\n", "\n");
            self.text.get_or_insert_default().push_str(&delta);
            events.push(ModelEvent::Text { part: 0, delta });
        } else if let Some(tokens) = line.strip_prefix("u ") {
            self.usage.output = tokens.parse().unwrap_or_default();
        } else if let Some(stop) = line.strip_prefix("end") {
            if let Some(text) = self.text.take() {
                events.push(ModelEvent::End { part: 0, content: Part::Text { text } });
            }
            let cut = self.limit.is_some_and(|limit| self.usage.output >= limit);
            let stop = if cut || stop == " length" { StopReason::Length } else { StopReason::Stop };
            let origin = self.profile.origin.clone();
            events.push(ModelEvent::Done(ModelEnd {
                stop,
                usage: self.usage,
                cost: None,
                origin,
                response_id: None,
            }));
            self.done = true;
        } else if !line.is_empty() {
            self.done = true;
            return Err(ModelError::new(ErrorKind::Decode, format!("no such line: {line}")));
        }
        Ok(())
    }
}

impl Decoder for ToyDecoder {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        for byte in bytes {
            if self.done {
                break;
            }
            match byte {
                b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    self.line(&line, events)?;
                }
                byte => self.line.push(char::from(*byte)),
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if self.done {
            return Ok(());
        }
        Err(ModelError::new(ErrorKind::Incomplete, "the answer has no end"))
    }
}
