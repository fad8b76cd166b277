//! Provider messages, made fit for an error: bounded, in one line, without keys.
//!
//! Several providers repeat the refused key in their answer, some of them unmasked.

/// The longest message that is kept, in characters.
const LONGEST: usize = 1_000;

/// Beginnings of keys that providers hand out.
const KEY_PREFIXES: &[&str] =
    &["sk-", "sk_", "gsk_", "xai-", "pplx-", "AIza", "hf_", "r8_", "nvapi-", "tgp_", "Bearer"];

/// The message without what looks like a key.
pub(crate) fn scrub(message: &str) -> String {
    let mut out = String::new();
    let mut after_bearer = false;
    for (index, word) in message.split_whitespace().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let secret = after_bearer && bare.len() >= 8
            || KEY_PREFIXES.iter().any(|prefix| {
                bare.find(prefix).is_some_and(|at| bare.len().saturating_sub(at) >= prefix.len() + 8)
            });
        after_bearer = bare.eq_ignore_ascii_case("bearer");
        out.push_str(if secret { "[key]" } else { word });
        if out.len() > LONGEST {
            let end = out.char_indices().nth(LONGEST).map_or(out.len(), |(at, _)| at);
            out.truncate(end);
            out.push('…');
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::scrub;

    #[test]
    fn a_key_that_the_provider_repeats_is_not_kept() {
        let kept =
            scrub("Incorrect API key provided: sk-proj-abcdefgh12345. Header was Bearer abcdefgh12345678");
        assert_eq!(kept, "Incorrect API key provided: [key] Header was Bearer [key]");
    }

    #[test]
    fn words_that_only_resemble_a_key_are_kept() {
        assert_eq!(scrub("a risk-free task\n  ok"), "a risk-free task ok");
    }

    #[test]
    fn a_long_message_is_cut() {
        assert!(scrub(&"é ".repeat(5_000)).chars().count() <= 1_001);
    }
}
