//! Many rows in few statements.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use mosaic_core::memory::MemoryError;
use uuid::Uuid;

use super::filter::kind;
use super::names;
use super::schema::{body, bytes};
use super::transaction::{OfTenant, sql};
use crate::jobs::to_sql;
use crate::memory::Stored;
use crate::memory::lexical::Lexical;

/// So many small rows are sent at once ...
const STEP: usize = 20_000;

/// ... and about so many bytes of large ones.
const BYTES: usize = 8 << 20;

/// The widest vectors that pgvector has a type for.
const WIDEST: usize = 16_000;

/// A memory to be written.
#[derive(Debug)]
pub(super) struct New {
    pub(super) n: i64,
    pub(super) part: i64,
    pub(super) stored: Arc<Stored>,
}

/// What a memory adds to its part.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    pub(super) docs: i64,
    pub(super) open: i64,
    pub(super) words: i64,
}

/// Cuts a list where its items have some bytes together.
fn pieces<T>(items: &[T], bytes: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut pieces, mut from, mut sum) = (Vec::new(), 0, 0);
    for (at, item) in items.iter().enumerate() {
        let size = bytes(item);
        if sum > 0 && sum + size > BYTES {
            pieces.extend(items.get(from..at));
            (from, sum) = (at, 0);
        }
        sum += size;
    }
    pieces.extend(items.get(from..).filter(|rest| !rest.is_empty()));
    pieces
}

/// Numbers that nobody has had.
pub(super) async fn numbers(db: &mut OfTenant, count: usize) -> Result<Vec<i64>, MemoryError> {
    let mut query = sql("SELECT nextval('memory_numbers') FROM generate_series(1, ");
    query.push_bind(i64::try_from(count).unwrap_or(i64::MAX)).push(")");
    let rows = db.rows(query, "numbering memories").await?;
    let mut numbers = rows.iter().map(|row| db.get(row, 0)).collect::<Result<Vec<i64>, _>>()?;
    numbers.sort_unstable();
    Ok(numbers)
}

/// Writes memories and their words, and tells what each adds to its part.
pub(super) async fn add(db: &mut OfTenant, rows: &[New]) -> Result<Vec<Share>, MemoryError> {
    let mut shares = Vec::with_capacity(rows.len());
    let (mut numbers, mut parts, mut stems, mut counts, mut lengths) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::with_capacity(rows.len()));
    for row in rows {
        let (terms, length) = Lexical::terms(&row.stored.memory.document());
        lengths.push(i32::from(length));
        let open = i64::from(row.stored.memory.closed_at.is_none());
        shares.push(Share { docs: 1, open, words: i64::from(length) });
        for (stem, count) in terms {
            numbers.push(row.n);
            parts.push(row.part);
            stems.push(stem);
            counts.push(i16::from(count));
        }
    }
    let sized: Vec<(&New, i32, String)> =
        rows.iter().zip(lengths).map(|(row, length)| (row, length, body(&row.stored.memory))).collect();
    for piece in pieces(&sized, |(.., body)| body.len() + 200) {
        add_memories(db, piece).await?;
    }
    let steps = numbers.chunks(STEP).zip(parts.chunks(STEP)).zip(stems.chunks(STEP)).zip(counts.chunks(STEP));
    for (((numbers, parts), stems), counts) in steps {
        let mut query = sql("INSERT INTO memory_words (tenant, n, part, stem, count) SELECT ");
        query.push_bind(db.tenant).push(", * FROM unnest(");
        query.push_bind(numbers.to_vec()).push(", ").push_bind(parts.to_vec()).push(", ");
        query.push_bind(stems.to_vec()).push(", ").push_bind(counts.to_vec()).push(")");
        db.run(query, "writing words").await?;
    }
    Ok(shares)
}

async fn add_memories(db: &mut OfTenant, rows: &[(&New, i32, String)]) -> Result<(), MemoryError> {
    let memories = || rows.iter().map(|(row, ..)| &row.stored.memory);
    let mut query = sql(
        "INSERT INTO memories (tenant, n, part, id, agent, session, kind, valid_from, valid_to, recorded_at, told_at,
                               closed_at, superseded_by, accessed, accessed_at, lane, position, length, body, tags)
         SELECT ",
    );
    query.push_bind(db.tenant).push(
        ", n, part, id, agent, session, kind, valid_from, valid_to, recorded_at, told_at, closed_at, superseded_by,
           accessed, accessed_at, lane, position, length, body, tags::bigint[]
         FROM unnest(",
    );
    let mut columns = query.separated(", ");
    columns.push_bind(rows.iter().map(|(row, ..)| row.n).collect::<Vec<_>>());
    columns.push_bind(rows.iter().map(|(row, ..)| row.part).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| memory.id.0).collect::<Vec<Uuid>>());
    columns.push_bind(
        memories().map(|memory| memory.scope.agent.as_deref().map(names::agent)).collect::<Vec<_>>(),
    );
    columns.push_bind(
        memories().map(|memory| memory.scope.session.as_deref().map(names::session)).collect::<Vec<_>>(),
    );
    columns.push_bind(memories().map(|memory| kind(memory.body.kind())).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| to_sql(memory.valid_from)).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| memory.valid_to.map(to_sql)).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| to_sql(memory.recorded_at)).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| to_sql(memory.told_at())).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| memory.closed_at.map(to_sql)).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| memory.superseded_by.map(|by| by.0)).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| memory.accessed.cast_signed()).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| memory.accessed_at.map(to_sql)).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| names::lane(memory)).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| position(memory)).collect::<Vec<_>>());
    columns.push_bind(rows.iter().map(|(_, length, _)| *length).collect::<Vec<_>>());
    columns.push_bind(rows.iter().map(|(.., body)| body.clone()).collect::<Vec<_>>());
    columns.push_bind(memories().map(|memory| tags(memory)).collect::<Vec<_>>());
    query.push(
        ") AS new (n, part, id, agent, session, kind, valid_from, valid_to, recorded_at, told_at, closed_at, superseded_by,
                   accessed, accessed_at, lane, position, length, body, tags)
         ON CONFLICT (tenant, id) DO NOTHING RETURNING n",
    );
    let written = db.rows(query, "writing memories").await?;
    if written.len() == rows.len() {
        return Ok(());
    }
    // Another user's of the same tenant took an id after we had looked; that user's lock is not ours.
    let written = written.iter().map(|row| db.get(row, 0)).collect::<Result<Vec<i64>, _>>()?;
    match rows.iter().find(|(row, ..)| !written.contains(&row.n)) {
        Some((row, ..)) => Err(MemoryError::Exists { id: row.stored.memory.id }),
        None => Ok(()),
    }
}

/// Positions count from nought to twice as far as a database's numbers.
fn position(memory: &mosaic_core::memory::Memory) -> i64 {
    memory.place.as_ref().map_or(0, |place| (place.position ^ (1 << 63)).cast_signed())
}

/// The tags as the text of an array: a list of lists has no type that rows can be made of.
fn tags(memory: &mosaic_core::memory::Memory) -> String {
    let tags: Vec<String> =
        memory.metadata.iter().map(|(name, value)| names::tag(name, value).to_string()).collect();
    format!("{{{}}}", tags.join(","))
}

/// A vector to be written.
#[derive(Debug)]
pub(super) struct NewVector<'v> {
    pub(super) part: i64,
    pub(super) values: &'v [f32],
}

/// Writes vectors, by memory and model, in place of those that are there.
pub(super) async fn put_vectors(
    db: &mut OfTenant,
    vectors: &BTreeMap<(i64, i64), NewVector<'_>>,
) -> Result<(), MemoryError> {
    let all: Vec<(&(i64, i64), &NewVector<'_>)> = vectors.iter().collect();
    for piece in pieces(&all, |(_, vector)| vector.values.len() * 10) {
        let mut query = sql("INSERT INTO memory_vectors (tenant, n, model, part, exact, half) SELECT ");
        query.push_bind(db.tenant).push(", n, model, part, exact, half::");
        query.push(&*db.vector).push(".halfvec FROM unnest(");
        let mut columns = query.separated(", ");
        columns.push_bind(piece.iter().map(|((n, _), _)| *n).collect::<Vec<_>>());
        columns.push_bind(piece.iter().map(|((_, model), _)| *model).collect::<Vec<_>>());
        columns.push_bind(piece.iter().map(|(_, vector)| vector.part).collect::<Vec<_>>());
        columns.push_bind(piece.iter().map(|(_, vector)| bytes(vector.values)).collect::<Vec<_>>());
        columns.push_bind(piece.iter().map(|(_, vector)| half(vector.values)).collect::<Vec<_>>());
        query.push(
            ") AS new (n, model, part, exact, half)
             ON CONFLICT (n, model) DO UPDATE SET exact = excluded.exact, half = excluded.half",
        );
        db.run(query, "writing vectors").await?;
    }
    Ok(())
}

/// A vector of length 1 in the same direction, as the text of a `halfvec`: so nothing in it is too large for 16 bits. `None` for one
/// without a direction, and for one that is too wide for the type; such are compared one by one.
pub(super) fn half(values: &[f32]) -> Option<String> {
    /// Less than the least that 16 bits can tell from nought.
    const LEAST: f64 = 1e-8;
    let length = values.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt();
    if values.len() > WIDEST || length <= 0.0 {
        return None;
    }
    let mut text = String::with_capacity(values.len() * 10 + 2);
    text.push('[');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        let value = f64::from(*value) / length;
        if value.abs() < LEAST {
            text.push('0');
        } else {
            let _ = write!(text, "{value:.4e}");
        }
    }
    text.push(']');
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_is_of_length_one_or_none() {
        assert_eq!(half(&[3.0, 0.0, -4.0]).unwrap(), "[6.0000e-1,0,-8.0000e-1]");
        assert_eq!(half(&[f32::MAX, 1e-20]).unwrap(), "[1.0000e0,0]");
        assert_eq!(half(&[f32::MIN_POSITIVE]).unwrap(), "[1.0000e0]");
        assert_eq!(half(&[0.0, -0.0]), None);
        assert_eq!(half(&vec![1.0; WIDEST + 1]), None);
    }

    #[test]
    fn pieces_hold_everything_in_order() {
        let sizes = [BYTES, 1, BYTES - 1, 1, 1, 3 * BYTES, 2];
        let pieces = pieces(&sizes, |size| *size);
        assert_eq!(pieces.concat(), sizes);
        assert_eq!(pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(), [1, 2, 2, 1, 1]);
        assert!(super::pieces(&[0_usize; 0], |size| *size).is_empty());
    }
}
