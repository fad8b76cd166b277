//! JSON text without an intermediate value: a message is written once and kept, and this is what each turn pays for.

use mosaic_core::EncodeError;
use serde::Serialize;

/// JSON text being written. The caller sees to commas and brackets.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Text that is JSON already.
    pub(crate) fn raw(&mut self, json: &str) -> &mut Self {
        self.0.extend_from_slice(json.as_bytes());
        self
    }

    /// Bytes that are JSON already.
    pub(crate) fn bytes(&mut self, json: &[u8]) -> &mut Self {
        self.0.extend_from_slice(json);
        self
    }

    /// A comma, unless something was just opened or nothing was written.
    pub(crate) fn comma(&mut self) -> &mut Self {
        if !matches!(self.0.last(), None | Some(b'[' | b'{' | b',')) {
            self.0.push(b',');
        }
        self
    }

    /// A string.
    pub(crate) fn string(&mut self, text: &str) -> &mut Self {
        // Writing a string into memory cannot fail.
        let _ = serde_json::to_writer(&mut self.0, text);
        self
    }

    /// Text inside a string that the caller opened, where it needs no escape: base64, a media type that was checked.
    pub(crate) fn plain(&mut self, text: &str) -> &mut Self {
        let escaped = text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
        if escaped {
            let _ = serde_json::to_string(text).map(|quoted| {
                self.raw(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()).len()
            });
        } else {
            self.raw(text);
        }
        self
    }

    /// A member's name and colon, after a comma where one is needed.
    pub(crate) fn key(&mut self, name: &str) -> &mut Self {
        self.comma().string(name).raw(":")
    }

    /// JSON.
    pub(crate) fn json(&mut self, value: &serde_json::Value) -> &mut Self {
        // Its keys are strings, and writing into memory cannot fail.
        let _ = serde_json::to_writer(&mut self.0, value);
        self
    }

    /// Anything that serialises.
    pub(crate) fn value(&mut self, what: &str, value: &impl Serialize) -> Result<&mut Self, EncodeError> {
        serde_json::to_writer(&mut self.0, value)
            .map_err(|source| EncodeError::Json { what: what.to_owned(), source })?;
        Ok(self)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn into_bytes(self) -> bytes::Bytes {
        self.0.into()
    }
}
