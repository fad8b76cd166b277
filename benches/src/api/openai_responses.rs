//! OpenAI's Responses.

use std::sync::Arc;

use mosaic_providers::openai_responses::OpenAiResponses;

use super::{Api, Script};
use crate::mock::WORD;

pub(super) const API: Api = Api {
    name: "openai-responses",
    workloads: ("D-responses", "F-responses"),
    codec: || Arc::new(OpenAiResponses::default()),
    path: "/responses",
    content_type: "text/event-stream",
    script,
};

fn script(model: &str, chunks: usize) -> Script {
    let event = |name: &str, rest: &str| {
        format!("event: {name}\ndata: {{\"type\":\"{name}\",\"sequence_number\":7{rest}}}\n\n")
    };
    let item = |status: &str, content: &str| {
        format!(
            r#""output_index":0,"item":{{"id":"msg_1","type":"message","role":"assistant","status":"{status}","content":[{content}]}}"#
        )
    };
    let created =
        format!(r#","response":{{"id":"resp_1","model":"{model}","status":"in_progress","output":[]}}"#);
    let delta =
        format!(r#","item_id":"msg_1","output_index":0,"content_index":0,"delta":"{WORD}","logprobs":[]"#);
    let part = r#","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"text":""}"#;
    let text = WORD.repeat(chunks);
    let whole = format!(r#"{{"type":"output_text","annotations":[],"text":"{text}"}}"#);
    let done = format!(r#","item_id":"msg_1","output_index":0,"content_index":0,"text":"{text}""#);
    let completed = format!(
        r#","response":{{"id":"resp_1","model":"{model}","status":"completed","output":[],"usage":{{"input_tokens":100,"output_tokens":{chunks}}}}}"#
    );
    Script::of_texts(
        [
            event("response.created", &created),
            event("response.output_item.added", &format!(",{}", item("in_progress", ""))),
            event("response.content_part.added", part),
        ],
        (event("response.output_text.delta", &delta), chunks),
        [
            event("response.output_text.done", &done),
            event("response.output_item.done", &format!(",{}", item("completed", &whole))),
            event("response.completed", &completed),
        ],
    )
}
