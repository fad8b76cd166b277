//! Cohere.

use std::sync::Arc;

use mosaic_providers::cohere::Cohere;

use super::{Api, Script};
use crate::mock::WORD;

pub(super) const API: Api = Api {
    name: "cohere",
    workloads: ("D-cohere", "F-cohere"),
    codec: || Arc::new(Cohere),
    path: "/v2/chat",
    content_type: "text/event-stream",
    script,
};

fn script(_: &str, chunks: usize) -> Script {
    let event = |name: &str, rest: &str| format!("event: {name}\ndata: {{\"type\":\"{name}\"{rest}}}\n\n");
    let delta = format!(r#","index":0,"delta":{{"message":{{"content":{{"text":"{WORD}"}}}}}}"#);
    let end = format!(
        r#","delta":{{"finish_reason":"COMPLETE","usage":{{"tokens":{{"input_tokens":100,"output_tokens":{chunks}}}}}}}"#
    );
    Script::of_texts(
        [
            event("message-start", r#","id":"1","delta":{"message":{"role":"assistant","content":[]}}"#),
            event("content-start", r#","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}"#),
        ],
        (event("content-delta", &delta), chunks),
        [event("content-end", r#","index":0"#), event("message-end", &end)],
    )
}
