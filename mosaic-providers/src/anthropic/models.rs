//! What differs between Anthropic's models, as a table over their names.
//!
//! Sources: <https://docs.anthropic.com/en/docs/about-claude/models/overview>,
//! <https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking>,
//! <https://docs.anthropic.com/en/docs/build-with-claude/adaptive-thinking>

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// It cannot.
    None,
    /// `{type: "enabled", budget_tokens}`: up to the models of 2025.
    Budget,
    /// `{type: "adaptive"}` and `output_config.effort`: from Opus 4.6 and Sonnet 4.6 on.
    Adaptive,
}

/// What a name tells; the first row whose text is in the name counts. `max_tokens` must be sent and must not be above the
/// model's limit, so it is each family's own.
const TABLE: &[(&str, Thinking, u64)] = &[
    ("claude-3-7", Thinking::Budget, 64_000),
    ("claude-3-5", Thinking::None, 8_192),
    ("claude-3", Thinking::None, 4_096),
    ("opus-4-0", Thinking::Budget, 32_000),
    ("opus-4-1", Thinking::Budget, 32_000),
    ("opus-4-2", Thinking::Budget, 32_000),
    ("opus-4-5", Thinking::Budget, 64_000),
    ("sonnet-4-0", Thinking::Budget, 64_000),
    ("sonnet-4-2", Thinking::Budget, 64_000),
    ("sonnet-4-5", Thinking::Budget, 64_000),
    ("haiku-4-5", Thinking::Budget, 64_000),
    ("claude", Thinking::Adaptive, 64_000),
];

/// Of a model of which nothing is known: another vendor's, behind a compatible endpoint.
const UNKNOWN: (Thinking, u64) = (Thinking::Budget, 4_096);

/// How the model thinks, and how many tokens it may answer where the host sets no limit.
pub(crate) fn of(model: &str) -> (Thinking, u64) {
    TABLE
        .iter()
        .find(|(name, _, _)| model.contains(name))
        .map_or(UNKNOWN, |(_, thinking, limit)| (*thinking, *limit))
}

#[cfg(test)]
mod tests {
    use super::{Thinking, of};

    #[test]
    fn a_models_name_tells_how_it_thinks() {
        assert_eq!(of("claude-3-haiku-20240307"), (Thinking::None, 4_096));
        assert_eq!(of("claude-sonnet-4-20250514").0, Thinking::Budget);
        assert_eq!(of("anthropic/claude-sonnet-4-5").0, Thinking::Budget);
        assert_eq!(of("claude-opus-4-8").0, Thinking::Adaptive);
        assert_eq!(of("claude-sonnet-5").0, Thinking::Adaptive);
        assert_eq!(of("qwen").1, 4_096);
    }
}
