use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::{
    CallId, Codec, Delivery, Encodable, Group, Media, MediaData, ModelInfo, ModelParams, Origin, OutputSpec,
    Part, Profile, Reasoning, ToolCall, ToolChoice, ToolResult, ToolSpec, ToolStatus,
};
use serde_json::{Value, json};

use super::{Anthropic, Cache, Quirks};

fn origin(model: &str) -> Origin {
    Origin { api: "anthropic-messages".into(), provider: "p".into(), model: model.into() }
}

fn profile(model: &str) -> Profile {
    Profile { origin: origin(model), info: ModelInfo::new("p", model) }
}

fn fragment(group: &Arc<Group>) -> Bytes {
    Anthropic::default().fragment(group.body(), &profile("m")).unwrap()
}

/// The fragment as a list of messages.
fn messages(group: &Arc<Group>) -> Value {
    serde_json::from_slice(&[b"[", fragment(group).as_ref(), b"]"].concat()).unwrap()
}

fn call(id: &str, wire_id: Option<&str>, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: CallId(id.into()),
        wire_id: wire_id.map(str::to_owned),
        name: "add".to_owned(),
        arguments: arguments.to_owned(),
    })
}

fn result(id: &str, status: ToolStatus, content: Vec<Part>) -> ToolResult {
    ToolResult { call: CallId(id.into()), status, content }
}

fn assistant(parts: Vec<Part>, from: &str, results: Vec<ToolResult>) -> Arc<Group> {
    Group::assistant(parts, Some(origin(from)), results).unwrap()
}

#[test]
fn all_results_stand_in_one_message_after_their_calls() {
    let image = Media {
        media_type: "image/png".to_owned(),
        data: MediaData::Base64 { data: "AA".to_owned() },
        name: None,
    };
    let group = assistant(
        vec![
            Part::text("Sure."),
            call("call_1_0", Some("toolu_1"), "{\"x\":1}"),
            call("call_1_1", Some("toolu_2"), ""),
        ],
        "m",
        vec![
            result("call_1_1", ToolStatus::Denied, vec![Part::text(" "), Part::Media(image)]),
            result("call_1_0", ToolStatus::Ok, vec![]),
        ],
    );
    assert_eq!(
        messages(&group),
        json!([
            {"role": "assistant", "content": [
                {"type": "text", "text": "Sure."},
                {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"x": 1}},
                {"type": "tool_use", "id": "toolu_2", "name": "add", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}]}]}
        ])
    );
}

#[test]
fn ids_that_the_api_refuses_are_replaced_by_ours() {
    let id = |wire: &str| {
        let group = assistant(
            vec![call("call_1_0", Some(wire), "{}")],
            "m",
            vec![result("call_1_0", ToolStatus::Ok, vec![])],
        );
        let sent = messages(&group);
        assert_eq!(sent[0]["content"][0]["id"], sent[1]["content"][0]["tool_use_id"]);
        sent[0]["content"][0]["id"].clone()
    };
    assert_eq!(id("toolu_1-a"), "toolu_1-a");
    assert_eq!(id("functions.add:0"), "call_1_0");
    assert_eq!(id(""), "call_1_0");
}

#[test]
fn an_input_that_is_no_object_goes_back_in_a_valid_form() {
    let group =
        assistant(vec![call("c", None, "{\"x\":")], "m", vec![result("c", ToolStatus::NotRun, vec![])]);
    assert_eq!(messages(&group)[0]["content"][0]["input"], json!({"INVALID_JSON": "{\"x\":"}));
}

fn thoughts() -> Vec<Part> {
    vec![
        Part::Reasoning { text: "Hm".to_owned(), opaque: Some(json!({"signature": "sig"})) },
        Part::Reasoning { text: String::new(), opaque: Some(json!({"redacted_thinking": "xx"})) },
        Part::Reasoning { text: "cut off".to_owned(), opaque: None },
        Part::Provider {
            kind: "server_tool_use".to_owned(),
            data: json!({"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}),
        },
        Part::Provider {
            kind: "web_search_tool_result".to_owned(),
            data: json!({"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}),
        },
        Part::Provider {
            kind: "server_tool_use".to_owned(),
            data: json!({"type": "server_tool_use", "id": "s2", "name": "web_search", "input": {}}),
        },
        Part::text("Blue."),
    ]
}

#[test]
fn thinking_and_server_tools_go_back_to_their_origin_whole_or_not_at_all() {
    let kinds = |from: &str| -> Vec<Value> {
        let sent = messages(&assistant(thoughts(), from, vec![]));
        sent[0]["content"].as_array().unwrap().iter().map(|block| block["type"].clone()).collect()
    };
    assert_eq!(
        kinds("m"),
        ["thinking", "redacted_thinking", "server_tool_use", "web_search_tool_result", "text"]
    );
    assert_eq!(kinds("another"), ["text"]);
}

#[test]
fn blank_texts_are_left_out_and_an_empty_message_is_not_sent() {
    let group = Group::user(vec![Part::text(""), Part::text(" \n"), Part::text("a")]);
    assert_eq!(messages(&group)[0]["content"], json!([{"type": "text", "text": "a"}]));
    assert_eq!(messages(&Group::user(vec![Part::text("")]))[0]["content"][0]["text"], "(empty)");
    assert_eq!(messages(&assistant(vec![Part::text("\n\n")], "m", vec![])), json!([]));
}

#[test]
fn documents_go_in_as_blocks_of_their_own() {
    let pdf = |data: MediaData| {
        let media = Media { media_type: "application/pdf".to_owned(), data, name: Some("a.pdf".to_owned()) };
        messages(&Group::user(vec![Part::Media(media)]))[0]["content"][0].clone()
    };
    assert_eq!(
        pdf(MediaData::Url { url: "https://a".to_owned() }),
        json!({"type": "document", "source": {"type": "url", "url": "https://a"}, "title": "a.pdf"})
    );
    assert_eq!(
        pdf(MediaData::File { id: "file_1".to_owned() })["source"],
        json!({"type": "file", "file_id": "file_1"})
    );
    let sound = Media {
        media_type: "audio/wav".to_owned(),
        data: MediaData::Base64 { data: "AA".to_owned() },
        name: None,
    };
    let group = Group::user(vec![Part::Media(sound)]);
    assert!(Anthropic::default().fragment(group.body(), &profile("m")).is_err());
}

/// A request with the defaults, changed. The defaults are leaked, so that a change may borrow from its test.
fn body<'a>(
    model: &str,
    cache: Cache,
    fragments: &'a [Bytes],
    change: impl FnOnce(&mut Encodable<'a>),
) -> Value {
    let profile: &'a Profile = Box::leak(Box::new(profile(model)));
    let params: &'a ModelParams = Box::leak(Box::default());
    let mut request = Encodable {
        base_url: "https://host/v1",
        profile,
        instructions: "",
        fragments,
        tools: None,
        tool_choice: &ToolChoice::Auto,
        output: None,
        params,
        delivery: Delivery::Streamed,
    };
    change(&mut request);
    let sent = Anthropic::new(Quirks { cache }).encode(&request).unwrap();
    assert_eq!(sent.url, "https://host/v1/messages");
    assert_eq!(sent.headers.get("anthropic-version"), Some("2023-06-01"));
    serde_json::from_slice(&sent.body_bytes()).unwrap()
}

/// The paths of all breakpoints.
fn breakpoints(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if members.contains_key("cache_control") {
                found.push(path.to_owned());
            }
            members.iter().for_each(|(name, inner)| breakpoints(inner, &format!("{path}/{name}"), found));
        }
        Value::Array(values) => {
            values
                .iter()
                .enumerate()
                .for_each(|(at, inner)| breakpoints(inner, &format!("{path}/{at}"), found));
        }
        _ => {}
    }
}

#[test]
fn breakpoints_are_placed_without_writing_old_messages_again() {
    let groups = [
        Group::user(vec![Part::text("one")]),
        assistant(vec![call("c", None, "{}")], "m", vec![result("c", ToolStatus::Ok, vec![Part::text("1")])]),
        Group::user(vec![Part::text("two")]),
        // An answer takes none: the next request has others after it.
        assistant(vec![Part::text("three")], "m", vec![]),
    ];
    let fragments: Vec<Bytes> = groups.iter().map(fragment).collect();
    let kept = fragments.clone();
    let specs = [
        ToolSpec::new("add", "", json!({"type": "object"})),
        ToolSpec::new("sub", "", json!({"type": "object"})),
    ];
    let tools = Anthropic::default().tools(&specs.iter().collect::<Vec<_>>(), &profile("m")).unwrap();
    let sent = body("m", Cache::Ephemeral, &fragments, |request| {
        (request.tools, request.instructions) = (Some(&tools), "Be brief.");
    });
    let mut found = Vec::new();
    breakpoints(&sent, "", &mut found);
    found.sort();
    assert_eq!(found, ["/messages/2/content/0", "/messages/3/content/0", "/system/0", "/tools/1"]);
    assert_eq!(fragments, kept);
    let mut found = Vec::new();
    breakpoints(&body("m", Cache::Off, &fragments, |request| request.instructions = "a"), "", &mut found);
    assert!(found.is_empty());
}

#[test]
fn each_model_is_told_to_think_in_its_way() {
    let think = |model: &str, reasoning: Reasoning, limit: Option<u64>| {
        let params = ModelParams {
            reasoning: Some(reasoning),
            max_output_tokens: limit,
            temperature: Some(0.0),
            ..ModelParams::default()
        };
        body(model, Cache::Off, &[], |request| request.params = &params)
    };
    let budget = think("claude-sonnet-4-5", Reasoning::Medium, None);
    assert_eq!(budget["thinking"], json!({"type": "enabled", "budget_tokens": 8192}));
    // Thinking allows no temperature, and needs a budget below the limit.
    assert!(budget.get("temperature").is_none() && budget["max_tokens"].as_u64().unwrap() > 8192);
    assert_eq!(think("claude-sonnet-4-5", Reasoning::High, Some(4_000))["thinking"]["budget_tokens"], 2_000);
    assert!(think("claude-sonnet-4-5", Reasoning::High, Some(100)).get("thinking").is_none());
    let adaptive = think("claude-opus-4-8", Reasoning::High, None);
    assert_eq!(
        (&adaptive["thinking"], &adaptive["output_config"]),
        (&json!({"type": "adaptive"}), &json!({"effort": "high"}))
    );
    assert_eq!(think("claude-opus-4-8", Reasoning::Off, None)["thinking"], json!({"type": "disabled"}));
    assert!(think("claude-3-haiku", Reasoning::High, None).get("thinking").is_none());
}

#[test]
fn a_forced_call_goes_before_thinking() {
    let spec = ToolSpec::new("add", "", json!({"type": "object"}));
    let tools = Anthropic::default().tools(&[&spec], &profile("m")).unwrap();
    let params = ModelParams { reasoning: Some(Reasoning::High), ..ModelParams::default() };
    let sent = |choice: ToolChoice| {
        body("claude-opus-4-8", Cache::Off, &[], |request| {
            (request.tools, request.params, request.tool_choice) = (Some(&tools), &params, &choice);
        })
    };
    let forced = sent(ToolChoice::Tool { name: "add".to_owned() });
    assert_eq!(forced["tool_choice"], json!({"type": "tool", "name": "add"}));
    assert_eq!(forced["thinking"], json!({"type": "disabled"}));
    assert_eq!(sent(ToolChoice::None)["tool_choice"], json!({"type": "none"}));
    assert_eq!(sent(ToolChoice::Required)["tool_choice"], json!({"type": "any"}));
    assert!(sent(ToolChoice::Auto).get("tool_choice").is_none());
}

#[test]
fn a_schema_is_brought_into_the_dialect_of_structured_outputs() {
    let schema = json!({"type": "object", "required": ["minimum"], "properties": {
        "minimum": {"type": "integer", "minimum": 3, "description": "d"},
        "list": {"type": "array", "maxItems": 2, "items": {"type": "object", "properties": {}}},
        "kind": {"enum": [{"minimum": 1}]}
    }});
    let output = OutputSpec { name: "plan".to_owned(), schema };
    let sent = body("claude-sonnet-5", Cache::Off, &[], |request| request.output = Some(&output));
    assert_eq!(
        sent["output_config"]["format"],
        json!({"type": "json_schema", "schema": {
            "type": "object", "required": ["minimum"], "additionalProperties": false, "properties": {
                // A property of that name is no bound.
                "minimum": {"type": "integer", "description": "d"},
                "list": {"type": "array", "items": {"type": "object", "properties": {}, "additionalProperties": false}},
                "kind": {"enum": [{"minimum": 1}]}
        }}})
    );
}

#[test]
fn the_limit_of_tokens_is_always_sent() {
    assert_eq!(body("claude-3-opus", Cache::Off, &[], |_| {})["max_tokens"], 4_096);
    let params = ModelParams { max_output_tokens: Some(7), ..ModelParams::default() };
    assert_eq!(body("claude-3-opus", Cache::Off, &[], |request| request.params = &params)["max_tokens"], 7);
}

#[test]
fn a_conversation_that_begins_with_an_answer_gets_a_message_of_the_user_before_it() {
    let answer = fragment(&assistant(vec![Part::text("Hi")], "m", vec![]));
    let sent = body("m", Cache::Off, &[Bytes::new(), answer], |_| {});
    let roles: Vec<&Value> =
        sent["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["user", "assistant"]);
}
