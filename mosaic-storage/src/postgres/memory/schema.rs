//! The tables, and rows as memories.

use mosaic_core::StoreError;
use mosaic_core::memory::{Memory, MemoryBlock, MemoryError, MemoryId, Vector};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::jobs::from_sql;

/// Makes the tables. `@vector@` stands for the schema of pgvector.
///
/// * `STATISTICS 0`: what the planner keeps of a column are values of it, which outlive the rows that they are from.
/// * `fillfactor`, and no index of what changes: closing and counting uses write no index.
/// * `MAIN`, `EXTERNAL`: the short vectors stay in their rows, where a scan finds them; the exact ones lie beside, as they are.
/// * The index `memory_words_by_stem` answers by itself; nothing else is read to count words.
pub(super) const TABLES: &str = r#"
    CREATE SEQUENCE memory_numbers;
    CREATE TABLE memory_parts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant uuid NOT NULL,
        owner uuid NOT NULL UNIQUE,
        tenant_name text COLLATE "C" NOT NULL,
        user_name text COLLATE "C",
        docs bigint NOT NULL DEFAULT 0,
        open bigint NOT NULL DEFAULT 0,
        words bigint NOT NULL DEFAULT 0
    );
    CREATE INDEX memory_parts_by_tenant ON memory_parts (tenant);
    CREATE TABLE memories (
        n bigint PRIMARY KEY,
        tenant uuid NOT NULL,
        part bigint NOT NULL,
        id uuid NOT NULL,
        agent uuid,
        session uuid,
        kind smallint NOT NULL,
        valid_from bigint NOT NULL,
        valid_to bigint,
        recorded_at bigint NOT NULL,
        told_at bigint NOT NULL,
        closed_at bigint,
        superseded_by uuid,
        accessed bigint NOT NULL,
        accessed_at bigint,
        tags bigint[] NOT NULL,
        lane uuid,
        position bigint NOT NULL,
        length integer NOT NULL,
        body text NOT NULL
    ) WITH (fillfactor = 85);
    CREATE UNIQUE INDEX memories_by_id ON memories (tenant, id);
    CREATE INDEX memories_by_part ON memories (part, id);
    CREATE INDEX memories_by_lane ON memories (lane, position, n) WHERE lane IS NOT NULL;
    CREATE TABLE memory_words (
        tenant uuid NOT NULL,
        part bigint NOT NULL,
        n bigint NOT NULL,
        count smallint NOT NULL,
        stem text COLLATE "C" NOT NULL
    );
    CREATE UNIQUE INDEX memory_words_by_stem ON memory_words (tenant, stem, part, n) INCLUDE (count);
    CREATE INDEX memory_words_by_memory ON memory_words (n);
    CREATE TABLE memory_models (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant uuid NOT NULL,
        key uuid NOT NULL,
        name text COLLATE "C" NOT NULL,
        width integer NOT NULL,
        UNIQUE (tenant, key)
    );
    CREATE TABLE memory_vectors (
        n bigint NOT NULL,
        model bigint NOT NULL,
        tenant uuid NOT NULL,
        part bigint NOT NULL,
        half @vector@.halfvec,
        exact bytea NOT NULL,
        PRIMARY KEY (n, model)
    );
    CREATE INDEX memory_vectors_by_part ON memory_vectors (model, part);
    CREATE INDEX memory_vectors_without_half ON memory_vectors (model, part) WHERE half IS NULL;
    CREATE TABLE memory_blocks (
        key uuid PRIMARY KEY,
        tenant uuid NOT NULL,
        part bigint NOT NULL,
        agent uuid,
        session uuid,
        version bigint NOT NULL,
        body text NOT NULL
    );
    CREATE INDEX memory_blocks_by_part ON memory_blocks (part);
    CREATE INDEX memory_blocks_by_tenant ON memory_blocks (tenant);

    ALTER TABLE memory_parts ALTER tenant_name SET STATISTICS 0, ALTER user_name SET STATISTICS 0, ALTER owner SET STATISTICS 0;
    ALTER TABLE memories ALTER body SET STATISTICS 0, ALTER agent SET STATISTICS 0, ALTER session SET STATISTICS 0,
        ALTER lane SET STATISTICS 0, ALTER tags SET STATISTICS 0;
    ALTER TABLE memory_words ALTER stem SET STATISTICS 0;
    ALTER TABLE memory_models ALTER name SET STATISTICS 0;
    ALTER TABLE memory_vectors ALTER half SET STATISTICS 0, ALTER exact SET STATISTICS 0,
        ALTER half SET STORAGE MAIN, ALTER exact SET STORAGE EXTERNAL;
    ALTER TABLE memory_blocks ALTER body SET STATISTICS 0, ALTER agent SET STATISTICS 0, ALTER session SET STATISTICS 0;
"#;

/// All tables with rows of tenants.
pub(super) const TENANTS_OWN: &[&str] =
    &["memory_parts", "memories", "memory_words", "memory_models", "memory_vectors", "memory_blocks"];

/// What a query asks of a memory `m` to make one of its row.
pub(super) const COLUMNS: &str =
    "m.n, m.part, m.closed_at, m.superseded_by, m.accessed, m.accessed_at, m.body";

/// A row of a memory, and where it is.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) n: i64,
    pub(super) part: i64,
    pub(super) memory: Memory,
}

/// Reads [`COLUMNS`].
pub(super) fn memory(row: &PgRow, store: &str) -> Result<Found, MemoryError> {
    let parts = || -> Result<Found, sqlx::Error> {
        let body: &str = row.try_get(6)?;
        let mut memory: Memory =
            serde_json::from_str(body).map_err(|error| sqlx::Error::Decode(error.into()))?;
        memory.closed_at = row.try_get::<Option<i64>, _>(2)?.map(from_sql);
        memory.superseded_by = row.try_get::<Option<Uuid>, _>(3)?.map(MemoryId);
        memory.accessed = row.try_get::<i64, _>(4)?.cast_unsigned();
        memory.accessed_at = row.try_get::<Option<i64>, _>(5)?.map(from_sql);
        Ok(Found { n: row.try_get(0)?, part: row.try_get(1)?, memory })
    };
    parts().map_err(|error| {
        corrupt(store, format!("memory {}: {error}", row.try_get::<i64, _>(0).unwrap_or_default()))
    })
}

/// A block of its JSON.
pub(super) fn block(body: &str, store: &str) -> Result<MemoryBlock, MemoryError> {
    serde_json::from_str(body).map_err(|error| corrupt(store, format!("a block: {error}")))
}

pub(super) fn corrupt(store: &str, reason: String) -> MemoryError {
    StoreError::Corrupt { store: store.into(), at: None, reason }.into()
}

/// What of a memory is stored as JSON: all that does not change.
pub(super) fn body(memory: &Memory) -> String {
    let mut fixed = memory.clone();
    (fixed.closed_at, fixed.superseded_by, fixed.accessed, fixed.accessed_at) = (None, None, 0, None);
    crate::jobs::json(&fixed)
}

/// A vector as it is stored.
pub(super) fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The numbers of a stored vector.
pub(super) fn values(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()
}

/// Vectors in the order in which stores give them.
pub(super) fn in_order(mut vectors: Vec<Vector>) -> Vec<Vector> {
    vectors.sort_by(|a, b| a.model.cmp(&b.model));
    vectors
}
