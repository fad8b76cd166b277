//! Anthropic's Messages.

use std::sync::Arc;

use mosaic_providers::anthropic::Anthropic;

use super::{Api, Script};
use crate::mock::WORD;

pub(super) const API: Api = Api {
    name: "anthropic-messages",
    workloads: ("D-anthropic", "F-anthropic"),
    codec: || Arc::new(Anthropic::default()),
    path: "/messages",
    content_type: "text/event-stream",
    script,
};

fn script(model: &str, chunks: usize) -> Script {
    let event = |name: &str, rest: &str| format!("event: {name}\ndata: {{\"type\":\"{name}\"{rest}}}\n\n");
    let start = format!(
        r#","message":{{"id":"msg_1","type":"message","role":"assistant","model":"{model}","content":[],"stop_reason":null,"usage":{{"input_tokens":100,"output_tokens":1}}}}"#
    );
    let delta = format!(r#","index":0,"delta":{{"type":"text_delta","text":"{WORD}"}}"#);
    let end = format!(
        r#","delta":{{"stop_reason":"end_turn","stop_sequence":null}},"usage":{{"output_tokens":{chunks}}}"#
    );
    Script::of_texts(
        [
            event("message_start", &start),
            event("content_block_start", r#","index":0,"content_block":{"type":"text","text":""}"#),
        ],
        (event("content_block_delta", &delta), chunks),
        [
            event("content_block_stop", r#","index":0"#),
            event("message_delta", &end),
            event("message_stop", ""),
        ],
    )
}
