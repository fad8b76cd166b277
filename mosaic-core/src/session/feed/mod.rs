//! What subscribers read: the last entries, and the message that is being written.
//!
//! The driver writes, any number of readers follow at their own pace. Nobody waits for a reader: pieces of text are not
//! queued but read out of the message so far, so a slow reader gets larger pieces and memory stays bounded by the message.

mod live;
mod reader;

pub(crate) use reader::Reader;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::Notify;

use crate::error::ErrorReport;
use crate::id::{CallId, RunId, Seq};
use crate::message::Part;
use crate::model::ModelEvent;
use crate::session::entry::Entry;
use live::Live;

/// The writer's side.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    state: Mutex<State>,
    /// Anything is new.
    changed: Notify,
    /// Entries are new, or there was a failure.
    appended: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Entries after `base`, in order. Older ones are in the store.
    recent: VecDeque<Arc<Entry>>,
    base: Seq,
    live: Live,
    /// Why the driver stopped before the run was over.
    failed: Option<ErrorReport>,
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A driver begins: entries up to `base` are in the store, and read from there.
    pub(crate) fn begin(&self, base: Seq) {
        let mut state = self.lock();
        state.failed = None;
        state.recent.clear();
        state.base = base;
    }

    /// Entries were appended.
    pub(crate) fn entries(&self, entries: impl IntoIterator<Item = Arc<Entry>>) {
        let mut state = self.lock();
        for entry in entries {
            state.live.entry(&entry);
            state.recent.push_back(entry);
        }
        drop(state);
        self.notify_all();
    }

    /// A model step begins.
    pub(crate) fn step(&self, run: Option<RunId>, step: u64) {
        self.lock().live.begin(run, step);
    }

    /// The model said something. Readers are told by [`notify`](Self::notify), once for many pieces.
    pub(crate) fn model(&self, event: &ModelEvent) {
        self.lock().live.model(event);
    }

    /// A tool shows how far it is.
    pub(crate) fn progress(&self, call: &CallId, update: Value) {
        self.lock().live.progress(call, update);
        self.notify();
    }

    /// What the model has said by now.
    pub(crate) fn partial(&self) -> Vec<Part> {
        self.lock().live.partial()
    }

    /// The driver stopped before the run was over.
    pub(crate) fn fail(&self, error: ErrorReport) {
        self.lock().failed = Some(error);
        self.notify_all();
    }

    /// Wakes the readers of live pieces.
    pub(crate) fn notify(&self) {
        self.changed.notify_waiters();
    }

    fn notify_all(&self) {
        self.notify();
        self.appended.notify_waiters();
    }
}
