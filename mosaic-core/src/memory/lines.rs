//! Memories as JSON lines: all that is kept of somebody, to hand out or to move elsewhere.

use futures_util::TryStreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Memory, MemoryBlock, MemoryError, MemoryStore, Scope, Vector};

/// One thing that is kept. As JSON it is one line of an export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record {
    /// A memory.
    Memory {
        /// The memory.
        memory: Box<Memory>,
        /// Its vectors, by the names of their models.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        vectors: Vec<Vector>,
    },
    /// A core block.
    Block {
        /// The block.
        block: MemoryBlock,
    },
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Memories and blocks that were added.
    pub added: u64,
    /// Memories and blocks of which there was one already. They were left as they are.
    pub present: u64,
}

/// So many lines are written at once.
const BATCH: usize = 256;

/// What every [`MemoryStore`] can do besides; nobody implements this.
#[async_trait::async_trait]
pub trait MemoryStoreExt: MemoryStore {
    /// Everything of a scope as JSON lines.
    ///
    /// # Errors
    /// As [`MemoryStore::export`].
    async fn export_lines(&self, scope: &Scope) -> Result<String, MemoryError> {
        let mut records = self.export(scope).await?;
        let mut lines = String::new();
        while let Some(record) = records.try_next().await? {
            let line = serde_json::to_string(&record).map_err(|error| MemoryError::Invalid {
                what: "a record".into(),
                why: format!("it cannot be written as JSON: {error}"),
            })?;
            lines.push_str(&line);
            lines.push('\n');
        }
        Ok(lines)
    }

    /// Adds what an export holds. What is there already stays as it is, so an import that was interrupted is simply done again.
    ///
    /// # Errors
    /// [`MemoryError::Line`] for a line that cannot be read; [`MemoryError::OutOfScope`] for one of another scope; as
    /// [`MemoryStore::apply`]. The lines before it (in steps of some hundred) have been added.
    async fn import_lines(&self, scope: &Scope, lines: &str) -> Result<Imported, MemoryError> {
        let mut done = Imported::default();
        let mut batch = Vec::with_capacity(BATCH);
        for (number, line) in (1_u64..).zip(lines.lines()) {
            if line.trim().is_empty() {
                continue;
            }
            let record = serde_json::from_str(line)
                .map_err(|error| MemoryError::Line { line: number, why: error.to_string() })?;
            batch.push(record);
            if batch.len() == BATCH {
                import(self, scope, std::mem::take(&mut batch), &mut done).await?;
            }
        }
        import(self, scope, batch, &mut done).await?;
        Ok(done)
    }
}

impl<S: MemoryStore + ?Sized> MemoryStoreExt for S {}

async fn import<S: MemoryStore + ?Sized>(
    store: &S,
    scope: &Scope,
    records: Vec<Record>,
    done: &mut Imported,
) -> Result<(), MemoryError> {
    let ids: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Memory { memory, .. } => Some(memory.id),
            Record::Block { .. } => None,
        })
        .collect();
    let mut present = store.get(scope, &ids).await?.into_iter();
    let blocks = store.blocks(scope, super::Reach::Within).await?;
    let (mut changes, mut kept) = (Vec::new(), 0);
    for record in records {
        match record {
            Record::Memory { memory, vectors } => match present.next().flatten() {
                Some(_) => kept += 1,
                None => changes.push(Change::Add { memory, vectors }),
            },
            Record::Block { block } => {
                if blocks.iter().any(|other| other.scope == block.scope && other.name == block.name) {
                    kept += 1;
                } else {
                    changes.push(Change::PutBlock { block, expected: Some(0) });
                }
            }
        }
    }
    let added = changes.len() as u64;
    if added > 0 {
        store.apply(scope, changes).await?;
    }
    done.added += added;
    done.present += kept;
    Ok(())
}
