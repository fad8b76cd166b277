//! The fold.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::id::{CallId, Seq};
use crate::message::{Group, GroupBody, Origin, Part, ToolResult, ToolStatus};
use crate::session::{Body, Entry, InputDelivery};

/// What the model sees of a session: a fold over its entries.
#[derive(Debug, Clone, Default)]
pub struct Context {
    groups: Arc<Vec<Arc<Group>>>,
    /// The entry that began each group; as long as `groups`.
    starts: Vec<Seq>,
    /// An answer whose calls have not all ended.
    open: Option<Open>,
    /// What is said while an answer is open, or is being made.
    waiting: Vec<(Seq, Vec<Part>)>,
    /// Inputs that wait for the run before them to end.
    queued: Vec<(Seq, Vec<Part>)>,
    /// The last entry that a summary stands for.
    compacted: Seq,
    /// Whether a run goes on: inputs then wait in line.
    busy: bool,
    /// The group of the input that began the run, until the model has answered.
    input: Option<usize>,
    /// What contexts have shown, and the entry that the group begins with which shows it.
    shown: Arc<BTreeSet<Arc<str>>>,
    shown_at: Vec<(Seq, Arc<str>)>,
}

#[derive(Debug, Clone)]
struct Open {
    seq: Seq,
    parts: Vec<Part>,
    origin: Option<Origin>,
    results: Vec<ToolResult>,
    calls: usize,
}

impl Context {
    /// The conversation, for a request. Grown in place as long as nobody else holds it.
    #[must_use]
    pub fn groups(&self) -> &Arc<Vec<Arc<Group>>> {
        &self.groups
    }

    /// From which entry on the conversation is whole. What was said before stands there as a summary, if at all.
    #[must_use]
    pub fn seen_from(&self) -> Seq {
        self.compacted.next()
    }

    /// What contexts have shown, by the names that their providers gave, as far as the model still sees it.
    #[must_use]
    pub fn shown(&self) -> &Arc<BTreeSet<Arc<str>>> {
        &self.shown
    }

    /// Takes an entry. Total: an entry that does not fit changes nothing.
    pub fn apply(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Input { parts, delivery, .. } => {
                if !std::mem::replace(&mut self.busy, true) {
                    self.begin(entry.seq, parts.clone());
                } else if *delivery == InputDelivery::Steer {
                    // The model may be answering what was said before: this comes after its answer.
                    self.waiting.push((entry.seq, parts.clone()));
                } else {
                    self.queued.push((entry.seq, parts.clone()));
                }
            }
            Body::Assistant { parts, origin, .. } => self.answer(entry.seq, parts, origin.as_ref()),
            // A failed attempt is over, too: what was said meanwhile goes into the next one.
            Body::ModelFailed { .. } => self.flush(),
            Body::ToolEnd { call, status, content, .. } => {
                let Some(open) = self.open.as_mut().filter(|open| open.awaits(call)) else { return };
                open.results.push(ToolResult {
                    call: call.clone(),
                    status: *status,
                    content: content.clone(),
                });
                if open.results.len() >= open.calls {
                    self.close();
                }
            }
            Body::Notice { parts, .. } => {
                self.waiting.push((entry.seq, parts.clone()));
                if self.open.is_none() {
                    self.flush();
                }
            }
            Body::Context { parts, shows, .. } => self.show(parts, shows),
            Body::Compaction { upto, summary, .. } => self.compact(*upto, summary),
            Body::RunEnd { .. } => {
                self.close();
                self.busy = !self.queued.is_empty();
                if self.busy {
                    let (seq, parts) = self.queued.remove(0);
                    self.begin(seq, parts);
                }
            }
            _ => {}
        }
    }

    /// The input that begins a run.
    fn begin(&mut self, seq: Seq, parts: Vec<Part>) {
        self.input = Some(self.groups.len());
        self.push(seq, Group::user(parts));
    }

    /// Puts what was gathered before the input that began the run, into its group: some models take no two messages of the
    /// user in a row. The model has not been asked yet, so nothing that it saw changes.
    fn show(&mut self, gathered: &[Part], shows: &[Arc<str>]) {
        let input = self.input.take();
        if let Some(index) = input
            && let Some(group) = Arc::make_mut(&mut self.groups).get_mut(index)
            && let Some(seq) = self.starts.get(index)
            && let GroupBody::User { parts } = group.body()
            && !gathered.is_empty()
        {
            *group = Group::user(gathered.iter().chain(parts).cloned().collect());
            self.shown_at.extend(shows.iter().map(|name| (*seq, name.clone())));
            Arc::make_mut(&mut self.shown).extend(shows.iter().cloned());
        }
        // What was said meanwhile the model can see at once.
        self.flush();
    }

    fn push(&mut self, seq: Seq, group: Arc<Group>) {
        Arc::make_mut(&mut self.groups).push(group);
        self.starts.push(seq);
    }

    fn answer(&mut self, seq: Seq, parts: &[Part], origin: Option<&Origin>) {
        self.input = None;
        self.close();
        let calls = parts.iter().filter(|part| part.as_call().is_some()).count();
        if calls > 0 {
            let (parts, origin) = (parts.to_vec(), origin.cloned());
            self.open = Some(Open { seq, parts, origin, results: Vec::with_capacity(calls), calls });
        } else {
            if !parts.is_empty()
                && let Ok(group) = Group::assistant(parts.to_vec(), origin.cloned(), Vec::new())
            {
                self.push(seq, group);
            }
            self.flush();
        }
    }

    /// Closes an open answer. Calls without a result get one that says so: whatever the log holds, the request built from
    /// it is valid (guarantee G4).
    fn close(&mut self) {
        if let Some(mut open) = self.open.take() {
            for call in open.parts.iter().filter_map(Part::as_call) {
                if !open.results.iter().any(|result| result.call == call.id) {
                    open.results.push(ToolResult {
                        call: call.id.clone(),
                        status: ToolStatus::Unknown,
                        content: vec![Part::text("The outcome of this call is unknown.")],
                    });
                }
            }
            if let Ok(group) = Group::assistant(open.parts, open.origin, open.results) {
                self.push(open.seq, group);
            }
        }
        self.flush();
    }

    fn flush(&mut self) {
        for (seq, parts) in std::mem::take(&mut self.waiting) {
            self.push(seq, Group::user(parts));
        }
    }

    fn compact(&mut self, upto: Seq, summary: &str) {
        let gone = self.starts.iter().take_while(|start| **start <= upto).count();
        let groups = Arc::make_mut(&mut self.groups);
        let text = format!("Summary of the conversation so far:\n{summary}");
        groups.splice(..gone, [Group::user(vec![Part::text(text)])]);
        self.starts.splice(..gone, [upto]);
        self.input =
            self.input.and_then(|index| index.checked_sub(gone)).map(|index| index.saturating_add(1));
        self.compacted = upto;
        self.shown_at.retain(|(seq, _)| *seq > upto);
        self.shown = Arc::new(self.shown_at.iter().map(|(_, name)| name.clone()).collect());
    }
}

impl Open {
    fn awaits(&self, call: &CallId) -> bool {
        self.parts.iter().filter_map(Part::as_call).any(|made| made.id == *call)
            && !self.results.iter().any(|result| result.call == *call)
    }
}
