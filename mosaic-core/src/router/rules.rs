//! Rules by kind of task: simple turns to small models, code to those that write it well.
//!
//! A rule says who is asked first for a kind of task; when all of those are out, the others are asked as always. Nobody is
//! asked who does not pass the filters. The kind comes from [`RouteHints::task`](super::RouteHints::task), else from the
//! router's [`Classifier`]; without both, no rule applies.
//!
//! A conversation whose turns change between two models fills two prompt caches. `docs/routing.md` has what rules save in the
//! simulation.
//!
//! ```
//! # use std::sync::Arc;
//! # use mosaic_core::{ChatModel, Group, ModelRequest, Part, testing::{ScriptedModel, TestRuntime}};
//! use mosaic_core::router::{Candidate, Heuristics, RouteHints, Router, TaskKind, TaskRule};
//! # let (small, large): (Arc<dyn ChatModel>, Arc<dyn ChatModel>) =
//! #     (Arc::new(ScriptedModel::new([])), Arc::new(ScriptedModel::new([])));
//! let router = Router::builder(Arc::new(TestRuntime::new(1)))
//!     .candidate(Candidate::new("large", large))
//!     .candidate(Candidate::new("small", small).priority(1).tag("small"))
//!     .classifier(Arc::new(Heuristics))
//!     .rule(TaskRule::new(TaskKind::Simple).to_tag("small"))
//!     .build()?;
//! let ask = |text: &str| ModelRequest {
//!     groups: Arc::new(vec![Group::user(vec![Part::text(text)])]),
//!     ..ModelRequest::default()
//! };
//! let chosen = |text| router.explain(&ask(text), &RouteHints::new()).chosen.unwrap();
//! assert_eq!(&*chosen("Thanks, and good night!"), "small");
//! assert_eq!(&*chosen("Prove that there are infinitely many primes."), "large");
//! # Ok::<(), mosaic_core::router::RouterError>(())
//! ```

#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::sync::Arc;

use super::{Candidate, RouteHints, TaskKind};
use crate::message::{GroupBody, Part};
use crate::model::{ModelRequest, Reasoning};

/// Tells what kind of task a request is. Called for every call that does not say it: it must be quick and must not block; a
/// host that asks a model sets [`RouteHints::task`] itself.
pub trait Classifier: Debug + Send + Sync {
    /// The kind; `None` where it cannot tell, and then no rule applies.
    fn classify(&self, request: &ModelRequest, hints: &RouteHints) -> Option<TaskKind>;
}

/// Who is asked first for one kind of task.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct TaskRule {
    task: TaskKind,
    candidates: Vec<Arc<str>>,
    tags: Vec<Arc<str>>,
}

impl TaskRule {
    /// For this kind; to nobody yet.
    pub fn new(task: TaskKind) -> Self {
        Self { task, candidates: Vec::new(), tags: Vec::new() }
    }

    /// To this candidate, and others that are named.
    pub fn to(mut self, candidate: impl Into<Arc<str>>) -> Self {
        self.candidates.push(candidate.into());
        self
    }

    /// To the candidates with this tag, and others that are named.
    pub fn to_tag(mut self, tag: impl Into<Arc<str>>) -> Self {
        self.tags.push(tag.into());
        self
    }

    pub(super) fn is_for(&self, task: &TaskKind) -> bool {
        self.task == *task
    }

    pub(super) fn favours(&self, candidate: &Candidate) -> bool {
        self.candidates.contains(&candidate.id) || candidate.tags.iter().any(|tag| self.tags.contains(tag))
    }

    /// The candidates that it names.
    pub(super) fn named(&self) -> impl Iterator<Item = &Arc<str>> {
        self.candidates.iter()
    }

    /// The tags that it names.
    pub(super) fn tags(&self) -> impl Iterator<Item = &Arc<str>> {
        self.tags.iter()
    }
}

/// Cheap guesses from the last thing that the user said. Nothing is called simple that looks like code, asks for thought, has
/// media beside it, is long, or must have a shape. The words are English.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heuristics;

/// Bytes of the longest simple message: three or four sentences.
const SHORT: usize = 280;
const CODE: [&str; 14] = [
    "```",
    "fn ",
    "def ",
    "class ",
    "import ",
    "#include",
    "</",
    "();",
    "=> ",
    "SELECT ",
    "traceback",
    "stack trace",
    "compile",
    "refactor",
];
const THOUGHT: [&str; 14] = [
    "prove",
    "proof",
    "derive",
    "step by step",
    "trade-off",
    "tradeoff",
    "compare",
    "evaluate",
    "analyse",
    "analyze",
    "strategy",
    "architecture",
    "explain why",
    "root cause",
];

impl Classifier for Heuristics {
    fn classify(&self, request: &ModelRequest, _: &RouteHints) -> Option<TaskKind> {
        let parts = request.groups.iter().rev().find_map(|group| match group.body() {
            GroupBody::User { parts } => Some(parts),
            GroupBody::Assistant { .. } => None,
        })?;
        let text: Vec<&str> = parts.iter().filter_map(Part::as_text).collect();
        let text = text.join("\n");
        let lower = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(&word.to_lowercase()));
        if has(&CODE) {
            return Some(TaskKind::Code);
        }
        if has(&THOUGHT) || matches!(request.params.reasoning, Some(Reasoning::Medium | Reasoning::High)) {
            return Some(TaskKind::Reasoning);
        }
        let plain = text.len() <= SHORT && parts.iter().all(|part| part.as_text().is_some());
        Some(if plain && request.output.is_none() { TaskKind::Simple } else { TaskKind::General })
    }
}
