//! The states of a job, and what moves it from one to the other.
//!
//! | state | what happens | next | besides |
//! | --- | --- | --- | --- |
//! | - | add, its key is free | Waiting | holds its key |
//! | - | add, its key is held | - | dropped |
//! | Waiting | claim, due and not paused | Running | attempt + 1, epoch + 1; a key held until `Started` is given back |
//! | Running | heartbeat | Running | `visible_until` is not earlier than before |
//! | Running | done | - | |
//! | Running | retry | Waiting | error, time |
//! | Running | dead | Dead | error; gives its key back |
//! | Running | released, or its handle is closed | Waiting | attempt - 1 |
//! | Running | revoked | Waiting | |
//! | Running | its owner is gone, attempts left | Waiting | error; is claimed by the claim that saw it |
//! | Running | its owner is gone, no attempts left | Dead | error; gives its key back |
//! | Dead | retried by hand | Waiting | attempt 0, due now |
//! | any | removed | - | gives its key back |
//! | any | heartbeat or end of another epoch | same | the caller is told `Lost` |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use crate::error::{ErrorKind, ErrorReport};
use crate::queue::{
    Claim, Counts, DedupUntil, Enqueued, Firing, Job, JobFilter, JobId, JobLease, JobPage, JobState, Outcome,
    Pause, Schedule, Scheduled,
};
use crate::runtime::Timestamp;

/// A handle's proof of life: jobs that run point at it weakly.
#[derive(Debug)]
pub(super) struct Owner(pub(super) Arc<str>);

type Key = (Arc<str>, Arc<str>, Arc<str>);

/// All jobs.
#[derive(Debug, Default)]
pub(super) struct Table {
    jobs: BTreeMap<JobId, Job>,
    owners: BTreeMap<JobId, Weak<Owner>>,
    keys: BTreeMap<Key, JobId>,
    pub(super) paused: BTreeSet<Pause>,
    pub(super) schedules: BTreeMap<(Arc<str>, Arc<str>), Scheduled>,
}

/// What a job says that nobody ended.
pub(super) fn abandoned() -> ErrorReport {
    ErrorReport::new(ErrorKind::Incomplete, "the process that ran the job ended before the job did")
}

impl Table {
    pub(super) fn add(&mut self, job: Job) -> Enqueued {
        if self.jobs.contains_key(&job.id) {
            return Enqueued::Duplicate(job.id);
        }
        if let Some(key) = key(&job) {
            if let Some(holder) = self.keys.get(&key) {
                return Enqueued::Duplicate(*holder);
            }
            self.keys.insert(key, job.id);
        }
        let id = job.id;
        self.jobs.insert(id, job);
        Enqueued::Added(id)
    }

    pub(super) fn claim(&mut self, claim: &Claim, now: Timestamp, owner: &Arc<Owner>) -> Vec<Job> {
        self.free_of_the_dead();
        let mut due: Vec<_> = self.waiting(&claim.kinds).filter(|job| job.run_at <= now).collect();
        due.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.run_at, job.id));
        let due: Vec<JobId> = due.into_iter().take(claim.limit as usize).map(|job| job.id).collect();
        let mut claimed = Vec::with_capacity(due.len());
        for id in due {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            job.state = JobState::Running;
            job.attempt += 1;
            job.epoch += 1;
            job.owner = Some(owner.0.clone());
            job.visible_until = Some(now.after(claim.visibility));
            let started = job.dedup.as_ref().is_some_and(|dedup| dedup.until == DedupUntil::Started);
            let job = job.clone();
            if started {
                self.free_key(&job);
            }
            self.owners.insert(id, Arc::downgrade(owner));
            claimed.push(job);
        }
        claimed
    }

    /// Jobs of the kinds that wait and are not paused.
    fn waiting<'a>(&'a self, kinds: &'a [Arc<str>]) -> impl Iterator<Item = &'a Job> {
        let open = !self.paused.contains(&Pause::Everything);
        self.jobs.values().filter(move |job| {
            open && job.state == JobState::Waiting
                && kinds.contains(&job.kind)
                && !self.paused.contains(&Pause::Kind(job.kind.clone()))
        })
    }

    /// Takes the jobs of owners that are gone.
    fn free_of_the_dead(&mut self) {
        let dead: Vec<JobId> =
            self.owners.iter().filter(|(_, owner)| owner.strong_count() == 0).map(|(id, _)| *id).collect();
        for id in dead {
            let Some(job) = self.jobs.get(&id) else { continue };
            let last = job.attempt >= job.rules.max_attempts;
            self.stop(id, if last { JobState::Dead } else { JobState::Waiting }, Some(abandoned()));
        }
    }

    pub(super) fn next_due(&self, kinds: &[Arc<str>]) -> Option<Timestamp> {
        let jobs = self.waiting(kinds).map(|job| job.run_at).min();
        let schedules = self.schedules.values().map(|scheduled| scheduled.next).min();
        jobs.into_iter().chain(schedules).min()
    }

    pub(super) fn heartbeat(&mut self, lease: JobLease, until: Timestamp, owner: &Arc<Owner>) -> Option<()> {
        let job = self.held(lease, owner)?;
        job.visible_until = job.visible_until.max(Some(until));
        Some(())
    }

    pub(super) fn settle(&mut self, lease: JobLease, outcome: Outcome, owner: &Arc<Owner>) -> Option<()> {
        let job = self.held(lease, owner)?;
        match outcome {
            Outcome::Done => self.delete(lease.id),
            Outcome::Retry { at, error } => {
                job.run_at = at;
                self.stop(lease.id, JobState::Waiting, Some(error));
            }
            Outcome::Dead { error } => self.stop(lease.id, JobState::Dead, Some(error)),
            Outcome::Released => {
                job.attempt = job.attempt.saturating_sub(1);
                self.stop(lease.id, JobState::Waiting, None);
            }
        }
        Some(())
    }

    /// The job of a lease that holds.
    fn held(&mut self, lease: JobLease, owner: &Arc<Owner>) -> Option<&mut Job> {
        let job = self.jobs.get_mut(&lease.id)?;
        let ours = self
            .owners
            .get(&lease.id)
            .is_some_and(|holder| std::ptr::eq(holder.as_ptr(), Arc::as_ptr(owner)));
        (job.state == JobState::Running && job.epoch == lease.epoch && ours).then_some(job)
    }

    /// Ends the attempt that runs.
    fn stop(&mut self, id: JobId, state: JobState, error: Option<ErrorReport>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.state = state;
        job.owner = None;
        job.visible_until = None;
        if error.is_some() {
            job.error = error;
        }
        let job = job.clone();
        self.owners.remove(&id);
        if state == JobState::Dead {
            self.free_key(&job);
        }
    }

    fn delete(&mut self, id: JobId) {
        self.owners.remove(&id);
        if let Some(job) = self.jobs.remove(&id) {
            self.free_key(&job);
        }
    }

    fn free_key(&mut self, job: &Job) {
        if let Some(key) = key(job)
            && self.keys.get(&key) == Some(&job.id)
        {
            self.keys.remove(&key);
        }
    }

    pub(super) fn list(&self, filter: &JobFilter, page: JobPage) -> Vec<Job> {
        let jobs = self
            .jobs
            .values()
            .filter(|job| filter.fits(job) && page.after.is_none_or(|after| job.id > after));
        jobs.take(page.limit as usize).cloned().collect()
    }

    pub(super) fn counts(&self, tenant: Option<&str>) -> Counts {
        let mut counts = Counts::default();
        for job in self.jobs.values().filter(|job| tenant.is_none_or(|tenant| *job.tenant == *tenant)) {
            match job.state {
                JobState::Waiting => counts.waiting += 1,
                JobState::Running => counts.running += 1,
                JobState::Dead => counts.dead += 1,
            }
        }
        counts
    }

    /// Does something with the jobs that fit; says to how many.
    fn each(
        &mut self,
        filter: &JobFilter,
        state: Option<JobState>,
        mut change: impl FnMut(&mut Self, JobId),
    ) -> u64 {
        let fitting =
            self.jobs.values().filter(|job| filter.fits(job) && state.is_none_or(|state| job.state == state));
        let ids: Vec<JobId> = fitting.map(|job| job.id).collect();
        ids.iter().for_each(|id| change(self, *id));
        ids.len() as u64
    }

    pub(super) fn remove(&mut self, filter: &JobFilter) -> u64 {
        self.each(filter, None, Self::delete)
    }

    pub(super) fn retry_dead(&mut self, filter: &JobFilter, now: Timestamp) -> u64 {
        self.each(filter, Some(JobState::Dead), |table, id| {
            if let Some(job) = table.jobs.get_mut(&id) {
                (job.state, job.attempt, job.run_at) = (JobState::Waiting, 0, now);
            }
        })
    }

    pub(super) fn revoke(&mut self, filter: &JobFilter) -> u64 {
        self.each(filter, Some(JobState::Running), |table, id| table.stop(id, JobState::Waiting, None))
    }

    pub(super) fn release_all(&mut self, owner: &Arc<Owner>) {
        let ours: Vec<JobId> = self
            .owners
            .iter()
            .filter(|(_, holder)| std::ptr::eq(holder.as_ptr(), Arc::as_ptr(owner)))
            .map(|(id, _)| *id)
            .collect();
        for id in ours {
            if let Some(job) = self.jobs.get_mut(&id) {
                job.attempt = job.attempt.saturating_sub(1);
            }
            self.stop(id, JobState::Waiting, None);
        }
    }

    pub(super) fn put_schedule(&mut self, schedule: Schedule, next: Timestamp) {
        let key = (schedule.tenant().clone(), schedule.name.clone());
        let kept = self.schedules.get(&key).filter(|old| old.schedule.when == schedule.when);
        let next = kept.map_or(next, |old| old.next);
        self.schedules.insert(key, Scheduled { schedule, next });
    }

    pub(super) fn schedules(&self, tenant: Option<&str>, due: Option<Timestamp>) -> Vec<Scheduled> {
        let all = self.schedules.iter();
        let fitting = all.filter(|((of, _), scheduled)| {
            tenant.is_none_or(|tenant| **of == *tenant) && due.is_none_or(|due| scheduled.next <= due)
        });
        fitting.map(|(_, scheduled)| scheduled.clone()).collect()
    }

    pub(super) fn fire(&mut self, firing: Firing) -> bool {
        let Some(scheduled) = self.schedules.get_mut(&(firing.tenant, firing.name)) else { return false };
        if scheduled.next != firing.due {
            return false;
        }
        scheduled.next = firing.next;
        if let Some(job) = firing.job {
            self.add(job);
        }
        true
    }
}

fn key(job: &Job) -> Option<Key> {
    let dedup = job.dedup.as_ref()?;
    Some((job.tenant.clone(), job.kind.clone(), dedup.key.clone()))
}
