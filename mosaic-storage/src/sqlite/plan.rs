//! What a group of changes comes to. Pure: decides from what is known, and says what is to be written.

use std::collections::HashMap;
use std::sync::Arc;

use mosaic_core::{Flush, Lease, Row, Seq, SessionInfo, SessionKey, StoreError};

use crate::rules;

/// What can share a transaction with others of its kind.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Create { key: SessionKey, rows: Vec<Row> },
    Lease { key: SessionKey },
    Release { lease: Lease },
    Append { lease: Lease, expected: Seq, rows: Vec<Row>, flush: Flush },
}

/// How a change ended.
#[derive(Debug)]
pub(super) enum Done {
    Made(SessionInfo),
    Leased(Lease),
    Released,
    Appended(Seq),
}

impl Change {
    /// Which session it is about.
    pub(super) fn key(&self) -> &SessionKey {
        match self {
            Self::Create { key, .. } | Self::Lease { key } => key,
            Self::Release { lease } | Self::Append { lease, .. } => &lease.key,
        }
    }

    /// The rows that it brings.
    pub(super) fn rows(&self) -> &[Row] {
        match self {
            Self::Create { rows, .. } | Self::Append { rows, .. } => rows,
            Self::Lease { .. } | Self::Release { .. } => &[],
        }
    }

    /// The epoch that it gives back.
    pub(super) fn released(&self) -> Option<u64> {
        match self {
            Self::Release { lease } => Some(lease.epoch),
            _ => None,
        }
    }

    /// Whether its commit must reach the disk. A lease need not: a power cut ends its holder too.
    pub(super) fn is_durable(&self) -> bool {
        match self {
            Self::Create { .. } => true,
            Self::Append { flush, .. } => *flush == Flush::Durable,
            Self::Lease { .. } | Self::Release { .. } => false,
        }
    }
}

/// What is known of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: i64,
    pub(super) last: Seq,
    pub(super) epoch: u64,
    pub(super) owner: Option<Arc<str>>,
}

impl Head {
    /// Who holds the lease and lives.
    fn holder(&self, by: &Planner<'_>) -> Option<String> {
        (by.alive)(self.owner.as_deref()?, self.epoch)
    }
}

/// The newest numbers given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counters {
    pub(super) epoch: u64,
    pub(super) session: i64,
}

/// What is known, and what a group adds to it.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) heads: HashMap<SessionKey, Head>,
    pub(super) counters: Counters,
    /// Sessions whose head is to be written.
    pub(super) changed: Vec<SessionKey>,
    /// Rows to be written, with their sessions' numbers.
    pub(super) rows: Vec<(i64, Row)>,
    /// Whether the counters are to be written.
    pub(super) touch: bool,
}

/// The one who plans.
pub(super) struct Planner<'a> {
    pub(super) store: &'a str,
    /// Its id as an owner.
    pub(super) me: &'a Arc<str>,
    /// The living holder of a lease, in words: of its owner's id and its epoch.
    pub(super) alive: &'a (dyn Fn(&str, u64) -> Option<String> + Sync),
}

impl Plan {
    /// Applies one change, or says why it cannot be. A change that is refused changes nothing.
    pub(super) fn apply(&mut self, change: Change, by: &Planner<'_>) -> Result<Done, StoreError> {
        match change {
            Change::Create { key, rows } => self.create(key, rows, by.store).map(Done::Made),
            Change::Lease { key } => self.lease(key, by).map(Done::Leased),
            Change::Release { lease } => {
                self.release(&lease);
                Ok(Done::Released)
            }
            Change::Append { lease, expected, rows, flush } => {
                // A durable append of nothing is there to sync what ordered ones wrote.
                let sync_only = rows.is_empty() && flush == Flush::Durable;
                let last = self.append(&lease, expected, rows, by)?;
                if sync_only {
                    self.sync();
                }
                Ok(Done::Appended(last))
            }
        }
    }

    fn create(&mut self, key: SessionKey, rows: Vec<Row>, store: &str) -> Result<SessionInfo, StoreError> {
        rules::numbered(store, &key, Seq::ZERO, &rows)?;
        rules::begun(store, &key, &rows)?;
        if self.heads.contains_key(&key) {
            return Err(rules::exists(store, &key));
        }
        let info = SessionInfo {
            last: rows.last().map(|row| row.seq).unwrap_or_default(),
            created: rows.first().map(|row| row.at).unwrap_or_default(),
            updated: rows.last().map(|row| row.at).unwrap_or_default(),
            key,
        };
        let id = self.counters.session + 1;
        self.place(id, rows);
        self.counters.session = id;
        self.touch = true;
        self.changed.push(info.key.clone());
        self.heads.insert(info.key.clone(), Head { id, last: info.last, epoch: 0, owner: None });
        Ok(info)
    }

    fn lease(&mut self, key: SessionKey, by: &Planner<'_>) -> Result<Lease, StoreError> {
        let head = self.heads.get_mut(&key).ok_or_else(|| rules::not_found(by.store, &key))?;
        if let Some(holder) = head.holder(by) {
            return Err(rules::leased(by.store, &key, &holder));
        }
        self.counters.epoch += 1;
        self.touch = true;
        head.epoch = self.counters.epoch;
        head.owner = Some(by.me.clone());
        let last = head.last;
        self.changed.push(key.clone());
        Ok(Lease { key, epoch: self.counters.epoch, last })
    }

    fn release(&mut self, lease: &Lease) {
        if let Some(head) = self.heads.get_mut(&lease.key)
            && head.epoch == lease.epoch
            && head.owner.take().is_some()
        {
            self.changed.push(lease.key.clone());
        }
    }

    fn append(
        &mut self,
        lease: &Lease,
        expected: Seq,
        rows: Vec<Row>,
        by: &Planner<'_>,
    ) -> Result<Seq, StoreError> {
        let store = by.store;
        rules::numbered(store, &lease.key, expected, &rows)?;
        let head = self.heads.get(&lease.key).ok_or_else(|| rules::not_found(store, &lease.key))?;
        let held = head.owner.as_ref().is_some_and(|owner| owner == by.me).then_some(head.epoch);
        rules::may_append(store, lease, held, expected, head.last)?;
        let last = rows.last().map_or(expected, |row| row.seq);
        let id = head.id;
        self.place(id, rows);
        if let Some(head) = self.heads.get_mut(&lease.key) {
            head.last = last;
        }
        Ok(last)
    }

    /// A copy of a session under another name, without its rows: the numbers of the two.
    pub(super) fn fork(
        &mut self,
        from: &SessionKey,
        upto: Seq,
        to: &SessionKey,
        store: &str,
    ) -> Result<(i64, i64), StoreError> {
        let source = self.heads.get(from).ok_or_else(|| rules::not_found(store, from))?;
        rules::within(store, from, upto, source.last)?;
        if self.heads.contains_key(to) {
            return Err(rules::exists(store, to));
        }
        let (source, id) = (source.id, self.counters.session + 1);
        self.counters.session = id;
        self.touch = true;
        self.changed.push(to.clone());
        self.heads.insert(to.clone(), Head { id, last: upto, epoch: 0, owner: None });
        Ok((source, id))
    }

    /// Forgets a session that is erased: its number, if there is one.
    pub(super) fn erase(&mut self, key: &SessionKey, by: &Planner<'_>) -> Result<Option<i64>, StoreError> {
        let Some(head) = self.heads.get(key) else { return Ok(None) };
        if let Some(holder) = head.holder(by) {
            return Err(rules::leased(by.store, key, &holder));
        }
        let id = head.id;
        self.heads.remove(key);
        self.touch = true;
        Ok(Some(id))
    }

    /// Forgets a session that the holder of its lease erases: its number.
    pub(super) fn erase_leased(
        &mut self,
        lease: &Lease,
        expected: Seq,
        by: &Planner<'_>,
    ) -> Result<i64, StoreError> {
        let head = self.heads.get(&lease.key).ok_or_else(|| rules::not_found(by.store, &lease.key))?;
        let held = head.owner.as_ref().is_some_and(|owner| owner == by.me).then_some(head.epoch);
        rules::may_append(by.store, lease, held, expected, head.last)?;
        let id = head.id;
        self.heads.remove(&lease.key);
        self.touch = true;
        Ok(id)
    }

    fn place(&mut self, session: i64, rows: Vec<Row>) {
        self.rows.extend(rows.into_iter().map(|row| (session, row)));
    }

    /// Makes something to write, so that there is something to sync: SQLite does neither where nothing changes. An epoch is
    /// skipped.
    pub(super) fn sync(&mut self) {
        self.counters.epoch += 1;
        self.touch = true;
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.rows.is_empty() && !self.touch
    }
}

#[cfg(test)]
mod tests;
