//! A group: the unit of a conversation that is encoded once and kept.

use std::sync::{Arc, OnceLock};

use thiserror::Error;

use super::counts::Counts;
use super::fragments::Fragments;
use super::measure::Measure;
use super::{Origin, Part, ToolResult};

/// What is wrong with a group that somebody tried to build.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GroupError {
    /// A call has no result, or more than one.
    #[error("call `{call}` has {found} results; every call has exactly one")]
    Results {
        /// The call.
        call: String,
        /// How many results there were.
        found: usize,
    },
    /// A result belongs to no call of the answer.
    #[error("a result names call `{call}`, which the answer does not make")]
    Orphan {
        /// The call it names.
        call: String,
    },
}

/// What a group holds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum GroupBody {
    /// An input of the user, or a notice of the library.
    User {
        /// What it says.
        parts: Vec<Part>,
    },
    /// An answer of a model with the results of the calls in it, in the order of the calls.
    Assistant {
        /// What it says.
        parts: Vec<Part>,
        /// The model that said it.
        origin: Option<Origin>,
        /// One result a call.
        results: Vec<ToolResult>,
    },
}

/// An input, or an answer with the results of its calls; immutable, shared, and encoded at most once a model.
#[derive(Debug)]
pub struct Group {
    body: GroupBody,
    fragments: Fragments,
    counts: Counts,
    measure: OnceLock<Measure>,
}

impl Group {
    /// What a user says.
    #[must_use]
    pub fn user(parts: Vec<Part>) -> Arc<Self> {
        Self::of(GroupBody::User { parts })
    }

    /// What a model says, with the results of its calls.
    ///
    /// # Errors
    /// When a call has no result or several, or a result no call. Results are put into the order of the calls.
    pub fn assistant(
        parts: Vec<Part>,
        origin: Option<Origin>,
        mut results: Vec<ToolResult>,
    ) -> Result<Arc<Self>, GroupError> {
        let mut ordered = Vec::with_capacity(results.len());
        for call in parts.iter().filter_map(Part::as_call) {
            let found = results.iter().filter(|result| result.call == call.id).count();
            match results.iter().position(|result| result.call == call.id) {
                Some(index) if found == 1 => ordered.push(results.swap_remove(index)),
                _ => return Err(GroupError::Results { call: call.id.to_string(), found }),
            }
        }
        if let Some(orphan) = results.first() {
            return Err(GroupError::Orphan { call: orphan.call.to_string() });
        }
        Ok(Self::of(GroupBody::Assistant { parts, origin, results: ordered }))
    }

    fn of(body: GroupBody) -> Arc<Self> {
        Arc::new(Self {
            body,
            fragments: Fragments::default(),
            counts: Counts::default(),
            measure: OnceLock::new(),
        })
    }

    /// What it holds.
    #[must_use]
    pub fn body(&self) -> &GroupBody {
        &self.body
    }

    /// What it was encoded to.
    #[must_use]
    pub fn fragments(&self) -> &Fragments {
        &self.fragments
    }
    /// How many tokens it is.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How big it is; measured when it is first asked for.
    #[must_use]
    pub fn measure(&self) -> &Measure {
        self.measure.get_or_init(|| Measure::of(&self.body))
    }
}
