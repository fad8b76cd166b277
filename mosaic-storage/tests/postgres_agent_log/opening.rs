//! Opening: databases of the version before, many processes at once, locks of others.

use mosaic_core::agent_log::conformance::row;
use mosaic_core::agent_log::{AgentLogError, AgentLogStore, AgentLogStoreExt as _, LogFilter};
use mosaic_core::{Scope, StoreError};
use mosaic_storage::PostgresStore;
use sqlx::{Connection as _, PgConnection};

use crate::open;
use crate::server::{Database, database, execute};

/// Leaves what the version had that knew no row-level security of agent logs.
async fn back_to_the_second_format(database: &Database) {
    for table in ["agent_log", "agent_log_summaries", "agent_log_segments"] {
        let text = format!(
            "DROP POLICY one_tenant ON mosaic.{table}; DROP POLICY listing_tenants ON mosaic.{table};
             ALTER TABLE mosaic.{table} NO FORCE ROW LEVEL SECURITY; ALTER TABLE mosaic.{table} DISABLE ROW LEVEL SECURITY"
        );
        execute(&database.url, &text).await;
    }
    execute(&database.url, "UPDATE mosaic.meta SET format = 2").await;
}

async fn shown(url: &str) -> i64 {
    let mut db = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM mosaic.agent_log").fetch_one(&mut db).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_may_bring_a_database_of_the_version_before_up_to_date() {
    let Some(database) = database().await else { return };
    let mut other = row(2);
    other.scope.tenant = "globex".into();
    open(&database).await.put(vec![row(1), other]).await.unwrap();
    back_to_the_second_format(&database).await;
    assert_eq!(shown(&database.url).await, 2, "the version before hides nothing");

    let stores = (0..8).map(|_| PostgresStore::open(database.options().connections(1)));
    for store in futures_util::future::join_all(stores).await {
        let log = store.unwrap().agent_log();
        assert_eq!(log.all_rows(&LogFilter::of(Scope::of("acme"))).await.unwrap(), [row(1)]);
        assert_eq!(log.tenants().await.unwrap(), ["acme".into(), "globex".into()]);
    }
    assert_eq!(shown(&database.url).await, 0);
    assert_eq!(shown(&database.superuser).await, 2);
}

#[tokio::test]
async fn nobody_waits_for_ever_for_a_lock() {
    let Some(database) = database().await else { return };
    let options = database.options().patience(std::time::Duration::from_millis(100));
    let log = PostgresStore::open(options.clone()).await.unwrap().agent_log();
    let mut db = PgConnection::connect(&database.url).await.unwrap();
    let mut holder = db.begin().await.unwrap();
    sqlx::query("LOCK TABLE mosaic.agent_log").execute(&mut *holder).await.unwrap();
    let filter = LogFilter::of(Scope::of("acme"));
    for error in [
        log.put(vec![row(1)]).await.unwrap_err(),
        log.all_rows(&filter).await.unwrap_err(),
        log.erase(&filter.scope).await.unwrap_err(),
        log.tenants().await.unwrap_err(),
    ] {
        assert!(matches!(error, AgentLogError::Store(StoreError::Locked { .. })), "{error}");
        assert!(error.is_retryable());
    }
    // Nor for the tables of a database of the version before.
    holder.rollback().await.unwrap();
    back_to_the_second_format(&database).await;
    let mut holder = db.begin().await.unwrap();
    sqlx::query("SELECT FROM mosaic.agent_log").execute(&mut *holder).await.unwrap();
    let error = PostgresStore::open(options.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    holder.rollback().await.unwrap();
    PostgresStore::open(options).await.unwrap();
}
