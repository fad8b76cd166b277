//! The reader's side: a cursor over the log and the live tail.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::StreamExt;

use super::live::{LiveKind, shown};
use super::{Feed, State};
use crate::error::ErrorReport;
use crate::event::{Cursor, Event};
use crate::id::{RunId, SessionKey};
use crate::router::RouteDecision;
use crate::session::entry::{Body, Entry};
use crate::session::error::SessionError;
use crate::store::SessionStore;

/// Follows a session from a cursor on.
#[derive(Debug)]
pub(crate) struct Reader {
    cursor: Cursor,
    /// Only what belongs to this run.
    run: Option<RunId>,
    /// Whether it wants what is being said right now, too.
    live: bool,
    generation: u64,
    /// Whether pieces of the live generation were handed out.
    shown: bool,
    updates: u64,
    /// The decision of the step that was handed out last.
    route: Option<Arc<RouteDecision>>,
    /// Events that were found and not handed out yet, with the cursor after each.
    ready: VecDeque<(Cursor, Event)>,
}

/// What there is for a reader.
enum Next {
    Ready,
    Nothing,
    /// Entries up to the feed's base must be read from the store.
    Behind,
    Failed(ErrorReport),
}

impl Reader {
    pub(crate) fn new(cursor: Cursor, run: Option<RunId>) -> Self {
        Self {
            cursor,
            run,
            live: true,
            generation: 0,
            shown: cursor.offset > 0,
            updates: 0,
            route: None,
            ready: VecDeque::new(),
        }
    }

    /// From now on only entries. Whoever waits for the end of a run is not woken for every piece of text.
    pub(crate) fn only_entries(&mut self) {
        self.live = false;
        self.ready.retain(|(_, event)| matches!(event, Event::Entry { .. }));
    }

    /// How far it has read.
    pub(crate) fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The next event; waits for it.
    ///
    /// # Errors
    /// When the driver stopped before the run was over, or old entries cannot be read.
    pub(crate) async fn next(
        &mut self,
        feed: &Feed,
        store: &dyn SessionStore,
        key: &SessionKey,
    ) -> Result<Event, SessionError> {
        loop {
            if let Some((cursor, event)) = self.ready.pop_front() {
                self.cursor = cursor;
                return Ok(event);
            }
            let changed = if self.live { feed.changed.notified() } else { feed.appended.notified() };
            tokio::pin!(changed);
            changed.as_mut().enable();
            let next = self.look(&feed.lock());
            match next {
                Next::Ready => {}
                Next::Nothing => changed.await,
                Next::Behind => self.catch_up(store, key).await?,
                Next::Failed(report) => return Err(SessionError::Stopped { report }),
            }
        }
    }

    /// The next event, if there is one already and it needs no reading from the store.
    pub(crate) fn try_next(&mut self, feed: &Feed) -> Option<Event> {
        if self.ready.is_empty() {
            self.look(&feed.lock());
        }
        let (cursor, event) = self.ready.pop_front()?;
        self.cursor = cursor;
        Some(event)
    }

    fn look(&mut self, state: &State) -> Next {
        if self.cursor.seq < state.base {
            return Next::Behind;
        }
        let seen = usize::try_from(self.cursor.seq.0 - state.base.0).unwrap_or(usize::MAX);
        let mut from = self.cursor;
        for entry in state.recent.iter().skip(seen) {
            self.entry(&mut from, entry);
            if !self.ready.is_empty() {
                return Next::Ready;
            }
            self.cursor = from;
        }
        if self.live {
            self.live(state);
        }
        if !self.ready.is_empty() {
            return Next::Ready;
        }
        match &state.failed {
            Some(report) => Next::Failed(report.clone()),
            None => Next::Nothing,
        }
    }

    /// Events of an entry: what of its text was not shown yet, then the entry itself.
    fn entry(&mut self, from: &mut Cursor, entry: &Arc<Entry>) {
        let after = Cursor::after(entry.seq);
        let of_run = self.run.is_none() || entry.run.is_none() || entry.run == self.run;
        if of_run {
            if let Body::Assistant { step, route, .. } | Body::ModelFailed { step, route, .. } = &entry.body {
                self.route(*from, *step, route.as_ref());
            }
            if self.live
                && let Body::Assistant { step, parts, .. } = &entry.body
            {
                let mut at = *from;
                for (index, part) in parts.iter().enumerate() {
                    let index = u32::try_from(index).unwrap_or(u32::MAX);
                    let (kind, text) = shown(part);
                    at = rest(at, index, &kind, text, *step, &mut self.ready);
                }
            }
            let entry = entry.clone();
            let failed = matches!(entry.body, Body::ModelFailed { retry_at: Some(_), .. });
            let step = if let Body::ModelFailed { step, .. } = &entry.body { step + 1 } else { 0 };
            self.ready.push_back((after, Event::Entry { entry }));
            if failed && self.shown && self.live {
                self.ready.push_back((after, Event::Restarted { step }));
            }
        }
        if matches!(entry.body, Body::Assistant { .. } | Body::ModelFailed { .. }) {
            self.shown = false;
            self.route = None;
        }
        *from = after;
    }

    fn live(&mut self, state: &State) {
        let live = &state.live;
        if self.run.is_none() || live.run == self.run {
            if self.generation != live.generation {
                self.generation = live.generation;
                // The entry that ended a generation has reset `shown`; what is left was made void without one.
                if std::mem::take(&mut self.shown) && self.cursor.offset + u64::from(self.cursor.part) > 0 {
                    self.cursor = Cursor::after(self.cursor.seq);
                    self.ready.push_back((self.cursor, Event::Restarted { step: live.step }));
                }
            }
            self.route(self.cursor, live.step, live.route.as_ref());
            let mut at = self.cursor;
            for (index, part) in live.parts.iter().enumerate() {
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                if index < at.part {
                    continue;
                }
                at = rest(at, index, &part.kind, &part.text, live.step, &mut self.ready);
                if !part.done {
                    break;
                }
                at = Cursor { part: index + 1, offset: 0, ..at };
            }
            self.shown |= at.part > 0 || at.offset > 0;
        }
        for progress in live.progress.iter().filter(|progress| progress.number > self.updates) {
            let event = Event::Progress { call: progress.call.clone(), update: progress.update.clone() };
            let at = self.ready.back().map_or(self.cursor, |(cursor, _)| *cursor);
            self.ready.push_back((at, event));
        }
        self.updates = live.updates;
    }

    /// The decision of a step, unless it was handed out.
    fn route(&mut self, at: Cursor, step: u64, route: Option<&Arc<RouteDecision>>) {
        let Some(decision) = route.filter(|_| self.live) else { return };
        // Almost always the very same one; comparing what it says is for those that come from the store.
        let known = |old: &Arc<RouteDecision>| Arc::ptr_eq(old, decision) || old == decision;
        if !self.route.as_ref().is_some_and(known) {
            self.route = Some(decision.clone());
            self.ready.push_back((at, Event::Route { step, decision: decision.clone() }));
        }
    }

    async fn catch_up(&mut self, store: &dyn SessionStore, key: &SessionKey) -> Result<(), SessionError> {
        let mut rows = store.read(key, self.cursor.seq.next()).await?;
        let mut from = self.cursor;
        while let Some(row) = rows.next().await {
            let entry = Arc::new(Entry::from_row(&row?)?);
            self.entry(&mut from, &entry);
            if self.ready.is_empty() {
                self.cursor = from;
            }
            if self.ready.len() >= 256 {
                break;
            }
        }
        Ok(())
    }
}

/// What of a part lies behind the cursor, as an event; returns the cursor after it.
fn rest(
    at: Cursor,
    part: u32,
    kind: &LiveKind,
    text: &str,
    step: u64,
    ready: &mut VecDeque<(Cursor, Event)>,
) -> Cursor {
    if part < at.part {
        return at;
    }
    let offset = if part == at.part { usize::try_from(at.offset).unwrap_or(usize::MAX) } else { 0 };
    let after = Cursor { part, offset: text.len() as u64, ..at };
    let Some(delta) = text.get(offset..).filter(|delta| !delta.is_empty()) else {
        return Cursor { part, offset: offset as u64, ..at };
    };
    let delta = delta.to_owned();
    let event = match kind {
        LiveKind::Text => Event::Text { step, part, delta },
        LiveKind::Reasoning => Event::Reasoning { step, part, delta },
        LiveKind::Call(name) => Event::Arguments { step, part, name: name.to_string(), delta },
        LiveKind::Other => return after,
    };
    ready.push_back((after, event));
    after
}
