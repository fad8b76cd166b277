//! The changes, each within the writer's transaction. A change that is refused has changed nothing.

use mosaic_core::StoreError;
use mosaic_core::agent_log::{
    AgentLogError, Day, LogGroup, LogRow, LogRowId, LogTable, LogTotals, Segment, TierChange,
};
use sqlx::{Row as _, Sqlite, SqliteConnection};

use super::super::fault::{Doing, Fault};
use super::super::statements;
use super::super::work::Refused;
use crate::agent_log::{ANNOUNCED, CONDEMNED, SEALED, from_json, push_rows};
use crate::jobs::{json, to_sql};

/// What a change comes to; a text is a conflict.
enum Misfit {
    Conflict(String),
    Fault(Fault),
    Store(StoreError),
}

impl From<Fault> for Misfit {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

pub(super) async fn put(db: &mut SqliteConnection, rows: Vec<LogRow>) -> Result<u64, Fault> {
    let (mut added, mut rows) = (0, rows.into_iter());
    while rows.len() > 0 {
        let step = statements::step(rows.len());
        let mut query = push_rows::<Sqlite>(rows.by_ref().take(step));
        added += query.build().execute(&mut *db).await.doing("writing agent logs")?.rows_affected();
    }
    Ok(added)
}

/// Makes changes, all or none: within a savepoint, for the transaction has others in it.
pub(super) async fn apply(
    db: &mut SqliteConnection,
    store: &str,
    tenant: &str,
    changes: Vec<TierChange>,
) -> Result<(), Refused<AgentLogError>> {
    const ACTION: &str = "moving agent logs";
    sqlx::query("SAVEPOINT moving").execute(&mut *db).await.doing(ACTION)?;
    let mut misfit = None;
    for change in changes {
        match one(db, store, tenant, change).await {
            Ok(()) => {}
            Err(Misfit::Fault(fault)) => return Err(fault.into()),
            Err(Misfit::Conflict(why)) => {
                misfit = Some(AgentLogError::Conflict { tenant: tenant.into(), why });
                break;
            }
            Err(Misfit::Store(error)) => {
                misfit = Some(error.into());
                break;
            }
        }
    }
    let end = if misfit.is_some() { "ROLLBACK TO moving; RELEASE moving" } else { "RELEASE moving" };
    sqlx::raw_sql(end).execute(db).await.doing(ACTION)?;
    misfit.map_or(Ok(()), |error| Err(Refused::Said(error)))
}

async fn one(db: &mut SqliteConnection, store: &str, tenant: &str, change: TierChange) -> Result<(), Misfit> {
    match change {
        TierChange::Announce { name, day } => {
            let text = "INSERT INTO agent_log_segments (tenant, name, day, state) VALUES (?, ?, ?, ?)
                        ON CONFLICT (tenant, name) DO NOTHING";
            let query = sqlx::query(text).bind(tenant).bind(&*name).bind(day.0).bind(ANNOUNCED);
            let added = query.execute(db).await.doing("announcing a segment")?.rows_affected();
            fits(added == 1, || format!("segment `{name}` exists"))
        }
        TierChange::Seal { segment } => {
            let body = json(&segment);
            let text = "UPDATE agent_log_segments SET state = ?, body = ?, day = ?
                        WHERE tenant = ? AND name = ? AND state = ?";
            let query = sqlx::query(text).bind(SEALED).bind(body).bind(segment.day.0);
            let query = query.bind(tenant).bind(&*segment.name).bind(ANNOUNCED);
            let sealed = query.execute(db).await.doing("sealing a segment")?.rows_affected();
            fits(sealed == 1, || format!("segment `{}` is not announced", segment.name))
        }
        TierChange::Condemn { name, at } => {
            // What it held is no longer of interest, and tells whose it was.
            let text = "UPDATE agent_log_segments SET state = ?, since = ?, body = NULL
                        WHERE tenant = ? AND name = ? AND state IN (?, ?)";
            let query = sqlx::query(text).bind(CONDEMNED).bind(to_sql(at)).bind(tenant).bind(&*name);
            let query = query.bind(ANNOUNCED).bind(SEALED);
            let condemned = query.execute(db).await.doing("condemning a segment")?.rows_affected();
            fits(condemned == 1, || format!("segment `{name}` is gone"))
        }
        TierChange::Forget { name } => {
            let text = "SELECT state FROM agent_log_segments WHERE tenant = ? AND name = ?";
            let state = sqlx::query_scalar::<_, i64>(text).bind(tenant).bind(&*name);
            let state = state.fetch_optional(&mut *db).await.doing("forgetting a segment")?;
            fits(state.is_none_or(|state| state == CONDEMNED), || {
                format!("segment `{name}` is not condemned")
            })?;
            let text = "DELETE FROM agent_log_segments WHERE tenant = ? AND name = ?";
            sqlx::query(text).bind(tenant).bind(&*name).execute(db).await.doing("forgetting a segment")?;
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

async fn take(db: &mut SqliteConnection, tenant: &str, ids: &[LogRowId]) -> Result<(), Misfit> {
    let hex: Vec<String> = ids.iter().map(|id| id.0.simple().to_string()).collect();
    let text = "DELETE FROM agent_log WHERE tenant = ? AND id IN (SELECT unhex(value) FROM json_each(?))";
    let query = sqlx::query(text).bind(tenant).bind(json(&hex));
    let taken = query.execute(db).await.doing("taking agent logs")?.rows_affected();
    fits(taken == ids.len() as u64, || {
        format!("of {} rows that were to be moved {taken} are there", ids.len())
    })
}

async fn count(
    db: &mut SqliteConnection,
    store: &str,
    tenant: &str,
    table: LogTable,
    add: impl Fn(&mut LogTotals, LogTotals) + Send,
) -> Result<(), Misfit> {
    const ACTION: &str = "summing agent logs up";
    for (group, totals) in table.0 {
        let (day, grouped) = (group.day.unwrap_or_default().0, json(&group));
        let text = "SELECT totals FROM agent_log_summaries WHERE tenant = ? AND day = ? AND grouped = ?";
        let there = sqlx::query(text).bind(tenant).bind(day).bind(&grouped);
        let mut sum = match there.fetch_optional(&mut *db).await.doing(ACTION)? {
            Some(row) => parse(row.try_get(0).doing(ACTION)?, store)?,
            None => LogTotals::default(),
        };
        add(&mut sum, totals);
        if sum.rows == 0 {
            let text = "DELETE FROM agent_log_summaries WHERE tenant = ? AND day = ? AND grouped = ?";
            let gone = sqlx::query(text).bind(tenant).bind(day).bind(grouped);
            gone.execute(&mut *db).await.doing(ACTION)?;
            continue;
        }
        let LogGroup { user, agent, .. } = group;
        let text = "INSERT INTO agent_log_summaries (tenant, day, grouped, user, agent, totals) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (tenant, day, grouped) DO UPDATE SET totals = excluded.totals";
        let query = sqlx::query(text).bind(tenant).bind(day).bind(grouped);
        let query = query.bind(user.as_deref()).bind(agent.as_deref()).bind(json(&sum));
        query.execute(&mut *db).await.doing(ACTION)?;
    }
    Ok(())
}

async fn drop_summaries(
    db: &mut SqliteConnection,
    store: &str,
    tenant: &str,
    before: Day,
) -> Result<(), Misfit> {
    const ACTION: &str = "dropping summaries";
    let text = "DELETE FROM agent_log_summaries WHERE tenant = ? AND day < ?";
    sqlx::query(text).bind(tenant).bind(before.0).execute(&mut *db).await.doing(ACTION)?;
    let text = "SELECT body FROM agent_log_segments WHERE tenant = ? AND day < ? AND state = ?";
    let query = sqlx::query(text).bind(tenant).bind(before.0).bind(SEALED);
    for row in query.fetch_all(&mut *db).await.doing(ACTION)? {
        let mut segment: Segment = parse(row.try_get(0).doing(ACTION)?, store)?;
        if !segment.counted {
            continue;
        }
        segment.counted = false;
        let text = "UPDATE agent_log_segments SET body = ? WHERE tenant = ? AND name = ?";
        let query = sqlx::query(text).bind(json(&segment)).bind(tenant).bind(&*segment.name);
        query.execute(&mut *db).await.doing(ACTION)?;
    }
    Ok(())
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, store: &str) -> Result<T, Misfit> {
    from_json(text, store).map_err(Misfit::Store)
}
