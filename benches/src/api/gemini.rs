//! Gemini.

use std::sync::Arc;

use mosaic_providers::gemini::Gemini;

use super::{Api, Script};
use crate::mock::WORD;

pub(super) const API: Api = Api {
    name: "gemini",
    workloads: ("D-gemini", "F-gemini"),
    codec: || Arc::new(Gemini::default()),
    path: ":streamgeneratecontent",
    content_type: "text/event-stream",
    script,
};

fn script(model: &str, chunks: usize) -> Script {
    let event = |candidate: &str, usage: &str| {
        format!(
            "data: {{\"candidates\":[{{{candidate},\"index\":0}}],\"usageMetadata\":{{{usage}}},\"modelVersion\":\"{model}\",\"responseId\":\"r-1\"}}\r\n\r\n"
        )
    };
    let said = format!(r#""content":{{"parts":[{{"text":"{WORD}"}}],"role":"model"}}"#);
    let usage = format!(
        r#""promptTokenCount":100,"candidatesTokenCount":{chunks},"totalTokenCount":{}"#,
        chunks + 100
    );
    Script::of_texts(
        [],
        (event(&said, r#""promptTokenCount":100,"totalTokenCount":100"#), chunks),
        [event(r#""content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP""#, &usage)],
    )
}
