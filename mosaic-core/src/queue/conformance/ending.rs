//! How attempts end, and what old ones can do: nothing.

use std::time::Duration;

use uuid::Uuid;

use super::Factory;
use super::help::{Check, add, at, claim, claim_one, ensure, ensure_eq, ensure_lost, find, get, new, why};
use crate::queue::{JobFilter, JobId, JobLease, JobState, Outcome};

/// Done is gone.
pub async fn what_is_done_is_gone(factory: &dyn Factory) -> Check {
    let store = factory.open("done").await?;
    let id = add(&*store, new()).await?;
    let claimed = claim_one(&*store, at(0)).await?;
    store.settle(claimed.lease(), Outcome::Done).await?;
    ensure_eq!(find(&*store, id).await?, None, "a job that is done");
    Ok(())
}

/// The next attempt comes at its time, counts, and knows why there is one.
pub async fn a_retry_waits_and_remembers_why(factory: &dyn Factory) -> Check {
    let store = factory.open("retry").await?;
    let id = add(&*store, new()).await?;
    let first = claim_one(&*store, at(0)).await?;
    store.settle(first.lease(), Outcome::Retry { at: at(60), error: why() }).await?;
    let waiting = get(&*store, id).await?;
    ensure_eq!((waiting.state, waiting.run_at, waiting.attempt), (JobState::Waiting, at(60), 1), "the job");
    ensure_eq!((waiting.owner, waiting.visible_until, waiting.error), (None, None, Some(why())), "the job");
    ensure_eq!(claim(&*store, 1, at(59)).await?, [], "jobs before their time");
    let second = claim_one(&*store, at(60)).await?;
    ensure_eq!((second.attempt, second.error.clone()), (2, Some(why())), "the second attempt");
    ensure!(second.epoch > first.epoch, "epoch {} follows {}", second.epoch, first.epoch);
    Ok(())
}

/// What failed for good is kept with why, and is not claimed.
pub async fn a_dead_letter_stays(factory: &dyn Factory) -> Check {
    let store = factory.open("dead").await?;
    let id = add(&*store, new()).await?;
    let claimed = claim_one(&*store, at(0)).await?;
    store.settle(claimed.lease(), Outcome::Dead { error: why() }).await?;
    ensure_eq!(claim(&*store, 9, at(1_000_000)).await?, [], "dead letters that are claimed");
    let dead = get(&*store, id).await?;
    ensure_eq!((dead.state, dead.attempt, dead.error), (JobState::Dead, 1, Some(why())), "the dead letter");
    ensure_eq!(
        (dead.payload, dead.owner, dead.visible_until),
        (claimed.payload, None, None),
        "the dead letter"
    );
    Ok(())
}

/// It is due as it was.
pub async fn a_released_attempt_does_not_count(factory: &dyn Factory) -> Check {
    let store = factory.open("released").await?;
    add(&*store, new().run_at(at(3))).await?;
    let first = claim_one(&*store, at(5)).await?;
    store.settle(first.lease(), Outcome::Released).await?;
    let second = claim_one(&*store, at(5)).await?;
    ensure_eq!((second.id, second.attempt, second.run_at), (first.id, 1, at(3)), "the attempt after");
    ensure!(second.epoch > first.epoch, "epoch {} follows {}", second.epoch, first.epoch);
    Ok(())
}

/// While nobody has the job, while another attempt runs, and after the job is gone.
pub async fn an_old_attempt_is_lost_for_ever(factory: &dyn Factory) -> Check {
    let store = factory.open("fenced").await?;
    let id = add(&*store, new()).await?;
    let old = claim_one(&*store, at(0)).await?.lease();
    store.settle(old, Outcome::Released).await?;
    let ends = || {
        [
            Outcome::Done,
            Outcome::Released,
            Outcome::Dead { error: why() },
            Outcome::Retry { at: at(9), error: why() },
        ]
    };
    let mut new = None;
    for round in ["waits", "runs", "is dead", "is gone"] {
        match round {
            "runs" => new = Some(claim_one(&*store, at(0)).await?.lease()),
            "is dead" => {
                if let Some(lease) = new {
                    store.settle(lease, Outcome::Dead { error: why() }).await?;
                }
            }
            "is gone" => drop(store.remove(&JobFilter::one(id)).await?),
            _ => {}
        }
        let before = find(&*store, id).await?;
        for end in ends() {
            ensure_lost!(
                store.settle(old, end.clone()).await,
                "ending the old attempt with {end:?} while the job {round}"
            );
        }
        ensure_lost!(
            store.heartbeat(old, at(99)).await,
            "a heartbeat of the old attempt while the job {round}"
        );
        ensure_eq!(
            find(&*store, id).await?,
            before,
            "the job that {round}, after what the old attempt tried"
        );
    }
    Ok(())
}

/// Of a job that never was, and of an epoch to come.
pub async fn what_does_not_exist_is_lost(factory: &dyn Factory) -> Check {
    let store = factory.open("unknown").await?;
    let unknown = JobLease { id: JobId(Uuid::from_u128(7)), epoch: 1 };
    ensure_lost!(store.settle(unknown, Outcome::Done).await, "ending a job that never was");
    ensure_lost!(store.heartbeat(unknown, at(1)).await, "a heartbeat of a job that never was");
    add(&*store, new()).await?;
    let lease = claim_one(&*store, at(0)).await?.lease();
    for epoch in [0, lease.epoch + 1, u64::MAX] {
        ensure_lost!(
            store.settle(JobLease { epoch, ..lease }, Outcome::Done).await,
            "ending attempt {epoch}"
        );
    }
    store.settle(lease, Outcome::Done).await?;
    ensure_lost!(store.settle(lease, Outcome::Done).await, "ending an attempt twice");
    Ok(())
}

/// A later one counts, an earlier one does not.
pub async fn a_heartbeat_is_never_taken_back(factory: &dyn Factory) -> Check {
    let store = factory.open("heartbeat").await?;
    let id = add(&*store, new()).await?;
    let lease = claim_one(&*store, at(0)).await?.lease();
    store.heartbeat(lease, at(500)).await?;
    store.heartbeat(lease, at(400)).await?;
    ensure_eq!(
        get(&*store, id).await?.visible_until,
        Some(at(0).after(Duration::from_secs(500))),
        "the silence"
    );
    Ok(())
}
