//! The store as a store of jobs.

use std::sync::Arc;

use mosaic_core::queue::{
    Claim, Counts, Ear, Enqueued, Firing, Job, JobFilter, JobLease, JobPage, JobStore, Outcome, Pause,
    QueueError, Schedule, Scheduled,
};
use mosaic_core::{SessionStore, StoreError, Timestamp};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite};
use tokio::sync::mpsc::WeakUnboundedSender;
use tokio::sync::oneshot;

use super::super::anew::write_anew;
use super::super::fault::{Doing, Fault};
use super::super::queue::Request;
use super::super::store::SqliteStore;
use super::super::work::{Change, Work};
use super::ops::{self, Mass, OPEN};
use crate::jobs::{COLUMNS, from_sql, json, to_sql};

/// Jobs on their way to who claimed them. Dropped there, because the caller is gone, they are given back.
struct Claimed(Vec<Job>, WeakUnboundedSender<Request>, Arc<str>);

impl Drop for Claimed {
    fn drop(&mut self) {
        let Some(queue) = self.1.upgrade() else { return };
        for lease in self.0.iter().map(Job::lease) {
            let store = self.2.clone();
            let change: Change<()> = Box::new(move |db, owner| {
                Box::pin(async move { ops::settle(db, owner, &store, lease, Outcome::Released).await })
            });
            let _ = queue.send(Request::Work(Work::new(false, change, oneshot::channel().0)));
        }
    }
}

impl SqliteStore {
    /// Has the writer change jobs.
    async fn jobs<T: Send + 'static>(&self, durable: bool, change: Change<T>) -> Result<T, QueueError> {
        self.prepared(|reply| Work::new(durable, change, reply)).await
    }

    /// Has the writer remove something, from the WAL too.
    async fn removing<T: Send + 'static>(&self, change: Change<T>) -> Result<T, QueueError> {
        self.prepared(|reply| Work::new(true, change, reply).scrubbing()).await
    }

    async fn prepared<T>(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<T, QueueError>>) -> Work,
    ) -> Result<T, QueueError> {
        self.check_open()?;
        let (reply, answer) = oneshot::channel();
        self.queue.send(Request::Work(work(reply))).map_err(|_| self.closed())?;
        answer.await.map_err(|_| self.closed())?
    }

    /// Has the writer change jobs, so that some may be due that were not.
    async fn ringing<T: Send + 'static>(&self, change: Change<T>) -> Result<T, QueueError> {
        let changed = self.jobs(true, change).await?;
        self.bell.ring();
        Ok(changed)
    }

    fn told(&self, fault: Fault) -> QueueError {
        fault.told(&self.name, None).into()
    }

    async fn mass(&self, what: Mass, filter: &JobFilter) -> Result<u64, QueueError> {
        let filter = filter.clone();
        self.ringing(Box::new(move |db, _| Box::pin(async move { Ok(ops::mass(db, what, &filter).await?) })))
            .await
    }

    async fn set_pause(&self, what: &Pause, paused: bool) -> Result<(), QueueError> {
        let what = what.clone();
        self.ringing(Box::new(move |db, _| {
            Box::pin(async move { Ok(ops::set_pause(db, &what, paused).await?) })
        }))
        .await
    }
}

#[async_trait::async_trait]
impl JobStore for SqliteStore {
    async fn enqueue(&self, jobs: Vec<Job>) -> Result<Vec<Enqueued>, QueueError> {
        self.ringing(Box::new(move |db, _| Box::pin(async move { Ok(ops::enqueue(db, jobs).await?) }))).await
    }

    async fn claim(&self, claim: Claim, now: Timestamp) -> Result<Vec<Job>, QueueError> {
        self.check_open()?;
        if claim.limit == 0 || !self.is_due(&claim, now).await? {
            return Ok(Vec::new());
        }
        let (store, queue) = (self.name.clone(), self.queue.downgrade());
        // A power cut takes the claim, and the worker with it.
        let mut claimed = self
            .jobs(
                false,
                Box::new(move |db, owner| {
                    Box::pin(async move {
                        Ok(Claimed(ops::claim(db, owner, &store, &claim, now).await?, queue, store))
                    })
                }),
            )
            .await?;
        Ok(std::mem::take(&mut claimed.0))
    }

    async fn next_due(&self, kinds: &[Arc<str>]) -> Result<Option<Timestamp>, QueueError> {
        self.check_open()?;
        let text = format!(
            "SELECT min(at) FROM (SELECT min(run_at) AS at FROM jobs WHERE state = 0 AND {OPEN}
                                  UNION ALL SELECT min(next) FROM schedules)"
        );
        let due = sqlx::query_scalar::<_, Option<i64>>(AssertSqlSafe(text)).bind(json(kinds));
        let due = due.fetch_one(&self.reader.pool).await.doing("looking what is due");
        Ok(due.map_err(|fault| self.told(fault))?.map(from_sql))
    }

    async fn heartbeat(&self, lease: JobLease, until: Timestamp) -> Result<(), QueueError> {
        let store = self.name.clone();
        let change: Change<()> = Box::new(move |db, owner| {
            Box::pin(async move { ops::heartbeat(db, owner, &store, lease, until).await })
        });
        self.jobs(false, change).await
    }

    async fn settle(&self, lease: JobLease, outcome: Outcome) -> Result<(), QueueError> {
        let store = self.name.clone();
        let change: Change<()> = Box::new(move |db, owner| {
            Box::pin(async move { ops::settle(db, owner, &store, lease, outcome).await })
        });
        self.ringing(change).await
    }

    async fn list(&self, filter: &JobFilter, page: JobPage) -> Result<Vec<Job>, QueueError> {
        self.check_open()?;
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {COLUMNS} FROM jobs WHERE true"));
        ops::push_filter(&mut query, filter);
        if let Some(after) = page.after {
            query.push(" AND id > ").push_bind(after.to_string());
        }
        query.push(" ORDER BY id LIMIT ").push_bind(page.limit);
        let rows = query.build().fetch_all(&self.reader.pool).await.doing("listing jobs");
        rows.map_err(|fault| self.told(fault))?.iter().map(|row| ops::job(row, &self.name)).collect()
    }

    async fn counts(&self, tenant: Option<&str>) -> Result<Counts, QueueError> {
        self.check_open()?;
        let row = sqlx::query(
            "SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1),
                    count(*) FILTER (WHERE state = 2)
             FROM jobs WHERE ?1 IS NULL OR tenant = ?1",
        )
        .bind(tenant)
        .fetch_one(&self.reader.pool)
        .await
        .doing("counting jobs")
        .map_err(|fault| self.told(fault))?;
        let count = |column| row.try_get::<i64, usize>(column).map_or(0, i64::cast_unsigned);
        Ok(Counts { waiting: count(0), running: count(1), dead: count(2) })
    }

    async fn remove(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        let filter = filter.clone();
        let change: Change<u64> =
            Box::new(move |db, _| Box::pin(async move { Ok(ops::mass(db, Mass::Remove, &filter).await?) }));
        self.removing(change).await
    }

    /// Writes the tables of jobs, pauses and schedules anew, and empties the WAL.
    async fn scrub(&self) -> Result<(), QueueError> {
        let change: Change<()> = Box::new(|db, _| {
            Box::pin(async move { Ok(write_anew(db, &["jobs", "schedules", "job_pauses"]).await?) })
        });
        self.removing(change).await
    }

    async fn retry_dead(&self, filter: &JobFilter, now: Timestamp) -> Result<u64, QueueError> {
        self.mass(Mass::RetryDead(now), filter).await
    }

    async fn revoke(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        self.mass(Mass::Revoke, filter).await
    }

    async fn pause(&self, what: &Pause) -> Result<(), QueueError> {
        self.set_pause(what, true).await
    }

    async fn resume(&self, what: &Pause) -> Result<(), QueueError> {
        self.set_pause(what, false).await
    }

    async fn paused(&self) -> Result<Vec<Pause>, QueueError> {
        self.check_open()?;
        let kinds = sqlx::query_scalar::<_, String>("SELECT kind FROM job_pauses ORDER BY kind");
        let kinds = kinds.fetch_all(&self.reader.pool).await.doing("looking what is paused");
        let kinds = kinds.map_err(|fault| self.told(fault))?.into_iter();
        Ok(kinds
            .map(|kind| if kind.is_empty() { Pause::Everything } else { Pause::Kind(kind.into()) })
            .collect())
    }

    async fn put_schedule(&self, schedule: Schedule, next: Timestamp) -> Result<(), QueueError> {
        let change: Change<()> =
            Box::new(move |db, _| Box::pin(async move { Ok(ops::put_schedule(db, &schedule, next).await?) }));
        self.ringing(change).await
    }

    async fn remove_schedule(&self, tenant: &str, name: &str) -> Result<bool, QueueError> {
        let (tenant, name) = (tenant.to_owned(), name.to_owned());
        let change: Change<bool> = Box::new(move |db, _| {
            Box::pin(async move { Ok(ops::remove_schedule(db, &tenant, &name).await?) })
        });
        self.removing(change).await
    }

    async fn schedules(
        &self,
        tenant: Option<&str>,
        due: Option<Timestamp>,
    ) -> Result<Vec<Scheduled>, QueueError> {
        self.check_open()?;
        let rows = sqlx::query_as::<_, (String, i64)>(
            "SELECT definition, next FROM schedules
             WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR next <= ?2) ORDER BY tenant, name",
        )
        .bind(tenant)
        .bind(due.map(to_sql))
        .fetch_all(&self.reader.pool)
        .await
        .doing("looking for schedules")
        .map_err(|fault| self.told(fault))?;
        let scheduled = rows.into_iter().map(|(definition, next)| {
            let schedule = serde_json::from_str(&definition).map_err(|error| {
                let reason = format!("a schedule is no such thing: {error}");
                StoreError::Corrupt { store: self.name.to_string(), at: None, reason }
            })?;
            Ok(Scheduled { schedule, next: from_sql(next) })
        });
        scheduled.collect()
    }

    async fn fire(&self, firing: Firing) -> Result<bool, QueueError> {
        self.ringing(Box::new(move |db, _| Box::pin(async move { Ok(ops::fire(db, firing).await?) }))).await
    }

    fn ear(&self) -> Ear {
        self.bell.ear()
    }

    /// Closes the store, for sessions too.
    async fn close(&self) -> Result<(), QueueError> {
        if self.check_open().is_err() {
            return Ok(());
        }
        self.ringing(Box::new(|db, owner| Box::pin(async move { Ok(ops::release_all(db, owner).await?) })))
            .await?;
        Ok(SessionStore::close(self).await?)
    }
}

impl SqliteStore {
    /// Whether a claim may find something: a look, so that idle workers do not take turns in writing.
    async fn is_due(&self, claim: &Claim, now: Timestamp) -> Result<bool, QueueError> {
        let text = format!(
            "SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 0 AND run_at <= ? AND {OPEN})
                 OR EXISTS (SELECT 1 FROM jobs WHERE state = 1 AND owner NOT IN (SELECT value FROM json_each(?)))"
        );
        let ours = json(&[&*self.owner]);
        let due =
            sqlx::query_scalar::<_, bool>(AssertSqlSafe(text)).bind(to_sql(now)).bind(json(&claim.kinds));
        let due = due.bind(ours).fetch_one(&self.reader.pool).await.doing("looking what is due");
        due.map_err(|fault| self.told(fault))
    }
}
