//! Scopes and filters as conditions.

use mosaic_core::Timestamp;
use mosaic_core::memory::{AsOf, Filter, MemoryError, MemoryKind, Reach, Scope, check};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::names;
use super::transaction::{OfTenant, sql};
use crate::jobs::to_sql;

/// How much a reader's parts hold.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    pub(super) docs: u64,
    pub(super) open: u64,
    pub(super) words: u64,
}

/// Where a reader looks.
#[derive(Debug, Clone)]
pub(super) struct Within {
    tenant: Uuid,
    /// The parts that it may see something of; `None`: all of the tenant.
    parts: Option<Vec<i64>>,
    agent: Option<Uuid>,
    session: Option<Uuid>,
    reach: Reach,
    pub(super) held: Held,
}

/// Which kind a memory is, as a number.
pub(super) fn kind(kind: MemoryKind) -> i16 {
    MemoryKind::ALL
        .iter()
        .position(|other| *other == kind)
        .and_then(|at| i16::try_from(at).ok())
        .unwrap_or(-1)
}

impl Within {
    /// Looks up the parts of a scope.
    pub(super) async fn find(db: &mut OfTenant, scope: &Scope, reach: Reach) -> Result<Self, MemoryError> {
        let mut query = sql("SELECT id, docs, open, words FROM memory_parts WHERE tenant = ");
        if scope.user.is_none() {
            query =
                sql("SELECT NULL::bigint, coalesce(sum(docs), 0)::bigint, coalesce(sum(open), 0)::bigint,
                        coalesce(sum(words), 0)::bigint FROM memory_parts WHERE tenant = ");
        }
        query.push_bind(db.tenant);
        if let Some(user) = &scope.user {
            let mut owners = vec![names::part(&scope.tenant, Some(user))];
            if reach != Reach::Within {
                owners.push(names::part(&scope.tenant, None));
            }
            query.push(" AND owner = ANY (").push_bind(owners).push(")");
        }
        let (mut parts, mut held) = (Vec::new(), Held::default());
        for row in db.rows(query, "looking for a scope").await? {
            parts.extend(db.get::<Option<i64>>(&row, 0)?);
            let count = |column| db.get::<i64>(&row, column).map(|count| u64::try_from(count).unwrap_or(0));
            held.docs += count(1)?;
            held.open += count(2)?;
            held.words += count(3)?;
        }
        Ok(Self {
            tenant: db.tenant,
            parts: scope.user.is_some().then_some(parts),
            agent: scope.agent.as_deref().map(names::agent),
            session: scope.session.as_deref().map(names::session),
            reach,
            held,
        })
    }

    /// Whether nobody has written anything there.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether it narrows parts further.
    fn is_narrow(&self) -> bool {
        self.agent.is_some() || self.session.is_some()
    }

    /// Adds ` table.tenant = ... AND table.part ...`.
    pub(super) fn push_parts(&self, query: &mut QueryBuilder<Postgres>, table: &str) {
        query.push(format_args!(" {table}.tenant = ")).push_bind(self.tenant);
        match self.parts.as_deref() {
            None => {}
            // An index gives one part in the order of what follows.
            Some([part]) => {
                query.push(format_args!(" AND {table}.part = ")).push_bind(*part);
            }
            Some(parts) => {
                query.push(format_args!(" AND {table}.part = ANY (")).push_bind(parts.to_vec()).push(")");
            }
        }
    }

    /// Adds the same, and whose agent and session.
    pub(super) fn push(&self, query: &mut QueryBuilder<Postgres>, table: &str) {
        self.push_parts(query, table);
        self.push_names(query, table);
    }

    fn push_names(&self, query: &mut QueryBuilder<Postgres>, table: &str) {
        for (column, name) in [("agent", self.agent), ("session", self.session)] {
            let Some(name) = name else { continue };
            query.push(format_args!(" AND (")).push(format_args!("{table}.{column} = ")).push_bind(name);
            if self.reach != Reach::Within {
                query.push(format_args!(" OR {table}.{column} IS NULL"));
            }
            query.push(")");
        }
    }

    /// Adds ` AND ...`: which memories `m` of these parts a reader may find.
    pub(super) fn push_admitted(&self, query: &mut QueryBuilder<Postgres>, filter: &Filter) {
        self.push_names(query, "m");
        push_filter(query, filter);
    }

    /// How many memories a filter admits.
    pub(super) async fn admitted(&self, db: &mut OfTenant, filter: &Filter) -> Result<u64, MemoryError> {
        if self.is_empty() {
            return Ok(0);
        }
        if !self.is_narrow() && *filter == Filter::default() {
            return Ok(self.held.open);
        }
        let mut query = sql("SELECT count(*) FROM memories m WHERE");
        self.push_parts(&mut query, "m");
        self.push_admitted(&mut query, filter);
        let rows = db.rows(query, "counting memories").await?;
        rows.first().map_or(Ok(0), |row| db.get::<i64>(row, 0).map(i64::cast_unsigned))
    }
}

fn push_time(query: &mut QueryBuilder<Postgres>, before: &str, at: Timestamp, after: &str) {
    query.push(before).push_bind(to_sql(at)).push(after);
}

/// Adds ` AND ...` for all that a filter says of a memory `m`. It may admit what the filter does not (two tags that meet); whoever
/// has the row asks the filter itself.
fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    let Filter { kinds, as_of: AsOf { valid, recorded }, since, before, metadata } = filter;
    match recorded {
        None => {
            query.push(" AND m.closed_at IS NULL");
        }
        Some(at) => {
            push_time(query, " AND m.recorded_at <= ", *at, "");
            push_time(query, " AND (m.closed_at IS NULL OR m.closed_at > ", *at, ")");
        }
    }
    if let Some(at) = valid {
        push_time(query, " AND m.valid_from <= ", *at, "");
        push_time(query, " AND (m.valid_to IS NULL OR m.valid_to > ", *at, ")");
    }
    if !kinds.is_empty() {
        let kinds: Vec<i16> = kinds.iter().copied().map(kind).collect();
        query.push(" AND m.kind = ANY (").push_bind(kinds).push(")");
    }
    if let Some(since) = since {
        push_time(query, " AND m.told_at >= ", *since, "");
    }
    // Nothing is told beyond all times.
    if let Some(before) = before.filter(|before| *before <= check::MAX_TIME) {
        push_time(query, " AND m.told_at < ", before, "");
    }
    for (name, values) in metadata {
        let any: Vec<i64> = values.iter().map(|value| names::tag(name, value)).collect();
        query.push(" AND m.tags && ").push_bind(any);
    }
}
