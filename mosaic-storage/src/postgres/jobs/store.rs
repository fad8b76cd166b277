//! The store as a store of jobs.

use std::sync::Arc;

use mosaic_core::queue::{
    Claim, Counts, Ear, Enqueued, Firing, Job, JobFilter, JobLease, JobPage, JobStore, Outcome, Pause,
    QueueError, Schedule, Scheduled,
};
use mosaic_core::{StoreError, Timestamp};
use sqlx::{PgPool, Postgres, QueryBuilder, Row as _};
use tokio::sync::oneshot;

use super::super::begin::begin;
use super::super::fault::told;
use super::super::scrub::scrub;
use super::super::store::PostgresStore;
use super::ops::{self, Mass};
use crate::jobs::{COLUMNS, from_sql, json, sort_due, to_sql};

impl PostgresStore {
    /// Rings everywhere, at once and not only here.
    async fn ring(&self) -> Result<(), QueueError> {
        notify(&self.pool, &self.channel).await.map_err(self.told("waking workers"))?;
        self.bell.ring();
        Ok(())
    }

    async fn mass(&self, what: Mass, filter: &JobFilter) -> Result<u64, QueueError> {
        let changed = ops::mass(&self.pool, what, filter).await.map_err(self.told("changing jobs"))?;
        self.ring().await?;
        Ok(changed)
    }

    async fn set_pause(&self, what: &Pause, text: &'static str) -> Result<(), QueueError> {
        // The pause of everything is the kind that cannot be.
        let kind = match what {
            Pause::Everything => "",
            Pause::Kind(kind) => kind,
        };
        sqlx::query(text).bind(kind).execute(&self.pool).await.map_err(self.told("pausing"))?;
        self.ring().await
    }

    fn held(&self, rows: u64, lease: JobLease) -> Result<(), QueueError> {
        if rows > 0 {
            return Ok(());
        }
        Err(QueueError::Lost { store: self.name.to_string(), job: lease.id, epoch: lease.epoch })
    }
}

/// Delivered when the transaction is committed; a notification of nobody is lost, so workers look now and then besides.
async fn notify(db: impl sqlx::PgExecutor<'_>, channel: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify($1, '')").bind(channel).execute(db).await.map(drop)
}

/// A claim of its own task: dropped half-way, it could be committed and told to nobody, and the jobs were nobody's for as long as
/// this owner lives.
async fn claim(
    pool: PgPool,
    name: Arc<str>,
    owner: Arc<str>,
    what: Claim,
    now: Timestamp,
    reply: oneshot::Sender<Result<Vec<Job>, QueueError>>,
) {
    let claimed = match ops::claim(&pool, &owner, &what, now).await {
        Ok(rows) => rows.iter().map(|row| ops::job(row, &name).map_err(QueueError::from)).collect(),
        Err(error) => Err(told(&name, "claiming jobs", error).into()),
    };
    if let Err(Ok(unwanted)) = reply.send(claimed) {
        for job in unwanted {
            let _ = ops::settle(&pool, &owner, job.lease(), Outcome::Released).await;
        }
    }
}

#[async_trait::async_trait]
impl JobStore for PostgresStore {
    async fn enqueue(&self, jobs: Vec<Job>) -> Result<Vec<Enqueued>, QueueError> {
        let said = self.told("adding jobs");
        let mut transaction = begin(&self.pool, "BEGIN".to_owned()).await.map_err(&said)?;
        let became = ops::add(&mut transaction, &jobs).await.map_err(&said)?;
        notify(&mut *transaction, &self.channel).await.map_err(&said)?;
        transaction.commit().await.map_err(&said)?;
        self.bell.ring();
        Ok(became)
    }

    async fn claim(&self, what: Claim, now: Timestamp) -> Result<Vec<Job>, QueueError> {
        let (reply, claimed) = oneshot::channel();
        tokio::spawn(claim(self.pool.clone(), self.name.clone(), self.owner.clone(), what, now, reply));
        let closed = |_| StoreError::Closed { store: self.name.to_string() };
        let mut jobs = claimed.await.map_err(closed)??;
        sort_due(&mut jobs);
        Ok(jobs)
    }

    async fn next_due(&self, kinds: &[Arc<str>]) -> Result<Option<Timestamp>, QueueError> {
        let due = ops::next_due(&self.pool, kinds).await.map_err(self.told("looking what is due"))?;
        Ok(due.map(from_sql))
    }

    async fn heartbeat(&self, lease: JobLease, until: Timestamp) -> Result<(), QueueError> {
        let rows =
            ops::heartbeat(&self.pool, &self.owner, lease, until).await.map_err(self.told("a heartbeat"))?;
        self.held(rows, lease)
    }

    async fn settle(&self, lease: JobLease, outcome: Outcome) -> Result<(), QueueError> {
        let due_now = outcome == Outcome::Released;
        let unknown = format!("this store knows no {outcome:?}");
        let Some(settled) = ops::settle(&self.pool, &self.owner, lease, outcome).await else {
            let (store, source) = (self.name.to_string(), unknown.into());
            return Err(StoreError::Other { store, action: "ending a job", source }.into());
        };
        self.held(settled.map_err(self.told("ending a job"))?, lease)?;
        if due_now { self.ring().await } else { Ok(()) }
    }

    async fn list(&self, filter: &JobFilter, page: JobPage) -> Result<Vec<Job>, QueueError> {
        let mut query = QueryBuilder::<Postgres>::new(format!("SELECT {COLUMNS} FROM jobs WHERE true"));
        ops::push_filter(&mut query, filter);
        if let Some(after) = page.after {
            query.push(" AND id > ").push_bind(after.0);
        }
        query.push(" ORDER BY id LIMIT ").push_bind(i64::from(page.limit));
        let rows = query.build().fetch_all(&self.pool).await.map_err(self.told("listing jobs"))?;
        rows.iter().map(|row| Ok(ops::job(row, &self.name)?)).collect()
    }

    async fn counts(&self, tenant: Option<&str>) -> Result<Counts, QueueError> {
        let said = self.told("counting jobs");
        let row = sqlx::query(
            "SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1),
                    count(*) FILTER (WHERE state = 2)
             FROM jobs WHERE $1::text IS NULL OR tenant = $1",
        );
        let row = row.bind(tenant).fetch_one(&self.pool).await.map_err(&said)?;
        let count = |column: usize| row.try_get::<i64, _>(column).map(i64::cast_unsigned).map_err(&said);
        Ok(Counts { waiting: count(0)?, running: count(1)?, dead: count(2)? })
    }

    async fn remove(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        self.mass(Mass::Remove, filter).await
    }

    /// As [`PostgresMemories::scrub`](crate::PostgresMemories::scrub) does for memories: see there what it does not reach.
    async fn scrub(&self) -> Result<(), QueueError> {
        let tables = ["jobs", "schedules", "job_pauses"];
        Ok(scrub(&self.pool, &self.options.schema, &self.name, self.options.patience, &tables).await?)
    }

    async fn retry_dead(&self, filter: &JobFilter, now: Timestamp) -> Result<u64, QueueError> {
        self.mass(Mass::RetryDead(now), filter).await
    }

    async fn revoke(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        self.mass(Mass::Revoke, filter).await
    }

    async fn pause(&self, what: &Pause) -> Result<(), QueueError> {
        self.set_pause(what, "INSERT INTO job_pauses (kind) VALUES ($1) ON CONFLICT DO NOTHING").await
    }

    async fn resume(&self, what: &Pause) -> Result<(), QueueError> {
        self.set_pause(what, "DELETE FROM job_pauses WHERE kind = $1").await
    }

    async fn paused(&self) -> Result<Vec<Pause>, QueueError> {
        let kinds = sqlx::query_scalar::<_, String>("SELECT kind FROM job_pauses ORDER BY kind");
        let kinds =
            kinds.fetch_all(&self.pool).await.map_err(self.told("looking what is paused"))?.into_iter();
        Ok(kinds
            .map(|kind| if kind.is_empty() { Pause::Everything } else { Pause::Kind(kind.into()) })
            .collect())
    }

    async fn put_schedule(&self, schedule: Schedule, next: Timestamp) -> Result<(), QueueError> {
        sqlx::query(
            "INSERT INTO schedules (tenant, name, times, definition, next) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant, name) DO UPDATE SET
                 next = CASE WHEN schedules.times = excluded.times THEN schedules.next ELSE excluded.next END,
                 times = excluded.times, definition = excluded.definition",
        )
        .bind(&**schedule.tenant())
        .bind(&*schedule.name)
        .bind(json(&schedule.when))
        .bind(json(&schedule))
        .bind(to_sql(next))
        .execute(&self.pool)
        .await
        .map_err(self.told("keeping a schedule"))?;
        self.ring().await
    }

    async fn remove_schedule(&self, tenant: &str, name: &str) -> Result<bool, QueueError> {
        let removed =
            sqlx::query("DELETE FROM schedules WHERE tenant = $1 AND name = $2").bind(tenant).bind(name);
        let removed = removed.execute(&self.pool).await.map_err(self.told("removing a schedule"))?;
        Ok(removed.rows_affected() > 0)
    }

    async fn schedules(
        &self,
        tenant: Option<&str>,
        due: Option<Timestamp>,
    ) -> Result<Vec<Scheduled>, QueueError> {
        let rows = sqlx::query_as::<_, (String, i64)>(
            "SELECT definition, next FROM schedules
             WHERE ($1::text IS NULL OR tenant = $1) AND ($2::bigint IS NULL OR next <= $2) ORDER BY tenant, name",
        )
        .bind(tenant)
        .bind(due.map(to_sql))
        .fetch_all(&self.pool)
        .await
        .map_err(self.told("looking for schedules"))?;
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
        let said = self.told("firing a schedule");
        let mut transaction = begin(&self.pool, "BEGIN".to_owned()).await.map_err(&said)?;
        let fired = ops::fire(&mut transaction, firing).await.map_err(&said)?;
        if fired {
            notify(&mut *transaction, &self.channel).await.map_err(&said)?;
        }
        transaction.commit().await.map_err(&said)?;
        if fired {
            self.bell.ring();
        }
        Ok(fired)
    }

    fn ear(&self) -> Ear {
        self.bell.ear()
    }

    fn silence_frees(&self) -> bool {
        true
    }

    async fn close(&self) -> Result<(), QueueError> {
        if self.pool.is_closed() {
            return Ok(());
        }
        let release = "UPDATE jobs SET state = 0, owner = NULL, visible_until = NULL, attempt = greatest(attempt - 1, 0)
                       WHERE state = 1 AND owner = $1";
        let released = sqlx::query(release).bind(&*self.owner).execute(&self.pool).await;
        let released = match released {
            Ok(_) => notify(&self.pool, &self.channel).await,
            Err(error) => Err(error),
        };
        // Closed in any case: what could not be released is taken over, as that of the dead is.
        self.shut().await;
        Ok(released.map_err(self.told("giving jobs back"))?)
    }
}
