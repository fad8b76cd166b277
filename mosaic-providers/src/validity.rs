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
mod cohere;
mod gemini;
mod mistral;
mod ollama;
mod openai_chat;
mod openai_responses;

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
    ("cohere", cohere::check),
    ("gemini", gemini::check),
    ("mistral", mistral::check),
    ("ollama", ollama::check),
    ("openai-chat", openai_chat::check),
    ("openai-responses", openai_responses::check),
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

/// The name of a called tool: 1 to 64 letters, digits, `_` and `-`.
fn tool_name(name: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.len() <= 64 && name.bytes().all(plain) {
        return Ok(());
    }
    Err(format!("a call of `{name}`, which is no tool's name"))
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
    fn what_gemini_refuses_is_refused() {
        let call = |id: &str| json!({"functionCall": {"id": id, "name": "add", "args": {}}});
        let result =
            |id: &str| json!({"functionResponse": {"id": id, "name": "add", "response": {"result": "4"}}});
        let hi = json!({"text": "Hi"});
        let user = |parts: serde_json::Value| json!({"role": "user", "parts": parts});
        let model = |parts: serde_json::Value| json!({"role": "model", "parts": parts});
        let of = |contents: serde_json::Value| check("gemini", &json!({ "contents": contents }));
        let both = || model(json!([call("a"), call("b")]));
        assert_eq!(
            of(json!([
                user(json!([hi])),
                both(),
                user(json!([result("a"), result("b")])),
                user(json!([hi]))
            ])),
            Ok(())
        );
        for refused in [
            json!([]),
            json!([model(json!([hi])), user(json!([hi]))]),
            json!([user(json!([hi])), model(json!([hi]))]),
            json!([user(json!([]))]),
            json!([user(json!([{"text": ""}]))]),
            json!([user(json!([{"text": "a", "inlineData": {}}]))]),
            json!([user(json!([hi])), both(), user(json!([result("a")]))]),
            json!([user(json!([hi])), both(), user(json!([result("b"), result("a")]))]),
            json!([user(json!([hi])), both(), user(json!([result("a"), result("b"), hi]))]),
            json!([user(json!([hi])), both(), user(json!([hi])), user(json!([result("a"), result("b")]))]),
            json!([user(json!([hi])), model(json!([hi])), both(), user(json!([result("a"), result("b")]))]),
            json!([user(json!([hi, result("a")]))]),
            json!([
                user(json!([hi])),
                model(json!([{"text": "a", "thoughtSignature": "é"}])),
                user(json!([hi]))
            ]),
            json!([user(json!([{"functionCall": {"name": "add", "args": {}}}]))]),
            json!([
                user(json!([hi])),
                model(json!([{"functionCall": {"name": "1x", "args": {}}}])),
                user(json!([hi]))
            ]),
        ] {
            assert!(of(refused.clone()).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_cohere_refuses_is_refused() {
        let call =
            |id: &str| json!({"id": id, "type": "function", "function": {"name": "add", "arguments": "{}"}});
        let calls = |plan: &str, calls: serde_json::Value| json!({"role": "assistant", "tool_plan": plan, "tool_calls": calls});
        let result = json!({"role": "tool", "tool_call_id": "a", "content": "4"});
        let user = json!({"role": "user", "content": "Hi"});
        let of = |body: serde_json::Value| check("cohere", &body);
        let one = calls("I add.", json!([call("a")]));
        assert_eq!(of(json!({"messages": [user, one, result, user]})), Ok(()));
        let format = json!({"type": "json_object"});
        for refused in [
            json!({"messages": [user, one, user, result]}),
            json!({"messages": [user, result]}),
            json!({"messages": [user, calls("", json!([call("a"), call("a")])), result]}),
            json!({"messages": [user, calls("I add.", json!([]))]}),
            json!({"messages": [{"role": "user", "content": " "}]}),
            json!({"messages": [user], "tools": [{}], "response_format": format}),
            json!({"messages": [user], "documents": ["x"], "response_format": format}),
            json!({"messages": [user], "tool_choice": "REQUIRED"}),
            json!({"messages": [user], "tools": [{}], "tool_choice": "AUTO"}),
        ] {
            assert!(of(refused.clone()).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_mistral_refuses_is_refused() {
        let calls = |id: &str| {
            json!({"role": "assistant", "content": [{"type": "thinking", "thinking": []}], "tool_calls": [
                {"id": id, "type": "function", "function": {"name": "add", "arguments": "{}"}}]})
        };
        let result = json!({"role": "tool", "tool_call_id": "123456789", "content": "4"});
        let user = json!({"role": "user", "content": "Hi"});
        let said = json!({"role": "assistant", "content": "I see."});
        let of = |messages: serde_json::Value| check("mistral", &json!({ "messages": messages }));
        assert_eq!(of(json!([user, calls("123456789"), result, said, user])), Ok(()));
        for refused in [
            json!([user, calls("123456789"), result, user]),
            json!([user, said]),
            json!([user, calls("1"), {"role": "tool", "tool_call_id": "1", "content": "4"}]),
        ] {
            assert!(of(refused.clone()).is_err(), "{refused}");
        }
        assert!(check("mistral", &json!({"messages": [user], "seed": 1})).is_err());
    }

    #[test]
    fn what_ollama_refuses_is_refused() {
        let call =
            |arguments: serde_json::Value| json!({"function": {"name": "add", "arguments": arguments}});
        let calls =
            |calls: serde_json::Value| json!({"role": "assistant", "content": "", "tool_calls": calls});
        let result = |name: &str| json!({"role": "tool", "content": "4", "tool_name": name});
        let user = json!({"role": "user", "content": "Hi"});
        let of = |messages: serde_json::Value| check("ollama", &json!({ "messages": messages }));
        assert_eq!(of(json!([calls(json!([call(json!({}))])), result("add"), user])), Ok(()));
        for refused in [
            json!([]),
            json!([user, calls(json!([call(json!({}))])), user, result("add")]),
            json!([user, calls(json!([call(json!({}))])), result("sub")]),
            json!([user, calls(json!([call(json!("{}"))])), result("add")]),
            json!([user, result("add")]),
            json!([user, calls(json!([]))]),
            json!([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]),
            json!([{"role": "user", "content": "Hi", "images": ["data:image/png;base64,AAAA"]}]),
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

    #[test]
    fn what_openai_refuses_as_a_response_is_refused() {
        let call = |id: &str, arguments: &str| json!({"type": "function_call", "call_id": id, "name": "add", "arguments": arguments});
        let result = json!({"type": "function_call_output", "call_id": "a", "output": "4"});
        let thought = json!({"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"});
        let user = json!({"role": "user", "content": "Hi"});
        let of = |input: serde_json::Value| check("openai-responses", &json!({ "input": input }));
        assert_eq!(of(json!([user, thought, call("a", "{}"), result, user])), Ok(()));
        for refused in [
            json!([]),
            json!([user, call("a", "{}")]),
            json!([user, result]),
            json!([user, call("a", "{}"), result, result]),
            json!([user, call("a", "{"), result]),
            json!([user, call("", "{}"), result]),
            json!([user, thought]),
            json!([user, thought, user]),
            json!([user, {"type": "reasoning", "id": "rs", "summary": []}, call("a", "{}"), result]),
            json!([user, {"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]),
            json!([user, {"role": "assistant", "content": [{"type": "output_text", "text": ""}]}]),
            json!([user, {"role": "user", "content": ""}]),
            json!([user, {"type": "shell_call", "call_id": "s"}]),
            json!([user, {"type": "server_tool_use", "id": "s"}]),
        ] {
            assert!(of(refused.clone()).is_err(), "{refused}");
        }
    }
}
