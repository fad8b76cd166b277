//! Who gets what, and when.

use std::sync::Arc;

use super::Factory;
use super::help::{Check, add, at, claim, claim_of, claim_one, ensure, ensure_eq, get, ids, new};
use crate::queue::{JobState, Schedule};
use crate::runtime::Timestamp;

/// Not a millisecond before.
pub async fn a_job_is_claimed_when_it_is_due(factory: &dyn Factory) -> Check {
    let store = factory.open("due").await?;
    let id = add(&*store, new().run_at(at(10))).await?;
    ensure_eq!(claim(&*store, 5, Timestamp(at(10).0 - 1)).await?, [], "jobs that are claimed too early");
    let claimed = claim(&*store, 5, at(10)).await?;
    ensure_eq!(ids(&claimed), [id], "jobs that are due");
    ensure_eq!(claim(&*store, 5, at(11)).await?, [], "jobs that are claimed already");
    Ok(())
}

/// Priority, then time, then id. A job of high priority that is not due is in nobody's way.
pub async fn higher_priority_goes_first_then_the_older_time(factory: &dyn Factory) -> Check {
    let store = factory.open("order").await?;
    let mut same = [add(&*store, new().run_at(at(3))).await?, add(&*store, new().run_at(at(3))).await?];
    same.sort_unstable();
    let old = add(&*store, new().run_at(at(2))).await?;
    let low = add(&*store, new().run_at(at(1)).priority(i32::MIN)).await?;
    let high = add(&*store, new().run_at(at(4)).priority(i32::MAX)).await?;
    add(&*store, new().run_at(at(5)).priority(i32::MAX)).await?;
    let mut found = ids(&claim(&*store, 3, at(4)).await?);
    found.extend(ids(&claim(&*store, 3, at(4)).await?));
    let [one, two] = same;
    ensure_eq!(found, [high, old, one, two, low], "the order of jobs");
    Ok(())
}

/// A worker gets what it has handlers of; asking for nothing gives nothing.
pub async fn kinds_nobody_asked_for_are_left_alone(factory: &dyn Factory) -> Check {
    let store = factory.open("kinds").await?;
    let mut unknown = new();
    unknown.kind = "unknown".into();
    let unknown = add(&*store, unknown).await?;
    let known = add(&*store, new()).await?;
    ensure_eq!(claim_of(&*store, &[], 9, at(0)).await?, [], "jobs of no kind");
    ensure_eq!(claim_of(&*store, &["K", "", "kk"], 9, at(0)).await?, [], "jobs of other kinds");
    ensure_eq!(ids(&claim_of(&*store, &["k", "x", "k"], 9, at(0)).await?), [known], "jobs of known kinds");
    ensure_eq!(get(&*store, unknown).await?.state, JobState::Waiting, "the job of an unknown kind");
    Ok(())
}

/// A limit is a limit; one of nothing gives nothing.
pub async fn no_more_than_asked_for_are_claimed(factory: &dyn Factory) -> Check {
    let store = factory.open("limit").await?;
    for _ in 0..5 {
        add(&*store, new()).await?;
    }
    ensure_eq!(claim(&*store, 0, at(0)).await?.len(), 0, "jobs by a limit of 0");
    ensure_eq!(claim(&*store, 2, at(0)).await?.len(), 2, "jobs by a limit of 2");
    ensure_eq!(claim(&*store, u32::MAX, at(0)).await?.len(), 3, "jobs that are left");
    Ok(())
}

/// What is claimed says who has it, since when it counts, and until when it will be heard of.
pub async fn a_claim_counts_the_attempt(factory: &dyn Factory) -> Check {
    let store = factory.open("attempt").await?;
    let id = add(&*store, new()).await?;
    let before = get(&*store, id).await?;
    let claimed = claim_one(&*store, at(7)).await?;
    ensure!(claimed.epoch > before.epoch && claimed.attempt == 1, "{claimed:?} follows {before:?}");
    ensure!(claimed.owner.is_some(), "nobody has {claimed:?}");
    ensure_eq!(
        (claimed.state, claimed.visible_until),
        (JobState::Running, Some(at(37))),
        "state and silence"
    );
    ensure_eq!(get(&*store, id).await?, claimed, "the job as it is listed");
    Ok(())
}

/// Of kinds that are asked for and wait, and of schedules. What runs or is paused is not due.
pub async fn the_next_due_time_is_told(factory: &dyn Factory) -> Check {
    let store = factory.open("next_due").await?;
    let kinds = [Arc::from("k")];
    ensure_eq!(store.next_due(&kinds).await?, None, "the next time of nothing");
    add(&*store, new().run_at(at(20))).await?;
    add(&*store, new().run_at(at(10))).await?;
    ensure_eq!(store.next_due(&kinds).await?, Some(at(10)), "the next time");
    ensure_eq!(store.next_due(&[Arc::from("other")]).await?, None, "the next time of another kind");
    claim_one(&*store, at(10)).await?;
    ensure_eq!(store.next_due(&kinds).await?, Some(at(20)), "the next time while one runs");
    store.put_schedule(Schedule::every("s", std::time::Duration::from_secs(60), new()), at(15)).await?;
    ensure_eq!(store.next_due(&kinds).await?, Some(at(15)), "the next time with a schedule");
    store.remove_schedule("default", "s").await?;
    store.pause(&crate::queue::Pause::Kind("k".into())).await?;
    ensure_eq!(store.next_due(&kinds).await?, None, "the next time of what is paused");
    Ok(())
}
