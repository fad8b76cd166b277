//! The jobs.

use super::*;
use mosaic_core::queue::{Budget, JobFilter, JobPage, JobState, Queue, RamQueue};
use mosaic_core::{
    Body, EndedRun, Entry, Flush, InputDelivery, Part, RunEnd, RunId, Seq, SessionStore, Usage,
};
use mosaic_storage::RamStore;

fn run(n: u128) -> EndedRun {
    EndedRun {
        session: SessionKey::of("acme", "s"),
        user: Some("ann".into()),
        agent: "cook".into(),
        run: RunId(uuid::Uuid::from_u128(n)),
        from: Seq(1),
    }
}

fn entry(seq: u64, body: Body) -> Entry {
    Entry { seq: Seq(seq), v: 1, at: Timestamp(TestRuntime::START.0 + seq), run: Some(run(7).run), body }
}

fn entries() -> [Entry; 2] {
    let parts = vec![Part::text("hello")];
    let input = Body::Input { parts, delivery: InputDelivery::Start, output: None, limits: None };
    let end = Body::RunEnd { end: RunEnd::Done, usage: Usage::default(), cost: None };
    [entry(1, input), entry(2, end)]
}

async fn world() -> (World, Arc<RamStore>, Queue) {
    let (world, sessions) = (World::new().policy(|_| {}), Arc::new(RamStore::new()));
    let log = Arc::new(world.log.clone());
    let queue = Queue::new(Arc::new(RamQueue::new()), Arc::new(world.runtime.clone()))
        .handler(RecordHandler::new(log.clone(), sessions.clone()))
        .handler(TierHandler::new(log));
    (world, sessions, queue)
}

#[tokio::test]
async fn a_run_is_recorded_when_it_has_ended_and_looked_at_again_before() {
    let (world, sessions, queue) = world().await;
    let [input, end] = entries();
    sessions.create(&run(7).session, vec![input.to_row().unwrap()]).await.unwrap();
    queue.add(record_job(&run(7))).await.unwrap();
    queue.add(record_job(&run(7))).await.unwrap();
    let report = queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
    assert!(world.store.all_rows(&all()).await.unwrap().is_empty());
    let due = report.next_due.unwrap();
    assert_eq!(world.runtime.now().until(due), Duration::from_secs(60));

    let lease = sessions.lease(&run(7).session).await.unwrap();
    sessions.append(&lease, Seq(1), vec![end.to_row().unwrap()], Flush::Durable).await.unwrap();
    world.runtime.advance(Duration::from_secs(60)).await;
    let report = queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
    assert_eq!((report.done, report.next_due), (1, None), "told twice, it is one job");
    let rows = world.store.all_rows(&all()).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].scope, ann().agent("cook").session("s"));
    // Told again.
    queue.add(record_job(&run(7))).await.unwrap();
    queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
    assert_eq!(world.store.all_rows(&all()).await.unwrap(), rows);
}

#[tokio::test]
async fn a_run_that_is_gone_or_never_ends_is_no_dead_letter() {
    let (world, sessions, queue) = world().await;
    queue.add(record_job(&run(8))).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().done, 1, "there is no such session");
    let [input, _] = entries();
    sessions.create(&run(7).session, vec![input.to_row().unwrap()]).await.unwrap();
    queue.add(record_job(&run(7)).max_attempts(3)).await.unwrap();
    for _ in 0..3 {
        queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
        world.runtime.advance(Duration::from_secs(60)).await;
    }
    assert_eq!(queue.store().counts(None).await.unwrap(), Default::default());
}

#[tokio::test]
async fn a_pass_serves_all_tenants_also_when_one_is_damaged() {
    let (mut world, _, _) = world().await;
    world = world.policy(|policy| policy.hot_rows = 0);
    let tier = TierHandler::new(Arc::new(world.log.clone()));
    let queue = Queue::new(Arc::new(RamQueue::new()), Arc::new(world.runtime.clone())).handler(tier);
    for tenant in ["acme", "globex", "initech"] {
        let mut rows = rows();
        rows.iter_mut().for_each(|row| row.scope.tenant = tenant.into());
        world.store.put(rows).await.unwrap();
    }
    queue.add(tier_job_of("globex")).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().done, 1);
    let hot = async |tenant: &str| world.store.hot(tenant).await.unwrap().len();
    assert_eq!((hot("acme").await, hot("globex").await), (5, 0), "it was told of one tenant");

    // A row of the first day comes back, and the file that tells whether it is there is damaged.
    let name = world.archive.list("").await.unwrap().remove(0);
    world.archive.put(&name, "damaged".into()).await.unwrap();
    let mut back = row(1);
    back.scope.tenant = "globex".into();
    world.store.put(vec![back]).await.unwrap();
    queue.add(tier_job()).await.unwrap();
    queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
    assert_eq!((hot("acme").await, hot("globex").await, hot("initech").await), (0, 1, 0));
    let waiting =
        queue.store().list(&JobFilter::default().state(JobState::Waiting), JobPage::default()).await.unwrap();
    let error = waiting[0].error.as_ref().unwrap();
    assert_eq!(error.kind, mosaic_core::ErrorKind::Corrupt, "{error}");
}
