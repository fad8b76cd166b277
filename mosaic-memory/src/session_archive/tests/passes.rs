//! Passes over the sessions of tenants, and the job that makes them.

use mosaic_core::ErrorKind;
use mosaic_core::Runtime as _;
use mosaic_core::queue::{Budget, JobFilter, JobPage, JobState, JobStore, NewJob, Queue, RamQueue};
use mosaic_core::testing::TestRuntime;

use super::dying::Mortal;
use super::*;

#[tokio::test]
async fn old_sessions_are_archived_and_young_ones_stay() {
    let w = world(rows(3, true)).await;
    for n in 0..250_u64 {
        let mut one = rows(1, n % 100 != 3);
        one.iter_mut().for_each(|row| row.at = Timestamp(n * 1_000));
        w.store.create(&SessionKey::of("acme", format!("n{n}")), one).await.unwrap();
    }
    let day = Duration::from_secs(100);
    let many = w.cold.archive_older("acme", Timestamp(250_000), day).await.unwrap();
    // 0 to 150, and `s`; of these 3 and 103 have a run that goes on.
    assert_eq!(many, ArchivedMany { archived: 150, left: 2 });
    let left =
        w.cold.sessions().list("acme", ListOptions { limit: 999, ..ListOptions::default() }).await.unwrap();
    assert_eq!(left.len(), 101);
    assert_eq!(
        w.cold.archive_older("globex", Timestamp(250_000), day).await.unwrap(),
        ArchivedMany::default()
    );
}

const DAY: Duration = Duration::from_secs(86_400);

fn key_of(tenant: &str, name: &str) -> SessionKey {
    SessionKey::of(tenant, name)
}

/// Makes sessions of tenants that nobody wrote for so many days.
async fn fill(w: &World, runtime: &TestRuntime, sessions: &[(&str, &str, u64)]) {
    for (tenant, name, days) in sessions {
        let mut old = rows(1, true);
        old.iter_mut().for_each(|row| row.at = Timestamp(runtime.now().0 - days * 86_400_000));
        w.store.create(&key_of(tenant, name), old).await.unwrap();
    }
}

fn queue(jobs: &RamQueue, runtime: &TestRuntime, cold: &SessionArchive) -> Queue {
    let handler = ArchiveHandler::new(cold.clone()).policy(ArchivePolicy { age: 30 * DAY });
    Queue::new(Arc::new(jobs.sibling()), Arc::new(runtime.clone())).handler(handler)
}

/// What is in the store, of all tenants.
async fn hot(w: &World) -> Vec<String> {
    let mut found = Vec::new();
    for tenant in w.store.tenants().await.unwrap() {
        let page = w.cold.sessions().list(&tenant, ListOptions::default()).await.unwrap();
        found.extend(page.iter().map(|info| info.key.to_string()));
    }
    found
}

#[tokio::test]
async fn the_job_archives_what_was_old_when_it_was_made_of_one_tenant_or_all() {
    let (w, runtime, jobs) = (world(rows(1, false)).await, TestRuntime::new(7), RamQueue::new());
    let sessions =
        [("acme", "old", 31), ("acme", "young", 29), ("globex", "old", 31), ("initech", "old", 99)];
    fill(&w, &runtime, &sessions).await;
    let queue = queue(&jobs, &runtime, &w.cold);
    queue.add(archive_job_of("globex")).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().done, 1);
    assert_eq!(hot(&w).await, ["acme/old", "acme/s", "acme/young", "initech/old"]);
    queue.add(archive_job()).await.unwrap();
    queue.add(archive_job()).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().done, 1, "told twice, it is one job");
    assert_eq!(hot(&w).await, ["acme/s", "acme/young"], "a run goes on in the one, the other is young");
    queue.add(archive_job()).await.unwrap();
    runtime.advance(DAY).await;
    queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
    assert_eq!(hot(&w).await, ["acme/s", "acme/young"], "it was young when the job was made");
    queue.add(archive_job()).await.unwrap();
    queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
    assert_eq!(hot(&w).await, ["acme/s"], "it grew old");
    queue.add(NewJob::new(ARCHIVE, serde_json::json!({ "tenant": 7 }))).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().dead, 1, "that names no tenant");
}

#[tokio::test]
async fn what_cannot_be_archived_keeps_no_other_session_and_no_other_tenant() {
    let (w, runtime, jobs) = (world(rows(1, true)).await, TestRuntime::new(7), RamQueue::new());
    fill(&w, &runtime, &[("acme", "a", 99), ("globex", "a", 99)]).await;
    w.cold.archive(&key_of("acme", "a")).await.unwrap();
    // Another session under the name of one that is archived.
    fill(&w, &runtime, &[("acme", "a", 50), ("acme", "b", 50)]).await;
    let queue = queue(&jobs, &runtime, &w.cold);
    queue.add(archive_job()).await.unwrap();
    queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
    assert_eq!(hot(&w).await, ["acme/a"]);
    let waiting = JobFilter::default().state(JobState::Waiting);
    let waiting = jobs.list(&waiting, JobPage::default()).await.unwrap();
    let error = waiting[0].error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
    assert!(error.message.contains("acme/a"), "{error}");
}

#[tokio::test]
async fn a_pass_that_dies_at_any_deed_loses_nothing_and_the_next_one_goes_on() {
    let mut deaths = 0;
    for deeds in 0.. {
        let mut ended = 0;
        for after in [None, Some(())] {
            let (w, runtime, jobs) = (world(rows(5, true)).await, TestRuntime::new(7), RamQueue::new());
            fill(&w, &runtime, &[("globex", "a", 99), ("globex", "b", 99)]).await;
            let mortal = Mortal::of(&w, deeds, after);
            let dying = queue(&jobs, &runtime, &SessionArchive::new(mortal.clone(), mortal));
            dying.add(archive_job()).await.unwrap();
            let report = dying.run_due_jobs(Budget::jobs(1)).await.unwrap();
            drop(dying);
            (ended, deaths) = (ended + report.done, deaths + 1 - report.done);
            let all = RestoringStore::new(w.cold.clone());
            let keys = [key(), key_of("globex", "a"), key_of("globex", "b")];
            let there = async |key: &SessionKey| {
                w.store.find(key).await.unwrap().is_some() || w.cold.has(key).await.unwrap()
            };
            for key in &keys {
                assert!(there(key).await, "after {deeds} deeds {key} is lost");
            }
            // The job is tried again.
            runtime.advance(DAY).await;
            let queue = queue(&jobs, &runtime, &w.cold);
            queue.run_due_jobs(Budget::jobs(1)).await.unwrap();
            assert!(hot(&w).await.is_empty(), "after {deeds} deeds some are left: {:?}", hot(&w).await);
            assert_eq!(w.archive.list("").await.unwrap().len(), 3, "after {deeds} deeds");
            assert_eq!(read(&all).await, Some(rows(5, true)), "after {deeds} deeds");
        }
        if ended == 2 {
            break;
        }
    }
    assert!(deaths > 20, "{deaths} deaths");
}

/// Takes the job away when the first file is written.
#[derive(Debug)]
struct Revoking(RamArchive, RamQueue);

#[async_trait::async_trait]
impl Archive for Revoking {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        self.1.remove(&JobFilter::default()).await.unwrap();
        self.0.put(name, bytes).await
    }
    async fn get(&self, name: &str) -> Result<Bytes, ArchiveError> {
        self.0.get(name).await
    }
    async fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<Bytes, ArchiveError> {
        self.0.get_range(name, offset, length).await
    }
    async fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        self.0.remove(name).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, ArchiveError> {
        self.0.list(prefix).await
    }
}

#[tokio::test]
async fn a_pass_whose_job_was_taken_away_archives_no_more() {
    let (w, runtime, jobs) = (world(rows(1, true)).await, TestRuntime::new(7), RamQueue::new());
    fill(&w, &runtime, &[("acme", "a", 99), ("acme", "b", 99)]).await;
    let archive = Revoking(w.archive.clone(), jobs.sibling());
    let queue = queue(&jobs, &runtime, &SessionArchive::new(w.store.clone(), Arc::new(archive)));
    queue.add(archive_job()).await.unwrap();
    queue.run_due_jobs(Budget::jobs(1)).await.unwrap();
    assert_eq!(hot(&w).await, ["acme/b", "acme/s"], "the one that had begun was archived whole");
}
