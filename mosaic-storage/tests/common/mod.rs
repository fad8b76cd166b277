//! What the tests of the SQLite store share.

#![allow(dead_code)] // every test file uses some of it

use std::path::Path;

use futures_util::TryStreamExt;
use mosaic_core::{Flush, Lease, Row, Seq, SessionKey, SessionStore, StoreError, Timestamp};
use mosaic_storage::{SqliteOptions, SqliteStore};
use sqlx::{Connection, SqliteConnection};

/// A row that is told from others by its number.
pub(crate) fn row(seq: u64) -> Row {
    filled(seq, 20)
}

/// A row of so many bytes.
pub(crate) fn filled(seq: u64, bytes: usize) -> Row {
    let bytes = format!("{seq:0>bytes$}").into_bytes();
    Row { seq: Seq(seq), v: 1, kind: "input".into(), at: Timestamp(seq), bytes: bytes.into() }
}

pub(crate) fn rows(from: u64, to: u64) -> Vec<Row> {
    (from..=to).map(row).collect()
}

pub(crate) fn key() -> SessionKey {
    SessionKey::new("s")
}

pub(crate) async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(SqliteOptions::new(path)).await.unwrap()
}

/// A store with one session of so many rows.
pub(crate) async fn with_rows(path: &Path, n: u64) -> SqliteStore {
    let store = open(path).await;
    store.create(&key(), rows(1, n)).await.unwrap();
    store
}

pub(crate) async fn append(store: &SqliteStore, lease: &Lease, row: Row) -> Result<Seq, StoreError> {
    store.append(lease, Seq(row.seq.0 - 1), vec![row], Flush::Durable).await
}

pub(crate) async fn read(store: &SqliteStore, key: &SessionKey) -> Result<Vec<Row>, StoreError> {
    store.read(key, Seq(1)).await?.try_collect().await
}

/// Another program at the same file.
pub(crate) async fn raw(path: &Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

pub(crate) async fn execute(db: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(db).await.unwrap();
}

/// Leaves what the first format had.
pub(crate) async fn back_to_the_first_format(db: &mut SqliteConnection) {
    let later = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
        AND name NOT IN ('meta', 'sessions', 'entries')";
    let tables: Vec<String> = sqlx::query_scalar(later).fetch_all(&mut *db).await.unwrap();
    assert!(!tables.is_empty());
    for table in tables {
        let drop = sqlx::AssertSqlSafe(format!("DROP TABLE {table}"));
        sqlx::raw_sql(drop).execute(&mut *db).await.unwrap();
    }
    execute(db, "PRAGMA user_version = 1").await;
}

/// The error of what must fail.
pub(crate) fn error<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreError {
    result.unwrap_err()
}
