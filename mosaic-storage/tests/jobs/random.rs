//! Whatever is done in whatever order, every store does what the model (the core's queue in RAM) does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mosaic_core::queue::conformance::Factory;
use mosaic_core::queue::{
    Claim, DedupUntil, Firing, Job, JobFilter, JobLease, JobPage, JobState, JobStore, NewJob, Outcome, Pause,
    QueueError, RamQueue, Schedule,
};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{ErrorKind, ErrorReport, Runtime as _, Timestamp};
use proptest::prelude::*;

use crate::places::Places;

/// Tenant, kind, delay, priority, key (held until the end, or until the start), attempts.
type Spec = (u8, u8, u64, i32, Option<(u8, bool)>, u32);

#[derive(Debug, Clone)]
enum Step {
    Add(Vec<Spec>),
    Claim { handle: usize, kinds: Vec<u8>, limit: u32 },
    Heartbeat { handle: usize, lease: usize, seconds: u64 },
    Settle { handle: usize, lease: usize, how: u8, seconds: u64 },
    Advance(u64),
    Pause(Option<u8>),
    Resume(Option<u8>),
    RetryDead(u8),
    Revoke(u8),
    Remove(u8, u8),
    Schedule { tenant: u8, every: u64, next: u64 },
    Fire { tenant: u8, due: u64, next: u64 },
    NextDue(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let key = proptest::option::weighted(0.6, (0..3_u8, any::<bool>()));
    let new = (0..2_u8, 0..2_u8, 0..4_u64, -1..2_i32, key, 1..4_u32);
    let kinds = || proptest::collection::vec(0..3_u8, 0..3);
    let (handle, lease) = (0..2_usize, 0..12_usize);
    prop_oneof![
        5 => proptest::collection::vec(new, 0..4).prop_map(Step::Add),
        6 => (handle.clone(), kinds(), 0..4_u32).prop_map(|(handle, kinds, limit)| Step::Claim { handle, kinds, limit }),
        1 => (handle.clone(), lease.clone(), 0..90_u64)
            .prop_map(|(handle, lease, seconds)| Step::Heartbeat { handle, lease, seconds }),
        6 => (handle, lease, 0..4_u8, 0..5_u64)
            .prop_map(|(handle, lease, how, seconds)| Step::Settle { handle, lease, how, seconds }),
        2 => (0..5_u64).prop_map(Step::Advance),
        1 => proptest::option::of(0..2_u8).prop_map(Step::Pause),
        2 => proptest::option::of(0..2_u8).prop_map(Step::Resume),
        1 => (0..2_u8).prop_map(Step::RetryDead),
        1 => (0..2_u8).prop_map(Step::Revoke),
        1 => (0..2_u8, 0..3_u8).prop_map(|(tenant, state)| Step::Remove(tenant, state)),
        1 => (0..2_u8, 1..3_u64, 0..4_u64).prop_map(|(tenant, every, next)| Step::Schedule { tenant, every, next }),
        2 => (0..2_u8, 0..4_u64, 0..4_u64).prop_map(|(tenant, due, next)| Step::Fire { tenant, due, next }),
        1 => kinds().prop_map(Step::NextDue),
    ]
}

/// What both know: the clock, and the leases that were ever given.
struct World {
    runtime: TestRuntime,
    leases: Vec<JobLease>,
    start: Timestamp,
}

fn name(n: u8) -> Arc<str> {
    format!("n{n}").into()
}

fn new(runtime: &TestRuntime, spec: Spec) -> Job {
    let (tenant, kind, seconds, priority, key, attempts) = spec;
    let mut job = NewJob::new(name(kind), serde_json::json!(null)).tenant(name(tenant)).priority(priority);
    job = job.delay(Duration::from_secs(seconds)).max_attempts(attempts);
    job = match key {
        Some((key, true)) => job.dedup(name(key)),
        Some((key, false)) => job.dedup_waiting(name(key)),
        None => job,
    };
    job.job(runtime).unwrap()
}

/// A step with all that is random in it chosen, so that it can be taken twice.
#[derive(Debug, Clone)]
enum Call {
    Enqueue(Vec<Job>),
    Claim(usize, Claim, Timestamp),
    Heartbeat(usize, JobLease, Timestamp),
    Settle(usize, JobLease, Outcome),
    Pause(Pause),
    Resume(Pause),
    RetryDead(JobFilter, Timestamp),
    Revoke(JobFilter),
    Remove(JobFilter),
    Schedule(Schedule, Timestamp),
    Fire(Firing),
    NextDue(Vec<Arc<str>>),
}

impl World {
    fn call(&self, step: Step) -> Option<Call> {
        let now = self.runtime.now();
        let lease = |n: usize| self.leases.get(n % self.leases.len().max(1)).copied();
        let pause = |kind: Option<u8>| kind.map_or(Pause::Everything, |kind| Pause::Kind(name(kind)));
        let at = |seconds| self.start.after(Duration::from_secs(seconds));
        Some(match step {
            Step::Add(specs) => {
                Call::Enqueue(specs.into_iter().map(|spec| new(&self.runtime, spec)).collect())
            }
            Step::Claim { handle, kinds, limit } => {
                let kinds = kinds.into_iter().map(name).collect();
                Call::Claim(handle, Claim { kinds, limit, visibility: Duration::from_secs(30) }, now)
            }
            Step::Heartbeat { handle, lease: n, seconds } => {
                Call::Heartbeat(handle, lease(n)?, now.after(Duration::from_secs(seconds)))
            }
            Step::Settle { handle, lease: n, how, seconds } => {
                let error = ErrorReport::new(ErrorKind::Server, format!("{how}"));
                let outcome = match how {
                    0 => Outcome::Done,
                    1 => Outcome::Released,
                    2 => Outcome::Dead { error },
                    _ => Outcome::Retry { at: now.after(Duration::from_secs(seconds)), error },
                };
                Call::Settle(handle, lease(n)?, outcome)
            }
            Step::Advance(_) => return None,
            Step::Pause(kind) => Call::Pause(pause(kind)),
            Step::Resume(kind) => Call::Resume(pause(kind)),
            Step::RetryDead(tenant) => Call::RetryDead(JobFilter::of(name(tenant)), now),
            Step::Revoke(tenant) => Call::Revoke(JobFilter::of(name(tenant))),
            Step::Remove(tenant, state) => {
                let state = [JobState::Waiting, JobState::Running, JobState::Dead][usize::from(state)];
                Call::Remove(JobFilter::of(name(tenant)).state(state))
            }
            Step::Schedule { tenant, every, next } => {
                let job = NewJob::new(name(0), serde_json::json!(null)).tenant(name(tenant));
                Call::Schedule(Schedule::every("s", Duration::from_secs(every), job), at(next))
            }
            Step::Fire { tenant, due, next } => {
                let job = Some(new(&self.runtime, (tenant, 0, 0, 0, Some((2, true)), 1)));
                Call::Fire(Firing {
                    tenant: name(tenant),
                    name: "s".into(),
                    due: at(due),
                    next: at(next),
                    job,
                })
            }
            Step::NextDue(kinds) => Call::NextDue(kinds.into_iter().map(name).collect()),
        })
    }
}

/// Makes the call, and tells all that can be seen of its end.
async fn make(stores: &[Arc<dyn JobStore>], call: Call) -> (String, Vec<JobLease>) {
    let mut leases = Vec::new();
    let store = &stores[0];
    let told = match call {
        Call::Enqueue(jobs) => show(store.enqueue(jobs).await),
        Call::Claim(handle, claim, now) => {
            let mut jobs = stores[handle].claim(claim, now).await.unwrap();
            leases.extend(jobs.iter().map(Job::lease));
            jobs.iter_mut().for_each(forget_owner);
            format!("{jobs:?}")
        }
        Call::Heartbeat(handle, lease, until) => show(stores[handle].heartbeat(lease, until).await),
        Call::Settle(handle, lease, outcome) => show(stores[handle].settle(lease, outcome).await),
        Call::Pause(what) => show(store.pause(&what).await),
        Call::Resume(what) => show(store.resume(&what).await),
        Call::RetryDead(filter, now) => show(store.retry_dead(&filter, now).await),
        Call::Revoke(filter) => show(store.revoke(&filter).await),
        Call::Remove(filter) => show(store.remove(&filter).await),
        Call::Schedule(schedule, next) => show(store.put_schedule(schedule, next).await),
        Call::Fire(firing) => show(stores[1].fire(firing).await),
        Call::NextDue(kinds) => show(store.next_due(&kinds).await),
    };
    (told, leases)
}

fn show<T: std::fmt::Debug>(result: Result<T, QueueError>) -> String {
    match result {
        Ok(done) => format!("{done:?}"),
        Err(QueueError::Lost { .. }) => "lost".into(),
        Err(error) => panic!("{error}"),
    }
}

/// Handles have names of their own everywhere.
fn forget_owner(job: &mut Job) {
    job.owner = job.owner.take().map(|_| "somebody".into());
}

/// All that is in a store.
async fn picture(store: &dyn JobStore) -> String {
    let mut jobs = store.list(&JobFilter::default(), JobPage { after: None, limit: 1000 }).await.unwrap();
    jobs.iter_mut().for_each(forget_owner);
    let counts = store.counts(None).await.unwrap();
    format!(
        "{jobs:?} {counts:?} {:?} {:?}",
        store.paused().await.unwrap(),
        store.schedules(None, None).await.unwrap()
    )
}

async fn compare(places: &Places, seed: u64, steps: Vec<Step>) {
    static PLACE: AtomicU32 = AtomicU32::new(0);
    let place = format!("random{}", PLACE.fetch_add(1, Ordering::Relaxed));
    let model = RamQueue::new();
    let model: [Arc<dyn JobStore>; 2] = [Arc::new(model.sibling()), Arc::new(model)];
    let real = [places.open(&place).await.unwrap(), places.open(&place).await.unwrap()];
    let runtime = TestRuntime::new(seed);
    let mut world = World { start: runtime.now(), runtime, leases: Vec::new() };
    for step in steps {
        if let Step::Advance(seconds) = step {
            world.runtime.advance(Duration::from_secs(seconds)).await;
        }
        let Some(call) = world.call(step) else { continue };
        let (due, leases) = make(&model, call.clone()).await;
        let (found, _) = make(&real, call.clone()).await;
        assert_eq!(found, due, "{call:?}");
        assert_eq!(picture(&*real[1]).await, picture(&*model[0]).await, "after {call:?}");
        let unique: BTreeSet<_> = leases.iter().map(|lease| lease.id).collect();
        assert_eq!(unique.len(), leases.len(), "a job was claimed twice in one claim");
        world.leases.extend(leases);
    }
    // The invariants of the model itself: of each tenant and kind, at most one active job that keeps its key until its end.
    let jobs = model[0].list(&JobFilter::default(), JobPage { after: None, limit: 1000 }).await.unwrap();
    for job in &jobs {
        assert_eq!(job.state == JobState::Running, job.owner.is_some() && job.visible_until.is_some());
        assert!(job.epoch >= u64::from(job.attempt));
        assert!(
            job.dedup
                .as_ref()
                .is_none_or(|dedup| matches!(dedup.until, DedupUntil::Ended | DedupUntil::Started))
        );
    }
    for store in &real {
        store.close().await.unwrap();
    }
}

fn check(cases: u32, places: Places) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let strategy = (any::<u64>(), proptest::collection::vec(step(), 1..50));
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&strategy, |(seed, steps)| {
        tokio.block_on(compare(&places, seed, steps));
        Ok(())
    });
    result.unwrap();
}

#[cfg(feature = "sqlite")]
#[test]
fn the_sqlite_store_does_what_the_model_does() {
    check(48, Places::sqlite());
}

#[test]
fn the_ram_store_does_what_the_model_does() {
    check(48, Places::ram());
}

#[cfg(feature = "postgres")]
#[test]
fn the_postgres_store_does_what_the_model_does() {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Some(places) = tokio.block_on(Places::postgres()) else { return };
    check(24, places);
}
