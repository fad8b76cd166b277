//! Facts about a model.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Price;

/// How a model is brought to call tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolMode {
    /// Through the provider's own tool interface. A call that the model writes into its text instead is accepted when
    /// it names a registered tool and its arguments pass that tool's schema.
    #[default]
    Native,
    /// The answer is forced into a JSON Schema: an `anyOf` of the tools' calls and a final answer. Hidden from the host.
    JsonSchema,
    /// The tools are described in the instructions and calls are read from the text.
    Text,
}

/// What a model can do, beyond text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// Calls tools (in any tool mode).
    Tools,
    /// Takes images.
    ImageInput,
    /// Takes documents.
    DocumentInput,
    /// Takes sound.
    AudioInput,
    /// Keeps to a JSON Schema.
    StructuredOutput,
    /// Thinks before it answers.
    Reasoning,
    /// Reads the beginning of a prompt from a cache, at a lower price or sooner.
    PromptCache,
}

/// Facts about a model. What is not known is left out, and nothing is assumed in its place.
///
/// ```
/// use mosaic_core::{Capability, ModelInfo};
///
/// // What the host says counts; what it leaves out, something that knows the model may fill in.
/// let known = ModelInfo { window: Some(8_192), ..ModelInfo::new("lab", "small") }.able([Capability::Tools]);
/// let own = ModelInfo { window: Some(4_096), ..ModelInfo::new("lab", "small") };
/// let info = own.over(known);
/// assert_eq!((info.window, info.can(Capability::Tools)), (Some(4_096), Some(true)));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelInfo {
    /// The provider, as the host's configuration names it.
    pub provider: Arc<str>,
    /// The model, as the provider names it.
    pub model: Arc<str>,
    /// Tokens of prompt and answer together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// Tokens of the prompt, where the provider limits them more than the window does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_input: Option<u64>,
    /// Tokens of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// How it is brought to call tools.
    #[serde(default)]
    pub tool_mode: ToolMode,
    /// How it is brought to answer in a shape.
    #[serde(default)]
    pub output_mode: super::OutputMode,
    /// What it can do, all of it but for what is `unsure`; `None` where nobody said. See [`can`](Self::can).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<BTreeSet<Capability>>,
    /// What nobody knows whether it can: no source says so, and none denies it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unsure: BTreeSet<Capability>,
    /// What it costs; `None` where nobody said, which is not the same as nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The day on which the provider means to switch it off, as `2027-01-14`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retires: Option<Arc<str>>,
    /// Who says all this: a catalogue and its date. `None`: the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Arc<str>>,
}

impl ModelInfo {
    /// A model of which only the name is known.
    pub fn new(provider: impl Into<Arc<str>>, model: impl Into<Arc<str>>) -> Self {
        Self {
            provider: provider.into(),
            model: model.into(),
            window: None,
            max_input: None,
            max_output: None,
            tool_mode: ToolMode::default(),
            output_mode: super::OutputMode::default(),
            capabilities: None,
            unsure: BTreeSet::new(),
            price: None,
            retires: None,
            source: None,
        }
    }

    /// With these abilities, and no others.
    #[must_use]
    pub fn able(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        self.capabilities = Some(capabilities.into_iter().collect());
        self.unsure = BTreeSet::new();
        self
    }

    /// Whether it can do that; `None` where nobody said what it can do. A model that the host names itself is then asked
    /// all the same, and its provider decides; a router never falls back on a guess.
    #[must_use]
    pub fn can(&self, capability: Capability) -> Option<bool> {
        match self.capabilities.as_ref()?.contains(&capability) {
            true => Some(true),
            false if self.unsure.contains(&capability) => None,
            false => Some(false),
        }
    }

    /// These facts, and where they say nothing, others of the same model. Abilities are taken from one of the two, whole,
    /// and so is the price; the names and the modes are these.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        let (capabilities, unsure) = match self.capabilities {
            Some(own) => (Some(own), self.unsure),
            None => (other.capabilities, other.unsure),
        };
        Self {
            provider: self.provider,
            model: self.model,
            window: self.window.or(other.window),
            max_input: self.max_input.or(other.max_input),
            max_output: self.max_output.or(other.max_output),
            tool_mode: self.tool_mode,
            output_mode: self.output_mode,
            capabilities,
            unsure,
            price: self.price.or(other.price),
            retires: self.retires.or(other.retires),
            source: self.source.or(other.source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Capability, ModelInfo, ToolMode};
    use crate::model::{Price, Rates};

    #[test]
    fn what_nobody_knows_is_neither_yes_nor_no() {
        let mut info = ModelInfo::new("lab", "m");
        assert_eq!(info.can(Capability::Tools), None, "nobody said anything");
        info = info.able([Capability::Tools]);
        assert_eq!(info.can(Capability::Tools), Some(true));
        assert_eq!(info.can(Capability::ImageInput), Some(false), "a list is a whole list");
        info.unsure.insert(Capability::ImageInput);
        assert_eq!(info.can(Capability::ImageInput), None);
    }

    #[test]
    fn what_the_host_says_goes_before_what_is_known() {
        let known = ModelInfo {
            window: Some(100),
            max_output: Some(10),
            price: Some(Price::new(Rates::new(1, 2))),
            source: Some("a list".into()),
            unsure: [Capability::AudioInput].into(),
            capabilities: Some([Capability::Tools].into()),
            ..ModelInfo::new("lab", "m-2026-01-01")
        };
        let mine = ModelInfo {
            max_output: Some(5),
            tool_mode: ToolMode::Text,
            ..ModelInfo::new("lab", "m").able([Capability::ImageInput])
        };
        let info = mine.over(known.clone());
        assert_eq!((&*info.model, info.tool_mode), ("m", ToolMode::Text));
        assert_eq!((info.window, info.max_output), (Some(100), Some(5)));
        assert_eq!(info.can(Capability::Tools), Some(false), "abilities are not mixed");
        assert_eq!(info.can(Capability::AudioInput), Some(false));
        assert_eq!(info.price, known.price);
        let nothing = ModelInfo::new("lab", "m").over(known);
        assert_eq!(nothing.can(Capability::AudioInput), None);
    }

    #[test]
    fn as_json_only_what_is_known_is_written() {
        let text = serde_json::to_string(&ModelInfo::new("lab", "m")).unwrap();
        assert_eq!(text, r#"{"provider":"lab","model":"m","tool_mode":"native","output_mode":"native"}"#);
        let least: ModelInfo = serde_json::from_str(r#"{"provider":"lab","model":"m"}"#).unwrap();
        assert_eq!(least, ModelInfo::new("lab", "m"));
    }
}
