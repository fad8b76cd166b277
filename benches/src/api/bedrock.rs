//! Bedrock's Converse: the binary event stream, with both checksums of every message.

use std::sync::Arc;

use bytes::Bytes;
use mosaic_providers::bedrock::Bedrock;
use mosaic_providers::event_stream::{HeaderValue, write_message};

use super::{Api, Script};
use crate::mock::WORD;

pub(super) const API: Api = Api {
    name: "bedrock-converse",
    workloads: ("D-bedrock", "F-bedrock"),
    codec: || Arc::new(Bedrock::default()),
    path: "/converse-stream",
    content_type: "application/vnd.amazon.eventstream",
    script,
};

fn script(_: &str, chunks: usize) -> Script {
    // `p` is padding, which the service sends so that lengths do not tell words.
    let delta = format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{WORD}"}},"p":"abcdefghijklmn"}}"#);
    let usage = format!(
        r#"{{"metrics":{{"latencyMs":7}},"usage":{{"inputTokens":100,"outputTokens":{chunks},"totalTokens":{}}}}}"#,
        chunks + 100
    );
    Script {
        first: vec![event("messageStart", r#"{"role":"assistant","p":"abc"}"#)],
        repeated: (event("contentBlockDelta", &delta), chunks),
        last: vec![
            event("contentBlockStop", r#"{"contentBlockIndex":0,"p":"ab"}"#),
            event("messageStop", r#"{"stopReason":"end_turn","p":"abcd"}"#),
            event("metadata", &usage),
        ],
    }
}

fn event(name: &str, payload: &str) -> Bytes {
    let headers = [
        (":event-type", HeaderValue::Text(name)),
        (":content-type", HeaderValue::Text("application/json")),
        (":message-type", HeaderValue::Text("event")),
    ];
    write_message(&headers, payload.as_bytes()).into()
}
