//! What differs between the models, as a table over their names.
//!
//! Sources: <https://ai.google.dev/gemini-api/docs/thinking>, <https://ai.google.dev/gemini-api/docs/thought-signatures>,
//! <https://ai.google.dev/gemini-api/docs/function-calling>, <https://ai.google.dev/gemini-api/docs/structured-output>

use mosaic_core::Reasoning;
use serde_json::{Value, json};

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It cannot, or it takes no setting.
    None,
    /// `thinkingBudget`, in tokens: the 2.5 series. `off` is the least budget of all, 0 where it can be turned off.
    Budget { off: u64, least: u64, most: u64 },
    /// `thinkingLevel`: from Gemini 3 on, none of which can be turned off. These are the levels next to what is asked for;
    /// a lot is `high` for all.
    Level { off: &'static str, low: &'static str, medium: &'static str },
}

/// A family of models.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    /// What is in their names.
    name: &'static str,
    pub(super) thinking: Thinking,
    /// From Gemini 3 on, with three things that came together: the first call of an answer must have a signature, results
    /// of tools may hold media, and an answer may be forced into a schema while there are tools.
    pub(super) newer: bool,
    /// Where the instructions go.
    pub(super) instructions: Instructions,
}

/// Where the instructions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instructions {
    /// Into `systemInstruction`.
    System,
    /// Before the conversation, as a turn of the user: "Developer instruction is not enabled" for the first Gemmas.
    User,
}

const fn older(name: &'static str, thinking: Thinking) -> Family {
    Family { name, thinking, newer: false, instructions: Instructions::System }
}

const fn newer(name: &'static str, off: &'static str, medium: &'static str) -> Family {
    let thinking = Thinking::Level { off, low: "low", medium };
    Family { name, thinking, newer: true, instructions: Instructions::System }
}

/// The first row whose text is in the name counts.
const TABLE: &[Family] = &[
    Family { instructions: Instructions::User, ..older("gemma-2", Thinking::None) },
    Family { instructions: Instructions::User, ..older("gemma-3", Thinking::None) },
    older("gemma-4", Thinking::Level { off: "minimal", low: "minimal", medium: "high" }),
    older("gemma", Thinking::None),
    older("learnlm", Thinking::None),
    older("gemini-1", Thinking::None),
    older("gemini-2.0", Thinking::None),
    older("gemini-2.5-pro", Thinking::Budget { off: 128, least: 128, most: 32_768 }),
    older("gemini-2.5-flash-lite", Thinking::Budget { off: 0, least: 512, most: 24_576 }),
    older("gemini-2.5", Thinking::Budget { off: 0, least: 1, most: 24_576 }),
    newer("gemini-3-pro", "low", "high"),
    newer("gemini-3-flash", "minimal", "medium"),
    newer("gemini-3.1-flash-lite", "minimal", "medium"),
    newer("gemini-3.5-flash", "minimal", "medium"),
    newer("gemini-3.6-flash", "minimal", "medium"),
];

/// Of a name that is not in the table: a newer model, or an alias such as `gemini-flash-latest`, which is one.
const UNKNOWN: Family = newer("", "low", "medium");

/// The family of a model.
pub(super) fn of(model: &str) -> Family {
    TABLE.iter().find(|family| model.contains(family.name)).copied().unwrap_or(UNKNOWN)
}

/// `thinkingConfig`. The limit of an answer counts thoughts in, so half of it is left for the words.
pub(super) fn thinking(reasoning: Reasoning, family: &Family, limit: Option<u64>) -> Option<Value> {
    let shown = reasoning != Reasoning::Off;
    match family.thinking {
        Thinking::None => None,
        Thinking::Budget { off, least, most } => {
            let most = limit.map_or(most, |limit| (limit / 2).clamp(least, most));
            let budget = match reasoning {
                Reasoning::Off => off,
                Reasoning::Low => 2_048_u64.clamp(least, most),
                Reasoning::Medium => 8_192_u64.clamp(least, most),
                _ => most,
            };
            Some(json!({ "includeThoughts": shown, "thinkingBudget": budget }))
        }
        Thinking::Level { off, low, medium } => {
            let level = match reasoning {
                Reasoning::Off => off,
                Reasoning::Low => low,
                Reasoning::Medium => medium,
                _ => "high",
            };
            Some(json!({ "includeThoughts": shown, "thinkingLevel": level }))
        }
    }
}

#[cfg(test)]
mod tests {
    use mosaic_core::Reasoning::{High, Low, Medium, Off};
    use serde_json::json;

    use super::{of, thinking};

    #[test]
    fn each_family_is_told_to_think_in_its_way() {
        let told = |model: &str, reasoning| thinking(reasoning, &of(model), None);
        assert_eq!(told("gemini-2.0-flash", High), None);
        let cases = [
            ("gemini-2.5-pro", Off, json!({"includeThoughts": false, "thinkingBudget": 128})),
            ("gemini-2.5-pro", High, json!({"includeThoughts": true, "thinkingBudget": 32_768})),
            ("gemini-2.5-flash", Off, json!({"includeThoughts": false, "thinkingBudget": 0})),
            ("gemini-2.5-flash-lite", Low, json!({"includeThoughts": true, "thinkingBudget": 2_048})),
            ("gemini-3-pro-preview", Medium, json!({"includeThoughts": true, "thinkingLevel": "high"})),
            ("gemini-3-flash-preview", Off, json!({"includeThoughts": false, "thinkingLevel": "minimal"})),
            ("gemini-3.1-pro-preview", Medium, json!({"includeThoughts": true, "thinkingLevel": "medium"})),
            ("gemini-3.8-flash", Off, json!({"includeThoughts": false, "thinkingLevel": "low"})),
            ("gemma-4-31b-it", Low, json!({"includeThoughts": true, "thinkingLevel": "minimal"})),
            ("gemini-flash-latest", Off, json!({"includeThoughts": false, "thinkingLevel": "low"})),
        ];
        for (model, reasoning, expected) in cases {
            assert_eq!(told(model, reasoning), Some(expected), "{model}");
        }
    }

    #[test]
    fn a_budget_leaves_half_of_the_limit_for_the_answer() {
        let budget = |model: &str, limit: u64| {
            thinking(High, &of(model), Some(limit)).map(|config| config["thinkingBudget"].clone())
        };
        assert_eq!(budget("gemini-2.5-flash", 1_000), Some(json!(500)));
        assert_eq!(budget("gemini-2.5-pro", 100), Some(json!(128)));
    }

    #[test]
    fn an_unknown_name_is_a_newer_model() {
        assert!(of("gemini-4-argon").newer && of("models/gemini-pro-latest").newer);
        assert!(!of("gemini-2.5-flash").newer && !of("gemma-3-27b-it").newer);
    }
}
