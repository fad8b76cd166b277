//! Whoever forgets to ask for a tenant sees nothing of others: row-level security.

use mosaic_core::Scope;
use mosaic_core::agent_log::conformance::row;
use mosaic_core::agent_log::{
    AgentLogStore, AgentLogStoreExt as _, Day, LogFilter, LogKey, LogTable, SUMMARY, TierChange,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::open;
use crate::server::{Database, database, execute};

const TABLES: [&str; 3] = ["agent_log", "agent_log_summaries", "agent_log_segments"];

/// Tenants with something in each table. One is named by nothing.
const TENANTS: [&str; 3] = ["acme", "glob'ex", ""];

/// Two rows, a summary and a segment of each tenant, the rows of all at once.
async fn fill(database: &Database) {
    let log = open(database).await;
    let of = |tenant: &str, n| {
        let mut row = row(n);
        row.scope.tenant = tenant.into();
        row
    };
    log.put(TENANTS.iter().flat_map(|tenant| [of(tenant, 1), of(tenant, 2)]).collect()).await.unwrap();
    for tenant in TENANTS {
        let table = LogTable::of([&of(tenant, 3)], SUMMARY);
        let announce = TierChange::Announce { name: "x".into(), day: Day(1) };
        log.apply(tenant, vec![TierChange::Count { table }, announce]).await.unwrap();
    }
}

/// What a transaction says of itself.
fn sees(tenant: &str) -> String {
    let digits: String = tenant.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("SELECT set_config('mosaic.tenant_name', 'x{digits}', true)")
}

async fn run(db: &mut PgConnection, text: impl Into<String>) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(text.into())).execute(db).await.map(drop)
}

/// Whose rows a query shows that asks for nobody's.
async fn shown(db: &mut PgConnection, table: &str) -> Vec<String> {
    let text = AssertSqlSafe(format!("SELECT tenant FROM mosaic.{table} ORDER BY tenant"));
    sqlx::query_scalar(text).fetch_all(db).await.unwrap()
}

#[tokio::test]
async fn a_query_that_forgets_the_tenant_sees_only_the_one_of_its_transaction() {
    let Some(database) = database().await else { return };
    fill(&database).await;
    // The application's own role, and one that was only granted the tables.
    let reader = format!("{}_reader", database.name());
    execute(
        &database.superuser,
        &format!(
            "CREATE ROLE {reader} LOGIN; GRANT USAGE ON SCHEMA mosaic TO {reader};
             GRANT ALL ON ALL TABLES IN SCHEMA mosaic TO {reader}"
        ),
    )
    .await;
    for url in [database.url.clone(), database.url_as(&reader)] {
        let mut db = PgConnection::connect(&url).await.unwrap();
        for table in TABLES {
            assert_eq!(shown(&mut db, table).await, [""; 0], "{table} without a tenant");
        }
        for tenant in TENANTS.into_iter().chain(["stranger"]) {
            let mut transaction = db.begin().await.unwrap();
            run(&mut transaction, sees(tenant)).await.unwrap();
            for table in TABLES {
                let there = if table == "agent_log" { 2 } else { 1 } * usize::from(tenant != "stranger");
                assert_eq!(shown(&mut transaction, table).await, vec![tenant; there], "{table} of {tenant}");
            }
            transaction.commit().await.unwrap();
            assert_eq!(shown(&mut db, "agent_log").await, [""; 0], "the setting outlives its transaction");
        }
    }
}

#[tokio::test]
async fn a_change_that_forgets_the_tenant_reaches_only_the_one_of_its_transaction() {
    let Some(database) = database().await else { return };
    fill(&database).await;
    let mut db = PgConnection::connect(&database.url).await.unwrap();
    for text in [
        "UPDATE mosaic.agent_log SET duration = 99",
        "DELETE FROM mosaic.agent_log_summaries",
        "DELETE FROM mosaic.agent_log_segments",
    ] {
        let mut transaction = db.begin().await.unwrap();
        run(&mut transaction, sees("acme")).await.unwrap();
        run(&mut transaction, text).await.unwrap();
        transaction.commit().await.unwrap();
    }
    for planted in [
        "UPDATE mosaic.agent_log SET tenant = ''",
        "INSERT INTO mosaic.agent_log_segments (tenant, name, day, state) VALUES ('', 'y', 1, 0)",
    ] {
        let mut transaction = db.begin().await.unwrap();
        run(&mut transaction, sees("acme")).await.unwrap();
        let error = run(&mut transaction, planted).await.unwrap_err();
        assert!(error.to_string().contains("row-level security"), "{error}");
    }
    let log = open(&database).await;
    for tenant in ["glob'ex", ""] {
        let filter = LogFilter::of(Scope::of(tenant));
        let durations = log.all_rows(&filter).await.unwrap().into_iter().map(|row| row.duration_ms);
        assert_eq!(durations.collect::<Vec<_>>(), [10, 20]);
        assert_eq!(log.summaries(&filter, &[LogKey::Day]).await.unwrap().0.len(), 1);
        assert_eq!(log.segments(&filter).await.unwrap().len(), 1);
    }
}

/// Whoever lists tenants sees the rows of all, may change none, and sees them no longer than the transaction lasts.
#[tokio::test]
async fn whoever_lists_tenants_only_looks() {
    let Some(database) = database().await else { return };
    fill(&database).await;
    let mut db = PgConnection::connect(&database.url).await.unwrap();
    let lists = "SELECT set_config('mosaic.listing', 'tenants', true)";
    for change in [
        "UPDATE mosaic.agent_log SET duration = 99",
        "DELETE FROM mosaic.agent_log_summaries",
        "DELETE FROM mosaic.agent_log_segments",
    ] {
        let mut transaction = db.begin().await.unwrap();
        run(&mut transaction, lists).await.unwrap();
        assert_eq!(shown(&mut transaction, "agent_log").await.len(), 6);
        let changed = sqlx::query(AssertSqlSafe(change)).execute(&mut *transaction).await.unwrap();
        assert_eq!(changed.rows_affected(), 0, "{change}");
        transaction.commit().await.unwrap();
        assert_eq!(shown(&mut db, "agent_log").await, [""; 0], "the setting outlives its transaction");
    }
    let log = open(&database).await;
    assert_eq!(
        log.tenants().await.unwrap().iter().map(|name| &**name).collect::<Vec<_>>(),
        ["", "acme", "glob'ex"]
    );
    assert_eq!(log.hot("stranger").await.unwrap(), []);
}

/// The setting ends with the transaction: what is done next on the connection is nobody's.
#[tokio::test]
async fn a_connection_that_is_given_back_has_no_tenant() {
    use mosaic_core::queue::{JobStore, Pause};

    let Some(database) = database().await else { return };
    let store = mosaic_storage::PostgresStore::open(database.options().connections(1)).await.unwrap();
    let log = store.agent_log();
    // A row of jobs that says what settings it was written under.
    let column = "ALTER TABLE mosaic.job_pauses ADD COLUMN said text DEFAULT
        current_setting('mosaic.tenant_name', true) || current_setting('mosaic.listing', true)";
    execute(&database.superuser, column).await;
    log.put(vec![row(1)]).await.unwrap();
    log.tenants().await.unwrap();
    store.pause(&Pause::Everything).await.unwrap();
    let mut db = PgConnection::connect(&database.superuser).await.unwrap();
    let said = sqlx::query_scalar::<_, Option<String>>("SELECT said FROM mosaic.job_pauses");
    assert_eq!(said.fetch_one(&mut db).await.unwrap(), Some(String::new()));
}

/// Dropped at any moment, a call leaves no transaction open on a connection that others get: what they do there lasts.
#[tokio::test]
async fn a_dropped_call_leaves_no_transaction_open() {
    use futures_util::FutureExt as _;
    use mosaic_core::queue::{JobStore, Pause};

    let Some(database) = database().await else { return };
    let store = mosaic_storage::PostgresStore::open(database.options().connections(1)).await.unwrap();
    let log = store.agent_log();
    let mut db = PgConnection::connect(&database.superuser).await.unwrap();
    // So many turns of the executor are some milliseconds: longer than beginning takes.
    for turns in (0..4_000_u32).step_by(40) {
        let mut call = log.put(vec![row(turns.into())]).boxed();
        for _ in 0..turns {
            if (&mut call).now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        // One statement, outside of a transaction as far as the store knows.
        let kind = turns.to_string();
        store.pause(&Pause::Kind(kind.as_str().into())).await.unwrap();
        let there = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM mosaic.job_pauses WHERE kind = $1");
        let there = there.bind(&kind).fetch_one(&mut db).await.unwrap();
        assert_eq!(there, 1, "what was done after a call was dropped is not committed ({turns})");
    }
}
