//! OpenAI's Chat Completions: the API of all other workloads, too.

use std::sync::Arc;

use mosaic_providers::openai_chat::OpenAiChat;

use super::Api;
use crate::mock;

pub(super) const API: Api = Api {
    name: "openai-chat",
    workloads: ("D", "F"),
    codec: || Arc::new(OpenAiChat::default()),
    path: "/chat/completions",
    content_type: "text/event-stream",
    script: mock::chat_script,
};
