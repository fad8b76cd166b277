//! One request: write it, send it, read the stream.

use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::value::RawValue;

use super::wire::{Call, Chunk, Function, Message, Request, StreamOptions, Usage};
use crate::scenario::{TOOL, TOOL_DESCRIPTION, TOOL_SCHEMA};
use crate::{Error, Result};

/// A client and where the model is.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    tools: Arc<RawValue>,
}

/// What the model said.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) calls: Vec<Call>,
    pub(super) chunks: u64,
    pub(super) usage: Option<Usage>,
}

impl Client {
    /// With TLS ready, though the mock does not speak it: a real client has it.
    pub(super) fn new(url: &str) -> Result<Self> {
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tool = format!(
            r#"[{{"type":"function","function":{{"name":"{TOOL}","description":"{TOOL_DESCRIPTION}","parameters":{TOOL_SCHEMA}}}}}]"#
        );
        Ok(Self {
            http: reqwest::Client::builder().tls_backend_preconfigured(tls).build()?,
            url: format!("{url}/v1/chat/completions"),
            tools: RawValue::from_string(tool)?.into(),
        })
    }

    /// Asks and reads the whole answer.
    pub(super) async fn ask(&self, model: &str, messages: &[Message], tools: bool) -> Result<Answer> {
        let request = Request {
            model,
            messages,
            tools: tools.then_some(&*self.tools),
            stream: true,
            stream_options: StreamOptions { include_usage: true },
        };
        let mut response = self
            .http
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, "Bearer none")
            .body(serde_json::to_vec(&request)?)
            .send()
            .await?
            .error_for_status()?;
        let mut answer = Answer::default();
        let mut lines = Lines::default();
        while let Some(bytes) = response.chunk().await? {
            lines.push(&bytes, |line| answer.line(line))?;
        }
        if answer.usage.is_none() {
            return Err(Error::from("the stream ended early"));
        }
        Ok(answer)
    }
}

impl Answer {
    fn line(&mut self, line: &[u8]) -> Result<()> {
        let Some(data) = line.strip_prefix(b"data: ") else { return Ok(()) };
        if data == b"[DONE]" {
            return Ok(());
        }
        let chunk: Chunk<'_> = serde_json::from_slice(data)?;
        self.usage = chunk.usage.or(self.usage);
        for choice in chunk.choices {
            if let Some(text) = choice.delta.content.filter(|text| !text.is_empty()) {
                self.text.push_str(&text);
                self.chunks += 1;
            }
            for delta in choice.delta.tool_calls {
                if delta.index == self.calls.len() {
                    let function = Function { name: String::new(), arguments: String::new() };
                    self.calls.push(Call { id: String::new(), r#type: "function", function });
                }
                let call = self.calls.get_mut(delta.index).ok_or("a call came before its predecessor")?;
                call.id.extend(delta.id);
                call.function.name.extend(delta.function.name);
                call.function.arguments.extend(delta.function.arguments);
            }
        }
        Ok(())
    }
}

/// Cuts bytes into lines, without a copy of those that come whole.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (head, tail) = bytes.split_at(end);
            if self.rest.is_empty() {
                line(head)?;
            } else {
                self.rest.extend_from_slice(head);
                line(&self.rest)?;
                self.rest.clear();
            }
            bytes = tail.get(1..).unwrap_or_default();
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_the_bytes_are_cut() {
        let text = b"data: one\n\ndata: two\nrest";
        for size in 1..text.len() {
            let (mut lines, mut found) = (Lines::default(), Vec::new());
            for piece in text.chunks(size) {
                let mut keep = |line: &[u8]| {
                    found.push(String::from_utf8(line.to_vec())?);
                    Ok(())
                };
                lines.push(piece, &mut keep).unwrap();
            }
            assert_eq!(found, ["data: one", "", "data: two"]);
        }
    }
}
