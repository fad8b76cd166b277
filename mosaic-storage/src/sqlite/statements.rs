//! The SQL of a transaction: few and large statements of few shapes, so that each is prepared once.
//!
//! A call into the database costs a change of threads, whatever it does; so a call carries as much as it can: rows in
//! steps of 1 to 8, 16, 32, 64 or 128, and with the last of them the heads, the counters and the `COMMIT`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, SqliteConnection};

use super::fault::{Doing, Fault};
use super::plan::Plan;
use super::schema::to_sql;

/// Takes the write lock and tells what is known to be newest.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE; SELECT epoch, session, writer FROM meta";

/// Takes the write lock, and fails if somebody else wrote last: with a second row for `meta`, which has room for one.
const BEGIN_AS_LAST_WRITER: &str =
    "BEGIN IMMEDIATE; INSERT INTO meta SELECT id, epoch, session, writer FROM meta WHERE writer <> ?";

/// Heads of sessions, of a number of keys.
pub(super) fn heads(keys: usize) -> String {
    format!(
        "SELECT s.tenant, s.name, s.id, s.epoch, s.owner, (SELECT max(seq) FROM entries WHERE session = s.id)
         FROM (VALUES {}) AS k JOIN sessions s ON s.tenant = k.column1 AND s.name = k.column2",
        many("(?,?)", keys)
    )
}

/// The greatest step that is no greater than a number, and its number of rows in a statement.
pub(super) fn step(of: usize) -> usize {
    [128, 64, 32, 16].into_iter().find(|step| *step <= of).unwrap_or(of.min(8))
}

/// How the transaction of a plan begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// It has begun.
    Before,
    /// With the plan, which must fit into one call; after a pragma, if one is due.
    AtOnce(Option<&'static str>),
}

/// So many rows, and so many heads, fit into one call for sure.
pub(super) const ONE_CALL: usize = 8;

/// What a call carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Shape {
    begin: bool,
    rows: usize,
    heads: usize,
    /// The counters and the commit.
    end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum End {
    Commit,
    CountersAndCommit,
}

/// Writes plans.
#[derive(Debug, Default)]
pub(super) struct Statements {
    texts: HashMap<Shape, Arc<str>>,
}

impl Statements {
    /// Writes what a plan holds, and commits.
    pub(super) async fn write(
        &mut self,
        db: &mut SqliteConnection,
        plan: &mut Plan,
        writer: &str,
        begin: Begin,
    ) -> Result<(), Fault> {
        let mut rows = std::mem::take(&mut plan.rows).into_iter();
        let mut changed = std::mem::take(&mut plan.changed);
        // A session that changed twice is written as it is in the end.
        changed.sort_unstable();
        changed.dedup();
        let mut changed = changed.into_iter();
        loop {
            let shape = Shape {
                begin: matches!(begin, Begin::AtOnce(_)),
                rows: step(rows.len()),
                heads: if rows.len() <= ONE_CALL { step(changed.len()) } else { 0 },
                end: None,
            };
            let last = shape.rows == rows.len() && shape.heads == changed.len();
            let end = if plan.touch { End::CountersAndCommit } else { End::Commit };
            let shape = Shape { end: last.then_some(end), ..shape };

            let mut arguments = SqliteArguments::default();
            arguments.reserve(shape.rows * 6 + shape.heads * 5 + 4, 0);
            if shape.begin {
                add(&mut arguments, writer)?;
            }
            for key in changed.by_ref().take(shape.heads) {
                if let Some(head) = plan.heads.get(&key) {
                    add(&mut arguments, head.id)?;
                    add(&mut arguments, key.tenant.clone())?;
                    add(&mut arguments, key.name.clone())?;
                    add(&mut arguments, head.epoch.cast_signed())?;
                    add(&mut arguments, head.owner.clone())?;
                }
            }
            for (session, row) in rows.by_ref().take(shape.rows) {
                add(&mut arguments, session)?;
                add(&mut arguments, to_sql(row.seq))?;
                add(&mut arguments, i64::from(row.v))?;
                add(&mut arguments, row.kind.into_owned())?;
                add(&mut arguments, row.at.0.cast_signed())?;
                add(&mut arguments, Vec::from(row.bytes))?;
            }
            if shape.end == Some(End::CountersAndCommit) {
                add(&mut arguments, plan.counters.epoch.cast_signed())?;
                add(&mut arguments, plan.counters.session)?;
                add(&mut arguments, writer)?;
            }
            let text = self.text(shape);
            let query = match begin {
                // A pragma is obeyed when it is parsed, so a call with one is not prepared for the next time.
                Begin::AtOnce(Some(pragma)) => {
                    let text = format!("{pragma}; {text}").into();
                    sqlx::query_with(AssertSqlSafe::<Arc<str>>(text), arguments).persistent(false)
                }
                _ => sqlx::query_with(AssertSqlSafe(text), arguments),
            };
            query.execute(&mut *db).await.doing("writing")?;
            if last {
                return Ok(());
            }
        }
    }

    fn text(&mut self, shape: Shape) -> Arc<str> {
        match self.texts.entry(shape) {
            Entry::Occupied(text) => text.get().clone(),
            Entry::Vacant(place) => place.insert(text(shape).into()).clone(),
        }
    }
}

fn add<'t, T>(arguments: &mut SqliteArguments, value: T) -> Result<(), Fault>
where
    T: sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    arguments.add(value).map_err(sqlx::Error::Encode).doing("writing")
}

fn text(shape: Shape) -> String {
    let mut parts = Vec::new();
    if shape.begin {
        parts.push(BEGIN_AS_LAST_WRITER.into());
    }
    if shape.heads > 0 {
        parts.push(format!(
            "INSERT INTO sessions (id, tenant, name, epoch, owner) VALUES {}
             ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, owner = excluded.owner",
            many("(?,?,?,?,?)", shape.heads)
        ));
    }
    if shape.rows > 0 {
        parts.push(format!(
            "INSERT INTO entries (session, seq, v, kind, at, body) VALUES {}",
            many("(?,?,?,?,?,?)", shape.rows)
        ));
    }
    if shape.end == Some(End::CountersAndCommit) {
        parts.push("UPDATE meta SET epoch = ?, session = ?, writer = ?".into());
    }
    if shape.end.is_some() {
        parts.push("COMMIT".into());
    }
    parts.join("; ")
}

fn many(group: &str, times: usize) -> String {
    vec![group; times].join(",")
}

#[cfg(test)]
mod tests;
