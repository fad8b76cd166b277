//! How big a group is, measured once.

use super::{GroupBody, Part};

/// How big a group is: what a router must know of a long history before every call, so it is measured once and kept
/// beside the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure {
    /// Bytes of text: what is said, the names and arguments of calls, results, readable reasoning.
    pub text: u64,
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
