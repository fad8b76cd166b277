//! Ollama's own API: a line of JSON a chunk.

use std::sync::Arc;

use mosaic_providers::ollama::Ollama;

use super::{Api, Script};
use crate::mock::WORD;

pub(super) const API: Api = Api {
    name: "ollama",
    workloads: ("D-ollama", "F-ollama"),
    codec: || Arc::new(Ollama),
    path: "/api/chat",
    content_type: "application/x-ndjson",
    script,
};

fn script(model: &str, chunks: usize) -> Script {
    let line = |text: &str, rest: &str| {
        format!(
            "{{\"model\":\"{model}\",\"created_at\":\"2026-11-26T00:00:00Z\",\"message\":{{\"role\":\"assistant\",\"content\":\"{text}\"}},{rest}}}\n"
        )
    };
    let end = format!(r#""done":true,"done_reason":"stop","prompt_eval_count":100,"eval_count":{chunks}"#);
    Script::of_texts([], (line(WORD, r#""done":false"#), chunks), [line("", &end)])
}
