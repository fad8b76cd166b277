//! The writer: the lease, and appending what was decided.

use std::sync::Arc;

use crate::id::{RunId, Seq};
use crate::recording::run::Pen;
use crate::runtime::Timestamp;
use crate::session::entry::{Body, Entry, FORMAT};
use crate::session::error::SessionError;
use crate::session::log::Log;
use crate::session::machine::Phase;
use crate::session::shared::Shared;
use crate::store::{Flush, Lease, StoreError};

/// Writes the log of one session, while it holds the lease.
pub(super) struct Writer {
    shared: Arc<Shared>,
    lease: Option<Lease>,
    /// Writes down what is appended, while runs are recorded.
    pub(super) pen: Option<Arc<Pen>>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, lease: None, pen: None }
    }

    pub(super) fn is_leased(&self) -> bool {
        self.lease.is_some()
    }

    /// Becomes the writer and takes in what others have written.
    pub(super) async fn lease(&mut self, log: &mut Log) -> Result<(), SessionError> {
        if self.lease.is_some() {
            return Ok(());
        }
        let store = &self.shared.around.store;
        let lease = store.lease(&self.shared.key).await?;
        let last = lease.last;
        self.lease = Some(lease);
        if last != log.last() {
            let entries = self.shared.read(log.last().next()).await?;
            if entries.iter().any(|entry| matches!(entry.body, Body::Rewind { .. })) {
                *log = Log::fold(&self.shared.read(Seq(1)).await?);
            } else {
                entries.iter().for_each(|entry| log.apply(entry));
            }
            self.shared.feed.entries(entries.into_iter().map(Arc::new));
        }
        Ok(())
    }

    /// Gives the lease back. A store that fails here will see that its holder is gone.
    pub(super) async fn release(&mut self) {
        if let Some(lease) = self.lease.take()
            && let Err(error) = self.shared.around.store.release(&lease).await
        {
            tracing::warn!(session = %self.shared.key, %error, "the lease could not be given back");
        }
    }

    /// Appends entries and applies them: all or none.
    pub(super) async fn append(
        &mut self,
        log: &mut Log,
        entries: Vec<Entry>,
    ) -> Result<Vec<Arc<Entry>>, SessionError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let Some(lease) = &self.lease else {
            return Err(StoreError::Fenced {
                store: "this process".into(),
                key: self.shared.key.to_string(),
                epoch: 0,
            }
            .into());
        };
        let durable = entries.iter().any(|entry| entry.body.flush() == Flush::Durable);
        let flush = if durable { Flush::Durable } else { Flush::Ordered };
        let rows = entries.iter().map(Entry::to_row).collect::<Result<Vec<_>, _>>()?;
        self.shared.around.store.append(lease, log.last(), rows, flush).await?;
        let entries: Vec<Arc<Entry>> = entries.into_iter().map(Arc::new).collect();
        entries.iter().for_each(|entry| log.apply(entry));
        if let Some(pen) = &self.pen {
            pen.entries(&entries);
        }
        self.shared.feed.entries(entries.iter().cloned());
        Ok(entries)
    }

    /// Appends one entry that the machine has no say in.
    pub(super) async fn note(
        &mut self,
        log: &mut Log,
        run: Option<RunId>,
        at: Timestamp,
        body: Body,
    ) -> Result<(), SessionError> {
        let entry = Entry { seq: log.last().next(), v: FORMAT, at, run, body };
        self.append(log, vec![entry]).await.map(drop)
    }

    /// Goes back to an earlier point between two runs.
    pub(super) async fn rewind(&mut self, log: &mut Log, to: Seq) -> Result<Seq, SessionError> {
        let invalid = |reason: String| Err(SessionError::Invalid { reason });
        if log.machine.phase() != Phase::Idle {
            return invalid(
                "a session can be rewound only while no run goes on; cancel the run first".into(),
            );
        }
        let mut entries = self.shared.read(Seq(1)).await?;
        let path: Vec<Entry> = entries.iter().filter(|entry| entry.seq <= to).cloned().collect();
        if to >= log.last() || Log::fold(&path).machine.phase() != Phase::Idle {
            return invalid(format!("entry {to} is not a point between two runs of this session"));
        }
        let at = self.shared.around.runtime.now();
        self.note(log, None, at, Body::Rewind { to }).await?;
        entries.extend(self.shared.read(log.last()).await?);
        *log = Log::fold(&entries);
        Ok(log.last())
    }
}
