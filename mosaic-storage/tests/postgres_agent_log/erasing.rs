//! What is erased leaves no trace; a process that is killed while it erases has erased nothing, or, in its `COMMIT`, everything.

use mosaic_core::agent_log::conformance::row;
use mosaic_core::agent_log::{
    AgentLogStore, AgentLogStoreExt as _, LogError, LogFilter, LogTable, SUMMARY, TierChange,
};
use mosaic_core::{ErrorKind, Scope};
use mosaic_storage::PostgresAgentLog;

use crate::killed::{DATABASE, Stop, commits_wait, kill};
use crate::open;
use crate::server::{Database, database, execute};

/// What is looked for: each in another part of a row.
const PLANTED: [&str; 5] =
    ["planted-user", "planted-agent", "planted-session", "planted-error", "planted-tool"];

fn secret() -> Scope {
    Scope::of("acme").user("planted-user")
}

/// Rows and summaries of somebody, or of whoever is to be erased.
async fn fill(log: &PostgresAgentLog, plant: bool) {
    for n in 0..40 {
        let mut row = row(2 * n + u64::from(plant));
        row.scope = Scope::of("acme").user("bob");
        if plant {
            row.scope = secret().agent("planted-agent").session(format!("planted-session-{}", n % 7));
            row.name = Some("planted-tool".into());
            let message = format!("planted-error {}", "x".repeat((n * 37 % 90) as usize)).into();
            row.error = Some(LogError { kind: ErrorKind::Tool, message });
        }
        let table = LogTable::of([&row], SUMMARY);
        log.put(vec![row]).await.unwrap();
        log.apply("acme", vec![TierChange::Count { table }]).await.unwrap();
    }
}

/// All that can be seen.
async fn seen(log: &PostgresAgentLog) -> String {
    let all = LogFilter::of(Scope::of("acme"));
    format!("{:?} {:?}", log.all_rows(&all).await, log.summaries(&all, SUMMARY).await)
}

async fn traces(database: &Database) -> Vec<String> {
    database.on_disk(&PLANTED.map(|text| (text, text.as_bytes().to_vec()))).await
}

#[tokio::test]
async fn an_erased_user_is_after_a_scrub_in_no_file() {
    let Some(database) = database().await else { return };
    let log = open(&database).await;
    fill(&log, false).await;
    let nothing = seen(&log).await;
    fill(&log, true).await;
    // The planner keeps values of what is there.
    execute(&database.superuser, "ANALYZE").await;
    let there = traces(&database).await;
    for what in PLANTED {
        assert!(
            there.iter().any(|trace| trace.starts_with(what)),
            "the check does not see {what}: {there:?}"
        );
    }
    assert_eq!(log.erase(&secret()).await.unwrap(), 40);
    assert!(!traces(&database).await.is_empty(), "nobody would have to scrub");
    log.scrub().await.unwrap();
    assert_eq!(traces(&database).await, [""; 0]);
    assert_eq!(seen(&log).await, nothing, "the others stay");
}

/// Not a test by itself: what the killed process does.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let store = mosaic_storage::PostgresStore::open_url(&url).await.unwrap();
    store.agent_log().erase(&secret()).await.unwrap();
}

#[tokio::test]
async fn a_killed_erase_is_all_or_nothing() {
    use mosaic_core::queue::JobStore as _;

    let Some(database) = database().await else { return };
    let store = || mosaic_storage::PostgresStore::open(database.options());
    let first = store().await.unwrap();
    fill(&first.agent_log(), false).await;
    let nothing = seen(&first.agent_log()).await;
    first.close().await.unwrap();
    commits_wait(&database, "agent_log").await;
    for stop in [Stop::AtRowsOf("agent_log"), Stop::AtRowsOf("agent_log_summaries"), Stop::InCommit] {
        let before = store().await.unwrap();
        fill(&before.agent_log(), true).await;
        let everything = seen(&before.agent_log()).await;
        before.close().await.unwrap();
        kill(&database, "erasing::child", stop).await;
        let after = store().await.unwrap();
        let expected = if matches!(stop, Stop::InCommit) { &nothing } else { &everything };
        assert!(seen(&after.agent_log()).await == *expected, "half of it is there: {stop:?}");
        after.agent_log().erase(&secret()).await.unwrap();
        assert!(seen(&after.agent_log()).await == nothing, "erased again after {stop:?}");
        after.close().await.unwrap();
    }
    store().await.unwrap().agent_log().scrub().await.unwrap();
    assert_eq!(traces(&database).await, [""; 0]);
}
