//! A short name for a long text.

use std::fmt;

/// FNV-1a over 64 bits (Fowler, Noll, Vo), fed piece by piece: says whether something changed. Not against forgery: whoever
/// can write the log can write anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// A text and its length, so that where it ends counts.
    pub(crate) fn text(&mut self, text: &str) {
        self.feed(&text.len().to_le_bytes());
        self.feed(text.as_bytes());
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// In hex.
impl fmt::Display for Fnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Of the texts and their lengths, in hex.
pub(crate) fn digest(texts: &[&str]) -> String {
    let mut fnv = Fnv::default();
    texts.iter().for_each(|text| fnv.text(text));
    fnv.to_string()
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn where_a_text_ends_counts() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
    }

    #[test]
    fn digests_in_logs_stay_what_they_were() {
        assert_eq!(digest(&["a"]), "529a4ddc8ff56bbf");
    }
}
