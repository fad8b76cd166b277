//! Reading: by ids, page by page, counts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mosaic_core::memory::{
    Memory, MemoryBlock, MemoryCounts, MemoryError, MemoryId, MemoryPage, Reach, Scope, Vector,
};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::filter::Within;
use super::names;
use super::schema::{self, COLUMNS, Found, in_order, memory, values};
use super::store::Shared;
use super::transaction::{OfTenant, sql};
use crate::memory::Stored;

/// So many rows are read at least where a filter may thin them out.
const PAGE: u32 = 64;

/// So many memories of an export are read at once.
const EXPORTED: u32 = 128;

const ACTION: &str = "reading memories";

/// `SELECT ... FROM memories m WHERE`.
fn memories() -> QueryBuilder<Postgres> {
    sql(&format!("SELECT {COLUMNS} FROM memories m WHERE"))
}

async fn found(db: &mut OfTenant, query: QueryBuilder<Postgres>) -> Result<Vec<Found>, MemoryError> {
    let rows = db.rows(query, ACTION).await?;
    rows.iter().map(|row| memory(row, &db.store)).collect()
}

/// The memories of a tenant by their ids.
pub(super) async fn by_ids(db: &mut OfTenant, ids: &[MemoryId]) -> Result<Vec<Found>, MemoryError> {
    let mut query = memories();
    query.push(" m.tenant = ").push_bind(db.tenant);
    query.push(" AND m.id = ANY (").push_bind(ids.iter().map(|id| id.0).collect::<Vec<_>>()).push(")");
    found(db, query).await
}

/// The memories of a tenant by their numbers.
pub(super) async fn by_numbers(db: &mut OfTenant, numbers: Vec<i64>) -> Result<Vec<Found>, MemoryError> {
    let mut query = memories();
    query.push(" m.tenant = ").push_bind(db.tenant);
    query.push(" AND m.n = ANY (").push_bind(numbers).push(")");
    found(db, query).await
}

pub(super) async fn get(
    shared: &Shared,
    scope: &Scope,
    ids: &[MemoryId],
) -> Result<Vec<Option<Arc<Memory>>>, MemoryError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut db = OfTenant::read(shared, scope).await?;
    let found = by_ids(&mut db, ids).await?.into_iter().map(|found| Arc::new(found.memory));
    let found: BTreeMap<MemoryId, Arc<Memory>> =
        found.filter(|memory| scope.contains(&memory.scope)).map(|memory| (memory.id, memory)).collect();
    db.commit().await?;
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}

fn push_after(query: &mut QueryBuilder<Postgres>, after: Option<MemoryId>, limit: u32) {
    if let Some(after) = after {
        query.push(" AND m.id > ").push_bind(after.0);
    }
    query.push(" ORDER BY m.id LIMIT ").push_bind(i64::from(limit));
}

pub(super) async fn list(
    shared: &Shared,
    scope: &Scope,
    page: &MemoryPage,
) -> Result<Vec<Arc<Memory>>, MemoryError> {
    let mut db = OfTenant::read(shared, scope).await?;
    let within = Within::find(&mut db, scope, Reach::Within).await?;
    let (mut all, mut after, wanted) = (Vec::new(), page.after, page.limit as usize);
    while !within.is_empty() && all.len() < wanted {
        let size = page.limit.max(PAGE);
        let mut query = memories();
        within.push_parts(&mut query, "m");
        within.push_admitted(&mut query, &page.filter);
        push_after(&mut query, after, size);
        let found = found(&mut db, query).await?;
        let is_last = found.len() < size as usize;
        after = found.last().map(|found| found.memory.id);
        let seen = |memory: &Memory| scope.contains(&memory.scope) && page.filter.admits(memory);
        all.extend(found.into_iter().map(|found| found.memory).filter(seen).map(Arc::new));
        if is_last {
            break;
        }
    }
    db.commit().await?;
    all.truncate(wanted);
    Ok(all)
}

pub(super) async fn missing_vectors(
    shared: &Shared,
    scope: &Scope,
    model: &str,
    after: Option<MemoryId>,
    limit: u32,
) -> Result<Vec<Arc<Memory>>, MemoryError> {
    let mut db = OfTenant::read(shared, scope).await?;
    let within = Within::find(&mut db, scope, Reach::Within).await?;
    if within.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = memories();
    within.push(&mut query, "m");
    query.push(
        " AND NOT EXISTS (SELECT 1 FROM memory_vectors v JOIN memory_models x ON x.id = v.model
          WHERE v.n = m.n AND x.tenant = ",
    );
    query.push_bind(db.tenant).push(" AND x.key = ").push_bind(names::model(model)).push(")");
    push_after(&mut query, after, limit);
    let found = found(&mut db, query).await?;
    db.commit().await?;
    Ok(found.into_iter().map(|found| Arc::new(found.memory)).collect())
}

pub(super) async fn blocks(
    shared: &Shared,
    scope: &Scope,
    reach: Reach,
) -> Result<Vec<MemoryBlock>, MemoryError> {
    let mut db = OfTenant::read(shared, scope).await?;
    let within = Within::find(&mut db, scope, reach).await?;
    if within.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sql("SELECT b.body FROM memory_blocks b WHERE");
    within.push(&mut query, "b");
    let mut blocks = Vec::new();
    for row in db.rows(query, "reading blocks").await? {
        let block = schema::block(db.get(&row, 0)?, &db.store)?;
        if scope.sees(reach, &block.scope) {
            blocks.push(block);
        }
    }
    db.commit().await?;
    blocks.sort_by(|a, b| (&a.scope, &a.name).cmp(&(&b.scope, &b.name)));
    Ok(blocks)
}

pub(super) async fn counts(shared: &Shared, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
    let mut db = OfTenant::read(shared, scope).await?;
    let within = Within::find(&mut db, scope, Reach::Within).await?;
    let counts = count(&mut db, &within).await?;
    db.commit().await?;
    Ok(counts)
}

/// How much there is.
pub(super) async fn count(db: &mut OfTenant, within: &Within) -> Result<MemoryCounts, MemoryError> {
    let mut counts = MemoryCounts::default();
    if within.is_empty() {
        return Ok(counts);
    }
    let mut query = sql(
        "SELECT NULL::text, count(*), count(*) - count(m.closed_at), (SELECT count(*) FROM memory_blocks b WHERE",
    );
    within.push(&mut query, "b");
    query.push(") FROM memories m WHERE");
    within.push(&mut query, "m");
    query.push(
        " UNION ALL SELECT max(x.name), count(*), 0, 0 FROM memories m JOIN memory_vectors v ON v.n = m.n
          JOIN memory_models x ON x.id = v.model WHERE",
    );
    within.push(&mut query, "m");
    query.push(" GROUP BY x.id");
    for row in db.rows(query, "counting memories").await? {
        let count = |column| db.get::<i64>(&row, column).map(i64::cast_unsigned);
        match db.get::<Option<&str>>(&row, 0)? {
            Some(model) => drop(counts.vectors.insert(model.into(), count(1)?)),
            None => (counts.memories, counts.open, counts.blocks) = (count(1)?, count(2)?, count(3)?),
        }
    }
    Ok(counts)
}

/// All vectors of memories, by their numbers.
pub(super) async fn vectors(
    db: &mut OfTenant,
    numbers: &[i64],
) -> Result<HashMap<i64, Vec<Vector>>, MemoryError> {
    let mut all: HashMap<i64, Vec<Vector>> = HashMap::with_capacity(numbers.len());
    if numbers.is_empty() {
        return Ok(all);
    }
    let mut query = sql(
        "SELECT v.n, x.name, v.exact FROM memory_vectors v JOIN memory_models x ON x.id = v.model WHERE v.tenant = ",
    );
    query.push_bind(db.tenant).push(" AND v.n = ANY (").push_bind(numbers.to_vec()).push(")");
    let mut models: BTreeMap<String, Arc<str>> = BTreeMap::new();
    for row in db.rows(query, "reading vectors").await? {
        let name: &str = db.get(&row, 1)?;
        let model = match models.get(name) {
            Some(model) => model.clone(),
            None => models.entry(name.to_owned()).or_insert(name.into()).clone(),
        };
        let vector = Vector { model, values: values(db.get(&row, 2)?) };
        all.entry(db.get(&row, 0)?).or_default().push(vector);
    }
    Ok(all)
}

/// A page of memories with their vectors, in the order of their ids.
pub(super) async fn page(
    shared: &Shared,
    scope: &Scope,
    after: Option<MemoryId>,
) -> Result<Vec<Stored>, MemoryError> {
    let mut db = OfTenant::read(shared, scope).await?;
    let within = Within::find(&mut db, scope, Reach::Within).await?;
    if within.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = memories();
    within.push(&mut query, "m");
    push_after(&mut query, after, EXPORTED);
    let found = found(&mut db, query).await?;
    let numbers: Vec<i64> = found.iter().map(|found| found.n).collect();
    let mut all = vectors(&mut db, &numbers).await?;
    db.commit().await?;
    let stored = |found: Found| Stored {
        memory: Arc::new(found.memory),
        vectors: in_order(all.remove(&found.n).unwrap_or_default()),
    };
    Ok(found.into_iter().map(stored).collect())
}

/// A model of a tenant: its number, and how long its vectors are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model {
    pub(super) id: i64,
    pub(super) width: usize,
}

/// Models by the digests of their names.
pub(super) async fn models(db: &mut OfTenant, keys: Vec<Uuid>) -> Result<HashMap<Uuid, Model>, MemoryError> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = sql("SELECT key, id, width FROM memory_models WHERE tenant = ");
    query.push_bind(db.tenant).push(" AND key = ANY (").push_bind(keys).push(")");
    let rows = db.rows(query, "looking for models").await?;
    let model = |row| {
        let width = usize::try_from(db.get::<i32>(row, 2)?).unwrap_or_default();
        Ok((db.get(row, 0)?, Model { id: db.get(row, 1)?, width }))
    };
    rows.iter().map(model).collect()
}

/// Whether there is any vector of a model.
pub(super) async fn is_used(db: &mut OfTenant, model: Model) -> Result<bool, MemoryError> {
    let mut query = sql("SELECT EXISTS (SELECT 1 FROM memory_vectors WHERE model = ");
    query.push_bind(model.id).push(")");
    let rows = db.rows(query, "looking for vectors").await?;
    rows.first().map_or(Ok(false), |row| db.get(row, 0))
}
