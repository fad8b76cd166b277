//! Why an answer ended, or a prompt was blocked.
//!
//! | `finishReason` | means |
//! | --- | --- |
//! | `STOP` | stop; tool calls where there are calls, because the API has no reason of its own for them |
//! | `MAX_TOKENS` | length |
//! | `SAFETY`, `RECITATION`, `BLOCKLIST`, `PROHIBITED_CONTENT`, `SPII`, `MODEL_ARMOR`, `IMAGE_SAFETY`, ... | content filter |
//! | `MALFORMED_FUNCTION_CALL`, `MALFORMED_RESPONSE` without a call | an error: what the model wrote is lost, and asking again helps |
//! | any other (`UNEXPECTED_TOOL_CALL`, `LANGUAGE`, `OTHER`, ...) | that reason |
//!
//! `promptFeedback.blockReason` comes without an answer and is a `content_filtered` error.
//!
//! Sources: <https://ai.google.dev/api/generate-content#FinishReason>,
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse>

use mosaic_core::{ErrorKind, ModelError, StopReason};

enum Means {
    Stop,
    Length,
    Filtered,
    Malformed,
}

const TABLE: &[(&str, Means)] = &[
    ("STOP", Means::Stop),
    ("MAX_TOKENS", Means::Length),
    ("SAFETY", Means::Filtered),
    ("RECITATION", Means::Filtered),
    ("BLOCKLIST", Means::Filtered),
    ("PROHIBITED_CONTENT", Means::Filtered),
    ("SPII", Means::Filtered),
    ("MODEL_ARMOR", Means::Filtered),
    ("IMAGE_SAFETY", Means::Filtered),
    ("IMAGE_PROHIBITED_CONTENT", Means::Filtered),
    ("IMAGE_RECITATION", Means::Filtered),
    ("MALFORMED_FUNCTION_CALL", Means::Malformed),
    ("MALFORMED_RESPONSE", Means::Malformed),
];

/// The reason in our words.
pub(super) fn stop(reason: &str, calls: bool) -> Result<StopReason, ModelError> {
    let other = || StopReason::Other { reason: reason.to_owned() };
    Ok(match TABLE.iter().find(|(name, _)| *name == reason).map(|(_, means)| means) {
        Some(Means::Stop) if calls => StopReason::ToolCalls,
        Some(Means::Stop) => StopReason::Stop,
        Some(Means::Length) => StopReason::Length,
        Some(Means::Filtered) => StopReason::ContentFilter,
        Some(Means::Malformed) if !calls => return Err(malformed(reason)),
        Some(Means::Malformed) | None => other(),
    })
}

/// Without the provider's `finishMessage`: it repeats what the model wrote, and an answer does not belong into an error.
fn malformed(reason: &str) -> ModelError {
    ModelError::new(
        ErrorKind::Server,
        format!("the model wrote a call that the provider could not read ({reason}); ask again"),
    )
}

/// The error that a blocked prompt is.
pub(super) fn blocked(reason: &str, message: Option<&str>) -> ModelError {
    let said = message.map(|text| format!(": {text}")).unwrap_or_default();
    ModelError::new(
        ErrorKind::ContentFiltered,
        format!("the provider blocked the prompt ({reason}{said}); change what it says"),
    )
}

#[cfg(test)]
mod tests {
    use mosaic_core::{ErrorKind, StopReason};

    use super::stop;

    #[test]
    fn every_documented_reason_means_something() {
        for (reasons, means) in [
            ("STOP", StopReason::Stop),
            ("MAX_TOKENS", StopReason::Length),
            (
                "SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII MODEL_ARMOR IMAGE_SAFETY \
                 IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION",
                StopReason::ContentFilter,
            ),
            ("LANGUAGE", StopReason::Other { reason: "LANGUAGE".to_owned() }),
        ] {
            for reason in reasons.split(' ') {
                assert_eq!(stop(reason, false).unwrap(), means, "{reason}");
            }
        }
        assert_eq!(stop("STOP", true).unwrap(), StopReason::ToolCalls);
        for reason in ["MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE"] {
            let error = stop(reason, false).unwrap_err();
            assert_eq!((error.kind, error.retryable), (ErrorKind::Server, true), "{reason}");
        }
    }
}
