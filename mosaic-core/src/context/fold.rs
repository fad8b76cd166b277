//! The fold.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::id::{CallId, Seq};
use crate::message::{Group, GroupBody, Origin, Part, ToolResult, ToolStatus};
use crate::session::{Body, Entry, InputDelivery};
use crate::summary::Facts;

/// What the model sees of a session: a fold over its entries.
#[derive(Debug, Clone, Default)]
pub struct Context {
    groups: Arc<Vec<Arc<Group>>>,
    /// Where in the log each group stands; as long as `groups`.
    places: Vec<Place>,
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

/// Where in the log a group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The entry that said it: an input, a notice, an answer. Of a summary, the last entry that it stands for.
    pub(crate) said: Seq,
    /// The entry with which the group joined the conversation: the last result of an answer's calls, or, for an input that had to
    /// wait, what it waited for. Never less than that of the group before.
    pub(crate) joined: Seq,
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

    /// Where the groups stand in the log.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Whether the first group is a summary.
    pub(crate) fn is_compacted(&self) -> bool {
        self.compacted > Seq::ZERO
    }

    /// Inputs that have not joined the conversation yet.
    pub(crate) fn pending(&self) -> impl Iterator<Item = Seq> {
        self.waiting.iter().chain(&self.queued).map(|(seq, _)| *seq)
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
        let at = entry.seq;
        match &entry.body {
            Body::Input { parts, delivery, .. } => {
                if !std::mem::replace(&mut self.busy, true) {
                    self.begin(at, at, parts.clone());
                } else if *delivery == InputDelivery::Steer {
                    // The model may be answering what was said before: this comes after its answer.
                    self.waiting.push((entry.seq, parts.clone()));
                } else {
                    self.queued.push((entry.seq, parts.clone()));
                }
            }
            Body::Assistant { parts, origin, .. } => self.answer(entry.seq, parts, origin.as_ref()),
            // A failed attempt is over, too: what was said meanwhile goes into the next one.
            Body::ModelFailed { .. } => self.flush(at),
            Body::ToolEnd { call, status, content, .. } => {
                let Some(open) = self.open.as_mut().filter(|open| open.awaits(call)) else { return };
                open.results.push(ToolResult {
                    call: call.clone(),
                    status: *status,
                    content: content.clone(),
                });
                if open.results.len() >= open.calls {
                    self.close(at);
                }
            }
            Body::Notice { parts, .. } => {
                self.waiting.push((entry.seq, parts.clone()));
                if self.open.is_none() {
                    self.flush(at);
                }
            }
            Body::Context { parts, shows, .. } => self.show(at, parts, shows),
            Body::Compaction { upto, summary, facts, .. } => {
                self.compact(*upto, summary, facts);
                self.flush_unless_open(at);
            }
            // What was said meanwhile goes into the model call that follows.
            Body::CompactFailed { .. } => self.flush_unless_open(at),
            Body::RunEnd { .. } => {
                self.close(at);
                self.busy = !self.queued.is_empty();
                if self.busy {
                    let (seq, parts) = self.queued.remove(0);
                    self.begin(seq, at, parts);
                }
            }
            _ => {}
        }
    }

    /// The input that begins a run.
    fn begin(&mut self, said: Seq, joined: Seq, parts: Vec<Part>) {
        self.input = Some(self.groups.len());
        self.push(said, joined, Group::user(parts));
    }

    /// Puts what was gathered before the input that began the run, into its group: some models take no two messages of the
    /// user in a row. The model has not been asked yet, so nothing that it saw changes.
    fn show(&mut self, at: Seq, gathered: &[Part], shows: &[Arc<str>]) {
        let input = self.input.take();
        if let Some(index) = input
            && let Some(group) = Arc::make_mut(&mut self.groups).get_mut(index)
            && let Some(place) = self.places.get(index)
            && let GroupBody::User { parts } = group.body()
            && !gathered.is_empty()
        {
            *group = Group::user(gathered.iter().chain(parts).cloned().collect());
            self.shown_at.extend(shows.iter().map(|name| (place.joined, name.clone())));
            Arc::make_mut(&mut self.shown).extend(shows.iter().cloned());
        }
        // What was said meanwhile the model can see at once.
        self.flush(at);
    }

    fn push(&mut self, said: Seq, joined: Seq, group: Arc<Group>) {
        Arc::make_mut(&mut self.groups).push(group);
        self.places.push(Place { said, joined });
    }

    fn answer(&mut self, seq: Seq, parts: &[Part], origin: Option<&Origin>) {
        self.input = None;
        self.close(seq);
        let calls = parts.iter().filter(|part| part.as_call().is_some()).count();
        if calls > 0 {
            let (parts, origin) = (parts.to_vec(), origin.cloned());
            self.open = Some(Open { seq, parts, origin, results: Vec::with_capacity(calls), calls });
        } else {
            if !parts.is_empty()
                && let Ok(group) = Group::assistant(parts.to_vec(), origin.cloned(), Vec::new())
            {
                self.push(seq, seq, group);
            }
            self.flush(seq);
        }
    }

    /// Closes an open answer. Calls without a result get one that says so: whatever the log holds, the request built from
    /// it is valid (guarantee G4).
    fn close(&mut self, at: Seq) {
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
                self.push(open.seq, at, group);
            }
        }
        self.flush(at);
    }

    fn flush(&mut self, at: Seq) {
        for (seq, parts) in std::mem::take(&mut self.waiting) {
            self.push(seq, at, Group::user(parts));
        }
    }

    fn flush_unless_open(&mut self, at: Seq) {
        if self.open.is_none() {
            self.flush(at);
        }
    }

    fn compact(&mut self, upto: Seq, summary: &str, facts: &Value) {
        let gone = self.places.iter().take_while(|place| place.joined <= upto).count();
        Arc::make_mut(&mut self.groups).splice(..gone, [summary_group(summary, facts)]);
        self.places.splice(..gone, [Place { said: upto, joined: upto }]);
        self.input =
            self.input.and_then(|index| index.checked_sub(gone)).map(|index| index.saturating_add(1));
        self.compacted = upto;
        self.shown_at.retain(|(seq, _)| *seq > upto);
        self.shown = Arc::new(self.shown_at.iter().map(|(_, name)| name.clone()).collect());
    }
}

/// What stands in the place of what was summarised.
pub(crate) fn summary_group(summary: &str, facts: &Value) -> Arc<Group> {
    let mut text = format!("Summary of the conversation so far:\n{summary}");
    let facts = match Facts::from_value(facts) {
        Some(facts) => facts.text(),
        None if facts.is_null() => String::new(),
        // Of another version, or of somebody else.
        None => facts.to_string(),
    };
    if !facts.is_empty() {
        text.push_str("\n\nFacts from the log of this conversation:\n");
        text.push_str(&facts);
    }
    Group::user(vec![Part::text(text)])
}

impl Open {
    fn awaits(&self, call: &CallId) -> bool {
        self.parts.iter().filter_map(Part::as_call).any(|made| made.id == *call)
            && !self.results.iter().any(|result| result.call == *call)
    }
}
