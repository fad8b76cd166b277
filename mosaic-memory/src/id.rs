//! Ids that follow from what a memory is made of.

use mosaic_core::Timestamp;
use mosaic_core::memory::MemoryId;
use sha2::{Digest, Sha256};

/// The id of a memory that is made of some things: the same each time, so that a job that is run again finds what it has
/// written already. A UUIDv7 of a time, whose random bits are a hash.
pub(crate) fn derived(at: Timestamp, of: &[&str]) -> MemoryId {
    let mut hash = Sha256::new();
    for part in of {
        // With its length: else `ab`, `c` were `a`, `bc`.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut random = [0; 10];
    for (to, from) in random.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    MemoryId(uuid::Builder::from_unix_timestamp_millis(at.0, &random).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_things_give_the_same_id_and_others_another() {
        let at = Timestamp(1_700_000_000_000);
        assert_eq!(derived(at, &["a", "bc"]), derived(at, &["a", "bc"]));
        assert_ne!(derived(at, &["a", "bc"]), derived(at, &["ab", "c"]));
        assert_ne!(derived(at, &["a"]), derived(Timestamp(at.0 + 1), &["a"]));
        assert_eq!(derived(at, &["a"]).0.get_version_num(), 7);
    }
}
