//! How a model is told to think, as a table over the models' names.
//!
//! Source: <https://docs.ollama.com/capabilities/thinking>: most models are told `true` or `false`; GPT-OSS is told a
//! level, takes no notice of anything else, and cannot stop thinking.

use mosaic_core::Reasoning;
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Think {
    Switch,
    Level,
}

/// The first row whose text is in the name counts.
const TABLE: &[(&str, Think)] = &[("gpt-oss", Think::Level), ("", Think::Switch)];

/// The value of `think`.
pub(super) fn think(model: &str, reasoning: Reasoning) -> Option<Value> {
    let how = TABLE.iter().find(|(name, _)| model.contains(name)).map_or(Think::Switch, |(_, how)| *how);
    Some(match (how, reasoning) {
        (Think::Switch, Reasoning::Off) => false.into(),
        (Think::Switch, Reasoning::Low | Reasoning::Medium | Reasoning::High) => true.into(),
        // The nearest to not at all.
        (Think::Level, Reasoning::Off | Reasoning::Low) => "low".into(),
        (Think::Level, Reasoning::Medium) => "medium".into(),
        (Think::Level, Reasoning::High) => "high".into(),
        // A level of a newer core: the model's own default.
        _ => return None,
    })
}
