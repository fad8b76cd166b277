//! How big a group is, measured once.

use super::{GroupBody, Part};

/// How big a group is: what a router must know of a long history before every call, so it is measured once and kept
/// beside the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure {
    /// Bytes of text: what is said, the names and arguments of calls, results, readable reasoning.
    pub text: u64,
    /// Bytes of what only its provider reads: signatures, encrypted thoughts, blocks of its own. Sent to their origin alone.
    pub opaque: u64,
    /// Pieces: parts and results, each of which costs a few tokens of framing.
    pub pieces: u32,
    /// Images.
    pub images: u32,
    /// Documents.
    pub documents: u32,
    /// Sounds.
    pub sounds: u32,
}

impl std::ops::AddAssign for Measure {
    fn add_assign(&mut self, other: Self) {
        self.text = self.text.saturating_add(other.text);
        self.opaque = self.opaque.saturating_add(other.opaque);
        self.pieces = self.pieces.saturating_add(other.pieces);
        self.images = self.images.saturating_add(other.images);
        self.documents = self.documents.saturating_add(other.documents);
        self.sounds = self.sounds.saturating_add(other.sounds);
    }
}

impl Measure {
    pub(super) fn of(body: &GroupBody) -> Self {
        let mut measure = Self::default();
        match body {
            GroupBody::User { parts } => parts.iter().for_each(|part| measure.add(part)),
            GroupBody::Assistant { parts, results, .. } => {
                parts.iter().for_each(|part| measure.add(part));
                for result in results {
                    measure.pieces = measure.pieces.saturating_add(1);
                    result.content.iter().for_each(|part| measure.add(part));
                }
            }
        }
        measure
    }

    fn add(&mut self, part: &Part) {
        self.pieces = self.pieces.saturating_add(1);
        match part {
            Part::Reasoning { opaque: Some(value), .. } | Part::Provider { data: value, .. } => {
                self.opaque = self.opaque.saturating_add(json_bytes(value));
            }
            _ => {}
        }
        let bytes = match part {
            Part::Text { text } | Part::Refusal { text } | Part::Reasoning { text, .. } => text.len(),
            Part::ToolCall(call) => call.name.len() + call.arguments.len(),
            Part::Media(media) => {
                // An unknown kind of file is a document: whoever takes documents says best what it can read.
                let count = match media.media_type.split('/').next() {
                    Some("image") => &mut self.images,
                    Some("audio") => &mut self.sounds,
                    _ => &mut self.documents,
                };
                *count = count.saturating_add(1);
                0
            }
            Part::Provider { .. } => 0,
        };
        self.text = self.text.saturating_add(bytes as u64);
    }
}

/// The length of a value as JSON.
pub(crate) fn json_bytes(value: &serde_json::Value) -> u64 {
    let mut count = Count(0);
    // Cannot fail: nothing is written.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

struct Count(u64);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
