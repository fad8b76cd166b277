//! The data that the handles share.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Weak};

use mosaic_core::{Lease, ListOptions, Row, Seq, SessionInfo, SessionKey, StoreError};

use crate::rules;

/// A handle's proof of life: leases point at it weakly, so they end with it.
#[derive(Debug)]
pub(super) struct Owner(pub(super) String);

#[derive(Debug)]
struct Session {
    rows: Vec<Row>,
    /// Whose lease is the newest. Nobody's after `release`.
    lease: Option<(u64, Weak<Owner>)>,
}

impl Session {
    fn last(&self) -> Seq {
        self.rows.last().map_or(Seq::ZERO, |row| row.seq)
    }

    fn info(&self, key: &SessionKey) -> SessionInfo {
        SessionInfo {
            key: key.clone(),
            last: self.last(),
            created: self.rows.first().map(|row| row.at).unwrap_or_default(),
            updated: self.rows.last().map(|row| row.at).unwrap_or_default(),
        }
    }

    /// Who holds the lease and lives.
    fn holder(&self) -> Option<Arc<Owner>> {
        self.lease.as_ref().and_then(|(_, owner)| owner.upgrade())
    }
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Data {
    sessions: BTreeMap<SessionKey, Session>,
    /// The newest epoch of any session. One counter for all, so that an erased session needs no trace to keep its old
    /// leases fenced.
    epoch: u64,
}

/// The store's name for itself in errors.
pub(super) const STORE: &str = "memory:";

impl Data {
    pub(super) fn create(&mut self, key: &SessionKey, rows: Vec<Row>) -> Result<SessionInfo, StoreError> {
        rules::numbered(STORE, key, Seq::ZERO, &rows)?;
        rules::begun(STORE, key, &rows)?;
        match self.sessions.entry(key.clone()) {
            Entry::Occupied(_) => Err(rules::exists(STORE, key)),
            Entry::Vacant(place) => Ok(place.insert(Session { rows, lease: None }).info(key)),
        }
    }

    pub(super) fn find(&self, key: &SessionKey) -> Option<SessionInfo> {
        self.sessions.get(key).map(|session| session.info(key))
    }

    pub(super) fn list(&self, tenant: &str, options: &ListOptions) -> Vec<SessionInfo> {
        let from = options.after.as_deref().unwrap_or_default().max(&options.prefix);
        self.sessions
            .range(SessionKey::of(tenant, from)..)
            .take_while(|(key, _)| *key.tenant == *tenant && key.name.starts_with(&options.prefix))
            .filter(|(key, _)| options.after.as_deref().is_none_or(|after| *key.name > *after))
            .take(options.limit as usize)
            .map(|(key, session)| session.info(key))
            .collect()
    }

    pub(super) fn tenants(&self) -> Vec<Arc<str>> {
        let mut tenants: Vec<Arc<str>> = self.sessions.keys().map(|key| key.tenant.clone()).collect();
        tenants.dedup();
        tenants
    }

    pub(super) fn lease(&mut self, key: &SessionKey, owner: &Arc<Owner>) -> Result<Lease, StoreError> {
        let session = session(&mut self.sessions, key)?;
        if let Some(holder) = session.holder() {
            return Err(rules::leased(STORE, key, &holder.0));
        }
        self.epoch += 1;
        session.lease = Some((self.epoch, Arc::downgrade(owner)));
        Ok(Lease { key: key.clone(), epoch: self.epoch, last: session.last() })
    }

    pub(super) fn release(&mut self, lease: &Lease) {
        if let Ok(session) = session(&mut self.sessions, &lease.key) {
            session.lease.take_if(|(epoch, _)| *epoch == lease.epoch);
        }
    }

    pub(super) fn append(
        &mut self,
        lease: &Lease,
        expected: Seq,
        mut rows: Vec<Row>,
        owner: &Arc<Owner>,
    ) -> Result<Seq, StoreError> {
        rules::numbered(STORE, &lease.key, expected, &rows)?;
        let session = session(&mut self.sessions, &lease.key)?;
        let ours =
            session.lease.as_ref().filter(|(_, holder)| std::ptr::eq(holder.as_ptr(), Arc::as_ptr(owner)));
        let held = ours.map(|(epoch, _)| *epoch);
        rules::may_append(STORE, lease, held, expected, session.last())?;
        session.rows.append(&mut rows);
        Ok(session.last())
    }

    pub(super) fn read(&self, key: &SessionKey, from: Seq) -> Result<Vec<Row>, StoreError> {
        let session = self.sessions.get(key).ok_or_else(|| rules::not_found(STORE, key))?;
        let skip = usize::try_from(from.0.saturating_sub(1)).unwrap_or(usize::MAX);
        Ok(session.rows.iter().skip(skip).cloned().collect())
    }

    pub(super) fn fork(
        &mut self,
        from: &SessionKey,
        upto: Seq,
        to: &SessionKey,
    ) -> Result<SessionInfo, StoreError> {
        rules::one_tenant(STORE, from, to)?;
        let source = session(&mut self.sessions, from)?;
        rules::within(STORE, from, upto, source.last())?;
        let rows = source.rows.iter().take_while(|row| row.seq <= upto).cloned().collect();
        self.create(to, rows)
    }

    pub(super) fn erase_leased(
        &mut self,
        lease: &Lease,
        expected: Seq,
        owner: &Arc<Owner>,
    ) -> Result<(), StoreError> {
        // To append nothing: allowed to whom the session is.
        self.append(lease, expected, Vec::new(), owner)?;
        self.sessions.remove(&lease.key);
        Ok(())
    }

    pub(super) fn erase(&mut self, key: &SessionKey) -> Result<(), StoreError> {
        if let Some(holder) = self.sessions.get(key).and_then(Session::holder) {
            return Err(rules::leased(STORE, key, &holder.0));
        }
        self.sessions.remove(key);
        Ok(())
    }
}

fn session<'a>(
    sessions: &'a mut BTreeMap<SessionKey, Session>,
    key: &SessionKey,
) -> Result<&'a mut Session, StoreError> {
    sessions.get_mut(key).ok_or_else(|| rules::not_found(STORE, key))
}
