//! What the tools have in common.

use std::sync::Arc;

use mosaic_core::memory::{MemoryError, MemoryStore, Reach, Scope, SourceRef};
use mosaic_core::{
    Effect, ErrorKind, ErrorReport, Runtime, Seq, Tool, ToolContext, ToolError, ToolOutput, ToolSet,
    ToolSetError, ToolSpec,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::block::BlockEdit;
use super::forget::Forget;
use super::preference::{PreferenceGet, PreferenceSet};
use super::save::Save;
use super::search::Search;
use crate::embed::Embedders;
use crate::recall::{Recall, RecallOptions};
use crate::write::{Action, Decision, Draft, WriteError, Writer, WriterOptions};

/// What becomes of a memory that an agent forgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Forgetting {
    /// It is believed no longer. Questions about the past still find it, and nobody can lose anything by a mistake of a model.
    #[default]
    Close,
    /// It is removed. Copies in the database's file may stay until the next `erase`.
    Remove,
}

/// Whose memory the tools work on. No input of a tool can say it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Whose {
    /// That of a scope.
    Scope(Scope),
    /// That of whoever's session the call is made in: see [`Scope::of_session`]. One agent serves many users so.
    Session,
}

impl From<Scope> for Whose {
    fn from(scope: Scope) -> Self {
        Self::Scope(scope)
    }
}

/// How the tools work.
#[derive(Debug, Clone)]
pub struct MemoryToolsOptions {
    /// How memories are found.
    pub recall: RecallOptions,
    /// How they are written.
    pub writer: WriterOptions,
    /// How far a search in a scope reaches: to what is in it. Of a session's tools, [`Scope::sight_of_session`] says it.
    pub reach: Reach,
    /// A search answers with at most so many tokens. 800.
    pub budget: u64,
    /// What becomes of what is forgotten.
    pub forgetting: Forgetting,
}

impl Default for MemoryToolsOptions {
    fn default() -> Self {
        Self {
            recall: RecallOptions::default(),
            writer: WriterOptions::default(),
            reach: Reach::Within,
            budget: 800,
            forgetting: Forgetting::Close,
        }
    }
}

/// The memory tools. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MemoryTools(Arc<Shared>);

/// What all of them work with.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Arc<dyn MemoryStore>,
    pub(super) runtime: Arc<dyn Runtime>,
    whose: Whose,
    pub(super) options: MemoryToolsOptions,
    pub(super) recall: Recall,
    pub(super) writer: Writer,
}

impl MemoryTools {
    /// Tools for the memory of a scope, or of whoever's session they are called in. With one embedder, as a rule; with
    /// [`Embedders`] while memories are embedded anew.
    #[must_use]
    pub fn new(
        store: Arc<dyn MemoryStore>,
        embedders: impl Into<Embedders>,
        runtime: Arc<dyn Runtime>,
        whose: impl Into<Whose>,
        options: MemoryToolsOptions,
    ) -> Self {
        let embedders = embedders.into();
        let recall = Recall::new(store.clone(), embedders.clone(), options.recall.clone());
        let writer = Writer::new(store.clone(), embedders, runtime.clone(), options.writer.clone());
        Self(Arc::new(Shared { store, runtime, whose: whose.into(), options, recall, writer }))
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<dyn Tool>> {
        vec![
            self.search(),
            self.save(),
            self.forget(),
            self.preference_get(),
            self.preference_set(),
            self.block_edit(),
        ]
    }

    /// All of them as a set.
    ///
    /// # Errors
    /// None in practice: their names differ.
    pub fn set(&self) -> Result<ToolSet, ToolSetError> {
        ToolSet::new(self.all())
    }

    /// `memory_search`.
    #[must_use]
    pub fn search(&self) -> Arc<dyn Tool> {
        Arc::new(Search::new(self.0.clone()))
    }

    /// `memory_save`.
    #[must_use]
    pub fn save(&self) -> Arc<dyn Tool> {
        Arc::new(Save::new(self.0.clone()))
    }

    /// `memory_forget`.
    #[must_use]
    pub fn forget(&self) -> Arc<dyn Tool> {
        Arc::new(Forget::new(self.0.clone()))
    }

    /// `preference_get`.
    #[must_use]
    pub fn preference_get(&self) -> Arc<dyn Tool> {
        Arc::new(PreferenceGet::new(self.0.clone()))
    }

    /// `preference_set`.
    #[must_use]
    pub fn preference_set(&self) -> Arc<dyn Tool> {
        Arc::new(PreferenceSet::new(self.0.clone()))
    }

    /// `block_edit`.
    #[must_use]
    pub fn block_edit(&self) -> Arc<dyn Tool> {
        Arc::new(BlockEdit::new(self.0.clone()))
    }
}

impl Shared {
    /// Where a call reads and writes.
    pub(super) fn scope(&self, ctx: &ToolContext) -> Scope {
        match &self.whose {
            Whose::Scope(scope) => scope.clone(),
            Whose::Session => Scope::of_session(&ctx.session, ctx.user.as_ref()),
        }
    }

    /// What a call finds.
    pub(super) fn sight(&self, ctx: &ToolContext) -> (Scope, Reach) {
        match &self.whose {
            Whose::Scope(scope) => (scope.clone(), self.options.reach),
            Whose::Session => Scope::sight_of_session(&ctx.session, ctx.user.as_ref(), &ctx.agent),
        }
    }

    /// Writes one draft, and says what became of it. Its source is the input that the model worked on.
    pub(super) async fn write(&self, ctx: &ToolContext, mut draft: Draft) -> Result<ToolOutput, ToolError> {
        if ctx.input != Seq::ZERO {
            draft.source.push(SourceRef { session: ctx.session.name.clone(), seq: ctx.input });
        }
        let decision = self.writer.save(&self.scope(ctx), draft).await.map_err(written)?;
        Ok(told(&decision))
    }

    /// A text without what must not be stored.
    pub(super) async fn clean(&self, text: String) -> Result<String, ToolError> {
        self.writer.clean_text(text).await.map_err(written)
    }
}

fn told(decision: &Decision) -> ToolOutput {
    let done = match decision.action {
        Action::Add | Action::Merge => "saved",
        Action::Supersede => "saved in place of what was there",
        Action::Strengthen => "known already",
        Action::Drop => "not saved",
    };
    let mut told = json!({"done": done, "why": decision.reason.to_string()});
    if let (Some(told), Some(id)) = (told.as_object_mut(), decision.memory) {
        told.insert("memory".into(), Value::String(id.to_string()));
    }
    ToolOutput::json(&told)
}

/// A tool's description. Its input has these members, of which the first few are required.
pub(super) fn spec(name: &str, about: &str, input: Value, required: &[&str], effect: Effect) -> ToolSpec {
    let schema =
        json!({"type": "object", "properties": input, "required": required, "additionalProperties": false});
    ToolSpec::new(name, about, schema).effect(effect)
}

/// Reads the input. A run has checked it against the schema before; a host that calls by hand may not have.
pub(super) fn read<T: DeserializeOwned>(input: Value) -> Result<T, ToolError> {
    serde_json::from_value(input).map_err(|error| invalid(format!("the input does not fit: {error}")))
}

/// A mistake of the model.
pub(super) fn invalid(message: impl Into<String>) -> ToolError {
    failed(ErrorKind::InvalidRequest, message)
}

pub(super) fn failed(kind: ErrorKind, message: impl Into<String>) -> ToolError {
    let mut error = ToolError::new(message).class("MemoryError");
    error.kind = kind;
    error
}

pub(super) fn stored(error: MemoryError) -> ToolError {
    reported(error.report())
}

pub(super) fn written(error: WriteError) -> ToolError {
    reported(error.report())
}

pub(super) fn reported(report: ErrorReport) -> ToolError {
    failed(report.kind, report.message)
}
