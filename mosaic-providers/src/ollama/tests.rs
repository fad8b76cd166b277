use std::sync::Arc;

use mosaic_core::{
    CallId, Codec, Delivery, Encodable, EncodeError, Group, HttpRequest, Media, MediaData, ModelInfo,
    ModelParams, Origin, OutputSpec, Part, Profile, Reasoning, ToolCall, ToolChoice, ToolResult, ToolSpec,
    ToolStatus,
};
use serde_json::{Value, json};

use super::Ollama;

fn origin(model: &str) -> Origin {
    Origin { api: "ollama".into(), provider: "p".into(), model: model.into() }
}

fn profile() -> Profile {
    Profile { origin: origin("qwen3:4b"), info: ModelInfo::new("p", "qwen3:4b") }
}

/// The fragment as a list of messages.
fn messages(group: &Arc<Group>) -> Value {
    let bytes = Ollama.fragment(group.body(), &profile()).unwrap();
    serde_json::from_slice(&[b"[", bytes.as_ref(), b"]"].concat()).unwrap()
}

fn call(id: &str, wire_id: Option<&str>, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: CallId(id.into()),
        wire_id: wire_id.map(str::to_owned),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    })
}

fn result(id: &str, content: Vec<Part>) -> ToolResult {
    ToolResult { call: CallId(id.into()), status: ToolStatus::Ok, content }
}

fn image(data: MediaData) -> Part {
    Part::Media(Media { media_type: "image/png".to_owned(), data, name: None })
}

fn bytes() -> MediaData {
    MediaData::Base64 { data: "AAAA".to_owned() }
}

fn encode<'a>(change: impl FnOnce(&mut Encodable<'a>)) -> Result<HttpRequest, EncodeError> {
    let profile: &'a Profile = Box::leak(Box::new(profile()));
    let params: &'a ModelParams = Box::leak(Box::default());
    let mut request = Encodable {
        base_url: "http://host",
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
    Ollama.encode(&request)
}

fn body<'a>(change: impl FnOnce(&mut Encodable<'a>)) -> Value {
    serde_json::from_slice(&encode(change).unwrap().body_bytes()).unwrap()
}

#[test]
fn calls_have_objects_for_arguments_and_results_name_their_tool() {
    let parts = vec![
        Part::text("Let me see."),
        call("call_1_0", None, "add", "{\"x\":1}"),
        call("call_1_1", None, "now", ""),
        call("call_1_2", None, "cut", "{\"x\":"),
    ];
    let results = vec![
        result("call_1_1", vec![Part::text("2")]),
        result("call_1_0", vec![]),
        result("call_1_2", vec![Part::text("3")]),
    ];
    let group = Group::assistant(parts, Some(origin("qwen3:4b")), results).unwrap();
    assert_eq!(
        messages(&group),
        json!([
            {"role": "assistant", "content": "Let me see.", "tool_calls": [
                {"id": "call_1_0", "function": {"name": "add", "arguments": {"x": 1}}},
                {"id": "call_1_1", "function": {"name": "now", "arguments": {}}},
                {"id": "call_1_2", "function": {"name": "cut", "arguments": {"INVALID_JSON": "{\"x\":"}}}]},
            {"role": "tool", "content": "(no output)", "tool_name": "add", "tool_call_id": "call_1_0"},
            {"role": "tool", "content": "2", "tool_name": "now", "tool_call_id": "call_1_1"},
            {"role": "tool", "content": "3", "tool_name": "cut", "tool_call_id": "call_1_2"}
        ])
    );
}

#[test]
fn thinking_goes_back_to_its_origin_only() {
    let said = |model: &str| {
        let parts = vec![Part::Reasoning { text: "Hm".to_owned(), opaque: None }, Part::text("4")];
        messages(&Group::assistant(parts, Some(origin(model)), vec![]).unwrap())[0].clone()
    };
    assert_eq!(said("qwen3:4b"), json!({"role": "assistant", "content": "4", "thinking": "Hm"}));
    assert_eq!(said("llama3.2"), json!({"role": "assistant", "content": "4"}));
}

#[test]
fn images_are_beside_the_text_and_a_url_is_refused() {
    let sent = messages(&Group::user(vec![Part::text("What?"), image(bytes()), image(bytes())]));
    assert_eq!(sent, json!([{"role": "user", "content": "What?", "images": ["AAAA", "AAAA"]}]));
    let url = Group::user(vec![image(MediaData::Url { url: "https://a".to_owned() })]);
    let error = Ollama.fragment(url.body(), &profile()).unwrap_err();
    assert!(error.to_string().contains("send the bytes instead of a URL"), "{error}");
    let pdf = Media { media_type: "application/pdf".to_owned(), data: bytes(), name: None };
    let error = Ollama.fragment(Group::user(vec![Part::Media(pdf)]).body(), &profile()).unwrap_err();
    assert!(error.to_string().contains("send its text"), "{error}");
}

#[test]
fn an_image_in_a_result_follows_in_a_message_of_the_user() {
    let parts = vec![call("a", None, "look", "{}"), call("b", None, "add", "{}")];
    let results = vec![result("a", vec![image(bytes())]), result("b", vec![Part::text("2")])];
    let sent = messages(&Group::assistant(parts, None, results).unwrap());
    let roles: Vec<&str> =
        sent.as_array().unwrap().iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["assistant", "tool", "tool", "user"]);
    assert_eq!(sent[3]["images"], json!(["AAAA"]));
}

#[test]
fn settings_are_options_and_the_hosts_options_are_added() {
    let params = ModelParams {
        max_output_tokens: Some(9),
        temperature: Some(0.5),
        stop: vec!["x".to_owned()],
        extra: json!({"options": {"num_ctx": 8192, "temperature": 0.1}, "keep_alive": "1h"})
            .as_object()
            .unwrap()
            .clone(),
        ..ModelParams::default()
    };
    let sent = body(|request| (request.params, request.instructions) = (&params, "Be brief."));
    assert_eq!(
        sent,
        json!({
            "model": "qwen3:4b", "stream": true, "keep_alive": "1h",
            "options": {"num_predict": 9, "temperature": 0.1, "stop": ["x"], "num_ctx": 8192},
            "messages": [{"role": "system", "content": "Be brief."}]
        })
    );
    assert!(body(|_| {}).get("options").is_none());
}

#[test]
fn a_model_is_told_to_think_as_it_wants_to_be() {
    let think = |model: &str, reasoning| super::models::think(model, reasoning).unwrap();
    assert_eq!(think("qwen3:4b", Reasoning::High), true);
    assert_eq!(think("qwen3:4b", Reasoning::Off), false);
    assert_eq!(think("gpt-oss:20b", Reasoning::High), "high");
    assert_eq!(think("gpt-oss:20b", Reasoning::Off), "low");
    let off = ModelParams { reasoning: Some(Reasoning::Off), ..ModelParams::default() };
    assert_eq!(body(|request| request.params = &off)["think"], false);
}

#[test]
fn a_schema_is_forced_without_tools_and_told_beside_them() {
    let output = OutputSpec { name: "plan".to_owned(), schema: json!({"type": "object", "required": ["a"]}) };
    let add = ToolSpec::new("add", "Adds.", json!({"type": "object", "properties": {}}));
    let tools = Ollama.tools(&[&add], &profile()).unwrap();
    let forced = body(|request| (request.output, request.instructions) = (Some(&output), "Plan."));
    assert_eq!((&forced["format"], &forced["messages"][0]["content"]), (&output.schema, &json!("Plan.")));
    let told = body(|request| (request.output, request.tools) = (Some(&output), Some(&tools)));
    assert!(told.get("format").is_none() && told["tools"].is_array());
    assert!(told["messages"][0]["content"].as_str().unwrap().contains("\"required\":[\"a\"]"));
    // Where none may be called the tools are left out, and the schema can be forced.
    let none = body(|request| {
        (request.output, request.tools, request.tool_choice) =
            (Some(&output), Some(&tools), &ToolChoice::None);
    });
    assert!(none.get("tools").is_none());
    assert_eq!(none["format"], output.schema);
}

#[test]
fn a_forced_call_is_refused_with_a_way_out() {
    let add = ToolSpec::new("add", "Adds.", json!({"type": "object", "properties": {}}));
    let tools = Ollama.tools(&[&add], &profile()).unwrap();
    for choice in [ToolChoice::Required, ToolChoice::Tool { name: "add".to_owned() }] {
        let choice: &ToolChoice = Box::leak(Box::new(choice));
        let error =
            encode(|request| (request.tools, request.tool_choice) = (Some(&tools), choice)).unwrap_err();
        assert!(error.to_string().contains("json_schema"), "{error}");
        // Without tools there is nothing to force.
        assert!(encode(|request| request.tool_choice = choice).is_ok());
    }
}

#[test]
fn the_address_may_be_that_of_the_compatible_api() {
    for base_url in ["http://host", "http://host/v1", "http://host/api", "http://host/"] {
        assert_eq!(encode(|request| request.base_url = base_url).unwrap().url, "http://host/api/chat");
    }
}
