//! The changes, each within the writer's transaction. A change that is refused has changed nothing.

use mosaic_core::agent_log::{
    AgentLogError, Day, LogGroup, LogRow, LogRowId, LogTable, LogTotals, Segment, TierChange,
};
use mosaic_core::{Scope, StoreError};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, QueryBuilder};

use super::super::fault::told;
use super::super::row_security::Sight;
use super::store::Shared;
use crate::agent_log::{ANNOUNCED, CONDEMNED, SEALED, from_json, push_rows, push_scope};
use crate::jobs::{json, to_sql};

/// What a change comes to; a text is a conflict.
enum Misfit {
    Conflict(String),
    Fault(sqlx::Error),
    Store(StoreError),
}

impl From<sqlx::Error> for Misfit {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(error)
    }
}

/// So many rows are written with one statement.
const STEP: usize = 500;

pub(super) async fn put(shared: &Shared, mut rows: Vec<LogRow>) -> Result<u64, sqlx::Error> {
    // In one order, so that two who put the same rows wait for each other in a row and not in a ring.
    rows.sort_unstable_by(|a, b| (&a.scope.tenant, a.id).cmp(&(&b.scope.tenant, b.id)));
    let Some(mut tenant) = rows.first().map(|row| row.scope.tenant.clone()) else { return Ok(0) };
    let (mut added, mut transaction) = (0, shared.begin("BEGIN", Sight::Named(&tenant)).await?);
    while let Some(first) = rows.first() {
        // Rows of another tenant are written in sight of that one.
        if first.scope.tenant != tenant {
            tenant = first.scope.tenant.clone();
            let sight = Sight::Named(&tenant).statement();
            sqlx::raw_sql(AssertSqlSafe(sight)).execute(&mut *transaction).await?;
        }
        let step = rows.iter().take(STEP).take_while(|row| row.scope.tenant == tenant).count();
        let later = rows.split_off(step);
        let mut query = push_rows::<Postgres>(std::mem::replace(&mut rows, later));
        added += query.build().execute(&mut *transaction).await?.rows_affected();
    }
    transaction.commit().await?;
    Ok(added)
}

pub(super) async fn erase(shared: &Shared, scope: &Scope) -> Result<u64, sqlx::Error> {
    let mut transaction = shared.begin("BEGIN", Sight::Named(&scope.tenant)).await?;
    lock(&mut transaction, &scope.tenant).await?;
    let mut query = QueryBuilder::new("DELETE FROM agent_log");
    push_scope(&mut query, scope);
    let erased = query.build().execute(&mut *transaction).await?.rows_affected();
    if scope.session.is_none() {
        let mut query = QueryBuilder::new("DELETE FROM agent_log_summaries");
        push_scope(&mut query, scope);
        query.build().execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(erased)
}

/// One move of a tenant at a time, until the transaction ends.
async fn lock(db: &mut PgConnection, tenant: &str) -> Result<(), sqlx::Error> {
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('mosaic agent logs of ' || $1, 0))";
    sqlx::query(lock).bind(tenant).execute(db).await.map(drop)
}

/// Makes changes, all or none.
pub(super) async fn apply(
    shared: &Shared,
    tenant: &str,
    changes: Vec<TierChange>,
) -> Result<(), AgentLogError> {
    let store = &*shared.store;
    let said = |error| AgentLogError::from(told(store, "moving agent logs", error));
    let mut transaction = shared.begin("BEGIN", Sight::Named(tenant)).await.map_err(said)?;
    lock(&mut transaction, tenant).await.map_err(said)?;
    for change in changes {
        // Dropped, the transaction is rolled back.
        one(&mut transaction, store, tenant, change).await.map_err(|misfit| match misfit {
            Misfit::Conflict(why) => AgentLogError::Conflict { tenant: tenant.into(), why },
            Misfit::Fault(error) => said(error),
            Misfit::Store(error) => error.into(),
        })?;
    }
    transaction.commit().await.map_err(said)
}

async fn one(db: &mut PgConnection, store: &str, tenant: &str, change: TierChange) -> Result<(), Misfit> {
    match change {
        TierChange::Announce { name, day } => {
            let text = "INSERT INTO agent_log_segments (tenant, name, day, state) VALUES ($1, $2, $3, $4)
                        ON CONFLICT (tenant, name) DO NOTHING";
            let query = sqlx::query(text).bind(tenant).bind(&*name).bind(i64::from(day.0)).bind(ANNOUNCED);
            let added = query.execute(db).await?.rows_affected();
            fits(added == 1, || format!("segment `{name}` exists"))
        }
        TierChange::Seal { segment } => {
            let body = json(&segment);
            let text = "UPDATE agent_log_segments SET state = $1, body = $2, day = $3
                        WHERE tenant = $4 AND name = $5 AND state = $6";
            let query = sqlx::query(text).bind(SEALED).bind(body).bind(i64::from(segment.day.0));
            let query = query.bind(tenant).bind(&*segment.name).bind(ANNOUNCED);
            let sealed = query.execute(db).await?.rows_affected();
            fits(sealed == 1, || format!("segment `{}` is not announced", segment.name))
        }
        TierChange::Condemn { name, at } => {
            // What it held is no longer of interest, and tells whose it was.
            let text = "UPDATE agent_log_segments SET state = $1, since = $2, body = NULL
                        WHERE tenant = $3 AND name = $4 AND state IN ($5, $6)";
            let query = sqlx::query(text).bind(CONDEMNED).bind(to_sql(at)).bind(tenant).bind(&*name);
            let query = query.bind(ANNOUNCED).bind(SEALED);
            let condemned = query.execute(db).await?.rows_affected();
            fits(condemned == 1, || format!("segment `{name}` is gone"))
        }
        TierChange::Forget { name } => {
            let text = "SELECT state FROM agent_log_segments WHERE tenant = $1 AND name = $2";
            let state = sqlx::query_scalar::<_, i64>(text).bind(tenant).bind(&*name);
            let state = state.fetch_optional(&mut *db).await?;
            fits(state.is_none_or(|state| state == CONDEMNED), || {
                format!("segment `{name}` is not condemned")
            })?;
            let text = "DELETE FROM agent_log_segments WHERE tenant = $1 AND name = $2";
            sqlx::query(text).bind(tenant).bind(&*name).execute(db).await?;
            Ok(())
        }
        TierChange::Take { ids } => take(db, tenant, &ids).await,
        TierChange::Count { table } => count(db, store, tenant, table, |there, more| *there += more).await,
        TierChange::Uncount { table } => count(db, store, tenant, table, |there, less| *there -= less).await,
        TierChange::DropSummaries { before } => drop_summaries(db, store, tenant, before).await,
        // A change of a later version of the core.
        _ => Err(Misfit::Conflict("this store does not know such a change".into())),
    }
}

fn fits(fits: bool, why: impl FnOnce() -> String) -> Result<(), Misfit> {
    if fits { Ok(()) } else { Err(Misfit::Conflict(why())) }
}

async fn take(db: &mut PgConnection, tenant: &str, ids: &[LogRowId]) -> Result<(), Misfit> {
    let uuids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    let query =
        sqlx::query("DELETE FROM agent_log WHERE tenant = $1 AND id = ANY($2)").bind(tenant).bind(uuids);
    let taken = query.execute(db).await?.rows_affected();
    fits(taken == ids.len() as u64, || {
        format!("of {} rows that were to be moved {taken} are there", ids.len())
    })
}

async fn count(
    db: &mut PgConnection,
    store: &str,
    tenant: &str,
    table: LogTable,
    add: impl Fn(&mut LogTotals, LogTotals) + Send,
) -> Result<(), Misfit> {
    for (group, totals) in table.0 {
        let (day, grouped) = (i64::from(group.day.unwrap_or_default().0), json(&group));
        let text = "SELECT totals FROM agent_log_summaries WHERE tenant = $1 AND day = $2 AND grouped = $3";
        let there = sqlx::query_scalar::<_, String>(text).bind(tenant).bind(day).bind(&grouped);
        let mut sum = match there.fetch_optional(&mut *db).await? {
            Some(text) => parse(&text, store)?,
            None => LogTotals::default(),
        };
        add(&mut sum, totals);
        if sum.rows == 0 {
            let text = "DELETE FROM agent_log_summaries WHERE tenant = $1 AND day = $2 AND grouped = $3";
            let gone = sqlx::query(text).bind(tenant).bind(day).bind(grouped);
            gone.execute(&mut *db).await?;
            continue;
        }
        let LogGroup { user, agent, .. } = group;
        let text = "INSERT INTO agent_log_summaries (tenant, day, grouped, user_name, agent, totals) VALUES ($1, $2, $3, $4, $5, $6)
                    ON CONFLICT (tenant, day, grouped) DO UPDATE SET totals = excluded.totals";
        let query = sqlx::query(text).bind(tenant).bind(day).bind(grouped);
        let query = query.bind(user.as_deref()).bind(agent.as_deref()).bind(json(&sum));
        query.execute(&mut *db).await?;
    }
    Ok(())
}

async fn drop_summaries(db: &mut PgConnection, store: &str, tenant: &str, before: Day) -> Result<(), Misfit> {
    let text = "DELETE FROM agent_log_summaries WHERE tenant = $1 AND day < $2";
    sqlx::query(text).bind(tenant).bind(i64::from(before.0)).execute(&mut *db).await?;
    let text = "SELECT body FROM agent_log_segments WHERE tenant = $1 AND day < $2 AND state = $3";
    let query = sqlx::query_scalar::<_, String>(text).bind(tenant).bind(i64::from(before.0)).bind(SEALED);
    for body in query.fetch_all(&mut *db).await? {
        let mut segment: Segment = parse(&body, store)?;
        if !segment.counted {
            continue;
        }
        segment.counted = false;
        let text = "UPDATE agent_log_segments SET body = $1 WHERE tenant = $2 AND name = $3";
        let query = sqlx::query(text).bind(json(&segment)).bind(tenant).bind(&*segment.name);
        query.execute(&mut *db).await?;
    }
    Ok(())
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, store: &str) -> Result<T, Misfit> {
    from_json(text, store).map_err(Misfit::Store)
}
