//! A short name for a long text.

/// FNV-1a over 64 bits (Fowler, Noll, Vo) of the texts and their lengths, in hex: says whether something changed. Not
/// against forgery: whoever can write the log can write anything.
pub(crate) fn digest(texts: &[&str]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut feed = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for text in texts {
        feed(&text.len().to_le_bytes());
        feed(text.as_bytes());
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn where_a_text_ends_counts() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
    }
}
