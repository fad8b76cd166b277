//! The changes, each within the writer's transaction. A change that is refused has changed nothing.

use std::sync::Arc;

use mosaic_core::queue::{
    Claim, Enqueued, Firing, Job, JobFilter, JobId, JobLease, Outcome, Pause, QueueError, Schedule,
};
use mosaic_core::{StoreError, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::super::fault::{Doing, Fault};
use super::super::owner::Owner;
use super::super::work::Refused;
use crate::jobs::{
    COLUMNS, DEAD, RUNNING, Stored, WAITING, abandoned, dedup_to_sql, json, sort_due, state_to_sql, to_sql,
};

pub(super) async fn enqueue(db: &mut SqliteConnection, jobs: Vec<Job>) -> Result<Vec<Enqueued>, Fault> {
    let mut became = Vec::with_capacity(jobs.len());
    for job in jobs {
        became.push(add(db, &job).await?);
    }
    Ok(became)
}

async fn add(db: &mut SqliteConnection, job: &Job) -> Result<Enqueued, Fault> {
    let (dedup, until_start) = dedup_to_sql(job);
    let there = sqlx::query_scalar::<_, String>(
        "SELECT id FROM jobs WHERE id = ? UNION ALL SELECT id FROM jobs WHERE tenant = ? AND kind = ? AND held = ?",
    )
    .bind(job.id.to_string())
    .bind(&*job.tenant)
    .bind(&*job.kind)
    .bind(&dedup)
    .fetch_optional(&mut *db)
    .await
    .doing("adding a job")?;
    if let Some(id) = there.and_then(|id| id.parse().ok()) {
        return Ok(Enqueued::Duplicate(JobId(id)));
    }
    sqlx::query(
        "INSERT INTO jobs (id, tenant, kind, state, priority, run_at, attempt, max_attempts, epoch, created,
                           dedup, until_start, held, rules, payload)
         VALUES (?, ?, ?, 0, ?, ?, 0, ?, 0, ?, ?, ?, ?, ?, ?)",
    )
    .bind(job.id.to_string())
    .bind(&*job.tenant)
    .bind(&*job.kind)
    .bind(job.priority)
    .bind(to_sql(job.run_at))
    .bind(i64::from(job.rules.max_attempts))
    .bind(to_sql(job.created))
    .bind(&dedup)
    .bind(until_start)
    .bind(&dedup)
    .bind(json(&job.rules))
    .bind(json(&job.payload))
    .execute(db)
    .await
    .doing("adding a job")?;
    Ok(Enqueued::Added(job.id))
}

/// Not paused, and of the kinds in a JSON array.
pub(super) const OPEN: &str =
    "kind IN (SELECT value FROM json_each(?)) AND kind NOT IN (SELECT kind FROM job_pauses)
    AND NOT EXISTS (SELECT 1 FROM job_pauses WHERE kind = '')";

pub(super) async fn claim(
    db: &mut SqliteConnection,
    owner: &Owner,
    store: &str,
    claim: &Claim,
    now: Timestamp,
) -> Result<Vec<Job>, Refused<QueueError>> {
    free_of_the_dead(db, owner).await?;
    let claiming = format!(
        "UPDATE jobs SET state = {RUNNING}, attempt = attempt + 1, epoch = epoch + 1, owner = ?, visible_until = ?,
                         held = CASE WHEN until_start THEN NULL ELSE held END
         WHERE id IN (SELECT id FROM jobs WHERE state = {WAITING} AND run_at <= ? AND {OPEN}
                      ORDER BY priority DESC, run_at, id LIMIT ?)
         RETURNING {COLUMNS}"
    );
    let rows = sqlx::query(AssertSqlSafe(claiming))
        .bind(&**owner.id())
        .bind(to_sql(now.after(claim.visibility)))
        .bind(to_sql(now))
        .bind(json(&claim.kinds))
        .bind(claim.limit)
        .fetch_all(db)
        .await
        .doing("claiming jobs")?;
    let jobs: Result<Vec<Job>, QueueError> = rows.iter().map(|row| job(row, store)).collect();
    let mut jobs = jobs?;
    sort_due(&mut jobs);
    Ok(jobs)
}

/// Takes the jobs of owners that are gone.
async fn free_of_the_dead(db: &mut SqliteConnection, owner: &Owner) -> Result<(), Fault> {
    let owners =
        sqlx::query_scalar::<_, String>("SELECT DISTINCT owner FROM jobs WHERE state = 1 AND owner <> ?")
            .bind(&**owner.id())
            .fetch_all(&mut *db)
            .await
            .doing("looking who lives")?;
    // Epochs are of interest for our own leases of sessions only.
    for dead in owners.iter().filter(|other| owner.alive(other, 0).is_none()) {
        sqlx::query(
            "UPDATE jobs SET owner = NULL, visible_until = NULL, error = ?,
                             state = CASE WHEN attempt >= max_attempts THEN 2 ELSE 0 END,
                             held = CASE WHEN attempt >= max_attempts THEN NULL ELSE held END
             WHERE state = 1 AND owner = ?",
        )
        .bind(abandoned())
        .bind(dead)
        .execute(&mut *db)
        .await
        .doing("taking over jobs")?;
    }
    Ok(())
}

/// The attempt that runs, of this owner.
const HELD: &str = "id = ? AND epoch = ? AND state = 1 AND owner = ?";

pub(super) async fn heartbeat(
    db: &mut SqliteConnection,
    owner: &Owner,
    store: &str,
    lease: JobLease,
    until: Timestamp,
) -> Result<(), Refused<QueueError>> {
    let text = format!("UPDATE jobs SET visible_until = max(visible_until, ?) WHERE {HELD}");
    let query = sqlx::query(AssertSqlSafe(text)).bind(to_sql(until));
    let query = query.bind(lease.id.to_string()).bind(lease.epoch.cast_signed()).bind(&**owner.id());
    held(query.execute(db).await.doing("a heartbeat")?.rows_affected(), store, lease)
}

pub(super) async fn settle(
    db: &mut SqliteConnection,
    owner: &Owner,
    store: &str,
    lease: JobLease,
    outcome: Outcome,
) -> Result<(), Refused<QueueError>> {
    let mut query = QueryBuilder::<Sqlite>::new("");
    let free = "UPDATE jobs SET owner = NULL, visible_until = NULL, ";
    match outcome {
        Outcome::Done => query.push("DELETE FROM jobs"),
        Outcome::Retry { at, error } => {
            query.push(free).push("state = 0, run_at = ").push_bind(to_sql(at));
            query.push(", error = ").push_bind(json(&error))
        }
        Outcome::Dead { error } => {
            query.push(free).push("state = 2, held = NULL, error = ").push_bind(json(&error))
        }
        Outcome::Released => query.push(free).push("state = 0, attempt = max(attempt - 1, 0)"),
        other => return Err(unknown(store, &other).into()),
    };
    query.push(" WHERE state = 1 AND id = ").push_bind(lease.id.to_string());
    query.push(" AND epoch = ").push_bind(lease.epoch.cast_signed());
    query.push(" AND owner = ").push_bind(&**owner.id());
    held(query.build().execute(db).await.doing("ending a job")?.rows_affected(), store, lease)
}

fn held(rows: u64, store: &str, lease: JobLease) -> Result<(), Refused<QueueError>> {
    if rows > 0 {
        return Ok(());
    }
    Err(QueueError::Lost { store: store.into(), job: lease.id, epoch: lease.epoch }.into())
}

fn unknown(store: &str, outcome: &Outcome) -> QueueError {
    let source = format!("this store knows no {outcome:?}").into();
    StoreError::Other { store: store.into(), action: "ending a job", source }.into()
}

/// Gives all of an owner's jobs back.
pub(super) async fn release_all(db: &mut SqliteConnection, owner: &Owner) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE jobs SET owner = NULL, visible_until = NULL, state = 0, attempt = max(attempt - 1, 0)
         WHERE state = 1 AND owner = ?",
    )
    .bind(&**owner.id())
    .execute(db)
    .await
    .doing("giving jobs back")?;
    Ok(())
}

/// What is done to all jobs that fit.
pub(super) enum Mass {
    Remove,
    RetryDead(Timestamp),
    Revoke,
}

pub(super) async fn mass(db: &mut SqliteConnection, what: Mass, filter: &JobFilter) -> Result<u64, Fault> {
    let mut query = QueryBuilder::<Sqlite>::new("");
    match what {
        Mass::Remove => query.push("DELETE FROM jobs WHERE true"),
        Mass::RetryDead(now) => query
            .push("UPDATE jobs SET state = 0, attempt = 0, run_at = ")
            .push_bind(to_sql(now))
            .push(format!(" WHERE state = {DEAD}")),
        Mass::Revoke => {
            query.push("UPDATE jobs SET state = 0, owner = NULL, visible_until = NULL WHERE state = 1")
        }
    };
    push_filter(&mut query, filter);
    Ok(query.build().execute(db).await.doing("changing jobs")?.rows_affected())
}

/// `AND ...` for all that a filter says.
pub(super) fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &JobFilter) {
    if let Some(tenant) = &filter.tenant {
        query.push(" AND tenant = ").push_bind(tenant.to_string());
    }
    if let Some(kind) = &filter.kind {
        query.push(" AND kind = ").push_bind(kind.to_string());
    }
    if let Some(state) = filter.state {
        query.push(" AND state = ").push_bind(state_to_sql(state));
    }
    if let Some(id) = filter.id {
        query.push(" AND id = ").push_bind(id.to_string());
    }
}

/// A pause as a kind; that of everything is the kind that cannot be.
pub(super) fn pause_to_sql(what: &Pause) -> String {
    match what {
        Pause::Everything => String::new(),
        Pause::Kind(kind) => kind.to_string(),
    }
}

pub(super) async fn set_pause(db: &mut SqliteConnection, what: &Pause, paused: bool) -> Result<(), Fault> {
    let text = if paused {
        "INSERT INTO job_pauses (kind) VALUES (?) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM job_pauses WHERE kind = ?"
    };
    sqlx::query(text).bind(pause_to_sql(what)).execute(db).await.doing("pausing")?;
    Ok(())
}

pub(super) async fn put_schedule(
    db: &mut SqliteConnection,
    schedule: &Schedule,
    next: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO schedules (tenant, name, times, definition, next) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (tenant, name) DO UPDATE SET
             next = CASE WHEN times = excluded.times THEN next ELSE excluded.next END,
             times = excluded.times, definition = excluded.definition",
    )
    .bind(&**schedule.tenant())
    .bind(&*schedule.name)
    .bind(json(&schedule.when))
    .bind(json(schedule))
    .bind(to_sql(next))
    .execute(db)
    .await
    .doing("keeping a schedule")?;
    Ok(())
}

pub(super) async fn remove_schedule(
    db: &mut SqliteConnection,
    tenant: &str,
    name: &str,
) -> Result<bool, Fault> {
    let removed = sqlx::query("DELETE FROM schedules WHERE tenant = ? AND name = ?").bind(tenant).bind(name);
    Ok(removed.execute(db).await.doing("removing a schedule")?.rows_affected() > 0)
}

pub(super) async fn fire(db: &mut SqliteConnection, firing: Firing) -> Result<bool, Fault> {
    let moved = sqlx::query("UPDATE schedules SET next = ? WHERE tenant = ? AND name = ? AND next = ?")
        .bind(to_sql(firing.next))
        .bind(&*firing.tenant)
        .bind(&*firing.name)
        .bind(to_sql(firing.due))
        .execute(&mut *db)
        .await
        .doing("firing a schedule")?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some(job) = firing.job {
        add(db, &job).await?;
    }
    Ok(true)
}

/// A row as a job.
pub(super) fn job(row: &SqliteRow, store: &str) -> Result<Job, QueueError> {
    let corrupt = |reason| QueueError::Store(StoreError::Corrupt { store: store.into(), at: None, reason });
    stored(row).map_err(|error| corrupt(error.to_string()))?.job().map_err(corrupt)
}

fn stored(row: &SqliteRow) -> Result<Stored, sqlx::Error> {
    let id: Arc<str> = row.try_get::<String, _>(0)?.into();
    Ok(Stored {
        id: id.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        tenant: row.try_get(1)?,
        kind: row.try_get(2)?,
        state: row.try_get(3)?,
        priority: row.try_get(4)?,
        run_at: row.try_get(5)?,
        attempt: row.try_get(6)?,
        epoch: row.try_get(7)?,
        owner: row.try_get(8)?,
        visible_until: row.try_get(9)?,
        created: row.try_get(10)?,
        dedup: row.try_get(11)?,
        until_start: row.try_get(12)?,
        rules: row.try_get(13)?,
        payload: row.try_get(14)?,
        error: row.try_get(15)?,
    })
}
