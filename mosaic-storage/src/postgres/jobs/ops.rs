//! The statements.

use std::collections::HashMap;
use std::sync::Arc;

use mosaic_core::queue::{Claim, Enqueued, Firing, Job, JobFilter, JobId, JobLease, Outcome};
use mosaic_core::{StoreError, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::jobs::{
    COLUMNS, DEAD, RUNNING, Stored, WAITING, abandoned, dedup_to_sql, json, state_to_sql, to_sql,
};

/// So often it is tried to add what seems to be there and is gone when one looks.
const TRIES: u32 = 5;

/// Adds jobs, and says of each what became of it.
pub(super) async fn add(db: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Enqueued>, sqlx::Error> {
    let mut became = HashMap::with_capacity(jobs.len());
    let mut left: Vec<&Job> = jobs.iter().collect();
    // In one order everywhere, so that two who add the same keys do not wait for each other. Of two with one key the first stays first.
    left.sort_by_key(|job| (&job.tenant, &job.kind, job.dedup.as_ref().map(|dedup| &dedup.key)));
    for _ in 0..TRIES {
        if left.is_empty() {
            break;
        }
        insert(db, &left, &mut became).await?;
        left.retain(|job| !became.contains_key(&job.id));
        find_holders(db, &left, &mut became).await?;
        left.retain(|job| !became.contains_key(&job.id));
    }
    // A key whose holders come and go faster than we can look: as good as held.
    Ok(jobs.iter().map(|job| became.get(&job.id).copied().unwrap_or(Enqueued::Duplicate(job.id))).collect())
}

async fn insert(
    db: &mut PgConnection,
    jobs: &[&Job],
    became: &mut HashMap<JobId, Enqueued>,
) -> Result<(), sqlx::Error> {
    let keys: Vec<_> = jobs.iter().map(|job| dedup_to_sql(job)).collect();
    let added = sqlx::query_scalar::<_, Uuid>(
        "INSERT INTO jobs (id, tenant, kind, state, priority, run_at, attempt, max_attempts, epoch, created,
                           dedup, until_start, held, rules, payload)
         SELECT id, tenant, kind, 0, priority, run_at, 0, max_attempts, 0, created, dedup, until_start, dedup, rules, payload
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::bigint[], $6::int[], $7::bigint[], $8::text[],
                     $9::boolean[], $10::text[], $11::text[])
              AS new (id, tenant, kind, priority, run_at, max_attempts, created, dedup, until_start, rules, payload)
         ON CONFLICT DO NOTHING RETURNING id",
    )
    .bind(jobs.iter().map(|job| job.id.0).collect::<Vec<_>>())
    .bind(texts(jobs, |job| &job.tenant))
    .bind(texts(jobs, |job| &job.kind))
    .bind(jobs.iter().map(|job| job.priority).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| to_sql(job.run_at)).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.rules.max_attempts.cast_signed()).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| to_sql(job.created)).collect::<Vec<_>>())
    .bind(keys.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, until_start)| *until_start).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| json(&job.rules)).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| json(&job.payload)).collect::<Vec<_>>())
    .fetch_all(db)
    .await?;
    became.extend(added.into_iter().map(JobId).map(|id| (id, Enqueued::Added(id))));
    Ok(())
}

/// Who is in the way of those that were not added.
async fn find_holders(
    db: &mut PgConnection,
    jobs: &[&Job],
    became: &mut HashMap<JobId, Enqueued>,
) -> Result<(), sqlx::Error> {
    if jobs.is_empty() {
        return Ok(());
    }
    let holders = sqlx::query_as::<_, (Uuid, Uuid)>(
        "SELECT new.id, coalesce(same.id, holder.id)
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS new (id, tenant, kind, key)
         LEFT JOIN jobs same ON same.id = new.id
         LEFT JOIN jobs holder ON holder.tenant = new.tenant AND holder.kind = new.kind AND holder.held = new.key
         WHERE coalesce(same.id, holder.id) IS NOT NULL",
    )
    .bind(jobs.iter().map(|job| job.id.0).collect::<Vec<_>>())
    .bind(texts(jobs, |job| &job.tenant))
    .bind(texts(jobs, |job| &job.kind))
    .bind(jobs.iter().map(|job| dedup_to_sql(job).0).collect::<Vec<_>>())
    .fetch_all(db)
    .await?;
    became.extend(holders.into_iter().map(|(id, holder)| (JobId(id), Enqueued::Duplicate(JobId(holder)))));
    Ok(())
}

fn texts(jobs: &[&Job], text: impl Fn(&Job) -> &Arc<str>) -> Vec<String> {
    jobs.iter().map(|job| text(job).to_string()).collect()
}

/// Not paused, and of the kinds of a parameter.
const OPEN: &str =
    "NOT EXISTS (SELECT 1 FROM job_pauses WHERE job_pauses.kind IN (jobs.kind, '')) AND kind = ANY";

pub(super) async fn claim(
    pool: &PgPool,
    owner: &str,
    claim: &Claim,
    now: Timestamp,
) -> Result<Vec<PgRow>, sqlx::Error> {
    free_of_the_dead(pool, owner, now).await?;
    let text = format!(
        "UPDATE jobs SET state = {RUNNING}, attempt = attempt + 1, epoch = epoch + 1, owner = $1, visible_until = $2,
                         held = CASE WHEN until_start THEN NULL ELSE held END
         WHERE id = ANY (ARRAY (
             SELECT id FROM jobs WHERE state = {WAITING} AND run_at <= $3 AND {OPEN} ($4)
             ORDER BY priority DESC, run_at, id LIMIT $5 FOR UPDATE SKIP LOCKED))
         RETURNING {COLUMNS}"
    );
    sqlx::query(AssertSqlSafe(text))
        .bind(owner)
        .bind(to_sql(now.after(claim.visibility)))
        .bind(to_sql(now))
        .bind(claim.kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>())
        .bind(i64::from(claim.limit))
        .fetch_all(pool)
        .await
}

/// Takes the jobs of owners that are silent and whose lock is free.
///
/// The lock is tried in the transaction that takes the jobs, and held until its end: an owner that comes back in between does not
/// count as alive while its jobs go.
async fn free_of_the_dead(pool: &PgPool, owner: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    const SILENT: &str = "state = 1 AND visible_until < $1";
    let text = format!("SELECT DISTINCT owner FROM jobs WHERE {SILENT} AND owner <> $2");
    let silent = sqlx::query_scalar::<_, String>(AssertSqlSafe(text)).bind(to_sql(now)).bind(owner);
    for silent in silent.fetch_all(pool).await? {
        let mut transaction = pool.begin().await?;
        let gone: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_xact_lock_shared(hashtextextended($1, 0))")
                .bind(&silent)
                .fetch_one(&mut *transaction)
                .await?;
        if gone {
            let text = format!(
                "UPDATE jobs SET owner = NULL, visible_until = NULL, error = $3,
                                 state = CASE WHEN attempt >= max_attempts THEN {DEAD} ELSE {WAITING} END,
                                 held = CASE WHEN attempt >= max_attempts THEN NULL ELSE held END
                 WHERE {SILENT} AND owner = $2"
            );
            let taken = sqlx::query(AssertSqlSafe(text)).bind(to_sql(now)).bind(&silent).bind(abandoned());
            taken.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

pub(super) async fn next_due(pool: &PgPool, kinds: &[Arc<str>]) -> Result<Option<i64>, sqlx::Error> {
    let text = format!(
        "SELECT least((SELECT min(run_at) FROM jobs WHERE state = {WAITING} AND {OPEN} ($1)),
                      (SELECT min(next) FROM schedules))"
    );
    let kinds: Vec<String> = kinds.iter().map(|kind| kind.to_string()).collect();
    sqlx::query_scalar(AssertSqlSafe(text)).bind(kinds).fetch_one(pool).await
}

pub(super) async fn heartbeat(
    pool: &PgPool,
    owner: &str,
    lease: JobLease,
    until: Timestamp,
) -> Result<u64, sqlx::Error> {
    let text = "UPDATE jobs SET visible_until = greatest(visible_until, $1)
                WHERE state = 1 AND id = $2 AND epoch = $3 AND owner = $4";
    let query =
        sqlx::query(text).bind(to_sql(until)).bind(lease.id.0).bind(lease.epoch.cast_signed()).bind(owner);
    Ok(query.execute(pool).await?.rows_affected())
}

/// `None`: an outcome that is not known here.
pub(super) async fn settle(
    pool: &PgPool,
    owner: &str,
    lease: JobLease,
    outcome: Outcome,
) -> Option<Result<u64, sqlx::Error>> {
    let mut query = QueryBuilder::<Postgres>::new("");
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
        Outcome::Released => query.push(free).push("state = 0, attempt = greatest(attempt - 1, 0)"),
        _ => return None,
    };
    query.push(" WHERE state = 1 AND id = ").push_bind(lease.id.0);
    query.push(" AND epoch = ").push_bind(lease.epoch.cast_signed());
    query.push(" AND owner = ").push_bind(owner.to_owned());
    Some(query.build().execute(pool).await.map(|done| done.rows_affected()))
}

/// What is done to all jobs that fit.
pub(super) enum Mass {
    Remove,
    RetryDead(Timestamp),
    Revoke,
}

pub(super) async fn mass(pool: &PgPool, what: Mass, filter: &JobFilter) -> Result<u64, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("");
    match what {
        Mass::Remove => query.push("DELETE FROM jobs WHERE true"),
        Mass::RetryDead(now) => query
            .push("UPDATE jobs SET state = 0, attempt = 0, run_at = ")
            .push_bind(to_sql(now))
            .push(" WHERE state = 2"),
        Mass::Revoke => {
            query.push("UPDATE jobs SET state = 0, owner = NULL, visible_until = NULL WHERE state = 1")
        }
    };
    push_filter(&mut query, filter);
    Ok(query.build().execute(pool).await?.rows_affected())
}

/// `AND ...` for all that a filter says.
pub(super) fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &JobFilter) {
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
        query.push(" AND id = ").push_bind(id.0);
    }
}

pub(super) async fn fire(db: &mut PgConnection, firing: Firing) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query("UPDATE schedules SET next = $1 WHERE tenant = $2 AND name = $3 AND next = $4")
        .bind(to_sql(firing.next))
        .bind(&*firing.tenant)
        .bind(&*firing.name)
        .bind(to_sql(firing.due))
        .execute(&mut *db)
        .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some(job) = firing.job {
        add(db, &[job]).await?;
    }
    Ok(true)
}

/// A row as a job.
pub(super) fn job(row: &PgRow, store: &str) -> Result<Job, StoreError> {
    let corrupt = |reason| StoreError::Corrupt { store: store.into(), at: None, reason };
    stored(row).map_err(|error| corrupt(error.to_string()))?.job().map_err(corrupt)
}

fn stored(row: &PgRow) -> Result<Stored, sqlx::Error> {
    Ok(Stored {
        id: row.try_get(0)?,
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
