//! What one asks of a store of memories, and what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Memory, MemoryId, MemoryKind, Reach, Scope, Vector};
use crate::runtime::Timestamp;

/// Of which times the answer is. The default is what we believe now, whenever it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub struct AsOf {
    /// Only what is so at this time; otherwise at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<Timestamp>,
    /// What we believed at this time; otherwise what we believe now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Timestamp>,
}

impl AsOf {
    /// What we believe now to be so at a time.
    #[must_use]
    pub fn valid(at: Timestamp) -> Self {
        Self { valid: Some(at), recorded: None }
    }

    /// What we believed at a time to be so at that time: "what did we believe in May".
    #[must_use]
    pub fn then(at: Timestamp) -> Self {
        Self { valid: Some(at), recorded: Some(at) }
    }

    /// Whether a memory is part of the answer.
    #[must_use]
    pub fn admits(&self, memory: &Memory) -> bool {
        let ends = |end: Option<Timestamp>| end.unwrap_or(Timestamp(u64::MAX));
        let valid = |at: Timestamp| memory.valid_from <= at && at < ends(memory.valid_to);
        let believed = match self.recorded {
            Some(at) => memory.recorded_at <= at && at < ends(memory.closed_at),
            None => memory.closed_at.is_none(),
        };
        believed && self.valid.is_none_or(valid)
    }
}

/// Which memories are meant, beyond the scope. The default admits all that we believe now.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// Only of these kinds; empty: of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<MemoryKind>,
    /// Of which times.
    #[serde(default)]
    pub as_of: AsOf,
    /// Only what was said (or, where that is not known, became so) at this time or later ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// ... and before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
    /// Only what has, under each of these names, one of these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Vec<Value>>,
}

impl Filter {
    /// Whether a memory is meant.
    #[must_use]
    pub fn admits(&self, memory: &Memory) -> bool {
        let at = memory.told_at();
        (self.kinds.is_empty() || self.kinds.contains(&memory.body.kind()))
            && self.as_of.admits(memory)
            && self.since.is_none_or(|since| since <= at)
            && self.before.is_none_or(|before| at < before)
            && self
                .metadata
                .iter()
                .all(|(name, values)| memory.metadata.get(name).is_some_and(|value| values.contains(value)))
    }
}

impl Memory {
    /// When it was said, or else became so.
    #[must_use]
    pub fn told_at(&self) -> Timestamp {
        self.place.as_ref().and_then(|place| place.said_at).unwrap_or(self.valid_from)
    }
}

/// What to search for. A query without text and vectors finds nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchQuery {
    /// Where.
    pub scope: Scope,
    /// How far around.
    #[serde(default)]
    pub reach: Reach,
    /// Words to look for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The question as vectors, the most wanted model first. A memory is compared by the first model that it has a vector of, so
    /// an old and a new model serve together while memories are embedded anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vectors: Vec<Vector>,
    /// Which memories are meant.
    #[serde(default)]
    pub filter: Filter,
    /// So many of each arm (words, words with neighbours, the vectors of each model): the best.
    pub limit: u32,
    /// So many neighbours of each hit, on either side.
    #[serde(default)]
    pub neighbours: u32,
}

impl SearchQuery {
    /// A query that finds nothing yet, of 50 candidates an arm.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            reach: Reach::Within,
            text: None,
            vectors: Vec::new(),
            filter: Filter::default(),
            limit: 50,
            neighbours: 0,
        }
    }

    /// By words.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// By meaning.
    #[must_use]
    pub fn vector(mut self, vector: Vector) -> Self {
        self.vectors.push(vector);
        self
    }
}

/// A memory that may answer a query, and what each arm says of it. The scores are raw: of what size they are depends on the
/// store and the query; only those of one arm of one answer can be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// The memory.
    pub memory: Arc<Memory>,
    /// How well its words match; `None` where none does.
    pub lexical: Option<f64>,
    /// The same of it together with its neighbours on either side, read as one text.
    pub window: Option<f64>,
    /// How alike the directions of its vector and the query's are, from -1 to 1; `None` where there are none to compare.
    /// Exact for the best; that of a candidate which is here for its words or its neighbours may be off by a hundredth. Those of
    /// two models cannot be compared.
    pub dense: Option<f64>,
    /// The model by which they were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Arc<str>>,
    /// Whether it is among the best of an arm, or here because it stands beside one that is.
    pub hit: bool,
}

/// What a search found: the best of each arm and their neighbours, each once, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Candidates {
    /// The candidates.
    pub candidates: Vec<Candidate>,
    /// How many memories the filter admitted.
    pub admitted: u64,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryPage {
    /// Which memories are meant.
    pub filter: Filter,
    /// Only ids after this one: the last of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MemoryId>,
    /// At most so many.
    pub limit: u32,
}

impl Default for MemoryPage {
    fn default() -> Self {
        Self { filter: Filter::default(), after: None, limit: 100 }
    }
}

/// How much there is in a scope.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct MemoryCounts {
    /// Memories, closed ones too.
    pub memories: u64,
    /// Those that we believe.
    pub open: u64,
    /// Vectors, by model.
    pub vectors: BTreeMap<Arc<str>, u64>,
    /// Core blocks.
    pub blocks: u64,
}
