//! The question, made of the request that the codec wrote, and the figure in its answer. Pure.

use std::collections::BTreeMap;

use mosaic_core::{ErrorKind, HttpRequest, ModelError};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::undecoded;

/// A counting call, as data.
pub(super) struct Api {
    name: &'static str,
    /// The end of the address of a request, up to its query, in the forms that there are.
    ends: &'static [&'static str],
    /// What stands there in the address of the question.
    becomes: &'static str,
    body: Body,
    /// The member of the answer with the figure.
    figure: &'static str,
}

enum Body {
    /// These members of the request; others are refused.
    Members(&'static [&'static str]),
    /// The whole request in a member, with the model's name, which otherwise is in the address.
    Inside(&'static str),
}

const APIS: [Api; 3] = [
    Api {
        name: "anthropic-messages",
        ends: &["/messages"],
        becomes: "/messages/count_tokens",
        body: Body::Members(&[
            "messages",
            "model",
            "output_config",
            "system",
            "thinking",
            "tool_choice",
            "tools",
        ]),
        figure: "input_tokens",
    },
    Api {
        name: "gemini",
        ends: &[":generateContent", ":streamGenerateContent"],
        becomes: ":countTokens",
        body: Body::Inside("generateContentRequest"),
        figure: "totalTokens",
    },
    Api {
        name: "openai-responses",
        ends: &["/responses"],
        becomes: "/responses/input_tokens",
        body: Body::Members(&[
            "conversation",
            "input",
            "instructions",
            "model",
            "parallel_tool_calls",
            "previous_response_id",
            "reasoning",
            "text",
            "tool_choice",
            "tools",
            "truncation",
        ]),
        figure: "input_tokens",
    },
];

pub(super) fn of(api: &str) -> Result<&'static Api, ModelError> {
    APIS.iter().find(|known| known.name == api).ok_or_else(|| {
        ModelError::new(
            ErrorKind::Unsupported,
            format!("`{api}` has no call that counts tokens; use an estimate (`RequestCounter`) instead"),
        )
    })
}

/// The question how many tokens a request is, made of the request as a codec wrote it.
///
/// # Errors
/// `unsupported` for an API without such a call; `internal` for a request that is not one of this API.
pub fn request(api: &str, mut http: HttpRequest) -> Result<HttpRequest, ModelError> {
    let api = of(api)?;
    let address = http.url.split('?').next().unwrap_or_default();
    let base = api.ends.iter().find_map(|end| address.strip_suffix(end));
    let base = base.ok_or_else(|| foreign(api, "its address"))?.to_owned();
    let body = http.body_bytes();
    let members: BTreeMap<&str, &RawValue> =
        serde_json::from_slice(&body).map_err(|error| foreign(api, "its body").with_source(error))?;
    let question = match api.body {
        Body::Members(kept) => {
            let kept: BTreeMap<_, _> = members.into_iter().filter(|(name, _)| kept.contains(name)).collect();
            serde_json::to_vec(&kept)
        }
        Body::Inside(name) => {
            // The address ends with `models/NAME`.
            let model = base.rsplit_once("/models/").map_or("", |(_, model)| model);
            let model = serde_json::value::to_raw_value(&format!("models/{model}"));
            let model = model.map_err(|error| foreign(api, "its model").with_source(error))?;
            let mut members = members;
            members.insert("model", &model);
            serde_json::to_vec(&BTreeMap::from([(name, members)]))
        }
    };
    let question = question.map_err(|error| foreign(api, "its body").with_source(error))?;
    http.url = base + api.becomes;
    http.body = vec![question.into()];
    Ok(http)
}

/// The figure in the answer.
///
/// # Errors
/// `decode` when it is not there.
pub fn answer(api: &str, body: &[u8]) -> Result<u64, ModelError> {
    let api = of(api)?;
    let answer = |error| undecoded(format!("the answer of `{}` about tokens is not JSON", api.name), error);
    let members: BTreeMap<String, serde_json::Value> = serde_json::from_slice(body).map_err(answer)?;
    let figure = members.get(api.figure).map(u64::deserialize);
    figure.and_then(Result::ok).ok_or_else(|| {
        let message = format!("the answer of `{}` about tokens has no number in `{}`", api.name, api.figure);
        ModelError::new(ErrorKind::Decode, message)
    })
}

fn foreign(api: &Api, what: &str) -> ModelError {
    ModelError::new(
        ErrorKind::Internal,
        format!("a request to count the tokens of is not one of `{}`: {what} is another's", api.name),
    )
}
