//! Changes, within a transaction of the writer.

use std::collections::BTreeMap;
use std::sync::Arc;

use mosaic_core::StoreError;
use mosaic_core::memory::{Change, MemoryCounts, MemoryError, MemoryId, Scope};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Row as _, SqliteConnection};
use tokio::sync::oneshot;

use super::erase;
use super::schema::{Joined, body, bytes, columns, user_key};
use crate::memory::Stored;
use crate::memory::plan::{Effect, Needs, Plan, needs};
use crate::sqlite::fault::{Doing, Fault};
use crate::sqlite::statements;

/// What the writer is asked to do, and who waits for it.
#[derive(Debug)]
pub(in crate::sqlite) struct Request {
    pub(in crate::sqlite) task: Task,
    pub(in crate::sqlite) reply: oneshot::Sender<Result<MemoryCounts, MemoryError>>,
}

/// What the writer is asked to do.
#[derive(Debug)]
pub(in crate::sqlite) enum Task {
    Apply { scope: Scope, changes: Vec<Change> },
    Erase { scope: Scope },
}

impl Task {
    /// Whether its commit must reach the disk.
    pub(in crate::sqlite) fn is_durable(&self) -> bool {
        match self {
            Self::Apply { changes, .. } => {
                !changes.iter().all(|change| matches!(change, Change::Touch { .. }))
            }
            Self::Erase { .. } => true,
        }
    }
}

/// What a task came to.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Written {
    /// Whether there is something to commit.
    pub(in crate::sqlite) any: bool,
    /// Whether something was removed that may still stand in the WAL.
    pub(in crate::sqlite) removed: bool,
    /// Whether it was a whole scope: then the tables are to be written anew.
    pub(in crate::sqlite) erased: bool,
    /// What was erased.
    pub(in crate::sqlite) counts: MemoryCounts,
}

/// Does a task, or refuses it; what is refused has written nothing.
pub(in crate::sqlite) async fn carry_out(
    db: &mut SqliteConnection,
    store: &str,
    task: Task,
) -> Result<Result<Written, MemoryError>, Fault> {
    match task {
        Task::Apply { scope, changes } => apply(db, store, &scope, changes).await,
        Task::Erase { scope } => {
            let counts = erase::erase(db, &scope).await?;
            // Also where nothing was counted: a name may have gone, and what was removed before may have left copies.
            Ok(Ok(Written { any: true, removed: true, erased: true, counts }))
        }
    }
}

/// Where a memory is.
#[derive(Debug, Clone, Copy)]
struct Position {
    n: i64,
    part: i64,
}

/// Makes changes, all or none: nothing is written before all were found to be right.
async fn apply(
    db: &mut SqliteConnection,
    store: &str,
    scope: &Scope,
    changes: Vec<Change>,
) -> Result<Result<Written, MemoryError>, Fault> {
    let needs = needs(&changes);
    let mut writing =
        Writing { db, scope, positions: BTreeMap::new(), parts: BTreeMap::new(), bumped: BTreeMap::new() };
    let mut plan = match writing.look_up(store, &needs).await? {
        Ok(plan) => plan,
        Err(error) => return Ok(Err(error.into())),
    };
    if let Err(error) = plan.apply(scope, changes) {
        return Ok(Err(error));
    }
    let removed = plan.effects.iter().any(|effect| matches!(effect, Effect::Remove { .. }));
    let any = !plan.effects.is_empty();
    writing.carry_out(plan.effects).await?;
    Ok(Ok(Written { any, removed, ..Written::default() }))
}

pub(super) fn get<'r, T>(row: &'r SqliteRow, column: usize) -> Result<T, Fault>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).doing("reading an answer")
}

/// Which memories `m` lose a vector: of the part `?1`, the agent `?2` and the session `?3`, those with one of the model `?4`.
macro_rules! dropped {
    () => {
        "m.part = ?1 AND (?2 IS NULL OR m.agent = ?2) AND (?3 IS NULL OR m.session = ?3)
         AND EXISTS (SELECT 1 FROM memory_vectors v WHERE v.memory = m.n AND v.model = ?4)"
    };
}

/// A statement of many rows, a step at a time.
struct Rows<'s> {
    head: &'s str,
    row: &'s str,
}

impl Rows<'_> {
    /// Writes items; `bind` adds the arguments of one.
    async fn write<T>(
        &self,
        db: &mut SqliteConnection,
        items: &[T],
        bind: impl Fn(&mut SqliteArguments, &T) -> Result<(), sqlx::error::BoxDynError>,
    ) -> Result<(), Fault> {
        let mut left = items;
        while !left.is_empty() {
            let (now, later) = left.split_at(statements::step(left.len()));
            left = later;
            let mut arguments = SqliteArguments::default();
            for item in now {
                bind(&mut arguments, item).map_err(sqlx::Error::Encode).doing("writing memories")?;
            }
            let text = format!("{} VALUES {}", self.head, vec![self.row; now.len()].join(","));
            sqlx::query_with(AssertSqlSafe(text), arguments)
                .execute(&mut *db)
                .await
                .doing("writing memories")?;
        }
        Ok(())
    }
}

/// The effects of one call under way.
struct Writing<'a> {
    db: &'a mut SqliteConnection,
    scope: &'a Scope,
    positions: BTreeMap<MemoryId, Position>,
    /// The parts of users.
    parts: BTreeMap<Option<Arc<str>>, i64>,
    /// The number of this change in the parts that it changes.
    bumped: BTreeMap<i64, i64>,
}

impl Writing<'_> {
    async fn look_up(&mut self, store: &str, needs: &Needs) -> Result<Result<Plan, StoreError>, Fault> {
        let mut plan = Plan::default();
        let ids: Vec<MemoryId> = needs.memories.iter().copied().collect();
        let mut left = ids.as_slice();
        while !left.is_empty() {
            let (now, later) = left.split_at(statements::step(left.len()));
            left = later;
            // Vectors are needed where a copy is made of them; then all are read.
            let vectors = now.iter().any(|id| needs.with_vectors.contains(id));
            let (more, join) = if vectors {
                (
                    "x.name, v.vector",
                    "LEFT JOIN memory_vectors v ON v.memory = m.n LEFT JOIN memory_models x ON x.id = v.model",
                )
            } else {
                ("NULL, NULL", "")
            };
            // `CROSS`: by the ids, not by all users of the tenant.
            let text = format!(
                concat!(
                    "SELECT ",
                    columns!(),
                    ", {}, m.part FROM memories m CROSS JOIN memory_parts p ON p.id = m.part {} WHERE p.tenant = ? AND m.id IN ({}) ORDER BY m.n",
                ),
                more,
                join,
                vec!["?"; now.len()].join(",")
            );
            let mut query = sqlx::query(AssertSqlSafe(text)).bind(&*self.scope.tenant);
            for id in now {
                query = query.bind(id.0.as_bytes().as_slice());
            }
            let rows = query.fetch_all(&mut *self.db).await.doing("looking up memories")?;
            let mut joined = Joined::default();
            for row in &rows {
                let id = super::schema::id(get(row, 2)?).doing("looking up memories")?;
                self.positions.insert(id, Position { n: get(row, 0)?, part: get(row, 10)? });
                match joined.push(row, store) {
                    Ok(Some((.., stored))) => drop(plan.memories.insert(stored.memory.id, Arc::new(stored))),
                    Ok(None) => {}
                    Err(error) => return Ok(Err(error)),
                }
            }
            if let Some((.., stored)) = joined.end() {
                plan.memories.insert(stored.memory.id, Arc::new(stored));
            }
        }
        for (scope, name) in &needs.blocks {
            let row = sqlx::query(
                "SELECT b.version FROM memory_parts p JOIN memory_blocks b ON b.part = p.id
                 WHERE p.tenant = ? AND p.user = ? AND b.scope = ? AND b.name = ?",
            )
            .bind(&*scope.tenant)
            .bind(user_key(scope.user.as_ref()))
            .bind(scope_key(scope))
            .bind(&**name)
            .fetch_optional(&mut *self.db)
            .await
            .doing("looking up a block")?;
            if let Some(row) = row {
                plan.blocks.insert((scope.clone(), name.clone()), get::<i64>(&row, 0)?.cast_unsigned());
            }
        }
        for model in &needs.models {
            if let Some((_, width)) = self.model(model).await? {
                plan.widths.insert(model.clone(), width);
            }
        }
        Ok(Ok(plan))
    }

    /// A model's number, and how long its vectors are.
    async fn model(&mut self, name: &str) -> Result<Option<(i64, usize)>, Fault> {
        let query = sqlx::query("SELECT id, width FROM memory_models WHERE tenant = ? AND name = ?");
        let row = query.bind(&*self.scope.tenant).bind(name).fetch_optional(&mut *self.db).await;
        let Some(row) = row.doing("looking up a model")? else { return Ok(None) };
        Ok(Some((get(&row, 0)?, usize::try_from(get::<i64>(&row, 1)?).unwrap_or_default())))
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), Fault> {
        let mut added: Vec<Arc<Stored>> = Vec::new();
        for effect in effects {
            match effect {
                // Those that follow one another are written together.
                Effect::Add(stored) => added.push(stored),
                other => {
                    self.add(std::mem::take(&mut added)).await?;
                    self.carry_out_one(other).await?;
                }
            }
        }
        self.add(added).await
    }

    async fn carry_out_one(&mut self, effect: Effect) -> Result<(), Fault> {
        match effect {
            Effect::Add(_) => Ok(()),
            Effect::Close { id, at, by } => {
                let Some(position) = self.positions.get(&id).copied() else { return Ok(()) };
                let changed = self.bump(position.part).await?;
                sqlx::query("UPDATE memories SET closed_at = ?, superseded_by = ?, changed = ? WHERE n = ?")
                    .bind(at.0.cast_signed())
                    .bind(by.map(|by| by.0.as_bytes().to_vec()))
                    .bind(changed)
                    .bind(position.n)
                    .execute(&mut *self.db)
                    .await
                    .doing("closing a memory")
                    .map(|_| ())
            }
            Effect::Touch { id, at } => {
                let Some(position) = self.positions.get(&id).copied() else { return Ok(()) };
                sqlx::query(
                    "UPDATE memories SET accessed = accessed + 1, accessed_at = max(ifnull(accessed_at, 0), ?) WHERE n = ?",
                )
                .bind(at.0.cast_signed())
                .bind(position.n)
                .execute(&mut *self.db)
                .await
                .doing("counting uses")
                .map(|_| ())
            }
            Effect::PutVectors { id, vectors } => {
                let Some(position) = self.positions.get(&id).copied() else { return Ok(()) };
                let changed = self.bump(position.part).await?;
                let query =
                    sqlx::query("UPDATE memories SET changed = ? WHERE n = ?").bind(changed).bind(position.n);
                query.execute(&mut *self.db).await.doing("writing vectors")?;
                let vectors: Vec<(i64, &mosaic_core::memory::Vector)> =
                    vectors.iter().map(|vector| (position.n, vector)).collect();
                self.put_vectors(&vectors).await
            }
            Effect::DropVectors { model } => self.drop_vectors(&model).await,
            Effect::Remove { id } => {
                let Some(position) = self.positions.remove(&id) else { return Ok(()) };
                sqlx::query(
                    "DELETE FROM memory_vectors WHERE memory = ?; DELETE FROM memories WHERE n = ?;
                     UPDATE memory_parts SET cleared = cleared + 1 WHERE id = ?",
                )
                .bind(position.n)
                .bind(position.n)
                .bind(position.part)
                .execute(&mut *self.db)
                .await
                .doing("removing a memory")?;
                self.drop_models().await
            }
            Effect::PutBlock(block) => {
                let part = self.part(block.scope.user.as_ref()).await?;
                sqlx::query(
                    "INSERT INTO memory_blocks (part, scope, name, version, body) VALUES (?, ?, ?, ?, ?)
                     ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body",
                )
                .bind(part)
                .bind(scope_key(&block.scope))
                .bind(&*block.name)
                .bind(block.version.cast_signed())
                .bind(serde_json::to_string(&block).unwrap_or_default())
                .execute(&mut *self.db)
                .await
                .doing("writing a block")
                .map(|_| ())
            }
            Effect::RemoveBlock { scope, name } => sqlx::query(
                "DELETE FROM memory_blocks WHERE name = ? AND scope = ?
                 AND part IN (SELECT id FROM memory_parts WHERE tenant = ? AND user = ?)",
            )
            .bind(&*name)
            .bind(scope_key(&scope))
            .bind(&*scope.tenant)
            .bind(user_key(scope.user.as_ref()))
            .execute(&mut *self.db)
            .await
            .doing("removing a block")
            .map(|_| ()),
        }
    }

    /// A model's number. It may have gone with its last vector since it was looked up.
    async fn model_or_new(&mut self, model: &str, width: usize) -> Result<i64, Fault> {
        if let Some((id, _)) = self.model(model).await? {
            return Ok(id);
        }
        let row =
            sqlx::query("INSERT INTO memory_models (tenant, name, width) VALUES (?, ?, ?) RETURNING id")
                .bind(&*self.scope.tenant)
                .bind(model)
                .bind(i64::try_from(width).unwrap_or(i64::MAX))
                .fetch_one(&mut *self.db)
                .await
                .doing("writing a model")?;
        get(&row, 0)
    }

    /// A model without vectors may come back with another length.
    async fn drop_models(&mut self) -> Result<(), Fault> {
        sqlx::query(
            "DELETE FROM memory_models WHERE tenant = ?
             AND NOT EXISTS (SELECT 1 FROM memory_vectors WHERE model = memory_models.id)",
        )
        .bind(&*self.scope.tenant)
        .execute(&mut *self.db)
        .await
        .doing("dropping vectors")
        .map(|_| ())
    }

    async fn add(&mut self, added: Vec<Arc<Stored>>) -> Result<(), Fault> {
        if added.is_empty() {
            return Ok(());
        }
        let row = sqlx::query("SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'memories'");
        let mut n: i64 = get(&row.fetch_one(&mut *self.db).await.doing("numbering memories")?, 0)?;
        let mut rows = Vec::with_capacity(added.len());
        for stored in &added {
            let part = self.part(stored.memory.scope.user.as_ref()).await?;
            let changed = self.bump(part).await?;
            n += 1;
            self.positions.insert(stored.memory.id, Position { n, part });
            rows.push((n, part, changed, stored));
        }
        let statement = Rows {
            head: "INSERT INTO memories (n, part, changed, id, agent, session, kind, closed_at, superseded_by, accessed,
                   accessed_at, body)",
            row: "(?,?,?,?,?,?,?,?,?,?,?,?)",
        };
        statement
            .write(self.db, &rows, |arguments, (n, part, changed, stored)| {
                let memory = &stored.memory;
                arguments.add(*n)?;
                arguments.add(*part)?;
                arguments.add(*changed)?;
                arguments.add(memory.id.0.as_bytes().to_vec())?;
                arguments.add(memory.scope.agent.as_ref().map(ToString::to_string))?;
                arguments.add(memory.scope.session.as_ref().map(ToString::to_string))?;
                arguments.add(memory.body.kind().as_str())?;
                arguments.add(memory.closed_at.map(|at| at.0.cast_signed()))?;
                arguments.add(memory.superseded_by.map(|by| by.0.as_bytes().to_vec()))?;
                arguments.add(memory.accessed.cast_signed())?;
                arguments.add(memory.accessed_at.map(|at| at.0.cast_signed()))?;
                arguments.add(body(memory))
            })
            .await?;
        let vectors: Vec<_> = rows
            .iter()
            .flat_map(|(n, _, _, stored)| stored.vectors.iter().map(move |vector| (*n, vector)))
            .collect();
        self.put_vectors(&vectors).await
    }

    async fn put_vectors(&mut self, vectors: &[(i64, &mosaic_core::memory::Vector)]) -> Result<(), Fault> {
        let mut models: BTreeMap<Arc<str>, i64> = BTreeMap::new();
        for (_, vector) in vectors {
            if !models.contains_key(&vector.model) {
                let id = self.model_or_new(&vector.model, vector.values.len()).await?;
                models.insert(vector.model.clone(), id);
            }
        }
        let rows: Vec<_> = vectors
            .iter()
            .filter_map(|(n, vector)| Some((*n, *models.get(&vector.model)?, *vector)))
            .collect();
        let statement =
            Rows { head: "INSERT OR REPLACE INTO memory_vectors (memory, model, vector)", row: "(?,?,?)" };
        statement
            .write(self.db, &rows, |arguments, (n, model, vector)| {
                arguments.add(*n)?;
                arguments.add(*model)?;
                arguments.add(bytes(&vector.values))
            })
            .await
    }

    async fn drop_vectors(&mut self, model: &str) -> Result<(), Fault> {
        let Some((model, _)) = self.model(model).await? else { return Ok(()) };
        let user = self.scope.user.as_ref().map(|user| user_key(Some(user)));
        let parts =
            sqlx::query("SELECT id FROM memory_parts WHERE tenant = ?1 AND (?2 IS NULL OR user = ?2)");
        let parts = parts.bind(&*self.scope.tenant).bind(user).fetch_all(&mut *self.db).await;
        for row in &parts.doing("dropping vectors")? {
            // A part in a few statements: a model that is replaced may have a vector of everything.
            let part: i64 = get(row, 0)?;
            let any = sqlx::query(concat!("SELECT 1 FROM memories m WHERE ", dropped!(), " LIMIT 1"));
            let any = any.bind(part).bind(self.scope.agent.as_deref()).bind(self.scope.session.as_deref());
            let any = any.bind(model).fetch_optional(&mut *self.db).await.doing("dropping vectors")?;
            if any.is_none() {
                continue;
            }
            let changed = self.bump(part).await?;
            sqlx::query(concat!("UPDATE memories AS m SET changed = ?5 WHERE ", dropped!()))
                .bind(part)
                .bind(self.scope.agent.as_deref())
                .bind(self.scope.session.as_deref())
                .bind(model)
                .bind(changed)
                .execute(&mut *self.db)
                .await
                .doing("dropping vectors")?;
            sqlx::query(concat!(
                "DELETE FROM memory_vectors WHERE model = ?4 AND memory IN (SELECT m.n FROM memories m WHERE ",
                dropped!(),
                ")"
            ))
            .bind(part)
            .bind(self.scope.agent.as_deref())
            .bind(self.scope.session.as_deref())
            .bind(model)
            .execute(&mut *self.db)
            .await
            .doing("dropping vectors")?;
        }
        self.drop_models().await
    }

    /// The part of a user, made when there is none.
    async fn part(&mut self, user: Option<&Arc<str>>) -> Result<i64, Fault> {
        if let Some(part) = self.parts.get(&user.cloned()) {
            return Ok(*part);
        }
        let row = sqlx::query(
            "INSERT INTO memory_parts (tenant, user, changed, cleared) VALUES (?, ?, 0, 0)
             ON CONFLICT DO UPDATE SET tenant = excluded.tenant RETURNING id",
        )
        .bind(&*self.scope.tenant)
        .bind(user_key(user))
        .fetch_one(&mut *self.db)
        .await
        .doing("writing memories")?;
        let part = get(&row, 0)?;
        self.parts.insert(user.cloned(), part);
        Ok(part)
    }

    /// The number of this change in a part.
    async fn bump(&mut self, part: i64) -> Result<i64, Fault> {
        if let Some(changed) = self.bumped.get(&part) {
            return Ok(*changed);
        }
        let query =
            sqlx::query("UPDATE memory_parts SET changed = changed + 1 WHERE id = ? RETURNING changed");
        let row = query.bind(part).fetch_one(&mut *self.db).await.doing("writing memories")?;
        let changed = get(&row, 0)?;
        self.bumped.insert(part, changed);
        Ok(changed)
    }
}

/// A scope as the key of a block.
fn scope_key(scope: &Scope) -> String {
    serde_json::to_string(scope).unwrap_or_default()
}
