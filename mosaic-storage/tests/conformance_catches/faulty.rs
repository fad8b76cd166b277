//! A store that does one thing wrong.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::{StreamExt, TryStreamExt, stream};
use mosaic_core::{
    Flush, Lease, ListOptions, Row, RowStream, Seq, SessionInfo, SessionKey, SessionStore, StoreError,
    Timestamp,
};
use mosaic_storage::RamStore;

/// What a store does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    ForgetsKinds,
    ReadsBackwards,
    ReadsFromTheStart,
    ReadsNothingWhereNothingIs,
    NeverUpdates,
    CutsLargeEntries,
    CutsLongLogs,
    KeepsTextOnly,
    AppendsAnywhere,
    KeepsHalfOfWhatItRefuses,
    ClosesGaps,
    RenumbersRows,
    InventsAFirstRow,
    CreatesOver,
    ChecksNoEmptyAppend,
    LosesOrderedRows,
    LeasesTwice,
    FencesNobody,
    ReleasesAnything,
    LeasesWhatIsNot,
    LeasesWithoutItsEnd,
    ForksAll,
    ForksShareRows,
    ForksUnderALeaseOnly,
    ForksOver,
    ForksWhatThereIs,
    ForksAcrossTenants,
    FoldsCase,
    ListsBackwards,
    TakesPrefixesForPatterns,
    MixesTenants,
    ForgetsATenant,
    ErasesNothing,
    CountsEpochsBySession,
    ErasesWhatIsWritten,
    ErasesForksToo,
    ErasesTheUnread,
    ErasesUnderOldLeases,
    ReadsShortNowAndThen,
    AppendsRowByRow,
    CreatesRowByRow,
    HoldsLeasesOfTheGone,
    NeverCloses,
    KeepsNothing,
}

#[derive(Debug, Default)]
struct State {
    /// The newest lease of each session, with the epoch that was told for it.
    leases: HashMap<SessionKey, (u64, Lease)>,
    forks: Vec<(SessionKey, SessionKey)>,
    reads: usize,
}

/// A store that does one thing wrong.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: RamStore,
    fault: Fault,
    state: Mutex<State>,
}

impl Faulty {
    pub(crate) fn new(inner: RamStore, fault: Fault) -> Self {
        Self { inner, fault, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The key under which a session is kept.
    fn kept(&self, key: &SessionKey) -> SessionKey {
        match self.fault {
            Fault::FoldsCase => SessionKey::of(key.tenant.to_lowercase(), key.name.to_lowercase()),
            Fault::MixesTenants => SessionKey::new(key.name.clone()),
            _ => key.clone(),
        }
    }

    /// The rows as they are kept.
    fn bent(&self, mut rows: Vec<Row>, from: Seq) -> Vec<Row> {
        let first = rows.first().map_or(Seq(1), |row| row.seq);
        for (n, row) in rows.iter_mut().enumerate() {
            match self.fault {
                Fault::ForgetsKinds => row.kind = "row".into(),
                Fault::CutsLargeEntries => row.bytes.truncate(1 << 20),
                Fault::KeepsTextOnly => row.bytes = String::from_utf8_lossy(&row.bytes).into_owned().into(),
                Fault::ClosesGaps => row.seq = Seq(first.0 + n as u64),
                Fault::RenumbersRows => row.seq = Seq(from.0 + 1 + n as u64),
                _ => {}
            }
        }
        rows
    }

    fn told(&self, mut info: SessionInfo, key: &SessionKey) -> SessionInfo {
        info.key = key.clone();
        if self.fault == Fault::NeverUpdates {
            info.updated = info.created;
        }
        info
    }

    /// The newest lease of a session, wherever it is.
    async fn any_lease(&self, key: &SessionKey) -> Result<Lease, StoreError> {
        let newest = self.state().leases.get(key).map(|(_, lease)| lease.clone());
        match newest {
            Some(lease) => Ok(lease),
            None => self.inner.lease(key).await,
        }
    }

    async fn last(&self, key: &SessionKey) -> Result<Seq, StoreError> {
        Ok(self.inner.find(key).await?.map(|info| info.last).unwrap_or_default())
    }
}

#[async_trait::async_trait]
impl SessionStore for Faulty {
    async fn create(&self, key: &SessionKey, rows: Vec<Row>) -> Result<SessionInfo, StoreError> {
        let (kept, mut rows) = (self.kept(key), self.bent(rows, Seq::ZERO));
        if self.fault == Fault::InventsAFirstRow && rows.is_empty() {
            rows.push(Row {
                seq: Seq(1),
                v: 1,
                kind: "none".into(),
                at: Timestamp(0),
                bytes: Default::default(),
            });
        }
        if self.fault == Fault::CreatesRowByRow && rows.len() > 1 {
            let rest = rows.split_off(1);
            self.inner.create(&kept, rows).await?;
            tokio::task::yield_now().await;
            let lease = self.inner.lease(&kept).await?;
            self.inner.append(&lease, Seq(1), rest, Flush::Durable).await?;
            self.inner.release(&lease).await?;
            return Ok(self.inner.find(&kept).await?.unwrap());
        }
        let created = self.inner.create(&kept, rows.clone()).await;
        let info = match created {
            Err(StoreError::Exists { .. }) if self.fault == Fault::CreatesOver => {
                self.inner.erase(&kept).await?;
                self.inner.create(&kept, rows).await?
            }
            created => created?,
        };
        Ok(self.told(info, key))
    }

    async fn find(&self, key: &SessionKey) -> Result<Option<SessionInfo>, StoreError> {
        Ok(self.inner.find(&self.kept(key)).await?.map(|info| self.told(info, key)))
    }

    async fn list(&self, tenant: &str, options: ListOptions) -> Result<Vec<SessionInfo>, StoreError> {
        let kept = self.kept(&SessionKey::of(tenant, ""));
        if self.fault == Fault::TakesPrefixesForPatterns {
            let all = self.inner.list(tenant, ListOptions::default()).await?;
            let matches = |name: &str| {
                let mut name = name.chars();
                options.prefix.chars().all(|wanted| name.next().is_some_and(|c| c == wanted || wanted == '_'))
            };
            return Ok(all.into_iter().filter(|info| matches(&info.key.name)).collect());
        }
        let mut found = self.inner.list(&kept.tenant, options).await?;
        if self.fault == Fault::ListsBackwards {
            found.reverse();
        }
        let key = |info: &SessionInfo| SessionKey::of(tenant, info.key.name.clone());
        Ok(found.into_iter().map(|info| self.told(info.clone(), &key(&info))).collect())
    }

    async fn tenants(&self) -> Result<Vec<Arc<str>>, StoreError> {
        let mut tenants = self.inner.tenants().await?;
        if self.fault == Fault::ForgetsATenant {
            tenants.pop();
        }
        Ok(tenants)
    }

    async fn lease(&self, key: &SessionKey) -> Result<Lease, StoreError> {
        let kept = self.kept(key);
        let leased = match self.inner.lease(&kept).await {
            Err(StoreError::Leased { .. }) if self.fault == Fault::LeasesTwice => {
                Ok(Lease { key: kept.clone(), epoch: 0, last: Seq(1) })
            }
            Err(StoreError::NotFound { .. }) if self.fault == Fault::LeasesWhatIsNot => {
                Ok(Lease { key: kept.clone(), epoch: 0, last: Seq(1) })
            }
            leased => leased,
        }?;
        if self.fault == Fault::HoldsLeasesOfTheGone {
            tokio::task::yield_now().await;
        }
        let mut state = self.state();
        let told = match self.fault {
            Fault::CountsEpochsBySession => state.leases.get(&kept).map_or(1, |(epoch, _)| epoch + 1),
            _ => leased.epoch,
        };
        let last = if self.fault == Fault::LeasesWithoutItsEnd { Seq::ZERO } else { leased.last };
        state.leases.insert(kept, (told, leased));
        Ok(Lease { key: key.clone(), epoch: told, last })
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let kept = self.kept(&lease.key);
        let newest = self.state().leases.get(&kept).cloned();
        match newest {
            Some((told, inner)) if told == lease.epoch || self.fault == Fault::ReleasesAnything => {
                self.inner.release(&inner).await
            }
            _ => self.inner.release(&Lease { key: kept, epoch: lease.epoch, last: lease.last }).await,
        }
    }

    async fn append(
        &self,
        lease: &Lease,
        expected: Seq,
        rows: Vec<Row>,
        flush: Flush,
    ) -> Result<Seq, StoreError> {
        let (kept, rows) = (self.kept(&lease.key), self.bent(rows, expected));
        let newest = self.state().leases.get(&kept).cloned();
        let mut lease = match newest {
            Some((told, inner)) if told == lease.epoch => inner,
            _ => Lease { key: kept.clone(), epoch: lease.epoch, last: lease.last },
        };
        match self.fault {
            Fault::ChecksNoEmptyAppend if rows.is_empty() => return Ok(expected),
            Fault::LosesOrderedRows if flush == Flush::Ordered => {
                return Ok(rows.last().map_or(expected, |row| row.seq));
            }
            Fault::AppendsRowByRow => {
                let mut last = self.inner.append(&lease, expected, vec![], flush).await?;
                for row in rows {
                    last = self.inner.append(&lease, last, vec![row], flush).await?;
                    tokio::task::yield_now().await;
                }
                return Ok(last);
            }
            Fault::ForksShareRows => {
                let forks = self.state().forks.clone();
                for (_, to) in forks.into_iter().filter(|(from, _)| *from == kept) {
                    let fork = self.inner.lease(&to).await?;
                    self.inner.append(&fork, expected, rows.clone(), flush).await?;
                    self.inner.release(&fork).await?;
                }
            }
            Fault::FencesNobody => lease = self.any_lease(&kept).await?,
            _ => {}
        }
        match self.inner.append(&lease, expected, rows.clone(), flush).await {
            Err(StoreError::Fenced { .. }) if self.fault == Fault::FencesNobody => {
                let lease = self.inner.lease(&kept).await?;
                self.inner.append(&lease, expected, rows, flush).await
            }
            Err(StoreError::Conflict { last, .. }) if self.fault == Fault::AppendsAnywhere => {
                let renumbered = (1..).zip(rows).map(|(n, row)| Row { seq: Seq(last.0 + n), ..row });
                self.inner.append(&lease, last, renumbered.collect(), flush).await
            }
            Err(error @ StoreError::Misnumbered { .. }) if self.fault == Fault::KeepsHalfOfWhatItRefuses => {
                self.inner.append(&lease, expected, rows.into_iter().take(1).collect(), flush).await?;
                Err(error)
            }
            appended => appended,
        }
    }

    async fn read(&self, key: &SessionKey, from: Seq) -> Result<RowStream, StoreError> {
        let from = if self.fault == Fault::ReadsFromTheStart { Seq(1) } else { from };
        let mut rows: Vec<Row> = match self.inner.read(&self.kept(key), from).await {
            Err(StoreError::NotFound { .. }) if self.fault == Fault::ReadsNothingWhereNothingIs => vec![],
            rows => rows?.try_collect().await?,
        };
        self.state().reads += 1;
        match self.fault {
            Fault::ReadsBackwards => rows.reverse(),
            Fault::CutsLongLogs => rows.truncate(10_000),
            Fault::ReadsShortNowAndThen if self.state().reads.is_multiple_of(2) => rows.truncate(100),
            _ => {}
        }
        Ok(stream::iter(rows).map(Ok).boxed())
    }

    async fn fork(&self, from: &SessionKey, upto: Seq, to: &SessionKey) -> Result<SessionInfo, StoreError> {
        let (source, target) = (self.kept(from), self.kept(to));
        let upto = match self.fault {
            Fault::ForksAll => self.last(&source).await?,
            Fault::ForksWhatThereIs => Seq(upto.0.clamp(1, self.last(&source).await?.0.max(1))),
            _ => upto,
        };
        if self.fault == Fault::ForksUnderALeaseOnly {
            let lease = self.inner.lease(&source).await?;
            self.inner.release(&lease).await?;
        }
        let info = match self.inner.fork(&source, upto, &target).await {
            Err(StoreError::Exists { .. }) if self.fault == Fault::ForksOver => {
                self.inner.erase(&target).await?;
                self.inner.fork(&source, upto, &target).await?
            }
            Err(StoreError::OtherTenant { .. }) if self.fault == Fault::ForksAcrossTenants => {
                let rows: Vec<Row> = self.inner.read(&source, Seq(1)).await?.try_collect().await?;
                self.inner.create(&target, rows.into_iter().take(upto.0 as usize).collect()).await?
            }
            forked => forked?,
        };
        self.state().forks.push((source, target));
        Ok(self.told(info, to))
    }

    async fn erase(&self, key: &SessionKey) -> Result<(), StoreError> {
        let kept = self.kept(key);
        if self.fault == Fault::ErasesNothing {
            return Ok(());
        }
        if self.fault == Fault::ErasesForksToo {
            let forks = self.state().forks.clone();
            for (_, to) in forks.into_iter().filter(|(from, _)| *from == kept) {
                self.inner.erase(&to).await?;
            }
        }
        match self.inner.erase(&kept).await {
            Err(StoreError::Leased { .. }) if self.fault == Fault::ErasesWhatIsWritten => {
                self.inner.release(&self.any_lease(&kept).await?).await?;
                self.inner.erase(&kept).await
            }
            Ok(()) if self.fault == Fault::CountsEpochsBySession => {
                self.state().leases.remove(&kept);
                Ok(())
            }
            erased => erased,
        }
    }

    async fn erase_leased(&self, lease: &Lease, expected: Seq) -> Result<(), StoreError> {
        let kept = self.kept(&lease.key);
        let newest = self.state().leases.get(&kept).cloned();
        let lease = match newest {
            Some((told, inner)) if told == lease.epoch => inner,
            _ => Lease { key: kept.clone(), epoch: lease.epoch, last: lease.last },
        };
        match self.inner.erase_leased(&lease, expected).await {
            Err(StoreError::Conflict { last, .. }) if self.fault == Fault::ErasesTheUnread => {
                self.inner.erase_leased(&lease, last).await
            }
            Err(StoreError::Fenced { .. }) if self.fault == Fault::ErasesUnderOldLeases => {
                let lease = self.inner.lease(&kept).await?;
                self.inner.erase_leased(&lease, lease.last).await
            }
            erased => erased,
        }
    }

    async fn close(&self) -> Result<(), StoreError> {
        if self.fault == Fault::NeverCloses { Ok(()) } else { self.inner.close().await }
    }
}
