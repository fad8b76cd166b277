//! Agent logs in tiers over a SQLite file and a folder: processes that are killed, and an erasure that leaves no trace.

#![cfg(all(feature = "agent-log", unix))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // clippy knows `#[test]` functions only, not their helpers

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::agent_log::{LogFilter, LogKind, LogRow, LogTable, Registered, SUMMARY, rows};
use mosaic_core::archive::Archive;
use mosaic_core::queue::{Budget, Queue};
use mosaic_core::{
    Body, CallId, Cost, EndedRun, Entry, InputDelivery, Origin, Part, RunEnd, RunId, Scope, Seq, SessionKey,
    SessionStore, StopReason, StoreError, Timestamp, TokioRuntime, ToolStatus, Usage,
};
use mosaic_memory::agent_log::{AgentLog, RecordHandler, TierHandler, TierPolicy, record_job, tier_job};
use mosaic_storage::{Durability, FolderArchive, SqliteOptions, SqliteStore};

const FOLDER: &str = "MOSAIC_AGENT_LOG_TEST_FOLDER";

/// The run of a number: one an hour, in a session of its own, of one of three users.
fn run(n: u64) -> EndedRun {
    EndedRun {
        session: SessionKey::of("acme", format!("s{n}")),
        user: Some(format!("planted-user-{}", n % 3).into()),
        agent: "cook".into(),
        run: RunId(uuid::Uuid::from_u128(u128::from(n))),
        from: Seq(1),
    }
}

fn entries(n: u64) -> Vec<Entry> {
    let call = CallId("c".into());
    let mut part = Part::call("c", format!("planted-tool-{}", n % 3), "{}");
    if let Part::ToolCall(call) = &mut part {
        call.id = CallId("c".into());
    }
    let assistant = Body::Assistant {
        step: 1,
        parts: vec![part],
        stop: StopReason::ToolCalls,
        usage: Usage { input: n, output: 1, ..Usage::default() },
        cost: Some(Cost(n)),
        origin: Some(Origin { api: "a".into(), provider: "some".into(), model: "large".into() }),
        route: None,
    };
    let input = Body::Input { parts: Vec::new(), delivery: InputDelivery::Start, output: None, limits: None };
    let tool = Body::ToolEnd { call, attempt: 1, status: ToolStatus::Ok, content: Vec::new() };
    let end = Body::RunEnd { end: RunEnd::Done, usage: Usage::default(), cost: None };
    let at = 1_767_225_600_000 + n * 3_600_000;
    let numbered = (1..).zip([input, assistant, tool, end]);
    let entry =
        |(seq, body)| Entry { seq: Seq(seq), v: 1, at: Timestamp(at + seq), run: Some(run(n).run), body };
    numbered.map(entry).collect()
}

/// The rows that a run must have.
fn due(n: u64) -> Vec<LogRow> {
    rows(&run(n), &entries(n))
}

fn all() -> LogFilter {
    LogFilter::of(Scope::of("acme"))
}

struct World {
    store: Arc<SqliteStore>,
    archive: FolderArchive,
    log: Arc<AgentLog>,
    queue: Queue,
}

async fn open(folder: &Path) -> World {
    let options = SqliteOptions::new(folder.join("app.db")).durability(Durability::Process);
    let store = Arc::new(SqliteStore::open(options).await.unwrap());
    let archive = FolderArchive::open(folder.join("archive")).await.unwrap();
    let runtime = Arc::new(TokioRuntime::current().unwrap());
    let mut policy = TierPolicy::default();
    (policy.hot_age, policy.warm_age) = (Duration::from_secs(1 << 40), Duration::from_secs(1 << 40));
    (policy.hot_rows, policy.segment_rows, policy.forget_after) = (20, 16, Duration::ZERO);
    let log = AgentLog::new(Arc::new(store.agent_log()), Arc::new(archive.clone()), runtime.clone());
    let log = Arc::new(log.policy(policy));
    let queue = Queue::new(store.clone(), runtime)
        .handler(RecordHandler::new(log.clone(), store.clone()))
        .handler(TierHandler::new(log.clone()));
    World { store, archive, log, queue }
}

impl World {
    /// Tells of a run that has ended, as its driver would.
    async fn tell(&self, n: u64) {
        let made = entries(n).iter().map(|entry| entry.to_row().unwrap()).collect();
        match self.store.create(&run(n).session, made).await {
            Ok(_) | Err(StoreError::Exists { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        // A death counts as an attempt, and here many die.
        self.queue.add(record_job(&run(n)).max_attempts(1_000)).await.unwrap();
    }

    /// No row is in two places or twice in one, what is sealed can be read, the summaries are those of what is cold, and no file is unknown.
    async fn check(&self) -> BTreeSet<u64> {
        let hot: Vec<LogRow> = {
            use mosaic_core::agent_log::AgentLogStoreExt as _;
            self.log.store().all_rows(&all()).await.unwrap()
        };
        let everywhere = self.log.all_rows(&all()).await.unwrap();
        let register = self.log.store().segments(&all()).await.unwrap();
        let sealed = register.iter().filter_map(|one| match one {
            Registered::Sealed { segment } => Some(segment.rows),
            _ => None,
        });
        let cold: u64 = sealed.sum();
        assert_eq!(hot.len() as u64 + cold, everywhere.len() as u64, "a row is hot and cold, or cold twice");
        let hot: BTreeSet<_> = hot.iter().map(|row| row.id).collect();
        let summaries = self.log.store().summaries(&all(), SUMMARY).await.unwrap();
        let of = everywhere.iter().filter(|row| !hot.contains(&row.id));
        assert_eq!(summaries, LogTable::of(of, SUMMARY), "the summaries are not those of what is cold");
        let known: BTreeSet<String> = register.iter().map(|one| one.name().to_string()).collect();
        let files: BTreeSet<String> = self.archive.list("").await.unwrap().into_iter().collect();
        assert!(files.is_subset(&known), "nobody knows {:?}", files.difference(&known));
        // Of a run all rows are there or none.
        let runs: BTreeSet<u64> = everywhere
            .iter()
            .filter(|row| row.kind == LogKind::Run)
            .map(|row| u64::try_from(row.run.0.as_u128()).unwrap())
            .collect();
        let mut due: Vec<LogRow> = runs.iter().flat_map(|n| due(*n)).collect();
        due.sort_by_key(|row| row.id);
        assert_eq!(everywhere, due, "rows are missing, or made up");
        runs
    }

    async fn work_off(&self) {
        while self.queue.store().counts(None).await.unwrap() != Default::default() {
            let report = self.queue.run_due_jobs(Budget::jobs(1_000)).await.unwrap();
            assert!(report.done > 0, "{report:?}");
        }
    }
}

/// Not a test by itself: what the killed processes do. They are this program, started again.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let world = open(folder.as_ref()).await;
    let _worker = world.queue.start();
    for n in 1.. {
        world.tell(n).await;
        println!("\nacknowledged {n}");
        if n % 3 == 0 {
            world.queue.add(tier_job().max_attempts(1_000)).await.unwrap();
        }
        // The worker keeps pace, so that it is always in the middle of something.
        while world.queue.store().counts(None).await.unwrap().waiting > 4 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_processes_leave_each_row_in_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut interrupted) = (0_u64, 0);
    for round in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Each goes a little further than the one before, and tells all that were told once more.
        let awaited = format!("acknowledged {}", 12 + round * 7);
        assert!(lines.any(|line| line.unwrap() == awaited), "the child ended without saying `{awaited}`");
        child.kill().unwrap();
        child.wait().unwrap();
        let said =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
        acknowledged = acknowledged.max(said.last().unwrap_or(12 + round * 7));

        let world = open(folder.path()).await;
        world.check().await;
        let register = world.log.store().segments(&all()).await.unwrap();
        interrupted += register.iter().filter(|one| !matches!(one, Registered::Sealed { .. })).count();
        world.store.close().await.unwrap();
    }
    let world = open(folder.path()).await;
    world.work_off().await;
    world.queue.add(tier_job()).await.unwrap();
    world.work_off().await;
    let runs = world.check().await;
    let lost: Vec<u64> = (1..=acknowledged).filter(|n| !runs.contains(n)).collect();
    assert_eq!(lost, [0; 0], "of {acknowledged} runs that were acknowledged");
    assert_eq!(world.log.store().hot("acme").await.unwrap().iter().map(|day| day.rows).sum::<u64>(), 20);
    world.log.tidy("acme").await.unwrap();
    let register = world.log.store().segments(&all()).await.unwrap();
    assert!(register.iter().all(|one| matches!(one, Registered::Sealed { .. })), "{register:?}");
    assert_eq!(register.len(), world.archive.list("").await.unwrap().len());
    println!("{acknowledged} runs, {} segments, {interrupted} found unfinished", register.len());
    world.store.close().await.unwrap();
}

/// Where a text stands: in files, in what compressed files hold, in names of files and folders.
fn traces(folder: &Path, wanted: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.contains(wanted) {
            found.push(format!("the name {name}"));
        }
        if path.is_dir() {
            found.extend(traces(&path, wanted));
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap_or_default();
        if name.ends_with(".gz") {
            let mut lines = Vec::new();
            flate2::read::MultiGzDecoder::new(&*bytes).read_to_end(&mut lines).unwrap();
            bytes.extend(lines);
        }
        if bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
            found.push(name);
        }
    }
    found
}

#[tokio::test]
async fn an_erased_user_is_in_no_file_of_any_tier_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let world = open(folder.path()).await;
    for n in 1..=150 {
        world.log.record(&run(n), &entries(n)).await.unwrap();
        if n % 40 == 0 {
            world.log.tier("acme").await.unwrap();
        }
    }
    let segments = world.archive.list("").await.unwrap().len();
    let planted = |n: u64| [format!("planted-user-{n}"), format!("planted-tool-{n}")];
    for text in planted(1) {
        let found = traces(folder.path(), &text);
        assert!(found.len() > segments, "the check sees {text} in {found:?}");
    }
    let user = Scope::of("acme").user("planted-user-1");
    let erased = world.log.erase(&user).await.unwrap();
    assert_eq!(erased.rows, 150, "50 runs of three rows");
    // `erase` has returned; the WAL is emptied right after it, before the next request.
    world.log.store().put(Vec::new()).await.unwrap();
    for text in planted(1) {
        assert_eq!(traces(folder.path(), &text), [""; 0]);
    }
    assert_eq!(world.check_but(1).await, 100, "the others' runs stay");
    world.log.erase(&Scope::of("acme")).await.unwrap();
    world.log.store().put(Vec::new()).await.unwrap();
    for text in planted(0).iter().chain(&planted(2)) {
        assert_eq!(traces(folder.path(), text), [""; 0]);
    }
    assert_eq!(
        traces(folder.path(), "acme"),
        [""; 0],
        "no session was made, and the tenant's name is a trace"
    );
    assert!(std::fs::read_dir(folder.path().join("archive")).unwrap().next().is_none(), "no folder is left");
}

#[tokio::test]
async fn an_archived_session_is_in_no_file_of_the_database_and_comes_back() {
    use mosaic_memory::session_archive::{Archived, SessionArchive};

    let folder = tempfile::tempdir().unwrap();
    let world = open(folder.path()).await;
    for n in 1..=30 {
        let made = entries(n).iter().map(|entry| entry.to_row().unwrap()).collect();
        world.store.create(&run(n).session, made).await.unwrap();
    }
    let cold = SessionArchive::new(world.store.clone(), Arc::new(world.archive.clone()));
    for n in (1..=30).filter(|n| n % 3 == 1) {
        assert!(matches!(cold.archive(&run(n).session).await.unwrap(), Archived::Done { rows: 4, .. }));
    }
    // The WAL is emptied right after the last answer, before the next request.
    world.log.store().put(Vec::new()).await.unwrap();
    let found = traces(folder.path(), "planted-tool-1");
    assert!(found.len() == 10 && found.iter().all(|name| name.ends_with(".gz")), "{found:?}");
    let again = open(folder.path()).await;
    let cold = SessionArchive::new(again.store.clone(), Arc::new(again.archive.clone()));
    for n in 1..=30 {
        assert_eq!(cold.restore(&run(n).session).await.unwrap(), n % 3 == 1);
        let mosaic_core::RunEntries::Ended(back) = run(n).read(&*again.store).await.unwrap() else {
            panic!()
        };
        assert_eq!(back, entries(n));
    }
    assert!(again.archive.list("").await.unwrap().is_empty());
}

impl World {
    /// How many runs there are, none of which is of a user.
    async fn check_but(&self, user: u64) -> usize {
        let runs = self.check().await;
        assert!(runs.iter().all(|n| n % 3 != user));
        runs.len()
    }
}
