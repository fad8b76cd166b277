//! The store in SQLite keeps the contract.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)] // clippy knows `#[test]` functions only, not their helpers

use std::sync::Arc;

use futures_util::TryStreamExt;
use mosaic_core::store::conformance::{self, Factory};
use mosaic_core::{Flush, ListOptions, Row, Seq, SessionKey, SessionStore, StoreError, Timestamp};
use mosaic_storage::{Durability, SqliteOptions, SqliteStore};
use sqlx::Connection;

struct Files(tempfile::TempDir, Durability);

#[async_trait::async_trait]
impl Factory for Files {
    async fn open(&self, place: &str) -> Result<Arc<dyn SessionStore>, StoreError> {
        let path = self.0.path().join(place).with_extension("db");
        Ok(Arc::new(SqliteStore::open(SqliteOptions::new(path).durability(self.1)).await?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_keeps_the_contract_in_full_durability() {
    let files = Files(tempfile::tempdir().unwrap(), Durability::Full);
    conformance::check_all(&files).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_keeps_the_contract_in_process_durability() {
    let files = Files(tempfile::tempdir().unwrap(), Durability::Process);
    conformance::check_all(&files).await.unwrap();
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_contract_on_one_thread() {
    let files = Files(tempfile::tempdir().unwrap(), Durability::Full);
    conformance::check_all(&files).await.unwrap();
}

fn row(seq: u64, bytes: usize) -> Row {
    let bytes = vec![b'x'; bytes].into();
    Row { seq: Seq(seq), v: 1, kind: "assistant".into(), at: Timestamp(1_790_000_000_000 + seq), bytes }
}

/// Two stores on one file, as two processes have them, write sessions of their own and fight for one that both want.
#[tokio::test(flavor = "multi_thread")]
async fn two_stores_write_one_file_at_once_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("app.db")).durability(Durability::Process);
    let stores =
        [SqliteStore::open(options.clone()).await.unwrap(), SqliteStore::open(options).await.unwrap()];
    let stores = stores.map(Arc::new);
    let shared = SessionKey::new("shared");
    stores[0].create(&shared, vec![row(1, 10)]).await.unwrap();
    let mut tasks = Vec::new();
    for (n, store) in stores.iter().cloned().enumerate() {
        for task in 0..5 {
            let (store, shared) = (store.clone(), shared.clone());
            tasks.push(tokio::spawn(async move {
                let own = SessionKey::new(format!("{n} {task}"));
                store.create(&own, vec![row(1, 10)]).await?;
                let lease = store.lease(&own).await?;
                let mut added = 0;
                for seq in 2..20 {
                    store.append(&lease, Seq(seq - 1), vec![row(seq, 10)], Flush::Ordered).await?;
                    match store.lease(&shared).await {
                        Ok(both) => {
                            let last = store.find(&shared).await?.unwrap().last;
                            store.append(&both, last, vec![row(last.0 + 1, 10)], Flush::Durable).await?;
                            store.release(&both).await?;
                            added += 1;
                        }
                        Err(StoreError::Leased { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(added)
            }));
        }
    }
    let mut added = 0;
    for task in tasks {
        added += task.await.unwrap().unwrap();
    }
    for info in stores[0].list(SessionKey::DEFAULT_TENANT, ListOptions::default()).await.unwrap() {
        let rows: Vec<Row> = stores[1].read(&info.key, Seq(1)).await.unwrap().try_collect().await.unwrap();
        let due = if info.key == shared { 1 + added } else { 19 };
        assert_eq!(rows.len() as u64, due, "{}", info.key);
    }
}

/// What the design allows: 1.2 times the file that one plain row a message takes.
#[tokio::test]
async fn the_file_is_at_most_a_fifth_larger_than_one_plain_row_a_message() {
    const SESSIONS: u64 = 50;
    let folder = tempfile::tempdir().unwrap();
    let (path, plain) = (folder.path().join("app.db"), folder.path().join("plain.db"));
    let bytes = |n: u64| [40, 200, 300, 700, 1_500][n as usize % 5];

    let store = SqliteStore::open(SqliteOptions::new(&path).durability(Durability::Process)).await.unwrap();
    let mut leases = Vec::new();
    for n in 0..SESSIONS {
        let key = SessionKey::new(n.to_string());
        store.create(&key, vec![row(1, bytes(1))]).await.unwrap();
        leases.push(store.lease(&key).await.unwrap());
    }
    for seq in 2..=100 {
        let appends = leases
            .iter()
            .map(|lease| store.append(lease, Seq(seq - 1), vec![row(seq, bytes(seq))], Flush::Ordered));
        futures_util::future::try_join_all(appends).await.unwrap();
    }
    store.close().await.unwrap();

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&plain).create_if_missing(true);
    let mut db = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("CREATE TABLE messages (id INTEGER PRIMARY KEY, session TEXT, role TEXT, at INTEGER, body BLOB); BEGIN")
        .execute(&mut db)
        .await
        .unwrap();
    for seq in 1..=100 {
        for n in 0..SESSIONS {
            sqlx::query("INSERT INTO messages (session, role, at, body) VALUES (?, 'assistant', ?, ?)")
                .bind(n.to_string())
                .bind(1_790_000_000_000_i64)
                .bind(vec![b'x'; bytes(seq)])
                .execute(&mut db)
                .await
                .unwrap();
        }
    }
    sqlx::raw_sql("COMMIT").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    let size = |path| std::fs::metadata(path).unwrap().len() as f64;
    let ratio = size(&path) / size(&plain);
    println!("{ratio:.3} times one plain row a message");
    assert!(ratio <= 1.2, "{ratio}");
}
