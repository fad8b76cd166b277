//! What the file holds, and how it comes to hold it.
//!
//! | table | holds |
//! | --- | --- |
//! | `sessions` | a name, and who writes it |
//! | `entries` | the rows, in the order of their writing, and an index by session and number |
//! | `meta` | one row: the newest numbers given, and who wrote last |
//! | `health` | what routers know of their candidates; see `health.rs` |
//! | `memory_*`, `memories` | see [`memory`](super::memory) |
//! | `jobs`, `job_pauses`, `schedules` | jobs (see `jobs`) |
//! | `embeddings`, `embedding_totals` | vectors of texts that were embedded; see `vectors.rs` |
//! | `log` | a view for people: tenant, name, seq, kind, time, body as text |
//!
//! The last number of a session is not stored: it is that of its last row.
//!
//! Rows lie in the order of their writing, not by session: a commit of many sessions then writes few pages. Clustered by
//! session, rows of 1 KB in 1,000 sessions took five times the CPU each, and the file was larger.

use mosaic_core::{Seq, StoreError};
use sqlx::{Connection, Row, SqliteConnection};

use super::fault::{Doing, Fault};
use super::memory;

/// Marks the file as ours: `Msic`.
const APPLICATION: i64 = 0x4d73_6963;

/// From one format to the next; the first makes the first. Never change one that was released.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE meta (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        epoch INTEGER NOT NULL,
        session INTEGER NOT NULL,
        writer TEXT NOT NULL
    ) STRICT;
    INSERT INTO meta VALUES (1, 0, 0, '');
    CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        name TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        owner TEXT,
        UNIQUE (tenant, name)
    ) STRICT;
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        v INTEGER NOT NULL,
        kind TEXT NOT NULL,
        at INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX entries_by_seq ON entries (session, seq);
    CREATE VIEW log AS
        SELECT s.tenant, s.name, e.seq, e.v, e.kind,
               strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1000.0, 'unixepoch') AS at, CAST(e.body AS TEXT) AS body
        FROM entries e JOIN sessions s ON s.id = e.session;
",
    "
    CREATE TABLE health (
        space TEXT NOT NULL,
        candidate TEXT NOT NULL,
        version INTEGER NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (space, candidate)
    ) STRICT, WITHOUT ROWID;
",
    memory::MIGRATION,
    super::jobs::TABLES,
    super::vectors::MIGRATION,
];

/// The newest format that this version knows.
pub(super) const FORMAT: u64 = MIGRATIONS.len() as u64;

/// A number as SQLite has it, and back.
pub(super) fn to_sql(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(seq: i64) -> Seq {
    Seq(u64::try_from(seq).unwrap_or(0))
}

/// Why a database cannot be used.
pub(super) enum Unusable {
    Fault(Fault),
    Said(StoreError),
}

impl From<Fault> for Unusable {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for Unusable {
    fn from(error: StoreError) -> Self {
        Self::Said(error)
    }
}

/// Looks whether the file is ours before anything in it is changed. Gives its format; 0 when it is empty.
pub(super) async fn inspect(db: &mut SqliteConnection, store: &str) -> Result<u64, Unusable> {
    let row = sqlx::query(
        "SELECT (SELECT application_id FROM pragma_application_id),
                (SELECT user_version FROM pragma_user_version),
                (SELECT count(*) FROM sqlite_schema)",
    )
    .fetch_one(db)
    .await
    .doing("looking into it")?;
    let (application, format, tables): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    match (application, format) {
        (APPLICATION, found) if found.cast_unsigned() > FORMAT => {
            let found = found.cast_unsigned();
            Err(StoreError::NewerFormat { store: store.into(), found, known: FORMAT }.into())
        }
        (APPLICATION, found) => Ok(found.cast_unsigned()),
        (0, 0) if tables == 0 => Ok(0),
        _ => {
            let reason = "it is a SQLite database of another program".into();
            Err(StoreError::Corrupt { store: store.into(), at: None, reason }.into())
        }
    }
}

/// Brings the file to the newest format, within the transaction of the caller. Another process may have done so since the
/// caller looked.
pub(super) async fn migrate(db: &mut SqliteConnection, store: &str) -> Result<(), Unusable> {
    let found = inspect(db, store).await?;
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    for migration in MIGRATIONS.iter().skip(done) {
        sqlx::raw_sql(*migration).execute(&mut *db).await.doing("making its tables")?;
    }
    if found < FORMAT {
        let mark = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(mark)).execute(db).await.doing("making its tables")?;
    }
    Ok(())
}

/// Prepares a file for those who write over connections of their own.
pub(super) async fn set_up(db: &mut SqliteConnection, store: &str) -> Result<(), Unusable> {
    // Before anything is changed: the file may not be ours.
    inspect(db, store).await?;
    sqlx::raw_sql("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE")
        .execute(&mut *db)
        .await
        .doing("preparing it")?;
    migrate(db, store).await?;
    // SQLite begins a transaction on a read-only file without a word; a write tells.
    sqlx::raw_sql("UPDATE meta SET id = id; COMMIT").execute(db).await.doing("preparing it")?;
    Ok(())
}

/// Lets go of the connection, saying nothing: for connections that were of no use.
pub(super) async fn hang_up(db: SqliteConnection) {
    let _ = db.close().await;
}
