//! Whether a request is one that the provider takes (feature `testing`).
//!
//! Providers refuse a conversation as a whole: one call without its result, and the session can go no further. This checks
//! the body of a request against the rules that they publish, so that a test can ask of any history whether it could be
//! sent. It is written from the providers' pages and shares no code with the codecs.
//!
//! ```
//! use mosaic_providers::validity;
//! use serde_json::json;
//!
//! let lost = json!({"messages": [
//!     {"role": "user", "content": "2+2?"},
//!     {"role": "assistant", "content": null, "tool_calls": [
//!         {"id": "a", "type": "function", "function": {"name": "add", "arguments": "{}"}}]},
//!     {"role": "user", "content": "Well?"}
//! ]});
//! assert!(validity::check("openai-chat", &lost).unwrap_err().contains("has no result"));
//! ```

mod anthropic;
mod bedrock;
mod openai_chat;

use serde_json::Value;

/// Checks a request body of that wire API.
///
/// # Errors
/// The first thing that the provider would refuse, or that the API is not known here.
pub fn check(api: &str, body: &Value) -> Result<(), String> {
    let (_, check) = RULES
        .iter()
        .find(|(name, _)| *name == api)
        .ok_or_else(|| format!("no rules are known for `{api}`"))?;
    check(body)
}

type Check = fn(&Value) -> Result<(), String>;

/// The rules of each API.
const RULES: &[(&str, Check)] = &[
    ("anthropic-messages", anthropic::check),
    ("bedrock-converse", bedrock::check),
    ("openai-chat", openai_chat::check),
];

/// A conversation must have something in it.
fn messages<'a>(body: &'a Value, name: &str) -> Result<&'a [Value], String> {
    match list(body, name) {
        [] => Err("there are no messages".to_owned()),
        all => Ok(all),
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn what_anthropic_refuses_is_refused() {
        let call = json!({"type": "tool_use", "id": "a", "name": "add", "input": {}});
        let result = json!({"type": "tool_result", "tool_use_id": "a"});
        let hi = json!({"type": "text", "text": "Hi"});
        let user = |blocks: serde_json::Value| json!({"role": "user", "content": blocks});
        let model = |blocks: serde_json::Value| json!({"role": "assistant", "content": blocks});
        let of = |messages: serde_json::Value| check("anthropic-messages", &json!({ "messages": messages }));
        assert_eq!(
            of(json!([
                user(json!([hi])),
                model(json!([hi, call])),
                user(json!([result])),
                user(json!([hi]))
            ])),
            Ok(())
        );
        for refused in [
            json!([]),
            json!([model(json!([hi]))]),
            json!([user(json!([{"type": "text", "text": " "}]))]),
            json!([user(json!([hi])), model(json!([call]))]),
            json!([user(json!([hi])), model(json!([call])), user(json!([hi]))]),
            json!([user(json!([hi])), model(json!([call])), user(json!([hi, result]))]),
            json!([user(json!([hi, result]))]),
            json!([
                user(json!([hi])),
                model(json!([{"type": "thinking", "thinking": "x", "signature": ""}]))
            ]),
            json!([user(json!([hi])), model(json!([{"type": "server_tool_use", "id": "s", "input": {}}]))]),
        ] {
            assert!(of(refused.clone()).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_bedrock_refuses_is_refused() {
        let hi = json!({"text": "Hi"});
        let call = json!({"toolUse": {"toolUseId": "a", "name": "add", "input": {}}});
        let result = json!({"toolResult": {"toolUseId": "a", "content": [hi]}});
        let file =
            |name: &str| json!({"document": {"name": name, "format": "pdf", "source": {"bytes": "AA"}}});
        let user = |blocks: serde_json::Value| json!({"role": "user", "content": blocks});
        let model = |blocks: serde_json::Value| json!({"role": "assistant", "content": blocks});
        let tools =
            json!({"tools": [{"toolSpec": {"name": "add", "inputSchema": {"json": {"type": "object"}}}}]});
        let of = |messages: serde_json::Value| {
            check("bedrock-converse", &json!({ "messages": messages, "toolConfig": tools }))
        };
        let good = json!([user(json!([hi, file("a")])), model(json!([hi, call])), user(json!([result, hi]))]);
        assert_eq!(of(good.clone()), Ok(()));
        assert!(check("bedrock-converse", &json!({ "messages": good })).unwrap_err().contains("toolConfig"));
        for refused in [
            json!([]),
            json!([model(json!([hi]))]),
            json!([user(json!([hi])), user(json!([hi]))]),
            json!([user(json!([{"text": " "}]))]),
            json!([user(json!([file("a")]))]),
            json!([user(json!([hi, file("a"), file("A")]))]),
            json!([user(json!([hi, file("a.pdf")]))]),
            json!([user(json!([hi, file("a  b")]))]),
            json!([user(json!([hi])), model(json!([call]))]),
            json!([user(json!([hi])), model(json!([call])), user(json!([hi]))]),
            json!([user(json!([hi, result]))]),
            json!([user(json!([hi])), model(json!([call, call])), user(json!([result]))]),
            json!([
                user(json!([hi])),
                model(json!([{"reasoningContent": {"reasoningText": {"text": "x", "signature": "s"}}}]))
            ]),
            json!([
                user(json!([hi])),
                model(
                    json!([hi, {"toolUse": {"toolUseId": "s", "name": "x", "input": {}, "type": "server_tool_use"}}])
                )
            ]),
        ] {
            assert!(of(refused.clone()).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_openai_refuses_is_refused() {
        let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "add", "arguments": arguments}});
        let calls =
            |calls: serde_json::Value| json!({"role": "assistant", "content": null, "tool_calls": calls});
        let result = json!({"role": "tool", "tool_call_id": "a", "content": "4"});
        let user = json!({"role": "user", "content": "Hi"});
        let of = |messages: serde_json::Value| check("openai-chat", &json!({ "messages": messages }));
        assert_eq!(of(json!([user, calls(json!([call("a", "{}")])), result, user])), Ok(()));
        for refused in [
            json!([user, calls(json!([call("a", "{}")])), user, result]),
            json!([user, calls(json!([call("a", "{")])), result]),
            json!([user, calls(json!([call("a", "{}"), call("a", "{}")])), result]),
            json!([user, result]),
            json!([user, {"role": "assistant", "content": ""}]),
            json!([user, {"role": "user", "content": []}]),
        ] {
            assert!(of(refused.clone()).is_err(), "{refused}");
        }
        assert!(check("gopher", &json!({"messages": [user]})).is_err());
    }
}
