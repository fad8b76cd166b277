//! A database of a test's own, as an application has one: its role is no superuser, so that row-level security holds for it.

use std::path::Path;

use mosaic_storage::{PostgresMemories, PostgresOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A database, by its addresses.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    /// As the application, which owns the database.
    pub(crate) url: String,
    /// As somebody who may do anything.
    pub(crate) superuser: String,
}

/// A new database on the server that `cargo xtask test` started, with pgvector. `None`, and a word, where there is no server.
pub(crate) async fn database() -> Option<Database> {
    let Ok(server) = std::env::var("MOSAIC_TEST_POSTGRES") else {
        println!(
            "skipped: there is no Postgres; `cargo xtask test` starts one and names it in MOSAIC_TEST_POSTGRES"
        );
        return None;
    };
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    execute(&server, &format!("CREATE ROLE {name} LOGIN")).await;
    execute(&server, &format!("CREATE DATABASE {name} OWNER {name}")).await;
    let (address, _) = server.rsplit_once('/').unwrap();
    let (_, host) = address.rsplit_once('@').unwrap();
    let database =
        Database { url: format!("postgres://{name}@{host}/{name}"), superuser: format!("{address}/{name}") };
    execute(&database.superuser, "CREATE EXTENSION vector").await;
    Some(database)
}

/// Runs statements.
pub(crate) async fn execute(url: &str, text: &str) {
    let mut db = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

impl Database {
    /// Its name, which is also that of its role.
    pub(crate) fn name(&self) -> &str {
        self.url.rsplit_once('/').unwrap().1
    }

    /// Its address for another role.
    pub(crate) fn url_as(&self, role: &str) -> String {
        format!("postgres://{role}@{}", self.url.split_once('@').unwrap().1)
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        // Patient: `scrub` waits for whoever writes anywhere on the server, and other tests do.
        let patience = std::time::Duration::from_secs(60);
        PostgresOptions::from_url(&self.url).unwrap().connections(3).patience(patience)
    }

    pub(crate) async fn open(&self) -> PostgresMemories {
        PostgresMemories::open(self.options()).await.unwrap()
    }

    /// What a query tells somebody who may do anything.
    pub(crate) async fn ask<T>(&self, text: &str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let mut db = PgConnection::connect(&self.superuser).await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&mut db).await.unwrap()
    }

    /// Which of these, by their names, the server has in which file: those of this database and of all that databases share, but not the
    /// log.
    pub(crate) async fn on_disk(&self, wanted: &[(&str, Vec<u8>)]) -> Vec<String> {
        execute(&self.superuser, "CHECKPOINT").await;
        let data: String = self.ask("SELECT current_setting('data_directory')").await;
        let base: String =
            self.ask("SELECT oid::text FROM pg_database WHERE datname = current_database()").await;
        let (data, mut found) = (Path::new(&data), Vec::new());
        for folder in [data.join("base").join(base), data.join("global"), data.join("pg_stat")] {
            search_files(&folder, wanted, &mut found);
        }
        found
    }
}

/// What is found in which of the files of a folder, and of those in it.
fn search_files(folder: &Path, wanted: &[(&str, Vec<u8>)], found: &mut Vec<String>) {
    let firsts: Vec<u8> = wanted.iter().map(|(_, wanted)| wanted[0]).collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search_files(&path, wanted, found);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        let mut seen = std::collections::BTreeSet::new();
        let mut at = 0;
        while let Some(next) = bytes[at..].iter().position(|byte| firsts.contains(byte)) {
            at += next;
            seen.extend(
                wanted.iter().filter(|(_, wanted)| bytes[at..].starts_with(wanted)).map(|(what, _)| *what),
            );
            at += 1;
        }
        found.extend(seen.iter().map(|what| format!("{what} in {}", path.file_name().unwrap().display())));
    }
}

/// What must come true, if nothing is wrong, long before this minute is over.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(std::time::Duration::from_secs(60), future).await.unwrap()
}
