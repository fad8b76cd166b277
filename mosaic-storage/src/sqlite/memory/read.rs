//! Reading, on the readers' connections.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use futures_util::TryStreamExt;
use mosaic_core::StoreError;
use mosaic_core::memory::{
    Filter, Memory, MemoryBlock, MemoryCounts, MemoryError, MemoryId, Reach, Scope, SearchQuery,
};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Row as _, SqlitePool};

use super::schema::{Joined, columns, memory, user_key};
use crate::memory::{Stored, plan};
use crate::sqlite::fault::{Doing, Fault};
use crate::sqlite::statements;

/// So many rows are read at once.
const PAGE: u32 = 512;

/// A part, and how new it is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) part: i64,
    pub(super) changed: i64,
    pub(super) cleared: i64,
}

/// Reads memories.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) store: Arc<str>,
    pub(super) pool: SqlitePool,
}

/// A query that is put together from what is wanted.
struct Query {
    text: String,
    arguments: SqliteArguments,
}

impl Query {
    fn new(text: &str) -> Self {
        Self { text: text.into(), arguments: SqliteArguments::default() }
    }

    fn and(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    fn bind<T>(mut self, value: T) -> Result<Self, Fault>
    where
        T: for<'t> sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.arguments.add(value).map_err(sqlx::Error::Encode).doing("asking")?;
        Ok(self)
    }

    /// Only what belongs to one of these parts, and to the agent and the session of a scope.
    fn within(mut self, parts: &[i64], scope: &Scope) -> Result<Self, Fault> {
        let _ = match parts {
            [part] => write!(self.text, " m.part = {part}"),
            _ => {
                let all: Vec<String> = parts.iter().map(ToString::to_string).collect();
                write!(self.text, " m.part IN ({})", all.join(","))
            }
        };
        for (column, name) in [("agent", &scope.agent), ("session", &scope.session)] {
            if let Some(name) = name {
                let _ = write!(self.text, " AND m.{column} = ?");
                self = self.bind(name.to_string())?;
            }
        }
        Ok(self)
    }

    fn after(self, after: Option<MemoryId>, limit: u32) -> Result<Self, Fault> {
        let mut query = self;
        if let Some(after) = after {
            query = query.and(" AND m.id > ?").bind(after.0.as_bytes().to_vec())?;
        }
        query.and(" ORDER BY m.id LIMIT ?").bind(i64::from(limit))
    }

    async fn all(self, pool: &SqlitePool) -> Result<Vec<SqliteRow>, Fault> {
        let query = sqlx::query_with(AssertSqlSafe(self.text), self.arguments);
        query.fetch_all(pool).await.doing("reading memories")
    }
}

impl Reading {
    pub(super) fn told(&self, fault: &Fault) -> MemoryError {
        fault.told(&self.store, None).into()
    }

    pub(super) fn corrupt(&self, error: &sqlx::Error) -> MemoryError {
        StoreError::Corrupt { store: self.store.to_string(), at: None, reason: error.to_string() }.into()
    }

    /// The parts that a reader may see something of, in the order of their ids, and how long vectors must be.
    pub(super) async fn heads(
        &self,
        scope: &Scope,
        reach: Reach,
        models: bool,
    ) -> Result<(Vec<Head>, BTreeMap<String, usize>), MemoryError> {
        let build = || {
            let mut query =
                Query::new("SELECT id, changed, cleared, NULL FROM memory_parts WHERE tenant = ?");
            query = query.bind(scope.tenant.to_string())?;
            if scope.user.is_some() {
                // The tenant's own has the empty key.
                let wider = if reach == Reach::Within { "" } else { ", ''" };
                query = query.and(&format!(" AND user IN (?{wider})")).bind(user_key(scope.user.as_ref()))?;
            }
            if models {
                query = query
                    .and(" UNION ALL SELECT 0, width, 0, name FROM memory_models WHERE tenant = ?")
                    .bind(scope.tenant.to_string())?;
            }
            Ok(query)
        };
        let rows = match build() {
            Ok(query) => query.all(&self.pool).await,
            Err(fault) => Err(fault),
        };
        let rows = rows.map_err(|fault| self.told(&fault))?;
        let (mut heads, mut widths) = (Vec::new(), BTreeMap::new());
        for row in &rows {
            let mut take = || {
                let (part, changed, cleared) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                match row.try_get::<Option<String>, _>(3)? {
                    Some(model) => drop(widths.insert(model, usize::try_from(changed).unwrap_or_default())),
                    None => heads.push(Head { part, changed, cleared }),
                }
                Ok::<_, sqlx::Error>(())
            };
            take().map_err(|error| self.corrupt(&error))?;
        }
        heads.sort_unstable_by_key(|head| head.part);
        Ok((heads, widths))
    }

    async fn parts(&self, scope: &Scope) -> Result<Vec<i64>, MemoryError> {
        Ok(self.heads(scope, Reach::Within, false).await?.0.into_iter().map(|head| head.part).collect())
    }

    /// What a search begins with.
    pub(super) async fn begin(&self, query: &SearchQuery) -> Result<Vec<Head>, MemoryError> {
        let (heads, widths) = self.heads(&query.scope, query.reach, !query.vectors.is_empty()).await?;
        for vector in &query.vectors {
            if let Some(expected) = widths.get(&*vector.model) {
                plan::width(&vector.model, *expected, vector.values.len())?;
            }
        }
        Ok(heads)
    }

    /// The memories of a part that were changed after a change, with their vectors, in the order
    /// of the index, so that nothing is sorted.
    pub(super) async fn changed_since(
        &self,
        part: i64,
        since: i64,
        each: impl FnMut(i64, i64, Stored),
    ) -> Result<(), MemoryError> {
        let query = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            ", x.name, v.vector FROM memories m
             LEFT JOIN memory_vectors v ON v.memory = m.n LEFT JOIN memory_models x ON x.id = v.model
             WHERE m.part = ? AND m.changed > ? ORDER BY m.changed, m.n"
        ));
        self.joined(query.bind(part).bind(since), each).await
    }

    /// Memories by their numbers, with their vectors.
    pub(super) async fn rows(
        &self,
        numbers: &[i64],
        each: impl FnMut(i64, i64, Stored),
    ) -> Result<(), MemoryError> {
        let numbers = serde_json::to_string(numbers).unwrap_or_default();
        let query = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            ", x.name, v.vector FROM json_each(?) k JOIN memories m ON m.n = k.value
             LEFT JOIN memory_vectors v ON v.memory = m.n LEFT JOIN memory_models x ON x.id = v.model"
        ));
        self.joined(query.bind(numbers), each).await
    }

    async fn joined(
        &self,
        query: sqlx::query::Query<'_, sqlx::Sqlite, SqliteArguments>,
        mut each: impl FnMut(i64, i64, Stored),
    ) -> Result<(), MemoryError> {
        let mut rows = query.fetch(&self.pool);
        let mut joined = Joined::default();
        while let Some(row) =
            rows.try_next().await.doing("reading memories").map_err(|fault| self.told(&fault))?
        {
            if let Some((n, changed, stored)) = joined.push(&row, &self.store)? {
                each(n, changed, stored);
            }
        }
        if let Some((n, changed, stored)) = joined.end() {
            each(n, changed, stored);
        }
        Ok(())
    }

    pub(super) async fn get(
        &self,
        scope: &Scope,
        ids: &[MemoryId],
    ) -> Result<Vec<Option<Arc<Memory>>>, MemoryError> {
        let parts = self.parts(scope).await?;
        let mut found: BTreeMap<MemoryId, Arc<Memory>> = BTreeMap::new();
        let mut left = if parts.is_empty() { &[] } else { ids };
        while !left.is_empty() {
            let (now, later) = left.split_at(statements::step(left.len()));
            left = later;
            let build = || {
                let marks = vec!["?"; now.len()].join(",");
                let mut query = Query::new(concat!("SELECT ", columns!(), " FROM memories m WHERE"))
                    .within(&parts, scope)?
                    .and(&format!(" AND m.id IN ({marks})"));
                for id in now {
                    query = query.bind(id.0.as_bytes().to_vec())?;
                }
                Ok(query)
            };
            found.extend(self.memories(build()).await?.into_iter().map(|memory| (memory.id, memory)));
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    /// The memories of a query.
    async fn memories(&self, query: Result<Query, Fault>) -> Result<Vec<Arc<Memory>>, MemoryError> {
        let rows = match query {
            Ok(query) => query.all(&self.pool).await,
            Err(fault) => Err(fault),
        };
        let rows = rows.map_err(|fault| self.told(&fault))?;
        rows.iter().map(|row| Ok(Arc::new(memory(row, &self.store)?.memory))).collect()
    }

    pub(super) async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        mut after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<Arc<Memory>>, MemoryError> {
        let parts = self.parts(scope).await?;
        let (mut all, wanted) = (Vec::new(), limit as usize);
        while !parts.is_empty() && all.len() < wanted {
            // As many as are missing, if the filter lets all pass; some more, if it does not.
            let page = limit.clamp(64, PAGE);
            let query = Query::new(concat!("SELECT ", columns!(), " FROM memories m WHERE"))
                .within(&parts, scope)
                .and_then(|query| query.after(after, page));
            let rows = self.memories(query).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id);
            let is_last = rows.len() < page as usize;
            all.extend(rows.into_iter().filter(|memory| filter.admits(memory)));
            if is_last {
                break;
            }
        }
        all.truncate(wanted);
        Ok(all)
    }

    pub(super) async fn missing_vectors(
        &self,
        scope: &Scope,
        model: &str,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<Arc<Memory>>, MemoryError> {
        let parts = self.parts(scope).await?;
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let build = || {
            Query::new(concat!("SELECT ", columns!(), " FROM memories m WHERE"))
                .within(&parts, scope)?
                .and(
                    " AND NOT EXISTS (SELECT 1 FROM memory_models x JOIN memory_vectors v ON v.model = x.id
                     WHERE v.memory = m.n AND x.tenant = ? AND x.name = ?)",
                )
                .bind(scope.tenant.to_string())?
                .bind(model.to_owned())?
                .after(after, limit)
        };
        self.memories(build()).await
    }

    pub(super) async fn blocks(&self, scope: &Scope, reach: Reach) -> Result<Vec<MemoryBlock>, MemoryError> {
        let (heads, _) = self.heads(scope, reach, false).await?;
        if heads.is_empty() {
            return Ok(Vec::new());
        }
        let parts: Vec<String> = heads.iter().map(|head| head.part.to_string()).collect();
        let query =
            Query::new(&format!("SELECT body FROM memory_blocks WHERE part IN ({})", parts.join(",")));
        let rows = query.all(&self.pool).await.map_err(|fault| self.told(&fault))?;
        let mut blocks = Vec::with_capacity(rows.len());
        for row in &rows {
            let body: &str = row.try_get(0).map_err(|error| self.corrupt(&error))?;
            let block: MemoryBlock = serde_json::from_str(body)
                .map_err(|error| self.corrupt(&sqlx::Error::Decode(error.into())))?;
            if scope.sees(reach, &block.scope) {
                blocks.push(block);
            }
        }
        blocks.sort_by(|a, b| (&a.scope, &a.name).cmp(&(&b.scope, &b.name)));
        Ok(blocks)
    }

    pub(super) async fn counts(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        let parts = self.parts(scope).await?;
        let mut counts = MemoryCounts::default();
        if parts.is_empty() {
            return Ok(counts);
        }
        counts.blocks = self.blocks(scope, Reach::Within).await?.len() as u64;
        let build = || {
            Query::new("SELECT NULL, count(*), count(*) - count(m.closed_at) FROM memories m WHERE")
                .within(&parts, scope)?
                .and(
                    " UNION ALL SELECT x.name, count(*), 0 FROM memories m JOIN memory_vectors v ON v.memory = m.n
                     JOIN memory_models x ON x.id = v.model WHERE",
                )
                .within(&parts, scope)
                .map(|query| query.and(" GROUP BY x.name"))
        };
        let rows = match build() {
            Ok(query) => query.all(&self.pool).await,
            Err(fault) => Err(fault),
        };
        for row in rows.map_err(|fault| self.told(&fault))? {
            let mut take = || {
                let count = |column: usize| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
                match row.try_get::<Option<&str>, _>(0)? {
                    Some(model) => drop(counts.vectors.insert(model.into(), count(1)?)),
                    None => (counts.memories, counts.open) = (count(1)?, count(2)?),
                }
                Ok::<_, sqlx::Error>(())
            };
            take().map_err(|error| self.corrupt(&error))?;
        }
        Ok(counts)
    }

    /// A page of memories with their vectors, in the order of their ids.
    pub(super) async fn page(
        &self,
        scope: &Scope,
        after: Option<MemoryId>,
    ) -> Result<Vec<Arc<Stored>>, MemoryError> {
        let parts = self.parts(scope).await?;
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let build =
            || Query::new("SELECT m.n FROM memories m WHERE").within(&parts, scope)?.after(after, 128);
        let rows = match build() {
            Ok(query) => query.all(&self.pool).await,
            Err(fault) => Err(fault),
        };
        let rows = rows.map_err(|fault| self.told(&fault))?;
        let numbers: Result<Vec<i64>, sqlx::Error> = rows.iter().map(|row| row.try_get(0)).collect();
        let numbers = numbers.map_err(|error| self.corrupt(&error))?;
        let mut page = Vec::with_capacity(numbers.len());
        self.rows(&numbers, |_, _, stored| page.push(Arc::new(stored))).await?;
        page.sort_by_key(|stored| stored.memory.id);
        Ok(page)
    }
}
