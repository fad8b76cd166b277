//! Changes, in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mosaic_core::Timestamp;
use mosaic_core::memory::{Change, MemoryError, MemoryId, Reach, Scope, Vector};
use uuid::Uuid;

use super::filter::Within;
use super::read::{self, Model};
use super::rows::{self, New, NewVector, Share};
use super::store::Shared;
use super::transaction::{Lasting, Lock, OfTenant, sql};
use super::{names, schema};
use crate::jobs::{json, to_sql};
use crate::memory::Stored;
use crate::memory::plan::{self, Effect, Needs, Plan};
use crate::postgres::fault::is_deadlock;

/// So often two who wait for each other are untied.
const TRIES: u32 = 5;

/// So many vectors of a model were written.
pub(super) type Grown = BTreeMap<i64, u64>;

/// Makes changes, all or none.
pub(super) async fn apply(
    shared: &Shared,
    scope: &Scope,
    changes: Vec<Change>,
) -> Result<Grown, MemoryError> {
    let (mut lock, mut tries) = (Lock::of(scope), 1);
    loop {
        match try_apply(shared, scope, changes.clone(), lock).await {
            // A model of which no vector is left may come back with another width. That none is left can be known only while
            // nobody writes one.
            Err(MemoryError::Width { .. }) if lock != Lock::Tenant => lock = Lock::Tenant,
            Err(MemoryError::Store(error)) if is_deadlock(&error) && tries < TRIES => tries += 1,
            ended => return ended,
        }
    }
}

async fn try_apply(
    shared: &Shared,
    scope: &Scope,
    changes: Vec<Change>,
    lock: Lock,
) -> Result<Grown, MemoryError> {
    let needs = plan::needs(&changes);
    // Of counts of uses the newest may be lost, and they are written with every recall.
    let is_touch = |change: &Change| matches!(change, Change::Touch { .. });
    let lasting = if changes.iter().all(is_touch) { Lasting::Soon } else { Lasting::Durable };
    let db = OfTenant::write(shared, scope, lock, lasting).await?;
    let mut writing = Writing {
        db,
        scope,
        positions: HashMap::new(),
        parts: HashMap::new(),
        shares: BTreeMap::new(),
        models: HashMap::new(),
        unused: BTreeSet::new(),
        grown: Grown::new(),
    };
    let mut plan = writing.look_up(&needs, lock).await?;
    plan.apply(scope, changes)?;
    writing.carry_out(plan.effects).await?;
    writing.end().await
}

/// Where a memory is.
#[derive(Debug, Clone, Copy)]
struct Position {
    n: i64,
    part: i64,
}

#[derive(Debug)]
struct Writing<'s> {
    db: OfTenant,
    scope: &'s Scope,
    positions: HashMap<MemoryId, Position>,
    /// By the digests of their users.
    parts: HashMap<Uuid, i64>,
    /// What is to be added to the counts of parts.
    shares: BTreeMap<i64, Share>,
    models: HashMap<Uuid, Model>,
    /// Models without vectors, known to stay so while we hold the lock.
    unused: BTreeSet<Uuid>,
    grown: Grown,
}

impl Writing<'_> {
    /// Looks up what the changes are about.
    async fn look_up(&mut self, needs: &Needs, lock: Lock) -> Result<Plan, MemoryError> {
        let mut plan = Plan::default();
        if !needs.memories.is_empty() {
            let ids: Vec<MemoryId> = needs.memories.iter().copied().collect();
            let found = read::by_ids(&mut self.db, &ids).await?;
            let with_vectors: Vec<i64> = found
                .iter()
                .filter(|found| needs.with_vectors.contains(&found.memory.id))
                .map(|found| found.n)
                .collect();
            let mut vectors = read::vectors(&mut self.db, &with_vectors).await?;
            for found in found {
                let id = found.memory.id;
                self.positions.insert(id, Position { n: found.n, part: found.part });
                let vectors = schema::in_order(vectors.remove(&found.n).unwrap_or_default());
                plan.memories.insert(id, Arc::new(Stored { memory: Arc::new(found.memory), vectors }));
            }
        }
        let keys: BTreeMap<Uuid, &(Scope, Arc<str>)> =
            needs.blocks.iter().map(|key| (names::block(&key.0, &key.1), key)).collect();
        if !keys.is_empty() {
            let mut query = sql("SELECT key, version FROM memory_blocks WHERE tenant = ");
            query.push_bind(self.db.tenant).push(" AND key = ANY (");
            query.push_bind(keys.keys().copied().collect::<Vec<_>>()).push(")");
            for row in self.db.rows(query, "looking up blocks").await? {
                let version = self.db.get::<i64>(&row, 1)?.cast_unsigned();
                if let Some(key) = keys.get(&self.db.get::<Uuid>(&row, 0)?) {
                    plan.blocks.insert((*key).clone(), version);
                }
            }
        }
        self.models =
            read::models(&mut self.db, needs.models.iter().map(|name| names::model(name)).collect()).await?;
        for name in &needs.models {
            let key = names::model(name);
            let Some(model) = self.models.get(&key).copied() else { continue };
            if lock == Lock::Tenant && !read::is_used(&mut self.db, model).await? {
                self.unused.insert(key);
            } else {
                plan.widths.insert(name.clone(), model.width);
            }
        }
        Ok(plan)
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), MemoryError> {
        let mut left = effects.as_slice();
        while let Some(first) = left.first() {
            // Those of a kind that follow one another are written together.
            let kind = std::mem::discriminant(first);
            let end =
                left.iter().position(|effect| std::mem::discriminant(effect) != kind).unwrap_or(left.len());
            let (now, later) = left.split_at(end);
            left = later;
            match first {
                Effect::Add(_) => self.add(now).await?,
                Effect::Touch { .. } => self.touch(now).await?,
                Effect::PutVectors { .. } => self.put_vectors_of(now).await?,
                _ => {
                    for effect in now {
                        self.carry_out_one(effect).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn carry_out_one(&mut self, effect: &Effect) -> Result<(), MemoryError> {
        match effect {
            Effect::Add(_) | Effect::Touch { .. } | Effect::PutVectors { .. } => Ok(()),
            Effect::Close { id, at, by } => self.close(*id, *at, *by).await,
            Effect::DropVectors { model } => self.drop_vectors(model).await,
            Effect::Remove { id } => self.remove(*id).await,
            Effect::PutBlock(block) => {
                let part = self.part(block.scope.user.as_deref()).await?;
                let mut query = sql(
                    "INSERT INTO memory_blocks (key, tenant, part, agent, session, version, body) VALUES (",
                );
                let mut values = query.separated(", ");
                values.push_bind(names::block(&block.scope, &block.name));
                values.push_bind(self.db.tenant);
                values.push_bind(part);
                values.push_bind(block.scope.agent.as_deref().map(names::agent));
                values.push_bind(block.scope.session.as_deref().map(names::session));
                values.push_bind(block.version.cast_signed());
                values.push_bind(json(block));
                query.push(
                    ") ON CONFLICT (key) DO UPDATE SET version = excluded.version, body = excluded.body",
                );
                self.db.run(query, "writing a block").await.map(drop)
            }
            Effect::RemoveBlock { scope, name } => {
                let mut query = sql("DELETE FROM memory_blocks WHERE tenant = ");
                query.push_bind(self.db.tenant).push(" AND key = ").push_bind(names::block(scope, name));
                self.db.run(query, "removing a block").await.map(drop)
            }
        }
    }

    fn share(&mut self, part: i64, share: Share) {
        let sum = self.shares.entry(part).or_default();
        sum.docs += share.docs;
        sum.open += share.open;
        sum.words += share.words;
    }

    async fn add(&mut self, effects: &[Effect]) -> Result<(), MemoryError> {
        let numbers = rows::numbers(&mut self.db, effects.len()).await?;
        let mut new = Vec::with_capacity(effects.len());
        for (n, effect) in numbers.into_iter().zip(effects) {
            let Effect::Add(stored) = effect else { continue };
            let part = self.part(stored.memory.scope.user.as_deref()).await?;
            self.positions.insert(stored.memory.id, Position { n, part });
            new.push(New { n, part, stored: stored.clone() });
        }
        let shares = rows::add(&mut self.db, &new).await?;
        for (row, share) in new.iter().zip(shares) {
            self.share(row.part, share);
        }
        let of = |row: &New| Position { n: row.n, part: row.part };
        let vectors =
            new.iter().flat_map(|row| row.stored.vectors.iter().map(move |vector| (of(row), vector)));
        self.put_vectors(vectors.collect()).await
    }

    async fn put_vectors_of(&mut self, effects: &[Effect]) -> Result<(), MemoryError> {
        let mut all = Vec::with_capacity(effects.len());
        for effect in effects {
            let Effect::PutVectors { id, vectors } = effect else { continue };
            let Some(position) = self.positions.get(id).copied() else { continue };
            all.extend(vectors.iter().map(|vector| (position, vector)));
        }
        self.put_vectors(all).await
    }

    /// Of several for one memory and model the last is written.
    async fn put_vectors(&mut self, vectors: Vec<(Position, &Vector)>) -> Result<(), MemoryError> {
        let mut new = BTreeMap::new();
        let mut known: HashMap<&str, i64> = HashMap::new();
        for (Position { n, part }, vector) in vectors {
            let model = match known.get(&*vector.model) {
                Some(model) => *model,
                None => *known.entry(&vector.model).or_insert(self.model_or_new(vector).await?),
            };
            *self.grown.entry(model).or_default() += 1;
            new.insert((n, model), NewVector { part, values: &vector.values });
        }
        rows::put_vectors(&mut self.db, &new).await
    }

    /// A model's number.
    async fn model_or_new(&mut self, vector: &Vector) -> Result<i64, MemoryError> {
        let (key, width) = (names::model(&vector.model), vector.values.len());
        if self.unused.remove(&key)
            && let Some(old) = self.models.remove(&key)
        {
            // A new number, so that an index of the old width is not asked to take it.
            let mut query = sql("DELETE FROM memory_models WHERE id = ");
            query.push_bind(old.id);
            self.db.run(query, "removing a model").await?;
        }
        if !self.models.contains_key(&key) {
            let mut query = sql("INSERT INTO memory_models (tenant, key, name, width) VALUES (");
            let mut values = query.separated(", ");
            values.push_bind(self.db.tenant).push_bind(key).push_bind(vector.model.to_string());
            values.push_bind(i32::try_from(width).unwrap_or(i32::MAX));
            query.push(") ON CONFLICT (tenant, key) DO NOTHING");
            self.db.run(query, "writing a model").await?;
            // Another user of the tenant may have written it at the same time, with another width.
            self.models.extend(read::models(&mut self.db, vec![key]).await?);
        }
        match self.models.get(&key) {
            Some(model) => plan::width(&vector.model, model.width, width).map(|()| model.id),
            None => {
                let reason = format!("the model `{}` is not there after it was written", vector.model);
                Err(schema::corrupt(&self.db.store, reason))
            }
        }
    }

    async fn touch(&mut self, effects: &[Effect]) -> Result<(), MemoryError> {
        let mut uses: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for effect in effects {
            let Effect::Touch { id, at } = effect else { continue };
            let Some(position) = self.positions.get(id) else { continue };
            let (times, last) = uses.entry(position.n).or_default();
            *times += 1;
            *last = (*last).max(to_sql(*at));
        }
        let mut query = sql(
            "UPDATE memories m SET accessed = m.accessed + used.times, accessed_at = greatest(m.accessed_at, used.last) FROM unnest(",
        );
        let mut columns = query.separated(", ");
        columns.push_bind(uses.keys().copied().collect::<Vec<_>>());
        columns.push_bind(uses.values().map(|(times, _)| *times).collect::<Vec<_>>());
        columns.push_bind(uses.values().map(|(_, last)| *last).collect::<Vec<_>>());
        query.push(") AS used (n, times, last) WHERE m.n = used.n");
        self.db.run(query, "counting uses").await.map(drop)
    }

    async fn close(&mut self, id: MemoryId, at: Timestamp, by: Option<MemoryId>) -> Result<(), MemoryError> {
        let Some(position) = self.positions.get(&id).copied() else { return Ok(()) };
        let mut query = sql("UPDATE memories SET closed_at = ");
        query.push_bind(to_sql(at)).push(", superseded_by = ").push_bind(by.map(|by| by.0));
        query.push(" WHERE n = ").push_bind(position.n);
        self.db.run(query, "closing a memory").await?;
        self.share(position.part, Share { open: -1, ..Share::default() });
        Ok(())
    }

    async fn remove(&mut self, id: MemoryId) -> Result<(), MemoryError> {
        let Some(position) = self.positions.remove(&id) else { return Ok(()) };
        let mut query = sql("DELETE FROM memories WHERE n = ");
        query.push_bind(position.n).push(" RETURNING length, closed_at IS NULL");
        for row in self.db.rows(query, "removing a memory").await? {
            let (length, open) = (self.db.get::<i32>(&row, 0)?, self.db.get::<bool>(&row, 1)?);
            self.share(position.part, Share { docs: -1, open: -i64::from(open), words: -i64::from(length) });
        }
        for text in ["DELETE FROM memory_words WHERE n = ", "DELETE FROM memory_vectors WHERE n = "] {
            let mut query = sql(text);
            query.push_bind(position.n);
            self.db.run(query, "removing a memory").await?;
        }
        Ok(())
    }

    async fn drop_vectors(&mut self, model: &str) -> Result<(), MemoryError> {
        let key = names::model(model);
        let Some(model) = read::models(&mut self.db, vec![key]).await?.get(&key).copied() else {
            return Ok(());
        };
        let within = Within::find(&mut self.db, self.scope, Reach::Within).await?;
        if within.is_empty() {
            return Ok(());
        }
        let mut query = sql("DELETE FROM memory_vectors v USING memories m WHERE v.n = m.n AND v.model = ");
        query.push_bind(model.id).push(" AND");
        within.push(&mut query, "m");
        self.db.run(query, "dropping vectors").await.map(drop)
    }

    /// The part of a user, made when there is none.
    async fn part(&mut self, user: Option<&str>) -> Result<i64, MemoryError> {
        let owner = names::part(&self.scope.tenant, user);
        if let Some(part) = self.parts.get(&owner) {
            return Ok(*part);
        }
        let mut query = sql("SELECT id FROM memory_parts WHERE owner = ");
        query.push_bind(owner);
        let mut rows = self.db.rows(query, "looking for a scope").await?;
        if rows.is_empty() {
            let mut query = sql("INSERT INTO memory_parts (tenant, owner, tenant_name, user_name) VALUES (");
            let mut values = query.separated(", ");
            values.push_bind(self.db.tenant).push_bind(owner).push_bind(self.scope.tenant.to_string());
            values.push_bind(user.map(ToOwned::to_owned));
            query.push(") RETURNING id");
            rows = self.db.rows(query, "writing a scope").await?;
        }
        let Some(row) = rows.first() else {
            return Err(schema::corrupt(&self.db.store, "a scope is not there after it was written".into()));
        };
        let part = self.db.get(row, 0)?;
        self.parts.insert(owner, part);
        Ok(part)
    }

    /// Counts, and commits.
    async fn end(mut self) -> Result<Grown, MemoryError> {
        add_shares(&mut self.db, &self.shares).await?;
        self.db.commit().await?;
        Ok(self.grown)
    }
}

/// Adds to what is known of parts.
pub(super) async fn add_shares(db: &mut OfTenant, shares: &BTreeMap<i64, Share>) -> Result<(), MemoryError> {
    if shares.is_empty() {
        return Ok(());
    }
    let mut query = sql(
        "UPDATE memory_parts p SET docs = p.docs + more.docs, open = p.open + more.open, words = p.words + more.words
         FROM unnest(",
    );
    let mut columns = query.separated(", ");
    columns.push_bind(shares.keys().copied().collect::<Vec<_>>());
    columns.push_bind(shares.values().map(|share| share.docs).collect::<Vec<_>>());
    columns.push_bind(shares.values().map(|share| share.open).collect::<Vec<_>>());
    columns.push_bind(shares.values().map(|share| share.words).collect::<Vec<_>>());
    query.push(") AS more (id, docs, open, words) WHERE p.id = more.id");
    db.run(query, "counting memories").await.map(drop)
}
