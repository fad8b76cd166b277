//! Is a conversation one that the providers accept? Encoded by both codecs, read back as plain JSON.

use std::sync::Arc;

use mosaic::providers::anthropic::Anthropic;
use mosaic::providers::openai_chat::OpenAiChat;
use mosaic::{Codec, Group, ModelInfo, Origin, Profile};
use serde_json::Value;

/// Fails when a provider would refuse the conversation.
pub(crate) fn check(session: &str, groups: &[Arc<Group>]) {
    openai(session, &messages(&OpenAiChat::default(), groups));
    anthropic(session, &messages(&Anthropic::default(), groups));
}

fn messages(codec: &dyn Codec, groups: &[Arc<Group>]) -> Vec<Value> {
    let origin = Origin { api: codec.api().into(), provider: "test".into(), model: "test".into() };
    let profile = Profile { origin, info: ModelInfo::new("test", "test") };
    let fragments = groups.iter().map(|group| codec.fragment(group.body(), &profile).unwrap());
    let joined: Vec<String> =
        fragments.map(|fragment| String::from_utf8(fragment.to_vec()).unwrap()).collect();
    serde_json::from_str(&format!("[{}]", joined.join(","))).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn ids<'a>(items: impl IntoIterator<Item = &'a Value>, name: &str) -> Vec<&'a str> {
    items.into_iter().map(|item| item[name].as_str().unwrap()).collect()
}

/// The calls of a message are answered by the tool messages right after it, one each, and by no others.
fn openai(session: &str, messages: &[Value]) {
    let mut rest = messages.iter().peekable();
    while let Some(message) = rest.next() {
        assert_ne!(message["role"], "tool", "{session}: a result without a call: {message}");
        let calls = ids(list(message, "tool_calls"), "id");
        let mut results = Vec::new();
        while let Some(result) = rest.next_if(|next| next["role"] == "tool") {
            results.push(result["tool_call_id"].as_str().unwrap());
        }
        assert_eq!(calls, results, "{session}: calls and results of {message}");
    }
}

/// The calls of a message are answered in the message of the user right after it, one each, before anything else.
fn anthropic(session: &str, messages: &[Value]) {
    let blocks = |message: &Value, kind: &str| -> Vec<Value> {
        list(message, "content").iter().filter(|block| block["type"] == kind).cloned().collect()
    };
    let mut calls: Vec<String> = Vec::new();
    for message in messages {
        let results = blocks(message, "tool_result");
        assert_eq!(ids(&results, "tool_use_id"), calls, "{session}: calls before and results in {message}");
        let first = list(message, "content").iter().take(results.len());
        assert!(first.into_iter().all(|block| block["type"] == "tool_result"), "{session}: {message}");
        let next = blocks(message, "tool_use");
        assert!(next.is_empty() || message["role"] == "assistant", "{session}: {message}");
        calls = ids(&next, "id").into_iter().map(str::to_owned).collect();
    }
    assert!(calls.is_empty(), "{session}: the last message has calls without results");
}
