//! What every store refuses, before it looks at what it holds.
//!
//! | thing | limit |
//! | --- | --- |
//! | text of a memory, of a block, of a query | [`MAX_TEXT`] bytes; that of a memory and a block's name not empty |
//! | any name | [`MAX_NAME`] bytes |
//! | metadata | [`MAX_METADATA`] bytes as JSON |
//! | sources | [`MAX_SOURCES`] |
//! | a vector | 1 to [`MAX_WIDTH`] numbers, all finite, at most one a model |
//! | importance, confidence | 0 to 1 |
//! | `valid_to`, `closed_at` | later than `valid_from`; not before `recorded_at` |
//! | `limit`, `neighbours` of a search | [`MAX_LIMIT`], [`MAX_NEIGHBOURS`] |

use super::{Change, Kept, Memory, MemoryBlock, MemoryBody, MemoryError, Scope, SearchQuery, Vector};
use crate::runtime::Timestamp;

/// Bytes of a text: a memory is a fact or a summary, not a document.
pub const MAX_TEXT: usize = 256 << 10;
/// Bytes of a name.
pub const MAX_NAME: usize = 4 << 10;
/// Bytes of metadata, as JSON.
pub const MAX_METADATA: usize = 64 << 10;
/// Entries that a memory may have come from.
pub const MAX_SOURCES: usize = 10_000;
/// Numbers of a vector.
pub const MAX_WIDTH: usize = 16_384;
/// Candidates of an arm.
pub const MAX_LIMIT: u32 = 10_000;
/// Neighbours on either side.
pub const MAX_NEIGHBOURS: u32 = 100;
/// Times beyond this (some 292 million years) are no times: databases count them in signed numbers.
pub const MAX_TIME: Timestamp = Timestamp(i64::MAX as u64);

fn invalid<T>(what: impl Into<String>, why: impl Into<String>) -> Result<T, MemoryError> {
    Err(MemoryError::Invalid { what: what.into(), why: why.into() })
}

fn name(what: &str, name: &str) -> Result<(), MemoryError> {
    if name.len() > MAX_NAME {
        return invalid(what, format!("it has {} bytes, a name may have {MAX_NAME}", name.len()));
    }
    if name.contains('\0') {
        return invalid(what, "it holds a NUL, which not every database can keep in a text");
    }
    Ok(())
}

fn text(what: &str, text: &str) -> Result<(), MemoryError> {
    if text.len() > MAX_TEXT {
        let found = text.len();
        return invalid(
            what,
            format!("it has {found} bytes, it may have {MAX_TEXT}; keep a summary, or parts of it"),
        );
    }
    if text.contains('\0') {
        return invalid(what, "it holds a NUL, which not every database can keep in a text");
    }
    Ok(())
}

fn filled(what: &str, filled: &str) -> Result<(), MemoryError> {
    if filled.trim().is_empty() {
        return invalid(what, "it is empty");
    }
    text(what, filled)
}

fn share(what: &str, share: f32) -> Result<(), MemoryError> {
    if (0.0..=1.0).contains(&share) { Ok(()) } else { invalid(what, format!("{share} is not from 0 to 1")) }
}

fn time(what: &str, at: Timestamp) -> Result<(), MemoryError> {
    if at > MAX_TIME { invalid(what, format!("{at} is beyond all times")) } else { Ok(()) }
}

/// A scope that can be stored.
///
/// # Errors
/// [`MemoryError::Invalid`]; so with all of these.
pub fn scope(scope: &Scope) -> Result<(), MemoryError> {
    name("the tenant", &scope.tenant)?;
    for (what, part) in
        [("the user", &scope.user), ("the agent", &scope.agent), ("the session", &scope.session)]
    {
        if let Some(part) = part {
            name(what, part)?;
        }
    }
    Ok(())
}

/// Vectors that can be stored, or compared.
pub fn vectors(what: &str, vectors: &[Vector]) -> Result<(), MemoryError> {
    for (index, vector) in vectors.iter().enumerate() {
        let Vector { model, values } = vector;
        name("the model of a vector", model)?;
        let what = || format!("{what}: the vector of `{model}`");
        match values.len() {
            0 => return invalid(what(), "it is empty"),
            len if len > MAX_WIDTH => {
                return invalid(what(), format!("it has {len} numbers, it may have {MAX_WIDTH}"));
            }
            _ => {}
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return invalid(what(), format!("number {at} of it is not finite"));
        }
        if vectors.iter().take(index).any(|other| other.model == *model) {
            return invalid(what(), "there are two of that model");
        }
    }
    Ok(())
}

/// A memory that can be stored.
pub fn memory(memory: &Memory) -> Result<(), MemoryError> {
    scope(&memory.scope)?;
    let what = |part: &str| format!("memory {}: {part}", memory.id);
    match &memory.body {
        MemoryBody::Preference { key, value, confidence } => {
            filled(&what("key"), key)?;
            filled(&what("value"), value)?;
            share(&what("confidence"), *confidence)?;
        }
        MemoryBody::Insight { text } => filled(&what("text"), text)?,
        MemoryBody::Episode { text, span } => {
            filled(&what("text"), text)?;
            if let Some(span) = span {
                name(&what("session of the span"), &span.session)?;
                if span.from > span.to {
                    return invalid(what("span"), format!("it goes from {} back to {}", span.from, span.to));
                }
            }
        }
    }
    share(&what("importance"), memory.importance)?;
    if let Some(place) = &memory.place {
        name(&what("conversation"), &place.conversation)?;
        name(&what("speaker"), place.speaker.as_deref().unwrap_or_default())?;
        text(&what("caption"), place.caption.as_deref().unwrap_or_default())?;
    }
    if memory.source.len() > MAX_SOURCES {
        return invalid(
            what("source"),
            format!("it names {} entries, at most {MAX_SOURCES} may be", memory.source.len()),
        );
    }
    for source in &memory.source {
        name(&what("session of a source"), &source.session)?;
    }
    for (part, at) in [
        ("valid_from", Some(memory.valid_from)),
        ("valid_to", memory.valid_to),
        ("recorded_at", Some(memory.recorded_at)),
        ("closed_at", memory.closed_at),
        ("accessed_at", memory.accessed_at),
        ("said_at", memory.place.as_ref().and_then(|place| place.said_at)),
    ] {
        time(&what(part), at.unwrap_or_default())?;
    }
    if memory.valid_to.is_some_and(|to| to <= memory.valid_from) {
        return invalid(what("valid_to"), "it is not later than `valid_from`");
    }
    if memory.closed_at.is_some_and(|closed| closed < memory.recorded_at) {
        return invalid(what("closed_at"), "it is earlier than `recorded_at`");
    }
    if memory.superseded_by.is_some() && memory.closed_at.is_none() {
        return invalid(what("superseded_by"), "what is superseded is closed; `closed_at` is missing");
    }
    match serde_json::to_vec(&memory.metadata) {
        Ok(bytes) if bytes.len() <= MAX_METADATA => Ok(()),
        Ok(bytes) => {
            invalid(what("metadata"), format!("it has {} bytes, it may have {MAX_METADATA}", bytes.len()))
        }
        Err(error) => invalid(what("metadata"), error.to_string()),
    }
}

/// A block that can be stored.
pub fn block(block: &MemoryBlock) -> Result<(), MemoryError> {
    scope(&block.scope)?;
    if block.name.is_empty() {
        return invalid("the name of a block", "it is empty");
    }
    name("the name of a block", &block.name)?;
    let what = |part: &str| format!("block `{}`: {part}", block.name);
    text(&what("text"), &block.text)?;
    text(&what("purpose"), &block.purpose)?;
    time(&what("updated_at"), block.updated_at)?;
    let found = block.text.chars().count();
    if found > block.limit as usize {
        return invalid(
            what("text"),
            format!("it has {found} characters, its limit is {}; shorten it", block.limit),
        );
    }
    Ok(())
}

/// Changes that can be made in a scope, as far as can be told without looking at what is there.
pub fn changes(within: &Scope, changes: &[Change]) -> Result<(), MemoryError> {
    scope(within)?;
    let inside = |of: &Scope| {
        if within.contains(of) {
            return Ok(());
        }
        Err(MemoryError::OutOfScope { scope: within.to_string(), of: of.to_string() })
    };
    let new = |new: &Memory, given: &[Vector]| {
        inside(&new.scope)?;
        memory(new)?;
        vectors(&format!("memory {}", new.id), given)
    };
    for change in changes {
        match change {
            Change::Add { memory, vectors } => new(memory, vectors)?,
            Change::Supersede { id, by, vectors, .. } => {
                new(by, vectors)?;
                if *id == by.id {
                    return invalid(format!("memory {id}"), "it cannot supersede itself");
                }
            }
            Change::Yield { id, to, at, .. } => {
                time("the time of a change", *at)?;
                if id == to {
                    return invalid(format!("memory {id}"), "it cannot yield to itself");
                }
            }
            Change::Close { at, .. } | Change::Touch { at, .. } => time("the time of a change", *at)?,
            Change::PutVectors { id, vectors: given } => vectors(&format!("memory {id}"), given)?,
            Change::PutBlock { block: given, .. } => {
                inside(&given.scope)?;
                block(given)?;
            }
            Change::DropVectors { model } => name("the model of a vector", model)?,
            Change::RemoveBlock { name: given } => name("the name of a block", given)?,
            Change::Remove { .. } => {}
        }
    }
    Ok(())
}

/// What stays of a memory that is closed.
pub fn kept(closed: &Memory, kept: &Kept) -> Result<(), MemoryError> {
    time("`until` of what is kept", kept.until)?;
    if kept.until <= closed.valid_from || closed.valid_to.is_some_and(|to| to < kept.until) {
        let what = format!("what is kept of memory {}", closed.id);
        return invalid(what, "`until` is not within the time in which it was so");
    }
    Ok(())
}

/// A query that can be answered.
pub fn query(query: &SearchQuery) -> Result<(), MemoryError> {
    scope(&query.scope)?;
    text("the text of a query", query.text.as_deref().unwrap_or_default())?;
    vectors("a query", &query.vectors)?;
    if query.limit > MAX_LIMIT {
        return invalid("the limit of a query", format!("{} is more than {MAX_LIMIT}", query.limit));
    }
    if query.neighbours > MAX_NEIGHBOURS {
        let found = query.neighbours;
        return invalid("the neighbours of a query", format!("{found} is more than {MAX_NEIGHBOURS}"));
    }
    Ok(())
}
