//! The one writer: takes what waits in the queue, commits it as a group, answers.

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::memory::{MemoryCounts, MemoryError};
use mosaic_core::{Lease, Seq, SessionInfo, SessionKey, StoreError, Timestamp};
use sqlx::{AssertSqlSafe, Connection, Row as _, SqliteConnection};
use tokio::sync::mpsc::{UnboundedReceiver, WeakUnboundedSender};
use tokio::sync::oneshot;

use super::anew::write_anew;
use super::fault::{Doing, Fault};
use super::memory;
use super::options::Durability;
use super::owner::Owner;
use super::plan::{Change, Done, Head, Plan, Planner};
use super::queue::{Answer, Erasure, Request};
use super::schema::{from_sql, to_sql};
use super::statements::{self, BEGIN, Begin, Statements};
use super::work::Work;
use crate::rules;

/// At most so many changes go into one transaction: enough for a thousand sessions at once.
const GROUP: usize = 1024;

/// With so many sessions known it is time to forget them all: some MB.
const KNOWN: usize = 10_000;

/// The one writer.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) store: Arc<str>,
    pub(super) db: SqliteConnection,
    pub(super) owner: Owner,
    pub(super) durability: Durability,
    /// How long to wait for another program that has locked the database.
    pub(super) busy_timeout: Duration,
    /// How `PRAGMA synchronous` stands; `None` when that is not known.
    pub(super) level: Option<Level>,
    pub(super) known: Plan,
    /// Whether this was the last to write, as far as it knows.
    pub(super) trusted: bool,
    pub(super) statements: Statements,
    /// Commits were made that no sync has followed.
    pub(super) unsynced: bool,
    /// Something was erased that may still stand in the WAL.
    pub(super) scrub: bool,
    pub(super) queue: WeakUnboundedSender<Request>,
}

/// How much a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Normal,
    Full,
}

impl Level {
    fn pragma(self) -> &'static str {
        match self {
            Self::Normal => "PRAGMA synchronous = NORMAL",
            Self::Full => "PRAGMA synchronous = FULL",
        }
    }
}

impl Writer {
    /// Works until the queue ends, or until it is closed.
    pub(super) async fn run(mut self, mut requests: UnboundedReceiver<Request>) {
        let (mut batch, mut group) = (Vec::new(), Vec::new());
        let (mut memories, mut works, mut erasures) = (Vec::new(), Vec::new(), Vec::new());
        let mut closing = None;
        // What was erased before a crash may still stand in the WAL.
        self.scrub().await;
        while closing.is_none() && requests.recv_many(&mut batch, GROUP).await > 0 {
            for request in batch.drain(..) {
                match request {
                    Request::Change(change, reply) => {
                        self.erase(&mut erasures).await;
                        group.push((change, reply));
                    }
                    Request::Fork { from, upto, to, reply } => {
                        self.erase(&mut erasures).await;
                        self.commit(&mut group).await;
                        let made = self.fork(&from, upto, &to).await;
                        let _ = reply.send(self.settle(made).await);
                    }
                    Request::Erase(erasure) => {
                        self.commit(&mut group).await;
                        erasures.push(erasure);
                    }
                    Request::Memory(request) => memories.push(request),
                    Request::Work(work) => works.push(work),
                    Request::Close { reply } => closing = Some(reply),
                }
            }
            self.erase(&mut erasures).await;
            self.commit(&mut group).await;
            self.remember(std::mem::take(&mut memories)).await;
            self.work(&mut works).await;
            if self.scrub {
                self.scrub().await;
            }
            if self.known.heads.len() > KNOWN {
                self.known.heads.clear();
            }
        }
        requests.close();
        let closed = self.close().await;
        if let Some(reply) = closing {
            let _ = reply.send(closed);
        }
    }

    /// Commits a group and answers it.
    async fn commit(&mut self, group: &mut Vec<(Change, oneshot::Sender<Result<Answer, StoreError>>)>) {
        // A lease that nobody waits for any more is not taken.
        group.retain(|(change, reply)| !(matches!(change, Change::Lease { .. }) && reply.is_closed()));
        if group.is_empty() {
            return;
        }
        let released: Vec<u64> = group.iter().filter_map(|(change, _)| change.released()).collect();
        let (changes, replies): (Vec<_>, Vec<_>) = group.drain(..).unzip();
        match self.change(changes).await {
            Ok(results) => {
                for epoch in released {
                    self.owner.abandoned().remove(epoch);
                }
                for (result, reply) in results.into_iter().zip(replies) {
                    let (abandoned, queue) = (self.owner.abandoned().clone(), self.queue.clone());
                    // Where the caller is gone the answer is dropped here.
                    let _ = reply.send(result.map(|done| Answer::new(done, abandoned, queue)));
                }
            }
            Err(fault) => {
                self.roll_back().await;
                // Who gave a lease back does not hold it, whether there was room to write that down or not.
                for epoch in released {
                    self.owner.abandoned().add(epoch);
                }
                for reply in replies {
                    let _ = reply.send(Err(fault.told(&self.store, None)));
                }
            }
        }
    }

    /// Changes jobs and agent logs, as a group, and answers. They and sessions know nothing of each other: what is known of sessions
    /// stays.
    async fn work(&mut self, group: &mut Vec<Work>) {
        let durable = group.iter().any(|work| work.durable);
        let mut waiting = std::mem::take(group).into_iter().peekable();
        while waiting.peek().is_some() {
            let mut begun = Vec::new();
            let done = self.work_in_one(&mut waiting, &mut begun, durable).await;
            match &done {
                Ok(()) if begun.iter().any(|work| work.scrubs) => {
                    self.scrub = true;
                    self.scrub().await;
                }
                Ok(()) => {}
                Err(_) => self.roll_back().await,
            }
            for work in begun {
                work.answer(done.as_ref().map(|_| ()).map_err(|fault| fault.told(&self.store, None)));
            }
        }
    }

    /// Takes work until all is committed or something fails.
    async fn work_in_one(
        &mut self,
        waiting: &mut impl Iterator<Item = Work>,
        begun: &mut Vec<Work>,
        durable: bool,
    ) -> Result<(), Fault> {
        begun.extend(waiting.next());
        self.begin(durable).await?;
        let mut next = begun.len().checked_sub(1);
        while let Some(work) = next.and_then(|next| begun.get_mut(next)) {
            work.run(&mut self.db, &self.owner).await?;
            begun.extend(waiting.next());
            next = next.map(|next| next + 1);
        }
        sqlx::query("COMMIT").execute(&mut self.db).await.doing("ending a transaction")?;
        // Never the other way: a commit that changed nothing syncs nothing.
        self.unsynced |= self.durability == Durability::Full && self.level == Some(Level::Normal);
        Ok(())
    }

    async fn change(&mut self, changes: Vec<Change>) -> Result<Vec<Result<Done, StoreError>>, Fault> {
        if self.fits_one_call(&changes)
            && let Some(done) = self.change_at_once(&changes).await?
        {
            return Ok(done.into_iter().map(Ok).collect());
        }
        let durable = changes.iter().any(Change::is_durable);
        let foreign = self.begin(durable).await?;
        self.learn(changes.iter().map(Change::key)).await?;
        let alive = |id: &str, epoch| self.owner.alive(id, epoch);
        let by = Planner { store: &self.store, me: self.owner.id(), alive: &alive };
        let results = changes.into_iter().map(|change| self.known.apply(change, &by)).collect();
        self.end(foreign).await?;
        Ok(results)
    }

    /// Whether changes are few, small, and about sessions that are known.
    fn fits_one_call(&self, changes: &[Change]) -> bool {
        let rows = || changes.iter().flat_map(Change::rows);
        self.trusted
            && changes.len() <= statements::ONE_CALL
            && rows().count() <= statements::ONE_CALL
            // They are copied, to be tried again.
            && rows().map(|row| row.bytes.len()).sum::<usize>() < 64 << 10
            && changes.iter().all(|change| self.known.heads.contains_key(change.key()))
    }

    /// Decides from what is known and writes it in one call, which fails if somebody else wrote meanwhile. `None`: that was so,
    /// or something is refused, which only what the database says now can justify.
    async fn change_at_once(&mut self, changes: &[Change]) -> Result<Option<Vec<Done>>, Fault> {
        let alive = |id: &str, epoch| self.owner.alive(id, epoch);
        let by = Planner { store: &self.store, me: self.owner.id(), alive: &alive };
        let done: Result<Vec<Done>, StoreError> =
            changes.iter().cloned().map(|change| self.known.apply(change, &by)).collect();
        let (Ok(done), false) = (done, self.known.is_empty()) else {
            self.forget();
            return Ok(None);
        };
        let level = self.level_for(changes.iter().any(Change::is_durable));
        let pragma = (self.level.replace(level) != Some(level)).then(|| level.pragma());
        let begin = Begin::AtOnce(pragma);
        match self.statements.write(&mut self.db, &mut self.known, self.owner.id(), begin).await {
            Ok(()) => {
                self.written();
                Ok(Some(done))
            }
            Err(fault) => {
                self.roll_back().await;
                if fault.is_constraint() { Ok(None) } else { Err(fault) }
            }
        }
    }

    async fn fork(
        &mut self,
        from: &SessionKey,
        upto: Seq,
        to: &SessionKey,
    ) -> Result<Result<SessionInfo, StoreError>, Fault> {
        if let Err(error) = rules::one_tenant(&self.store, from, to) {
            return Ok(Err(error));
        }
        let foreign = self.begin(true).await?;
        self.learn([from, to].into_iter()).await?;
        let (source, id) = match self.known.fork(from, upto, to, &self.store) {
            Ok(numbers) => numbers,
            Err(error) => {
                self.end(foreign).await?;
                return Ok(Err(error));
            }
        };
        let times = sqlx::query(
            "INSERT INTO entries (session, seq, v, kind, at, body)
             SELECT ?, seq, v, kind, at, body FROM entries WHERE session = ? AND seq <= ? ORDER BY seq;
             SELECT (SELECT at FROM entries WHERE session = ? AND seq = 1),
                    (SELECT at FROM entries WHERE session = ? AND seq = ?)",
        )
        .bind(id)
        .bind(source)
        .bind(to_sql(upto))
        .bind(source)
        .bind(source)
        .bind(to_sql(upto))
        .fetch_one(&mut self.db)
        .await
        .doing("copying entries")?;
        let at = |column: usize| {
            times.try_get::<i64, _>(column).map(|at| Timestamp(at.cast_unsigned())).doing("copying entries")
        };
        let info = SessionInfo { key: to.clone(), last: upto, created: at(0)?, updated: at(1)? };
        self.end(foreign).await?;
        Ok(Ok(info))
    }

    /// Erases sessions and answers: those that were asked for together share the cost.
    async fn erase(&mut self, group: &mut Vec<Erasure>) {
        if group.is_empty() {
            return;
        }
        let (sessions, replies): (Vec<_>, Vec<_>) =
            group.drain(..).map(|erasure| ((erasure.key, erasure.held), erasure.reply)).unzip();
        match self.erase_all(sessions).await {
            Ok(results) => {
                if self.scrub {
                    self.scrub().await;
                }
                for (result, reply) in results.into_iter().zip(replies) {
                    let _ = reply.send(result);
                }
            }
            Err(fault) => {
                self.roll_back().await;
                for reply in replies {
                    let _ = reply.send(Err(fault.told(&self.store, None)));
                }
            }
        }
    }

    async fn erase_all(
        &mut self,
        sessions: Vec<(SessionKey, Option<(Lease, Seq)>)>,
    ) -> Result<Vec<Result<(), StoreError>>, Fault> {
        let foreign = self.begin(true).await?;
        self.learn(sessions.iter().map(|(key, _)| key)).await?;
        let (mut results, mut scrub, mut anew) = (Vec::with_capacity(sessions.len()), false, false);
        for (key, held) in sessions {
            let alive = |id: &str, epoch| self.owner.alive(id, epoch);
            let by = Planner { store: &self.store, me: self.owner.id(), alive: &alive };
            // Who brings a session elsewhere does so with many, one by one, and is promised less.
            let moved = held.is_some();
            let erased = match held {
                Some((lease, expected)) => self.known.erase_leased(&lease, expected, &by).map(Some),
                None => self.known.erase(&key, &by),
            };
            if let Ok(Some(id)) = erased {
                sqlx::query("DELETE FROM entries WHERE session = ?; DELETE FROM sessions WHERE id = ?")
                    .bind(id)
                    .bind(id)
                    .execute(&mut self.db)
                    .await
                    .doing("erasing")?;
                scrub = true;
            }
            // Also where there is none: what was moved elsewhere may have left copies.
            anew |= erased.is_ok() && !moved;
            results.push(erased.map(|_| ()));
        }
        if anew {
            write_anew(&mut self.db, &["sessions", "entries"]).await?;
            self.known.touch = true;
        }
        self.end(foreign).await?;
        self.scrub |= scrub || anew;
        Ok(results)
    }

    /// Commits changes of memories as a group and answers them.
    async fn remember(&mut self, requests: Vec<memory::Request>) {
        if requests.is_empty() {
            return;
        }
        let (tasks, replies): (Vec<_>, Vec<_>) =
            requests.into_iter().map(|request| (request.task, request.reply)).unzip();
        match self.remember_all(tasks).await {
            Ok((results, removed)) => {
                self.scrub |= removed;
                if removed {
                    self.scrub().await;
                }
                for (result, reply) in results.into_iter().zip(replies) {
                    let _ = reply.send(result);
                }
            }
            Err(fault) => {
                self.roll_back().await;
                for reply in replies {
                    let _ = reply.send(Err(fault.told(&self.store, None).into()));
                }
            }
        }
    }

    /// The results, and whether something was removed that may still stand in the WAL.
    async fn remember_all(
        &mut self,
        tasks: Vec<memory::Task>,
    ) -> Result<(Vec<Result<MemoryCounts, MemoryError>>, bool), Fault> {
        let foreign = self.begin(tasks.iter().any(memory::Task::is_durable)).await?;
        let mut results = Vec::with_capacity(tasks.len());
        let (mut removed, mut erased) = (false, false);
        for task in tasks {
            results.push(match memory::carry_out(&mut self.db, &self.store, task).await? {
                Ok(written) => {
                    self.known.touch |= written.any;
                    removed |= written.removed;
                    erased |= written.erased;
                    Ok(written.counts)
                }
                Err(error) => Err(error),
            });
        }
        if erased {
            write_anew(&mut self.db, memory::TABLES).await?;
        }
        self.end(foreign).await?;
        Ok((results, removed))
    }

    /// Rolls back what failed, and gives the answer.
    async fn settle<T>(&mut self, result: Result<Result<T, StoreError>, Fault>) -> Result<T, StoreError> {
        match result {
            Ok(answer) => answer,
            Err(fault) => {
                self.roll_back().await;
                Err(fault.told(&self.store, None))
            }
        }
    }

    /// Begins a transaction. What is known is believed only if nobody else wrote since; tells whether somebody did.
    async fn begin(&mut self, durable: bool) -> Result<bool, Fault> {
        let level = self.level_for(durable);
        let begun = if self.level == Some(level) {
            sqlx::query(BEGIN).fetch_one(&mut self.db).await
        } else {
            // SQLite obeys this pragma when it is parsed, so it cannot be a statement that is prepared once.
            self.level = None;
            sqlx::raw_sql(AssertSqlSafe(format!("{}; {BEGIN}", level.pragma()))).fetch_one(&mut self.db).await
        };
        let meta = begun.doing("beginning a transaction")?;
        self.level = Some(level);
        self.known.counters.epoch = get::<i64>(&meta, 0)?.cast_unsigned();
        self.known.counters.session = get(&meta, 1)?;
        let foreign = get::<&str>(&meta, 2)? != &**self.owner.id();
        if foreign {
            self.known.heads.clear();
        }
        Ok(foreign)
    }

    /// Looks up the sessions that are not known.
    async fn learn(&mut self, keys: impl Iterator<Item = &SessionKey>) -> Result<(), Fault> {
        let mut unknown: Vec<&SessionKey> = keys.filter(|key| !self.known.heads.contains_key(*key)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let mut unknown = unknown.as_slice();
        while !unknown.is_empty() {
            let (now, later) = unknown.split_at(statements::step(unknown.len()));
            unknown = later;
            let mut query = sqlx::query(AssertSqlSafe(statements::heads(now.len())));
            for key in now {
                query = query.bind(&*key.tenant).bind(&*key.name);
            }
            for row in query.fetch_all(&mut self.db).await.doing("looking up a session")? {
                let key = SessionKey::of(get::<&str>(&row, 0)?, get::<&str>(&row, 1)?);
                let head = Head {
                    id: get(&row, 2)?,
                    epoch: get::<i64>(&row, 3)?.cast_unsigned(),
                    owner: get::<Option<&str>>(&row, 4)?.map(Into::into),
                    last: get::<Option<i64>>(&row, 5)?.map(from_sql).unwrap_or_default(),
                };
                self.known.heads.insert(key, head);
            }
        }
        Ok(())
    }

    /// Writes what was planned and commits; if there is nothing, just ends the transaction.
    async fn end(&mut self, foreign: bool) -> Result<(), Fault> {
        if self.known.is_empty() {
            sqlx::query("ROLLBACK").execute(&mut self.db).await.doing("ending a transaction")?;
            return Ok(());
        }
        self.known.touch |= foreign;
        self.statements.write(&mut self.db, &mut self.known, self.owner.id(), Begin::Before).await?;
        self.written();
        Ok(())
    }

    fn written(&mut self) {
        self.known.touch = false;
        self.unsynced = self.durability == Durability::Full && self.level == Some(Level::Normal);
        self.trusted = true;
    }

    fn forget(&mut self) {
        self.known = Plan::default();
        self.trusted = false;
    }

    fn level_for(&self, durable: bool) -> Level {
        if durable && self.durability == Durability::Full { Level::Full } else { Level::Normal }
    }

    /// Undoes a transaction that failed, and forgets what was known, for it may be what was not written.
    async fn roll_back(&mut self) {
        self.forget();
        self.level = None;
        // Fails where SQLite has rolled back by itself, or where the transaction never began.
        let _ = sqlx::query("ROLLBACK").execute(&mut self.db).await;
    }

    /// Empties the WAL, unless somebody reads from it: then the next time.
    async fn scrub(&mut self) {
        // Without waiting, and back to waiting for what comes after, whether it works or not.
        let emptied = sqlx::raw_sql("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
        // The first row is that of the timeout.
        let rows = emptied.fetch_all(&mut self.db).await;
        self.scrub = !rows.is_ok_and(|rows| {
            rows.get(1).is_some_and(|row| row.try_get::<i64, _>(0).is_ok_and(|busy| busy == 0))
        });
        let wait = format!("PRAGMA busy_timeout = {}", self.busy_timeout.as_millis());
        let _ = sqlx::raw_sql(AssertSqlSafe(wait)).fetch_all(&mut self.db).await;
    }

    /// Syncs what is not, and goes. The leases end with the owner.
    async fn close(mut self) -> Result<(), StoreError> {
        let mut result = Ok(());
        if self.unsynced {
            let synced = match self.begin(true).await {
                Ok(foreign) => {
                    self.known.sync();
                    self.end(foreign).await
                }
                Err(fault) => Err(fault),
            };
            result = self.settle(synced.map(Ok)).await;
        }
        let closed = self.db.close().await.doing("closing").map_err(|fault| fault.told(&self.store, None));
        result.and(closed)
    }
}

fn get<'r, T>(row: &'r sqlx::sqlite::SqliteRow, column: usize) -> Result<T, Fault>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).doing("reading an answer")
}
