//! Adding jobs, and keys that keep the same work from being queued twice.

use std::time::Duration;

use serde_json::json;

use super::Factory;
use super::help::{Check, add, add_second, at, claim_one, ensure, ensure_eq, find, get, ids, job, new, why};
use crate::queue::{
    Backoff, Enqueued, JobFilter, JobPage, JobState, MAX_NAME, MAX_PAYLOAD, MAX_TIME, Outcome,
};

/// A job is given back as it was added.
///
/// # Errors
/// When the store breaks the rule; so with all rules.
pub async fn what_was_added_is_there(factory: &dyn Factory) -> Check {
    let store = factory.open("added").await?;
    let added = job(new()
        .tenant("acme")
        .run_at(at(90))
        .priority(-7)
        .dedup_waiting("key")
        .max_attempts(3)
        .backoff(Backoff { first_ms: 1, factor: 3, most_ms: u64::MAX })
        .timeout(Duration::from_millis(1234)))?;
    ensure_eq!(store.enqueue(vec![added.clone()]).await?, [Enqueued::Added(added.id)], "adding a job");
    ensure_eq!(get(&*store, added.id).await?, added, "the job");
    ensure_eq!(store.enqueue(Vec::new()).await?, [], "adding no jobs");
    Ok(())
}

/// Payloads are any JSON; names any text without NUL; times reach to the end of the year 9999.
pub async fn any_payload_and_any_name_are_kept(factory: &dyn Factory) -> Check {
    let store = factory.open("any_payload").await?;
    let payloads = [
        json!(null),
        json!({"text": "NUL \u{0} quote ' \" \\ \u{2028} \u{1F40C}", "": {"": [1, -1, 0.5, 1e300]}}),
        json!(u64::MAX),
        json!(i64::MIN),
        json!("x".repeat(MAX_PAYLOAD - 2)),
    ];
    for payload in payloads {
        let mut job = new().tenant("").run_at(MAX_TIME).priority(i32::MIN).dedup("\u{1F40C}'%_".repeat(10));
        job.kind = "'; DROP TABLE jobs; --".into();
        job.payload = payload;
        let added = super::help::job(job)?;
        store.enqueue(vec![added.clone()]).await?;
        ensure!(get(&*store, added.id).await? == added, "a payload or a name came back changed");
        store.remove(&JobFilter::one(added.id)).await?;
    }
    let long = job(new().tenant("t".repeat(MAX_NAME)).dedup("d".repeat(MAX_NAME)))?;
    store.enqueue(vec![long.clone()]).await?;
    ensure_eq!(get(&*store, long.id).await?, long, "the job with long names");
    Ok(())
}

/// One call adds many, in whatever order, and says of each what became of it.
pub async fn many_jobs_are_added_at_once(factory: &dyn Factory) -> Check {
    let store = factory.open("many").await?;
    let mut jobs = Vec::new();
    for n in 0..1000 {
        jobs.push(job(new().dedup((n % 600).to_string()))?);
    }
    let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
    let due: Vec<_> = (0..1000)
        .map(|n| {
            ids.get(n % 600).map(|id| if n < 600 { Enqueued::Added(*id) } else { Enqueued::Duplicate(*id) })
        })
        .collect();
    let became = store.enqueue(jobs).await?;
    ensure!(
        became.into_iter().map(Some).eq(due),
        "what became of a thousand jobs with 600 keys is told wrongly"
    );
    let listed = store.list(&JobFilter::default(), JobPage { after: None, limit: 5000 }).await?;
    ensure_eq!(listed.len(), 600, "jobs that were kept");
    Ok(())
}

/// A call that is made again, because its answer was lost, adds nothing.
pub async fn an_id_is_added_once(factory: &dyn Factory) -> Check {
    let store = factory.open("id_once").await?;
    let (one, two) = (job(new())?, job(new())?);
    store.enqueue(vec![one.clone()]).await?;
    let claimed = claim_one(&*store, at(0)).await?;
    let again = store.enqueue(vec![one.clone(), two.clone()]).await?;
    ensure_eq!(
        again,
        [Enqueued::Duplicate(one.id), Enqueued::Added(two.id)],
        "adding one again and a new one"
    );
    ensure_eq!(get(&*store, one.id).await?, claimed, "the job that was there");
    Ok(())
}

/// Waiting, running, waiting again: the key is held; after the end it is free.
pub async fn a_key_is_held_until_the_job_ends(factory: &dyn Factory) -> Check {
    let store = factory.open("key_ended").await?;
    let first = add(&*store, new().dedup("a")).await?;
    ensure_eq!(add_second(&*store, new().dedup("a")).await?, first, "the holder, waiting");
    add(&*store, new().dedup("b").run_at(at(1000))).await?;
    let claimed = claim_one(&*store, at(0)).await?;
    ensure_eq!(add_second(&*store, new().dedup("a")).await?, first, "the holder, running");
    store.settle(claimed.lease(), Outcome::Retry { at: at(5), error: why() }).await?;
    ensure_eq!(add_second(&*store, new().dedup("a")).await?, first, "the holder, waiting again");
    let claimed = claim_one(&*store, at(5)).await?;
    store.settle(claimed.lease(), Outcome::Done).await?;
    add(&*store, new().dedup("a")).await?;
    Ok(())
}

/// What comes while the job runs is another job, which then holds the key.
pub async fn a_key_that_is_held_until_the_start_is_free_after_it(factory: &dyn Factory) -> Check {
    let store = factory.open("key_started").await?;
    let first = add(&*store, new().dedup_waiting("a")).await?;
    ensure_eq!(add_second(&*store, new().dedup_waiting("a")).await?, first, "the holder, waiting");
    let claimed = claim_one(&*store, at(0)).await?;
    let second = add(&*store, new().dedup_waiting("a")).await?;
    ensure_eq!(add_second(&*store, new().dedup("a")).await?, second, "the holder after the start");
    store.settle(claimed.lease(), Outcome::Done).await?;
    ensure_eq!(add_second(&*store, new().dedup("a")).await?, second, "the holder after the end of the first");
    Ok(())
}

/// The same text is another key in another tenant or kind.
pub async fn keys_are_those_of_a_tenant_and_a_kind(factory: &dyn Factory) -> Check {
    let store = factory.open("key_scope").await?;
    add(&*store, new().dedup("a")).await?;
    add(&*store, new().dedup("A")).await?;
    add(&*store, new().dedup("a").tenant("other")).await?;
    let mut other = new().dedup("a");
    other.kind = "other".into();
    add(&*store, other).await?;
    add(&*store, new().dedup("")).await?;
    add_second(&*store, new().dedup("")).await?;
    Ok(())
}

/// A dead letter, or a job that was removed, is in nobody's way.
pub async fn a_dead_or_removed_job_gives_its_key_back(factory: &dyn Factory) -> Check {
    let store = factory.open("key_back").await?;
    add(&*store, new().dedup("a")).await?;
    let claimed = claim_one(&*store, at(0)).await?;
    store.settle(claimed.lease(), Outcome::Dead { error: why() }).await?;
    let second = add(&*store, new().dedup("a")).await?;
    store.remove(&JobFilter::one(second)).await?;
    let third = add(&*store, new().dedup("a")).await?;
    let running = claim_one(&*store, at(0)).await?;
    ensure_eq!(running.id, third, "the job that is claimed");
    store.remove(&JobFilter::one(third)).await?;
    add(&*store, new().dedup("a")).await?;
    Ok(())
}

/// A job that gave its key back and waits again does not hold it: two of them may wait.
pub async fn a_key_is_not_taken_again(factory: &dyn Factory) -> Check {
    let store = factory.open("key_again").await?;
    let first = add(&*store, new().dedup_waiting("a")).await?;
    let claimed = claim_one(&*store, at(0)).await?;
    let second = add(&*store, new().dedup_waiting("a").run_at(at(9))).await?;
    store.settle(claimed.lease(), Outcome::Released).await?;
    ensure_eq!(get(&*store, first).await?.state, JobState::Waiting, "the first");
    store.remove(&JobFilter::one(second)).await?;
    let third = add(&*store, new().dedup("a").run_at(at(9))).await?;
    let claimed = claim_one(&*store, at(0)).await?;
    store.settle(claimed.lease(), Outcome::Dead { error: why() }).await?;
    ensure_eq!(store.retry_dead(&JobFilter::default(), at(1)).await?, 1, "dead letters that start anew");
    ensure_eq!(add_second(&*store, new().dedup("a")).await?, third, "the holder");
    ensure!(find(&*store, first).await?.is_some(), "the first is gone");
    ensure_eq!(ids(&super::help::claim(&*store, 9, at(1)).await?), [first], "what is due");
    Ok(())
}
