//! The figures of a context overflow, out of an error's members and words.
//!
//! | server | says |
//! | --- | --- |
//! | llama.cpp | `n_prompt_tokens` and `n_ctx` beside the message (`exceed_context_size_error`) |
//! | Anthropic | `prompt is too long: 3333404 tokens > 200000 maximum` |
//! | Anthropic | `input length and max_tokens exceed context limit: 188240 + 21333 > 200000` |
//! | Gemini | `The input token count (1194304) exceeds the maximum number of tokens allowed (1048576).` |
//! | Vertex AI | `The input token count is 1194304 but model only supports up to 1048576.` |
//! | OpenAI, vLLM | `maximum context length is 8192 tokens. However, your messages resulted in 10007 tokens` |
//! | Mistral | `Prompt contains 140000 tokens and 0 draft tokens, too large for model with 131072 maximum context length` |
//! | Cohere | `size limit exceeded by 25836 tokens. ... The limit for this model is 288000 tokens.` |
//!
//! Sources: <https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md>,
//! <https://docs.anthropic.com/en/docs/build-with-claude/context-windows>,
//! <https://platform.openai.com/docs/guides/error-codes>, <https://docs.cohere.com/reference/errors>

use mosaic_core::ContextLimits;
use serde_json::Value;

/// What is told, if anything is.
pub(super) fn limits(error: &Value, message: &str) -> Option<ContextLimits> {
    let member = |names: &[&str]| names.iter().find_map(|name| error.get(name).and_then(Value::as_u64));
    let mut found = ContextLimits {
        prompt: member(&["n_prompt_tokens", "prompt_tokens"]),
        window: member(&["n_ctx", "context_length", "max_context_length"]),
    };
    let text = message.to_ascii_lowercase();
    if let Some((left, right)) = text.split_once('>') {
        // "188240 + 21333 > 200000": the prompt is the first of the summands.
        let summands = numbers(left);
        let sum = left.contains('+').then(|| summands.iter().rev().nth(1).copied()).flatten();
        found.prompt = found.prompt.or(sum).or(summands.last().copied());
        found.window = found.window.or(numbers(right).first().copied());
    }
    found.window = found.window.or_else(|| {
        [
            "maximum context length is",
            "maximum context length of",
            "context size (",
            "context length is",
            "context window of",
            "limit of",
            "limit is",
            "number of tokens allowed (",
            "only supports up to",
            "limit for this model is",
            "too large for model with",
        ]
        .iter()
        .find_map(|mark| after(&text, mark))
    });
    found.prompt = found.prompt.or_else(|| {
        [
            "resulted in",
            "requested about",
            "you requested",
            "request (",
            "prompt contains",
            "input is",
            "has",
            "input token count (",
            "input token count is",
        ]
        .iter()
        .find_map(|mark| after(&text, mark))
    });
    found.prompt = found.prompt.or_else(|| {
        let over = after(&text, "size limit exceeded by")?;
        found.window?.checked_add(over)
    });
    (found.prompt.is_some() || found.window.is_some()).then_some(found)
}

/// The number that follows the mark at once.
fn after(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    let rest = rest.trim_start();
    rest.starts_with(|c: char| c.is_ascii_digit()).then(|| numbers(rest).first().copied()).flatten()
}

/// All whole numbers of a text; commas between digits are skipped.
fn numbers(text: &str) -> Vec<u64> {
    let mut all = Vec::new();
    let mut current: Option<u64> = None;
    for c in text.chars() {
        match (c.to_digit(10), current) {
            (Some(digit), number) => {
                current = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(u64::from(digit)));
            }
            (None, Some(_)) if c == ',' => {}
            (None, number) => {
                all.extend(number);
                current = None;
            }
        }
    }
    all.extend(current);
    all
}

#[cfg(test)]
mod tests {
    use mosaic_core::ContextLimits;
    use serde_json::{Value, json};

    use super::limits;

    fn of(prompt: u64, window: u64) -> Option<ContextLimits> {
        Some(ContextLimits { prompt: Some(prompt), window: Some(window) })
    }

    #[test]
    fn the_figures_are_read_where_they_are_told() {
        let told = json!({"n_prompt_tokens": 5001, "n_ctx": 4096});
        assert_eq!(limits(&told, "the request exceeds the available context size"), of(5001, 4096));
        let texts = [
            ("prompt is too long: 3333404 tokens > 200000 maximum", of(3_333_404, 200_000)),
            (
                "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000",
                of(188_240, 200_000),
            ),
            (
                "This model's maximum context length is 8,192 tokens. However, your messages resulted in 10007 tokens.",
                of(10_007, 8_192),
            ),
            (
                "The input token count (1194304) exceeds the maximum number of tokens allowed (1048576).",
                of(1_194_304, 1_048_576),
            ),
            (
                "The input token count is 1194304 but model only supports up to 1048576.",
                of(1_194_304, 1_048_576),
            ),
            ("size limit exceeded by 10 tokens. The limit for this model is 4096 tokens.", of(4_106, 4_096)),
            ("request (5000 tokens) exceeds the available context size (4096 tokens)", of(5_000, 4_096)),
        ];
        for (text, expected) in texts {
            assert_eq!(limits(&Value::Null, text), expected, "{text}");
        }
        assert_eq!(limits(&Value::Null, "The total length of all messages is too long."), None);
    }
}
