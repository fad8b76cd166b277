//! What servers send beside the answer, kept for the host: sources, moderation, what a filter found.
//!
//! | member | of | kept as [`Part::Provider`](mosaic_core::Part::Provider) of kind |
//! | --- | --- | --- |
//! | `annotations` of the message | OpenAI's search models, OpenRouter | `annotations`, all of them |
//! | `citations`, `search_results` | Perplexity, in every chunk | `citations`, `search_results`, the last |
//! | `moderation` | OpenAI | `moderation`, the last |
//! | `content_filter_results`, `prompt_filter_results` | Azure, in every chunk | the same, each that found something |
//!
//! None of it goes back: no server takes it.
//!
//! Sources: <https://platform.openai.com/docs/guides/tools-web-search?api-mode=chat>,
//! <https://docs.perplexity.ai/api-reference/chat-completions-post>,
//! <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/concepts/content-filter>

use mosaic_core::ModelEvent;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::wire::parts::{Building, Parts};

/// What was kept of one answer.
#[derive(Debug, Default)]
pub(super) struct Kept {
    annotations: Vec<Value>,
    /// The last of each kind, as it came: servers repeat it in every chunk, so it is parsed once.
    last: Vec<(&'static str, String)>,
    found: Vec<(&'static str, Value)>,
}

impl Kept {
    /// Takes sources that a message names.
    pub(super) fn annotations(&mut self, annotations: Vec<Value>) {
        self.annotations.extend(annotations);
    }

    /// Takes a member of which the last counts.
    pub(super) fn last(&mut self, kind: &'static str, member: Option<&RawValue>) {
        let Some(text) = member.map(RawValue::get).filter(|text| !matches!(*text, "null" | "[]" | "{}"))
        else {
            return;
        };
        match self.last.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, known)) if known == text => {}
            Some((_, known)) => text.clone_into(known),
            None => self.last.push((kind, text.to_owned())),
        }
    }

    /// Takes what a filter says, if it found something.
    pub(super) fn filter(&mut self, kind: &'static str, member: Option<&RawValue>) {
        // Nothing found is said in every chunk, and not worth parsing.
        let Some(text) = member.map(RawValue::get).filter(|text| text.contains("true")) else { return };
        let results: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        if found(&results, 0) && !self.found.iter().any(|(_, known)| *known == results) {
            self.found.push((kind, results));
        }
    }

    /// Hands it out, at the end of the answer.
    pub(super) fn close(&mut self, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        let mut keep = |kind: &str, data: Value| {
            parts.start(Building::Provider { kind: kind.to_owned(), data }, events);
        };
        if !self.annotations.is_empty() {
            keep("annotations", std::mem::take(&mut self.annotations).into());
        }
        for (kind, text) in self.last.drain(..) {
            keep(kind, serde_json::from_str(&text).unwrap_or(Value::String(text)));
        }
        self.found.drain(..).for_each(|(kind, results)| keep(kind, results));
    }
}

/// Whether `filtered` or `detected` is true somewhere.
fn found(results: &Value, depth: usize) -> bool {
    match results {
        _ if depth > 8 => false,
        Value::Object(members) => members.iter().any(|(name, value)| {
            (matches!(name.as_str(), "filtered" | "detected") && *value == Value::Bool(true))
                || found(value, depth + 1)
        }),
        Value::Array(values) => values.iter().any(|value| found(value, depth + 1)),
        _ => false,
    }
}
