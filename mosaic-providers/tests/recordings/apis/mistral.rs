//! `mistral`: `openai-chat` with the differences of [`Quirks::mistral`](mosaic_providers::openai_chat::Quirks::mistral).
//!
//! Beside the differences that `request.rs` allows:
//!
//! * JSON without a schema (`response_format: {"type": "json_object"}`): there is no neutral form for it.
//! * Tools of which the input says that it has no form for them, because the recorder left their type out.
//! * `reasoning_effort`, which the neutral input does not tell.

use mosaic_providers::openai_chat::OpenAiChat;
use serde_json::{Value, json};

use super::{Api, by_member, exotic, openai_chat};
use crate::load::Recording;

pub(super) const API: Api = Api {
    name: "mistral",
    codec: |_| Box::new(OpenAiChat::mistral()),
    form,
    output: openai_chat::API.output,
    delivery: by_member,
    terminal: openai_chat::terminal,
};

fn form(body: &Value, recording: &Recording) -> Value {
    let mut form = openai_chat::form(body, recording);
    if exotic(recording).contains(&"tool:None") {
        form["tools"] = json!([]);
    }
    if form.pointer("/response_format/type") == Some(&json!("json_object")) {
        form["response_format"] = Value::Null;
    }
    form
}
