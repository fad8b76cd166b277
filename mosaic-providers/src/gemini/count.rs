//! Counting the tokens of a prompt with `:countTokens`: a request and its answer, pure as the rest.
//!
//! ```
//! use mosaic_core::{Delivery, Encodable, ModelInfo, ModelParams, Origin, Profile, ToolChoice};
//! use mosaic_providers::gemini::Gemini;
//!
//! let codec = Gemini::default();
//! let origin = Origin { api: "gemini".into(), provider: "gemini".into(), model: "gemini-2.5-flash".into() };
//! let request = codec.count_request(&Encodable {
//!     base_url: "https://generativelanguage.googleapis.com/v1beta",
//!     profile: &Profile { origin, info: ModelInfo::new("gemini", "gemini-2.5-flash") },
//!     instructions: "Be brief.",
//!     fragments: &[],
//!     tools: None,
//!     tool_choice: &ToolChoice::Auto,
//!     output: None,
//!     params: &ModelParams::default(),
//!     delivery: Delivery::Whole,
//! })?;
//! assert!(request.url.ends_with("/models/gemini-2.5-flash:countTokens"));
//! assert_eq!(codec.count_answer(br#"{"totalTokens":3}"#)?, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Sources: <https://ai.google.dev/api/tokens>,
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/projects.locations.endpoints/countTokens>

use mosaic_core::{Encodable, EncodeError, HttpRequest, ModelError};
use serde::Deserialize;
use serde_json::Value;

use super::quirks::{Counting, Quirks};
use super::request::{members, post, resource};
use crate::wire::error;
use crate::wire::lenient::Int;
use crate::wire::request::writer;

/// What the plain form knows. A choice of tools changes no count.
const PLAIN: [&str; 4] = ["systemInstruction", "tools", "contents", "generationConfig"];

pub(super) fn request(request: &Encodable<'_>, quirks: &Quirks) -> Result<HttpRequest, EncodeError> {
    let mut out = writer(request);
    match quirks.counting {
        Counting::Wrapped => {
            let model = resource(&request.profile.origin.model);
            out.raw(r#"{"generateContentRequest":{"model":"#).string(&model);
            members(request, quirks, None, &mut out)?;
            out.raw("}}");
        }
        Counting::Plain => {
            out.raw("{");
            members(request, quirks, Some(&PLAIN), &mut out)?;
            out.raw("}");
        }
    }
    Ok(post(request, "countTokens", out))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    total_tokens: Int,
    #[serde(default)]
    error: Option<Value>,
}

pub(super) fn answer(body: &[u8]) -> Result<u64, ModelError> {
    let text = String::from_utf8_lossy(body);
    let answer: Answer =
        serde_json::from_str(&text).map_err(|source| error::unreadable("answer", &text, Some(source)))?;
    match (answer.total_tokens.0, answer.error) {
        (Some(total), _) => Ok(total),
        (None, Some(told)) if !told.is_null() => {
            Err(error::from_object(&serde_json::from_str(&text).unwrap_or(Value::Null)))
        }
        _ => Err(error::unreadable("answer", &text, None)),
    }
}
