//! Memories with much to tidy up.

use mosaic_core::Timestamp;
use mosaic_core::memory::{Change, Memory, MemoryBody, MemoryId, MemoryStore, Scope};
use mosaic_memory::embed::HashingEmbedder;
use mosaic_memory::recall::embed_memories;
use mosaic_storage::SqliteStore;
use uuid::Uuid;

pub(crate) const MEMORIES: usize = 160;
/// So many are refused by the picky embedder.
pub(crate) const REFUSED: usize = 4;

/// The year 2001; what was recorded then has faded.
const OLD: Timestamp = Timestamp(1_000_000_000_000);
/// The year 2100; what was recorded then does not fade, whenever this runs.
const NEW: Timestamp = Timestamp(4_102_444_800_000);

fn memory(n: usize) -> Memory {
    let scope = Scope::of("acme").user(["ann", "bob"][n % 2]);
    // Many say the same, some more, some the opposite, some something else.
    let what = ["tea", "boats", "skis", "old maps", "the piano"][n / 2 % 5];
    let body = match n / 10 % 8 {
        0 => MemoryBody::Preference { key: what.into(), value: "yes".into(), confidence: 0.9 },
        1 => MemoryBody::Preference { key: what.into(), value: "no".into(), confidence: 0.8 },
        2 => MemoryBody::Insight { text: format!("Somebody does not like {what}").into() },
        3 => MemoryBody::Insight { text: format!("Somebody likes {what} very much").into() },
        4 => MemoryBody::Insight { text: format!("{n} forgotten things about {what}").into() },
        5 if n < 50 + REFUSED => MemoryBody::Insight { text: format!("forbidden {n}").into() },
        _ => MemoryBody::Insight { text: format!("Somebody likes {what}").into() },
    };
    let faded = matches!(&body, MemoryBody::Insight { text } if text.contains("forgotten"));
    let recorded = if faded { OLD } else { NEW };
    let id = MemoryId(Uuid::from_u128(n as u128 + 1));
    let mut memory = Memory::new(id, scope, body, recorded);
    memory.valid_from = Timestamp(OLD.0 + (n as u64 * 7_919 % 5) * 1_000);
    (memory.accessed, memory.accessed_at) = (n as u64 % 3, (!n.is_multiple_of(3)).then_some(OLD));
    if faded && n.is_multiple_of(3) {
        memory.closed_at = Some(OLD);
    }
    memory
}

pub(crate) async fn plenty(store: &SqliteStore) {
    let memories: Vec<Memory> = (0..MEMORIES).map(memory).collect();
    let vectors = embed_memories(&HashingEmbedder::new(64), &memories).await.unwrap();
    let changes = memories.into_iter().zip(vectors).map(|(memory, vector)| Change::add(memory, vec![vector]));
    store.memories().apply(&Scope::of("acme"), changes.collect()).await.unwrap();
}
