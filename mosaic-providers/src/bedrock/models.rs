//! What differs between the models, as a table over their names.
//!
//! A name may stand inside of more: a region's prefix (`us.anthropic.claude-...`), or an ARN. The ARN of an application
//! inference profile tells nothing about its model; see [`Cache::On`](super::Cache).
//!
//! Sources: <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolResultBlock.html>,
//! <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>

use super::{Cache, Quirks};

/// Where a model takes cache points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Points {
    /// Nowhere: it refuses them.
    Nowhere,
    /// After the instructions, and after a message that ends in text.
    Text,
    /// After tools, instructions and any message.
    Everywhere,
}

/// How a model is told to think, in `additionalModelRequestFields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It is not told.
    None,
    /// `thinking`, as Anthropic's own API has it.
    Claude,
    /// `reasoningConfig {type, maxReasoningEffort}`.
    Nova,
    /// `reasoning_effort`.
    Effort,
}

/// What is known of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) points: Points,
    pub(super) thinking: Thinking,
    /// Whether it takes the `status` of a tool's result.
    pub(super) status: bool,
}

const fn row(points: Points, thinking: Thinking, status: bool) -> Model {
    Model { points, thinking, status }
}

/// The first row whose text is in the name counts.
const TABLE: &[(&str, Model)] = &[
    ("claude-instant", row(Points::Nowhere, Thinking::None, false)),
    ("claude-v2", row(Points::Nowhere, Thinking::None, false)),
    ("claude-3-opus", row(Points::Nowhere, Thinking::Claude, true)),
    ("claude-3-sonnet", row(Points::Nowhere, Thinking::Claude, true)),
    ("claude-3-haiku", row(Points::Nowhere, Thinking::Claude, true)),
    // Only accounts of the preview may cache with it.
    ("claude-3-5-sonnet", row(Points::Nowhere, Thinking::Claude, true)),
    ("claude", row(Points::Everywhere, Thinking::Claude, true)),
    ("nova-micro", row(Points::Text, Thinking::None, true)),
    ("nova-lite", row(Points::Text, Thinking::None, true)),
    ("nova-pro", row(Points::Text, Thinking::None, true)),
    ("nova-premier", row(Points::Text, Thinking::None, true)),
    ("nova-2", row(Points::Nowhere, Thinking::Nova, true)),
    ("gpt-oss", row(Points::Nowhere, Thinking::Effort, false)),
];

/// Of a model of which nothing is known: what every model takes.
const UNKNOWN: Model = row(Points::Nowhere, Thinking::None, false);

/// What the name tells.
pub(super) fn of(model: &str) -> Model {
    TABLE.iter().find(|(name, _)| model.contains(name)).map_or(UNKNOWN, |(_, model)| *model)
}

/// Where cache points go.
pub(super) fn points(model: &str, quirks: &Quirks) -> Points {
    match quirks.cache {
        Cache::ByModel => of(model).points,
        Cache::On => Points::Everywhere,
        Cache::Off => Points::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::{Points, Thinking, of, points};
    use crate::bedrock::{Cache, Quirks};

    #[test]
    fn a_models_name_tells_what_it_takes() {
        let arn = "arn:aws:bedrock:us-east-1:012345678901:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0";
        assert_eq!(of(arn).points, Points::Everywhere);
        assert_eq!(of("anthropic.claude-3-haiku-20240307-v1:0").points, Points::Nowhere);
        assert_eq!(of("anthropic.claude-3-5-haiku-20241022-v1:0").points, Points::Everywhere);
        assert_eq!(of("us.amazon.nova-pro-v1:0").points, Points::Text);
        assert_eq!(of("us.amazon.nova-2-lite-v1:0").thinking, Thinking::Nova);
        assert_eq!(of("meta.llama3-3-70b-instruct-v1:0").points, Points::Nowhere);
        let hidden = "arn:aws:bedrock:eu-west-1:012345678901:application-inference-profile/abc";
        assert_eq!(points(hidden, &Quirks::default()), Points::Nowhere);
        assert_eq!(points(hidden, &Quirks { cache: Cache::On }), Points::Everywhere);
    }
}
