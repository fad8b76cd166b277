//! Several handles on one store, as several processes have them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{join_all, try_join_all};

use super::Factory;
use super::help::{Check, add, at, claim, claim_one, ensure, ensure_eq, ensure_lost, get, job, new, why};
use crate::queue::{
    Enqueued, Firing, JobFilter, JobPage, JobState, JobStore, Outcome, Pause, QueueError, Schedule,
};

/// A worker that is late keeps its job as long as its owner lives.
pub async fn silence_does_not_free_a_job(factory: &dyn Factory) -> Check {
    let (one, two) = (factory.open("silence").await?, factory.open("silence").await?);
    add(&*one, new()).await?;
    let claimed = claim_one(&*one, at(0)).await?;
    let late = at(1_000_000);
    ensure_eq!(claim(&*two, 9, late).await?, [], "what another handle gets of a job whose worker is silent");
    ensure_eq!(claim(&*one, 9, late).await?, [], "what the same handle gets of it");
    one.heartbeat(claimed.lease(), late.after(Duration::from_secs(30))).await?;
    one.settle(claimed.lease(), Outcome::Done).await?;
    Ok(())
}

/// A lease is its handle's.
pub async fn another_handle_ends_nothing(factory: &dyn Factory) -> Check {
    let (one, two) = (factory.open("two_owners").await?, factory.open("two_owners").await?);
    let id = add(&*one, new()).await?;
    let claimed = claim_one(&*one, at(0)).await?;
    ensure_lost!(two.settle(claimed.lease(), Outcome::Done).await, "the end by another handle");
    ensure_lost!(two.heartbeat(claimed.lease(), at(99)).await, "a heartbeat by another handle");
    ensure_eq!(get(&*two, id).await?, claimed, "the job as the other handle sees it");
    one.settle(claimed.lease(), Outcome::Done).await?;
    Ok(())
}

/// Eight handles want a hundred jobs at once: each job is claimed once.
pub async fn a_job_goes_to_one_of_many(factory: &dyn Factory) -> Check {
    let stores = handles(factory, "racing_claims").await?;
    let mut jobs = Vec::new();
    for _ in 0..100 {
        jobs.push(job(new())?);
    }
    let due: BTreeSet<_> = jobs.iter().map(|job| job.id).collect();
    try_join_all(stores.iter().take(1).map(|store| store.enqueue(jobs.clone()))).await?;
    let workers = stores.iter().map(|store| async {
        let mut mine = Vec::new();
        loop {
            let jobs = claim(&**store, 3, at(0)).await?;
            if jobs.is_empty() {
                return Ok::<_, QueueError>(mine);
            }
            for job in jobs {
                store.settle(job.lease(), Outcome::Done).await?;
                mine.push(job.id);
            }
        }
    });
    // A claim may find nothing while others hold what is left: what is not done then waits.
    let mut found: Vec<_> = try_join_all(workers).await?.into_iter().flatten().collect();
    for store in stores.iter().take(1) {
        for job in claim(&**store, 1000, at(0)).await? {
            store.settle(job.lease(), Outcome::Done).await?;
            found.push(job.id);
        }
    }
    ensure_eq!(found.len(), 100, "jobs that were done");
    ensure!(found.into_iter().collect::<BTreeSet<_>>() == due, "jobs were done twice, and others not");
    Ok(())
}

/// Eight handles fire one time at once.
pub async fn a_time_is_fired_by_one_of_many(factory: &dyn Factory) -> Check {
    let stores = handles(factory, "racing_fires").await?;
    for round in 0..5 {
        let (due, next) = (at(60 * (round + 1)), at(60 * (round + 2)));
        if let Some(store) = stores.first() {
            store.put_schedule(Schedule::every("s", Duration::from_secs(60), new()), due).await?;
        }
        let mut firings = Vec::new();
        for _ in &stores {
            firings.push(Firing {
                tenant: "default".into(),
                name: "s".into(),
                due,
                next,
                job: Some(job(new())?),
            });
        }
        let fires = stores.iter().zip(firings).map(|(store, firing)| store.fire(firing));
        let fired = try_join_all(fires).await?.into_iter().filter(|fired| *fired).count();
        ensure_eq!(fired, 1, "handles that fired");
    }
    if let Some(store) = stores.first() {
        ensure_eq!(store.counts(None).await?.waiting, 5, "jobs of the schedule");
    }
    Ok(())
}

/// Eight handles add the same work at once.
pub async fn a_key_is_held_by_one_of_many(factory: &dyn Factory) -> Check {
    let stores = handles(factory, "racing_keys").await?;
    let mut jobs = Vec::new();
    for n in 0..stores.len() {
        // In another order everywhere: two that wait for each other would be a deadlock.
        let mut mine = vec![job(new().dedup("a"))?, job(new().dedup("b"))?, job(new().dedup("c"))?];
        mine.rotate_left(n % 3);
        jobs.push(mine);
    }
    let adds = stores.iter().zip(jobs).map(|(store, jobs)| store.enqueue(jobs));
    let added = try_join_all(adds).await?.into_iter().flatten();
    let added: Vec<_> = added.filter(|became| matches!(became, Enqueued::Added(_))).collect();
    ensure_eq!(added.len(), 3, "jobs that were added with three keys");
    Ok(())
}

/// Their attempts do not count.
pub async fn closing_gives_jobs_back(factory: &dyn Factory) -> Check {
    let (one, two) = (factory.open("closing").await?, factory.open("closing").await?);
    let id = add(&*one, new()).await?;
    claim_one(&*one, at(0)).await?;
    one.close().await?;
    ensure_eq!(get(&*two, id).await?.state, JobState::Waiting, "the job of a closed handle");
    ensure_eq!(claim_one(&*two, at(0)).await?.attempt, 1, "the attempt after");
    Ok(())
}

/// And closing again does nothing.
pub async fn a_closed_store_refuses_everything(factory: &dyn Factory) -> Check {
    let store = factory.open("closed").await?;
    add(&*store, new()).await?;
    let lease = claim_one(&*store, at(0)).await?.lease();
    store.close().await?;
    store.close().await?;
    let all = JobFilter::default();
    let refused = [
        store.enqueue(vec![job(new())?]).await.is_err(),
        claim(&*store, 1, at(0)).await.is_err(),
        store.next_due(&[]).await.is_err(),
        store.heartbeat(lease, at(1)).await.is_err(),
        store.settle(lease, Outcome::Done).await.is_err(),
        store.list(&all, JobPage::default()).await.is_err(),
        store.counts(None).await.is_err(),
        store.remove(&all).await.is_err(),
        store.scrub().await.is_err(),
        store.retry_dead(&all, at(0)).await.is_err(),
        store.revoke(&all).await.is_err(),
        store.pause(&Pause::Everything).await.is_err(),
        store.resume(&Pause::Everything).await.is_err(),
        store.paused().await.is_err(),
        store.put_schedule(Schedule::every("s", Duration::from_secs(1), new()), at(1)).await.is_err(),
        store.remove_schedule("default", "s").await.is_err(),
        store.schedules(None, None).await.is_err(),
    ];
    ensure!(refused.iter().all(|refused| *refused), "a closed store answers some calls: {refused:?}");
    Ok(())
}

/// What was stored is stored: jobs, pauses, schedules.
pub async fn what_was_added_is_there_after_opening_again(factory: &dyn Factory) -> Check {
    let (store, keeper) = (factory.open("again").await?, factory.open("again").await?);
    let id = add(&*store, new()).await?;
    let dead = add(&*store, new().priority(1)).await?;
    let claimed = claim(&*store, 1, at(0)).await?;
    for job in &claimed {
        store.settle(job.lease(), Outcome::Dead { error: why() }).await?;
    }
    store.pause(&Pause::Kind("k".into())).await?;
    store.put_schedule(Schedule::every("s", Duration::from_secs(60), new()), at(60)).await?;
    let before = (get(&*store, id).await?, get(&*store, dead).await?);
    store.close().await?;
    drop(store);
    let again = factory.open("again").await?;
    ensure_eq!((get(&*again, id).await?, get(&*again, dead).await?), before, "the jobs");
    ensure_eq!(again.paused().await?, [Pause::Kind("k".into())], "what is paused");
    ensure_eq!(again.schedules(None, None).await?.len(), 1, "schedules");
    keeper.close().await?;
    Ok(())
}

/// Also when nobody waited at the time.
pub async fn adding_rings_the_bell(factory: &dyn Factory) -> Check {
    let store = factory.open("bell").await?;
    let mut ear = store.ear();
    add(&*store, new()).await?;
    ensure!(ear.rung().now_or_never().is_some(), "nothing was heard of a job that was added");
    Ok(())
}

async fn handles(factory: &dyn Factory, place: &str) -> Result<Vec<Arc<dyn JobStore>>, QueueError> {
    join_all((0..8).map(|_| factory.open(place))).await.into_iter().collect()
}
