//! Where the stores of the tests are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mosaic_core::queue::conformance::Factory;
use mosaic_core::queue::{JobStore, QueueError};
use mosaic_storage::RamStore;

/// Opens stores of one kind by the names of places.
pub(crate) enum Places {
    Ram(Mutex<HashMap<String, RamStore>>),
    #[cfg(feature = "sqlite")]
    Sqlite(tempfile::TempDir),
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl Places {
    pub(crate) fn ram() -> Self {
        Self::Ram(Mutex::default())
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// In a database of its own, of the server that `cargo xtask test` started. `None`, and a word, where there is none.
    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres() -> Option<Self> {
        database().await.map(Self::Postgres)
    }
}

#[async_trait::async_trait]
impl Factory for Places {
    async fn open(&self, place: &str) -> Result<Arc<dyn JobStore>, QueueError> {
        Ok(match self {
            Self::Ram(places) => Arc::new(places.lock().unwrap().entry(place.into()).or_default().sibling()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(folder) => {
                let options =
                    mosaic_storage::SqliteOptions::new(folder.path().join(place).with_extension("db"));
                let options = options.durability(mosaic_storage::Durability::Process);
                Arc::new(mosaic_storage::SqliteStore::open(options).await?)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => {
                let options = mosaic_storage::PostgresOptions::from_url(url)?.schema(place).connections(2);
                Arc::new(mosaic_storage::PostgresStore::open(options).await?)
            }
        })
    }
}

/// A new database: its address.
#[cfg(feature = "postgres")]
pub(crate) async fn database() -> Option<String> {
    use sqlx::Connection as _;

    let Ok(server) = std::env::var("MOSAIC_TEST_POSTGRES") else {
        println!(
            "skipped: there is no Postgres; `cargo xtask test` starts one and names it in MOSAIC_TEST_POSTGRES"
        );
        return None;
    };
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let mut db = sqlx::PgConnection::connect(&server).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::raw_sql(create).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    let (server, _) = server.rsplit_once('/').unwrap();
    Some(format!("{server}/{name}"))
}
