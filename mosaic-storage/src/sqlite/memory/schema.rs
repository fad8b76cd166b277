//! The tables, and rows as memories.

use std::sync::Arc;

use mosaic_core::memory::{Memory, MemoryId, Vector};
use mosaic_core::{StoreError, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::memory::Stored;

/// Makes the tables. Numbers are never used again, so that what was kept in RAM of an erased row is never taken for a new one.
pub(in crate::sqlite) const MIGRATION: &str = "
    CREATE TABLE memory_parts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant TEXT NOT NULL,
        user TEXT NOT NULL,
        changed INTEGER NOT NULL,
        cleared INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX memory_parts_by_name ON memory_parts (tenant, user);
    CREATE TABLE memories (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        part INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        id BLOB NOT NULL,
        agent TEXT,
        session TEXT,
        kind TEXT NOT NULL,
        closed_at INTEGER,
        superseded_by BLOB,
        accessed INTEGER NOT NULL,
        accessed_at INTEGER,
        body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX memories_by_id ON memories (id);
    CREATE UNIQUE INDEX memories_by_part ON memories (part, id);
    CREATE INDEX memories_by_change ON memories (part, changed);
    CREATE TABLE memory_models (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant TEXT NOT NULL,
        name TEXT NOT NULL,
        width INTEGER NOT NULL,
        UNIQUE (tenant, name)
    ) STRICT;
    CREATE TABLE memory_vectors (
        id INTEGER PRIMARY KEY,
        memory INTEGER NOT NULL,
        model INTEGER NOT NULL,
        vector BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX memory_vectors_by_memory ON memory_vectors (memory, model);
    CREATE INDEX memory_vectors_by_model ON memory_vectors (model);
    CREATE TABLE memory_blocks (
        part INTEGER NOT NULL,
        scope TEXT NOT NULL,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (part, scope, name)
    ) STRICT;
";

/// The tables that hold what erasing takes away.
pub(in crate::sqlite) const TABLES: &[&str] =
    &["memory_parts", "memories", "memory_models", "memory_vectors", "memory_blocks", "embeddings"];

/// A user as the key of a part: `=ann`; nothing for what the tenant has of its own.
pub(in crate::sqlite) fn user_key(user: Option<&Arc<str>>) -> String {
    user.map(|user| format!("={user}")).unwrap_or_default()
}

/// What a query asks of a memory `m` to make one of its row.
macro_rules! columns {
    () => {
        "m.n, m.changed, m.id, m.closed_at, m.superseded_by, m.accessed, m.accessed_at, m.body"
    };
}
pub(super) use columns;

/// A row of a memory, and its numbers.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) n: i64,
    pub(super) changed: i64,
    pub(super) memory: Memory,
}

/// Reads the columns of [`columns`].
pub(super) fn memory(row: &SqliteRow, store: &str) -> Result<Found, StoreError> {
    let parts = || -> Result<Found, sqlx::Error> {
        let time = |column: usize| {
            Ok::<_, sqlx::Error>(
                row.try_get::<Option<i64>, _>(column)?.map(|at| Timestamp(at.cast_unsigned())),
            )
        };
        let body: &str = row.try_get(7)?;
        let mut memory: Memory =
            serde_json::from_str(body).map_err(|error| sqlx::Error::Decode(error.into()))?;
        memory.closed_at = time(3)?;
        memory.superseded_by = row.try_get::<Option<&[u8]>, _>(4)?.map(id).transpose()?;
        memory.accessed = row.try_get::<i64, _>(5)?.cast_unsigned();
        memory.accessed_at = time(6)?;
        Ok(Found { n: row.try_get(0)?, changed: row.try_get(1)?, memory })
    };
    parts().map_err(|error| StoreError::Corrupt {
        store: store.into(),
        at: None,
        reason: format!("memory {}: {error}", row.try_get::<i64, _>(0).unwrap_or_default()),
    })
}

pub(super) fn id(bytes: &[u8]) -> Result<MemoryId, sqlx::Error> {
    Uuid::from_slice(bytes).map(MemoryId).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// What of a memory is stored as JSON: all that does not change.
pub(super) fn body(memory: &Memory) -> String {
    let mut fixed = memory.clone();
    (fixed.closed_at, fixed.superseded_by, fixed.accessed, fixed.accessed_at) = (None, None, 0, None);
    // A memory is made of texts and finite numbers; there is nothing in it that JSON cannot hold.
    serde_json::to_string(&fixed).unwrap_or_default()
}

/// A vector as it is stored.
pub(in crate::sqlite) fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The numbers of a stored vector.
pub(in crate::sqlite) fn values(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()
}

/// Joins rows of one memory, a row a vector, that follow one another. The name of the model and the vector are the columns
/// after those of [`columns`].
#[derive(Debug, Default)]
pub(super) struct Joined {
    current: Option<(i64, i64, Stored)>,
    model: Option<Arc<str>>,
}

impl Joined {
    /// Takes a row in; gives a memory whose last row was the one before.
    pub(super) fn push(
        &mut self,
        row: &SqliteRow,
        store: &str,
    ) -> Result<Option<(i64, i64, Stored)>, StoreError> {
        let corrupt = |error: sqlx::Error| StoreError::Corrupt {
            store: store.into(),
            at: None,
            reason: format!("a vector: {error}"),
        };
        let n: i64 = row.try_get(0).map_err(corrupt)?;
        let mut done = None;
        if self.current.as_ref().is_none_or(|(current, ..)| *current != n) {
            let Found { n, changed, memory } = memory(row, store)?;
            let stored = Stored { memory: Arc::new(memory), vectors: Vec::new() };
            done = self.current.replace((n, changed, stored)).map(in_order);
        }
        if let Some(name) = row.try_get::<Option<&str>, _>(8).map_err(corrupt)? {
            let model = match &self.model {
                Some(model) if **model == *name => model.clone(),
                _ => self.model.insert(name.into()).clone(),
            };
            let values = values(row.try_get(9).map_err(corrupt)?);
            if let Some((.., stored)) = &mut self.current {
                stored.vectors.push(Vector { model, values });
            }
        }
        Ok(done)
    }

    /// The last memory.
    pub(super) fn end(self) -> Option<(i64, i64, Stored)> {
        self.current.map(in_order)
    }
}

fn in_order((n, changed, mut stored): (i64, i64, Stored)) -> (i64, i64, Stored) {
    stored.vectors.sort_by(|a, b| a.model.cmp(&b.model));
    (n, changed, stored)
}
