//! Schedules.

use std::time::Duration;

use super::Factory;
use super::help::{Check, add_second, at, claim_one, ensure, ensure_eq, job, new};
use crate::queue::{Firing, JobFilter, JobPage, JobStore, Missed, Outcome, Schedule, Scheduled};
use crate::runtime::Timestamp;

fn every(seconds: u64) -> Schedule {
    Schedule::every("s", Duration::from_secs(seconds), new())
}

fn firing(due: Timestamp, next: Timestamp) -> Result<Firing, super::Broken> {
    let job = job(new().dedup(format!("s@{}", due.0)))?;
    Ok(Firing { tenant: "default".into(), name: "s".into(), due, next, job: Some(job) })
}

async fn waiting(store: &dyn JobStore) -> Result<usize, super::Broken> {
    Ok(store.list(&JobFilter::default(), JobPage::default()).await?.len())
}

/// As it was given, by tenant and name.
pub async fn a_schedule_is_kept(factory: &dyn Factory) -> Check {
    let store = factory.open("schedule").await?;
    let mut other = every(60).missed(Missed::Skip).grace(Duration::from_secs(7));
    other.job = new().tenant("acme").priority(3).delay(Duration::from_secs(1));
    store.put_schedule(every(60), at(60)).await?;
    store.put_schedule(other.clone(), at(90)).await?;
    let (ours, theirs) =
        (Scheduled { schedule: every(60), next: at(60) }, Scheduled { schedule: other, next: at(90) });
    ensure_eq!(store.schedules(None, None).await?, [theirs.clone(), ours.clone()], "all schedules");
    ensure_eq!(store.schedules(Some("default"), None).await?, [ours], "those of the default tenant");
    ensure_eq!(store.schedules(Some("acme"), None).await?, [theirs], "those of another");
    Ok(())
}

/// A host that adds its schedules at every start misses nothing by it.
pub async fn the_same_times_keep_their_next(factory: &dyn Factory) -> Check {
    let store = factory.open("schedule_again").await?;
    store.put_schedule(every(60), at(60)).await?;
    let mut changed = every(60).missed(Missed::Skip);
    changed.job = new().priority(9);
    store.put_schedule(changed.clone(), at(500)).await?;
    let due = Scheduled { schedule: changed, next: at(60) };
    ensure_eq!(store.schedules(None, None).await?, [due], "the schedule with another job");
    store.put_schedule(every(90), at(500)).await?;
    let due = Scheduled { schedule: every(90), next: at(500) };
    ensure_eq!(store.schedules(None, None).await?, [due], "the schedule with other times");
    Ok(())
}

/// The job and the next time, or neither.
pub async fn a_time_is_fired_once(factory: &dyn Factory) -> Check {
    let store = factory.open("fired_once").await?;
    store.put_schedule(every(60), at(60)).await?;
    let once = firing(at(60), at(120))?;
    ensure!(store.fire(once.clone()).await?, "a schedule that is due did not fire");
    ensure!(!store.fire(once).await?, "the same firing fired twice");
    ensure!(!store.fire(firing(at(60), at(120))?).await?, "the same time fired twice");
    ensure!(!store.fire(firing(at(180), at(240))?).await?, "a time fired that is not due yet");
    ensure_eq!(waiting(&*store).await?, 1, "jobs of the schedule");
    add_second(&*store, new().dedup(format!("s@{}", at(60).0))).await?;
    // After its job is done too.
    let claimed = claim_one(&*store, at(60)).await?;
    store.settle(claimed.lease(), Outcome::Done).await?;
    ensure!(!store.fire(firing(at(60), at(120))?).await?, "a time fired again after its job was done");
    ensure!(store.fire(firing(at(120), at(180))?).await?, "the next time did not fire");
    ensure_eq!(waiting(&*store).await?, 1, "jobs of the schedule");
    Ok(())
}

/// A firing without a job adds none.
pub async fn a_skipped_time_moves_on(factory: &dyn Factory) -> Check {
    let store = factory.open("skipped").await?;
    store.put_schedule(every(60), at(60)).await?;
    let skip = Firing { job: None, ..firing(at(60), at(600))? };
    ensure!(store.fire(skip).await?, "a time was not skipped");
    ensure_eq!(waiting(&*store).await?, 0, "jobs of the schedule");
    ensure_eq!(store.next_due(&[]).await?, Some(at(600)), "the next time");
    Ok(())
}

/// Nor does one of another tenant.
pub async fn a_removed_schedule_does_not_fire(factory: &dyn Factory) -> Check {
    let store = factory.open("unscheduled").await?;
    store.put_schedule(every(60), at(60)).await?;
    let other = Firing { tenant: "other".into(), ..firing(at(60), at(120))? };
    ensure!(!store.fire(other).await?, "a schedule fired for another tenant");
    ensure!(!store.remove_schedule("other", "s").await?, "a schedule was removed for another tenant");
    ensure!(store.remove_schedule("default", "s").await?, "the schedule was not there");
    ensure!(!store.remove_schedule("default", "s").await?, "the schedule was there twice");
    ensure!(!store.fire(firing(at(60), at(120))?).await?, "a removed schedule fired");
    ensure_eq!(waiting(&*store).await?, 0, "jobs of the schedule");
    Ok(())
}

/// What is due by a time, and nothing that is due later.
pub async fn what_is_due_is_found(factory: &dyn Factory) -> Check {
    let store = factory.open("schedule_due").await?;
    for n in 1..4 {
        let schedule = Schedule::every(format!("s{n}"), Duration::from_secs(60), new());
        store.put_schedule(schedule, at(n * 60)).await?;
    }
    let names = async |due| {
        let found = store.schedules(None, Some(due)).await;
        found.map(|found| found.iter().map(|found| found.schedule.name.to_string()).collect::<Vec<_>>())
    };
    ensure_eq!(names(at(59)).await?, Vec::<String>::new(), "due before all");
    ensure_eq!(names(at(120)).await?, ["s1", "s2"], "due by the second");
    ensure_eq!(store.schedules(Some("other"), Some(at(999))).await?, [], "due of another tenant");
    Ok(())
}
