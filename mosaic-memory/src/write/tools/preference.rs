//! `preference_get` and `preference_set`.

use std::sync::Arc;

use mosaic_core::memory::{AsOf, MemoryBody};
use mosaic_core::{Effect, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shared::{Shared, invalid, read, spec, stored};
use crate::write::writer::preferences;
use crate::write::{Draft, normalise};

/// Preferences shown at once.
const MOST: usize = 50;
/// Characters of a value shown in a list.
const MAX_SHOWN: usize = 200;
const MAX_KEY: usize = 100;
const MAX_VALUE: usize = 1_000;

#[derive(Debug)]
pub(super) struct PreferenceGet {
    shared: Arc<Shared>,
    spec: ToolSpec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Get {
    key: Option<String>,
}

impl PreferenceGet {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let about = "Tells a preference of the user, or all of them, as `key: value`.";
        let input = json!({"key": {"type": "string", "description": "Which; all if left out.", "maxLength": MAX_KEY}});
        Self { shared, spec: spec("preference_get", about, input, &[], Effect::ReadOnly) }
    }
}

#[async_trait::async_trait]
impl Tool for PreferenceGet {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, ctx: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let Get { key } = read(input)?;
        let wanted = key.as_deref().map(normalise);
        let shared = &self.shared;
        let all = preferences(&*shared.store, &shared.scope(ctx)).await.map_err(stored)?;
        let now = AsOf::valid(shared.runtime.now());
        let mut lines: Vec<String> = Vec::new();
        for memory in all.iter().filter(|memory| now.admits(memory)) {
            let MemoryBody::Preference { key, value, .. } = &memory.body else { continue };
            match &wanted {
                Some(wanted) if normalise(key) == *wanted => return Ok(ToolOutput::text(&**value)),
                Some(_) => {}
                None => lines.push(format!("{key}: {}\n", value.chars().take(MAX_SHOWN).collect::<String>())),
            }
        }
        lines.sort();
        let more = lines.len().saturating_sub(MOST);
        lines.truncate(MOST);
        if lines.is_empty() {
            return Ok(ToolOutput::text("not known"));
        }
        if more > 0 {
            lines.push(format!("and {more} more; ask for a key\n"));
        }
        Ok(ToolOutput::text(lines.concat()))
    }
}

#[derive(Debug)]
pub(super) struct PreferenceSet {
    shared: Arc<Shared>,
    spec: ToolSpec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    key: String,
    value: String,
}

impl PreferenceSet {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let about =
            "Remembers what the user likes, uses or wants, in place of what was known under that key.";
        let input = json!({
            "key": {"type": "string", "description": "Of what, in one to three words: `drink`, `language`.",
                "minLength": 1, "maxLength": MAX_KEY},
            "value": {"type": "string", "description": "Which.", "minLength": 1, "maxLength": MAX_VALUE},
        });
        // The same value again finds itself there.
        Self { shared, spec: spec("preference_set", about, input, &["key", "value"], Effect::Idempotent) }
    }
}

#[async_trait::async_trait]
impl Tool for PreferenceSet {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, ctx: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let Set { key, value } = read(input)?;
        for (what, text, most) in [("key", &key, MAX_KEY), ("value", &value, MAX_VALUE)] {
            if text.chars().count() > most {
                return Err(invalid(format!("the {what} has more than {most} characters; shorten it")));
            }
        }
        self.shared.write(ctx, Draft::preference(key, value, 1.0)).await
    }
}
