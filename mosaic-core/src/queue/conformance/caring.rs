//! What operators do.

use std::time::Duration;

use super::Factory;
use super::help::{
    Check, add, add_second, at, claim, claim_one, ensure, ensure_eq, ensure_lost, find, get, ids, new, why,
};
use crate::queue::{Counts, JobFilter, JobPage, JobState, Outcome, Pause, Schedule};

/// By id; a page goes on after the last.
pub async fn lists_are_sorted_and_paged(factory: &dyn Factory) -> Check {
    let store = factory.open("paged").await?;
    let mut due = Vec::new();
    for n in 0..25 {
        due.push(add(&*store, new().priority(n % 3)).await?);
    }
    due.sort_unstable();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = ids(&store.list(&JobFilter::default(), JobPage { after, limit: 10 }).await?);
        ensure!(page.len() <= 10, "a page of 10 has {}", page.len());
        after = page.last().copied();
        if after.is_none() {
            break;
        }
        found.extend(page);
    }
    ensure_eq!(found, due, "all pages");
    ensure_eq!(
        store.list(&JobFilter::default(), JobPage { after: None, limit: 0 }).await?,
        [],
        "a page of 0"
    );
    Ok(())
}

/// Tenant, kind, state and id, together.
pub async fn a_filter_fits_all_that_it_says(factory: &dyn Factory) -> Check {
    let store = factory.open("filter").await?;
    let one = add(&*store, new().tenant("a")).await?;
    let two = add(&*store, new().tenant("b").run_at(at(9))).await?;
    claim_one(&*store, at(0)).await?;
    let fit = async |filter: JobFilter| store.list(&filter, JobPage::default()).await.map(|jobs| ids(&jobs));
    ensure_eq!(fit(JobFilter::of("a")).await?, [one], "jobs of a");
    ensure_eq!(fit(JobFilter::of("b")).await?, [two], "jobs of b");
    ensure_eq!(fit(JobFilter::of("c")).await?, [], "jobs of c");
    ensure_eq!(fit(JobFilter::default().state(JobState::Running)).await?, [one], "jobs that run");
    ensure_eq!(fit(JobFilter::of("a").state(JobState::Waiting)).await?, [], "jobs of a that wait");
    ensure_eq!(
        fit(JobFilter::of("b").kind("k").state(JobState::Waiting)).await?,
        [two],
        "jobs of b that wait"
    );
    ensure_eq!(fit(JobFilter::default().kind("K")).await?, [], "jobs of another kind");
    ensure_eq!(
        fit(JobFilter { id: Some(two), ..JobFilter::of("a") }).await?,
        [],
        "a job of b among those of a"
    );
    Ok(())
}

/// Of a tenant, and of all.
pub async fn jobs_are_counted(factory: &dyn Factory) -> Check {
    let store = factory.open("counts").await?;
    ensure_eq!(store.counts(None).await?, Counts::default(), "counts of nothing");
    for n in 0..3 {
        add(&*store, new().tenant("a").priority(10 - n)).await?;
    }
    add(&*store, new().tenant("b")).await?;
    let claimed = claim(&*store, 2, at(0)).await?;
    for job in claimed.iter().take(1) {
        store.settle(job.lease(), Outcome::Dead { error: why() }).await?;
    }
    ensure_eq!(store.counts(None).await?, Counts { waiting: 2, running: 1, dead: 1 }, "counts of all");
    ensure_eq!(store.counts(Some("a")).await?, Counts { waiting: 1, running: 1, dead: 1 }, "counts of a");
    ensure_eq!(store.counts(Some("b")).await?, Counts { waiting: 1, running: 0, dead: 0 }, "counts of b");
    ensure_eq!(store.counts(Some("")).await?, Counts::default(), "counts of nobody");
    Ok(())
}

/// With all their attempts, now; others are left alone.
pub async fn dead_letters_start_anew(factory: &dyn Factory) -> Check {
    let store = factory.open("anew").await?;
    let running = add(&*store, new()).await?;
    claim_one(&*store, at(0)).await?;
    let waiting = add(&*store, new().run_at(at(1000))).await?;
    let dead = add(&*store, new().max_attempts(1)).await?;
    let first = claim_one(&*store, at(0)).await?;
    store.settle(first.lease(), Outcome::Dead { error: why() }).await?;
    ensure_eq!(store.retry_dead(&JobFilter::of("other"), at(5)).await?, 0, "dead letters of another tenant");
    ensure_eq!(store.retry_dead(&JobFilter::default(), at(5)).await?, 1, "dead letters that start anew");
    let job = get(&*store, dead).await?;
    ensure_eq!(
        (job.state, job.attempt, job.run_at, job.error),
        (JobState::Waiting, 0, at(5), Some(why())),
        "it"
    );
    ensure_eq!(get(&*store, waiting).await?.run_at, at(1000), "the time of one that waits");
    ensure_eq!(get(&*store, running).await?.state, JobState::Running, "one that runs");
    let second = claim_one(&*store, at(5)).await?;
    ensure!(second.epoch > first.epoch, "epoch {} follows {}", second.epoch, first.epoch);
    ensure_lost!(store.settle(first.lease(), Outcome::Done).await, "ending the attempt before");
    Ok(())
}

/// In whatever state.
pub async fn a_removed_job_is_lost_to_its_worker(factory: &dyn Factory) -> Check {
    let store = factory.open("removed").await?;
    let id = add(&*store, new()).await?;
    let other = add(&*store, new().run_at(at(9))).await?;
    let claimed = claim_one(&*store, at(0)).await?;
    ensure_eq!(store.remove(&JobFilter::one(id)).await?, 1, "removed jobs");
    ensure_eq!(store.remove(&JobFilter::one(id)).await?, 0, "jobs removed again");
    ensure_lost!(store.heartbeat(claimed.lease(), at(99)).await, "a heartbeat of a removed job");
    ensure_lost!(store.settle(claimed.lease(), Outcome::Retry { at: at(1), error: why() }).await, "its end");
    ensure_eq!(find(&*store, id).await?, None, "the removed job");
    get(&*store, other).await?;
    Ok(())
}

/// Jobs in every state, keys, pauses and schedules stay as they are, for all handles; a running attempt goes on. That no trace is left of what is
/// gone, only the store's own tests can see.
pub async fn scrubbing_leaves_what_is_there(factory: &dyn Factory) -> Check {
    let (store, other) = (factory.open("scrubbed").await?, factory.open("scrubbed").await?);
    store.scrub().await?;
    let removed = add(&*store, new().priority(9)).await?;
    for priority in 1..=3 {
        add(&*store, new().priority(priority).dedup(format!("key {priority}"))).await?;
    }
    let waits = add(&*store, new().dedup("waits").run_at(at(50))).await?;
    store.remove(&JobFilter::one(removed)).await?;
    let [runs, done, dead] = claim(&*store, 3, at(0))
        .await?
        .try_into()
        .map_err(|jobs| super::Broken(format!("three jobs are due, not {jobs:?}")))?;
    store.settle(done.lease(), Outcome::Done).await?;
    store.settle(dead.lease(), Outcome::Dead { error: why() }).await?;
    store.pause(&Pause::Kind("paused".into())).await?;
    store.put_schedule(Schedule::every("s", Duration::from_secs(60), new()), at(60)).await?;
    store.put_schedule(Schedule::every("t", Duration::from_secs(60), new()), at(60)).await?;
    store.remove_schedule("default", "t").await?;
    let all = JobFilter::default();
    let before = (store.list(&all, JobPage::default()).await?, store.schedules(None, None).await?);
    ensure_eq!(before.0.len(), 3, "jobs");
    for _ in 0..2 {
        store.scrub().await?;
        for handle in [&store, &other] {
            let after = (handle.list(&all, JobPage::default()).await?, handle.schedules(None, None).await?);
            ensure_eq!(after, before, "jobs and schedules after scrubbing");
            ensure_eq!(handle.paused().await?, [Pause::Kind("paused".into())], "pauses after scrubbing");
        }
    }
    ensure_eq!(add_second(&*other, new().dedup("waits")).await?, waits, "the job with the key");
    store.heartbeat(runs.lease(), at(99)).await?;
    store.settle(runs.lease(), Outcome::Done).await?;
    ensure_eq!(claim_one(&*other, at(50)).await?.id, waits, "the job that waited");
    Ok(())
}

/// It is due at once; the attempt counts.
pub async fn a_revoked_job_goes_to_another(factory: &dyn Factory) -> Check {
    let store = factory.open("revoked").await?;
    add(&*store, new()).await?;
    let old = claim_one(&*store, at(0)).await?;
    ensure_eq!(store.revoke(&JobFilter::default()).await?, 1, "revoked jobs");
    ensure_eq!(store.revoke(&JobFilter::default()).await?, 0, "jobs revoked again");
    ensure_lost!(store.heartbeat(old.lease(), at(99)).await, "a heartbeat of a revoked attempt");
    let new = claim_one(&*store, at(0)).await?;
    ensure_eq!(new.attempt, 2, "the attempt after");
    ensure_lost!(store.settle(old.lease(), Outcome::Done).await, "the end of a revoked attempt");
    store.settle(new.lease(), Outcome::Done).await?;
    Ok(())
}

/// What is done to the jobs of one does nothing to those of another.
pub async fn tenants_do_not_see_each_other(factory: &dyn Factory) -> Check {
    let store = factory.open("tenants").await?;
    let (a, b) = (add(&*store, new().tenant("a")).await?, add(&*store, new().tenant("b")).await?);
    for job in claim(&*store, 2, at(0)).await? {
        store.settle(job.lease(), Outcome::Dead { error: why() }).await?;
    }
    ensure_eq!(store.retry_dead(&JobFilter::of("a"), at(0)).await?, 1, "dead letters of a");
    ensure_eq!(get(&*store, b).await?.state, JobState::Dead, "the job of b");
    claim_one(&*store, at(0)).await?;
    ensure_eq!(store.revoke(&JobFilter::of("b")).await?, 0, "running jobs of b");
    ensure_eq!(store.remove(&JobFilter::of("b")).await?, 1, "jobs of b");
    ensure_eq!(get(&*store, a).await?.state, JobState::Running, "the job of a");
    Ok(())
}
