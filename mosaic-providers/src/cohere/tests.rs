use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::{
    CallId, Codec, Delivery, Encodable, Group, Media, MediaData, ModelInfo, ModelParams, Origin, OutputSpec,
    Part, Profile, Reasoning, ToolCall, ToolChoice, ToolResult, ToolSpec, ToolStatus,
};
use serde_json::{Value, json};

use super::Cohere;

fn origin(model: &str) -> Origin {
    Origin { api: "cohere".into(), provider: "p".into(), model: model.into() }
}

fn profile() -> Profile {
    Profile { origin: origin("m"), info: ModelInfo::new("p", "m") }
}

/// The fragment as a list of messages.
fn messages(group: &Arc<Group>) -> Value {
    let bytes = Cohere.fragment(group.body(), &profile()).unwrap();
    serde_json::from_slice(&[b"[", bytes.as_ref(), b"]"].concat()).unwrap()
}

fn call(id: &str, wire_id: Option<&str>) -> Part {
    Part::ToolCall(ToolCall {
        id: CallId(id.into()),
        wire_id: wire_id.map(str::to_owned),
        name: "add".to_owned(),
        arguments: "{\"x\":1}".to_owned(),
    })
}

fn result(id: &str, content: Vec<Part>) -> ToolResult {
    ToolResult { call: CallId(id.into()), status: ToolStatus::Ok, content }
}

fn media(media_type: &str, data: MediaData) -> Part {
    Part::Media(Media { media_type: media_type.to_owned(), data, name: None })
}

fn own(kind: &str, data: Value) -> Part {
    Part::Provider { kind: kind.to_owned(), data }
}

/// A request with the defaults, changed. The defaults are leaked, so that a change may borrow from its test.
fn body<'a>(change: impl FnOnce(&mut Encodable<'a>)) -> Value {
    let profile: &'a Profile = Box::leak(Box::new(profile()));
    let params: &'a ModelParams = Box::leak(Box::default());
    let mut request = Encodable {
        base_url: "https://host",
        profile,
        instructions: "",
        fragments: &[],
        tools: None,
        tool_choice: &ToolChoice::Auto,
        output: None,
        params,
        delivery: Delivery::Streamed,
    };
    change(&mut request);
    let sent = Cohere.encode(&request).unwrap();
    assert_eq!(sent.url, "https://host/v2/chat");
    serde_json::from_slice(&sent.body_bytes()).unwrap()
}

#[test]
fn thinking_plan_and_citations_go_back_to_their_origin_only() {
    let citation = json!([{"start": 0, "end": 1, "text": "4", "sources": []}]);
    let said = |model: &str| {
        let parts = vec![
            Part::Reasoning { text: "Hm".to_owned(), opaque: None },
            Part::text("4"),
            own("tool_plan", json!("I add.")),
            call("call_1_0", Some("add_1")),
            own("citations", citation.clone()),
            own("server_tool_use", json!({"type": "server_tool_use"})),
        ];
        let results = vec![result("call_1_0", vec![Part::text("5")])];
        messages(&Group::assistant(parts, Some(origin(model)), results).unwrap())
    };
    let calls =
        json!([{"id": "add_1", "type": "function", "function": {"name": "add", "arguments": "{\"x\":1}"}}]);
    let answer = json!({"role": "tool", "tool_call_id": "add_1", "content": "5"});
    let content = json!([{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "4"}]);
    assert_eq!(
        said("m"),
        json!([
            {"role": "assistant", "content": content, "tool_plan": "I add.", "tool_calls": calls, "citations": citation},
            answer
        ])
    );
    assert_eq!(said("other"), json!([{"role": "assistant", "content": "4", "tool_calls": calls}, answer]));
}

#[test]
fn blank_texts_are_left_out_and_nothing_is_sent_without_content() {
    let texts = |texts: &[&str]| texts.iter().map(|text| Part::text(*text)).collect::<Vec<_>>();
    assert_eq!(messages(&Group::user(texts(&["", " "])))[0]["content"], "(empty)");
    let list = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
    assert_eq!(messages(&Group::user(texts(&["a", "\n", "b"])))[0]["content"], list);
    assert_eq!(messages(&Group::assistant(texts(&[" "]), None, vec![]).unwrap()), json!([]));
    let silent = Group::assistant(vec![call("c", None)], None, vec![result("c", vec![])]).unwrap();
    let sent = messages(&silent);
    assert!(sent[0].get("content").is_none());
    assert_eq!(sent[1]["content"], "(no output)");
}

#[test]
fn citations_are_left_out_where_a_text_is_that_they_count() {
    let parts = vec![Part::text(" "), Part::text("4"), own("citations", json!([{"content_index": 1}]))];
    let sent = messages(&Group::assistant(parts, Some(origin("m")), vec![]).unwrap());
    assert_eq!(sent, json!([{"role": "assistant", "content": "4"}]));
}

#[test]
fn images_go_in_and_other_media_is_refused_with_a_way_out() {
    let bytes = || MediaData::Base64 { data: "AAAA".to_owned() };
    let first = |part: Part| messages(&Group::user(vec![part]))[0]["content"][0].clone();
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    assert_eq!(first(media("image/png", bytes())), image("data:image/png;base64,AAAA"));
    assert_eq!(first(media("image/png", MediaData::Url { url: "https://a".into() })), image("https://a"));
    for (refused, hint) in [
        (media("application/pdf", bytes()), "send its text"),
        (media("image/png", MediaData::File { id: "f".into() }), "send the bytes or a URL"),
    ] {
        let error = Cohere.fragment(Group::user(vec![refused]).body(), &profile()).unwrap_err();
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[test]
fn an_image_in_a_result_follows_in_a_message_of_the_user() {
    let image = media("image/png", MediaData::Base64 { data: "AAAA".to_owned() });
    let results = vec![result("a", vec![image]), result("b", vec![Part::text("2")])];
    let group = Group::assistant(vec![call("a", None), call("b", None)], None, results).unwrap();
    let sent = messages(&group);
    let roles: Vec<&str> =
        sent.as_array().unwrap().iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["assistant", "tool", "tool", "user"]);
    assert_eq!(sent[3]["content"][1]["type"], "image_url");
}

#[test]
fn settings_are_written_under_coheres_names() {
    let params = ModelParams {
        max_output_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(1.0),
        stop: vec!["x".to_owned()],
        seed: Some(7),
        reasoning: Some(Reasoning::Low),
        extra: json!({"documents": ["d"], "k": 3}).as_object().unwrap().clone(),
    };
    let sent = body(|request| (request.params, request.instructions) = (&params, "Be brief."));
    assert_eq!(
        sent,
        json!({
            "model": "m", "stream": true, "max_tokens": 9, "temperature": 0.5, "p": 0.99, "stop_sequences": ["x"],
            "seed": 7, "thinking": {"type": "enabled", "token_budget": 2048}, "documents": ["d"], "k": 3,
            "messages": [{"role": "system", "content": "Be brief."}]
        })
    );
    let off = ModelParams { reasoning: Some(Reasoning::Off), ..ModelParams::default() };
    assert_eq!(body(|request| request.params = &off)["thinking"], json!({"type": "disabled"}));
}

#[test]
fn a_named_tool_is_forced_by_being_the_only_one() {
    let spec = |name: &str| ToolSpec::new(name, "Adds.", json!({"type": "object", "properties": {}}));
    let (add, sub) = (spec("add"), spec("sub"));
    let tools = Cohere.tools(&[&add, &sub], &profile()).unwrap();
    let sent = |choice: ToolChoice| {
        body(|request| (request.tools, request.tool_choice) = (Some(&tools), Box::leak(Box::new(choice))))
    };
    assert!(sent(ToolChoice::Auto).get("tool_choice").is_none());
    assert_eq!(sent(ToolChoice::None)["tool_choice"], "NONE");
    assert_eq!(sent(ToolChoice::Required)["tools"].as_array().unwrap().len(), 2);
    let named = sent(ToolChoice::Tool { name: "sub".to_owned() });
    assert_eq!(named["tool_choice"], "REQUIRED");
    assert_eq!(named["tools"].as_array().unwrap().len(), 1);
    assert_eq!(named["tools"][0]["function"]["name"], "sub");
    let profile = profile();
    let unknown = Encodable {
        base_url: "https://host",
        profile: &profile,
        instructions: "",
        fragments: &[],
        tools: Some(&tools),
        tool_choice: &ToolChoice::Tool { name: "mul".to_owned() },
        output: None,
        params: &ModelParams::default(),
        delivery: Delivery::Whole,
    };
    assert!(Cohere.encode(&unknown).unwrap_err().to_string().contains("`mul`"));
}

#[test]
fn an_answer_is_forced_into_a_schema_where_the_api_can_and_told_where_it_cannot() {
    let spec = |schema: Value| OutputSpec { name: "plan".to_owned(), schema };
    let known = spec(json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}));
    let open = spec(json!({"type": "object", "properties": {"a": {"type": "string"}}}));
    let forced = body(|request| (request.output, request.instructions) = (Some(&known), "Plan."));
    assert_eq!(forced["response_format"], json!({"type": "json_object", "json_schema": known.schema}));
    assert_eq!(forced["messages"][0]["content"], "Plan.\n\nAnswer with a JSON object.");
    let json_only = body(|request| request.output = Some(&open));
    assert_eq!(json_only["response_format"], json!({"type": "json_object"}));
    assert!(json_only["messages"][0]["content"].as_str().unwrap().contains("JSON Schema"));
    let tools = Bytes::from_static(b"[]");
    let documents = ModelParams {
        extra: json!({"documents": ["d"]}).as_object().unwrap().clone(),
        ..ModelParams::default()
    };
    let beside_tools = body(|request| (request.output, request.tools) = (Some(&known), Some(&tools)));
    let beside_documents = body(|request| (request.output, request.params) = (Some(&known), &documents));
    for told in [beside_tools, beside_documents] {
        assert!(told.get("response_format").is_none());
        assert!(told["messages"][0]["content"].as_str().unwrap().contains("\"required\":[\"a\"]"));
    }
}

#[test]
fn a_version_in_the_base_url_is_not_told_twice_and_a_query_stays_behind() {
    let profile = profile();
    for (base_url, url) in [
        ("https://api.cohere.com/v2", "https://api.cohere.com/v2/chat"),
        ("https://proxy/cohere?x=1", "https://proxy/cohere/v2/chat?x=1"),
    ] {
        let request = Encodable {
            base_url,
            profile: &profile,
            instructions: "",
            fragments: &[],
            tools: None,
            tool_choice: &ToolChoice::Auto,
            output: None,
            params: &ModelParams::default(),
            delivery: Delivery::Whole,
        };
        assert_eq!(Cohere.encode(&request).unwrap().url, url);
    }
}
