//! A session's log, folded.

use std::sync::Arc;

use super::entry::{Body, Entry};
use super::machine::Machine;
use crate::context::Context;
use crate::id::Seq;
use crate::tool::ToolSpec;

/// What the entries of a session add up to: where the machine stands, and what the model sees.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// What the session does next.
    pub machine: Machine,
    /// What the model sees.
    pub context: Context,
    /// The digest of the agent that is bound.
    pub bound: Option<String>,
    /// Whose session it is, where the host said so.
    pub user: Option<Arc<str>>,
}

impl Log {
    /// Folds a whole log.
    ///
    /// A rewind leaves the entries after its target out of the conversation, but not out of the machine: numbers of steps
    /// are never used twice.
    #[must_use]
    pub fn fold(entries: &[Entry]) -> Self {
        let mut log = Self::default();
        entries.iter().for_each(|entry| log.apply_machine(entry));
        let path = path(entries);
        path.iter().for_each(|entry| log.context.apply(entry));
        if path.len() < entries.len() {
            log.machine.recount(path);
        }
        log
    }

    /// Takes the next entry. A rewind needs [`Log::fold`].
    pub fn apply(&mut self, entry: &Entry) {
        self.apply_machine(entry);
        self.context.apply(entry);
    }

    /// The last entry.
    #[must_use]
    pub fn last(&self) -> Seq {
        self.machine.last()
    }

    fn apply_machine(&mut self, entry: &Entry) {
        self.machine.apply(entry);
        if let Body::Bound { digest, user, .. } = &entry.body {
            self.bound = Some(digest.clone());
            if let Some(user) = user {
                self.user = Some(user.clone());
            }
        }
    }
}

/// The entries that the conversation is made of: all of a log but those that a rewind left behind, and the rewinds themselves.
#[must_use]
pub fn path(entries: &[Entry]) -> Vec<&Entry> {
    let mut path: Vec<&Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        match &entry.body {
            // Numbers grow, so what is left behind is the end.
            Body::Rewind { to } => path.truncate(path.partition_point(|earlier| earlier.seq <= *to)),
            _ => path.push(entry),
        }
    }
    path
}

/// What a session records of the agent that it is bound to.
pub(crate) fn bound(agent: &crate::agent::Agent, model: String, user: Option<Arc<str>>) -> Body {
    Body::Bound {
        agent: agent.name().into(),
        digest: agent.digest().to_owned(),
        instructions: agent.instructions().clone(),
        tools: agent.tools().specs().iter().cloned().collect::<Vec<ToolSpec>>(),
        model,
        user,
    }
}
