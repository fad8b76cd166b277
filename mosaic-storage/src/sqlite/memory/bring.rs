//! What a search brings from the file: many memories, or vectors, by their numbers.
//!
//! Memories come as one text, a line each. As rows each of their values would be copied on its own and go from thread to thread, which
//! takes longer than finding them.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use mosaic_core::Timestamp;
use mosaic_core::memory::{Memory, MemoryError, MemoryId, Vector};
use sqlx::Row as _;
use uuid::Uuid;

use super::read::Reading;
use super::schema::{Found, values};
use crate::memory::search::Wanted;
use crate::sqlite::fault::Doing;

/// What stands in a line for what a memory does not have.
const NONE: &str = "-";

/// So many memories are in a text: while one is read here, the database makes the next.
const LINES: usize = 64;

fn numbers(wanted: &[Wanted]) -> Vec<i64> {
    wanted.iter().map(|wanted| wanted.n).collect()
}

/// Brings memories, in no order.
pub(super) async fn memories(reading: &Reading, wanted: &[Wanted]) -> Result<Vec<Found>, MemoryError> {
    let chunks: Vec<Vec<i64>> = wanted.chunks(LINES).map(numbers).collect();
    let query = sqlx::query_scalar::<_, Option<String>>(
        "SELECT (
             SELECT group_concat(concat_ws(' ', m.n, m.changed, ifnull(m.closed_at, '-'),
                 coalesce(nullif(hex(m.superseded_by), ''), '-'), m.accessed, ifnull(m.accessed_at, '-'), m.body), char(10))
             FROM json_each(c.value) k JOIN memories m ON m.n = k.value
         ) FROM json_each(?) c",
    );
    let mut texts = query.bind(serde_json::to_string(&chunks).unwrap_or_default()).fetch(&reading.pool);
    let mut found = Vec::with_capacity(wanted.len());
    while let Some(text) =
        texts.try_next().await.doing("reading memories").map_err(|fault| reading.told(&fault))?
    {
        // JSON has no line breaks of its own.
        for line in text.as_deref().unwrap_or_default().lines() {
            found.push(memory(line).map_err(|why| {
                let n = line.split(' ').next().unwrap_or_default();
                reading.corrupt(&sqlx::Error::Decode(format!("memory {n}: {why}").into()))
            })?);
        }
    }
    Ok(found)
}

/// Reads a line.
fn memory(line: &str) -> Result<Found, String> {
    let mut parts = line.splitn(7, ' ');
    let mut next = || parts.next().ok_or_else(|| "a part is missing".to_owned());
    let (n, changed) = (number(next()?)?, number(next()?)?);
    let (closed_at, superseded_by) = (next()?, next()?);
    let (accessed, accessed_at) = (number(next()?)?, next()?);
    let mut memory: Memory = serde_json::from_str(next()?).map_err(|error| error.to_string())?;
    let time = |text: &str| match text {
        NONE => Ok(None),
        text => number(text).map(|at| Some(Timestamp(at.cast_unsigned()))),
    };
    memory.closed_at = time(closed_at)?;
    memory.accessed_at = time(accessed_at)?;
    memory.accessed = accessed.cast_unsigned();
    memory.superseded_by = match superseded_by {
        NONE => None,
        text => Some(MemoryId(Uuid::parse_str(text).map_err(|error| error.to_string())?)),
    };
    Ok(Found { n, changed, memory })
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|error| format!("`{text}`: {error}"))
}

/// Brings the vectors of memories, each with what it was wanted for. They may be newer than that.
pub(super) async fn vectors(
    reading: &Reading,
    wanted: &[Wanted],
) -> Result<Vec<(Wanted, Vec<Vector>)>, MemoryError> {
    let query = sqlx::query(
        "SELECT v.memory, x.name, v.vector FROM json_each(?) k
         CROSS JOIN memory_vectors v ON v.memory = k.value CROSS JOIN memory_models x ON x.id = v.model",
    );
    let numbers = serde_json::to_string(&numbers(wanted)).unwrap_or_default();
    let rows = query.bind(numbers).fetch_all(&reading.pool).await.doing("reading vectors");
    let rows = rows.map_err(|fault| reading.told(&fault))?;
    let mut found: Vec<(Wanted, Vec<Vector>)> = Vec::with_capacity(wanted.len());
    let mut names: Vec<Arc<str>> = Vec::new();
    for row in &rows {
        let mut take = || {
            let (n, name, bytes): (i64, &str, &[u8]) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let name = names.iter().find(|known| ***known == *name).cloned().unwrap_or_else(|| {
                names.push(name.into());
                name.into()
            });
            let vector = Vector { model: name, values: values(bytes) };
            // Those of one memory follow one another.
            match found.last_mut().filter(|(wanted, _)| wanted.n == n) {
                Some((_, vectors)) => vectors.push(vector),
                None => {
                    found.extend(wanted.iter().find(|wanted| wanted.n == n).map(|one| (*one, vec![vector])))
                }
            }
            Ok::<_, sqlx::Error>(())
        };
        take().map_err(|error| reading.corrupt(&error))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_memory_is_told() {
        for (line, why) in [
            ("", "`"),
            ("1 2 - -", "missing"),
            ("1 x - - 0 - {}", "`x`"),
            ("1 2 - 00FF 0 - {}", "missing field"),
        ] {
            let error = memory(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
