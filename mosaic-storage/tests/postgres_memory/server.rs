//! A database of a test's own, as an application has one: its role is no superuser, so that row-level security holds for it.

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
        PostgresOptions::from_url(&self.url).unwrap().connections(3)
    }

    pub(crate) async fn open(&self) -> PostgresMemories {
        PostgresMemories::open(self.options()).await.unwrap()
    }
}

/// What must come true, if nothing is wrong, long before this minute is over.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(std::time::Duration::from_secs(60), future).await.unwrap()
}
