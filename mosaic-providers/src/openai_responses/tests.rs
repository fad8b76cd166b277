use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::{
    CallId, Codec, Cost, Delivery, Encodable, EncodeError, Group, HttpRequest, Media, MediaData, ModelEvent,
    ModelInfo, ModelParams, Origin, OutputSpec, Part, Profile, Reasoning, StopReason, ToolCall, ToolChoice,
    ToolResult, ToolSpec, ToolStatus,
};
use serde_json::{Value, json};

use super::{OpenAiResponses, Quirks};

const LONG: &str = "call_i9NuWdTv0CMFhOXPnPTKrkVS";

fn origin(model: &str) -> Origin {
    Origin { api: "openai-responses".into(), provider: "p".into(), model: model.into() }
}

fn profile() -> Profile {
    Profile { origin: origin("m"), info: ModelInfo::new("p", "m") }
}

/// The fragment as a list of items.
fn items(quirks: Quirks, group: &Arc<Group>) -> Value {
    let bytes = OpenAiResponses::new(quirks).fragment(group.body(), &profile()).unwrap();
    serde_json::from_slice(&[b"[", bytes.as_ref(), b"]"].concat()).unwrap()
}

fn call(id: &str, wire_id: Option<&str>, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: CallId(id.into()),
        wire_id: wire_id.map(str::to_owned),
        name: "add".to_owned(),
        arguments: arguments.to_owned(),
    })
}

fn result(id: &str, content: Vec<Part>) -> ToolResult {
    ToolResult { call: CallId(id.into()), status: ToolStatus::Ok, content }
}

fn thought(text: &str, opaque: Value) -> Part {
    Part::Reasoning { text: text.to_owned(), opaque: Some(opaque) }
}

fn hosted(data: Value) -> Part {
    Part::Provider { kind: data["type"].as_str().unwrap().to_owned(), data }
}

fn medium(media_type: &str, data: MediaData) -> Part {
    Part::Media(Media { media_type: media_type.to_owned(), data, name: Some("a.pdf".to_owned()) })
}

fn image() -> Part {
    medium("image/png", MediaData::Base64 { data: "AAAA".to_owned() })
}

fn said(parts: Vec<Part>) -> Arc<Group> {
    Group::assistant(parts, Some(origin("m")), vec![]).unwrap()
}

fn kinds(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect()
}

#[test]
fn items_keep_their_order_and_results_follow() {
    let parts = vec![
        thought("Hm", json!({"id": "rs_1", "encrypted_content": "x"})),
        Part::text("Let me see."),
        call("call_1_0", Some(LONG), "{\"x\":1}"),
    ];
    let group = Group::assistant(parts, Some(origin("m")), vec![result("call_1_0", vec![Part::text("1")])]);
    assert_eq!(
        items(Quirks::default(), &group.unwrap()),
        json!([
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "x"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]},
            {"type": "function_call", "call_id": LONG, "name": "add", "arguments": "{\"x\":1}"},
            {"type": "function_call_output", "call_id": LONG, "output": "1"}
        ])
    );
}

#[test]
fn an_id_that_comes_again_in_every_answer_is_replaced_by_ours() {
    let sent = |wire: &str| {
        let results = vec![result("call_1_0", vec![])];
        let group = Group::assistant(vec![call("call_1_0", Some(wire), "{}")], Some(origin("m")), results);
        items(Quirks::default(), &group.unwrap())
    };
    assert_eq!(sent(LONG)[1]["call_id"], LONG);
    assert_eq!(sent("call_0")[0]["call_id"], "call_1_0");
    assert_eq!(sent("call_0")[1]["call_id"], "call_1_0");
    assert_eq!(sent(&"x".repeat(65))[0]["call_id"], "call_1_0");
}

#[test]
fn arguments_that_were_cut_off_go_back_in_a_valid_form() {
    let group = Group::assistant(vec![call("c", None, "{\"x\":48")], None, vec![result("c", vec![])]);
    let sent = items(Quirks::default(), &group.unwrap());
    let arguments: Value = serde_json::from_str(sent[0]["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments, json!({"INVALID_JSON": "{\"x\":48"}));
    assert_eq!(sent[1]["output"], "(no output)");
}

#[test]
fn reasoning_goes_back_to_its_origin_only_and_in_the_form_that_the_server_takes() {
    let encrypted = json!({"id": "rs_1", "encrypted_content": "x"});
    let plain = json!({"id": "rs_1", "in": "content"});
    let sent = |opaque: &Value, from: &str, quirks: Quirks| {
        let parts = vec![thought("Hm", opaque.clone()), Part::text("4")];
        items(quirks, &Group::assistant(parts, Some(origin(from)), vec![]).unwrap())
    };
    assert_eq!(kinds(&sent(&encrypted, "m", Quirks::openai())), ["reasoning", "message"]);
    assert_eq!(kinds(&sent(&encrypted, "another", Quirks::openai())), ["message"]);
    // OpenAI would look it up in its store, where it is not.
    assert_eq!(kinds(&sent(&plain, "m", Quirks::openai())), ["message"]);
    let deepseek = sent(&plain, "m", Quirks::deepseek());
    assert_eq!(
        deepseek[0],
        json!({"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm"}]})
    );
}

#[test]
fn reasoning_that_nothing_of_its_answer_follows_is_left_out() {
    let encrypted = json!({"id": "rs_1", "encrypted_content": "x"});
    let cut = said(vec![Part::text("So"), thought("", encrypted.clone()), Part::text("")]);
    assert_eq!(kinds(&items(Quirks::default(), &cut)), ["message"]);
    assert_eq!(items(Quirks::default(), &said(vec![thought("", encrypted)])), json!([]));
}

#[test]
fn what_came_as_several_pieces_goes_back_as_several() {
    let item = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "x", "status": "completed",
        "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]});
    let answer = json!({"status": "completed", "output": [item, {"type": "message", "content": [{"type": "output_text", "text": "4"}]}]});
    let parts = read(&answer, Quirks::default()).0;
    assert!(matches!(&parts[0], Part::Reasoning { text, .. } if text == "a\n\nb"));
    let mut sent = items(Quirks::default(), &said(parts));
    sent[0]["status"] = "completed".into();
    assert_eq!(sent[0], item);
}

#[test]
fn items_of_server_side_tools_go_back_to_their_origin_as_they_came() {
    let search =
        json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}});
    let parts = || vec![hosted(search.clone()), Part::text("4")];
    assert_eq!(items(Quirks::default(), &said(parts()))[0], search);
    let elsewhere = Group::assistant(parts(), Some(origin("another")), vec![]).unwrap();
    assert_eq!(kinds(&items(Quirks::default(), &elsewhere)), ["message"]);
}

#[test]
fn a_server_side_call_goes_back_with_its_output_or_not_at_all() {
    let shell = || hosted(json!({"type": "shell_call", "id": "sh_1", "call_id": "c"}));
    let output = || hosted(json!({"type": "shell_call_output", "id": "sho_1", "call_id": "c"}));
    let computer = || hosted(json!({"type": "computer_call", "id": "cu_1", "call_id": "d"}));
    let sent = |parts| kinds(&items(Quirks::default(), &said(parts))).join(" ");
    assert_eq!(sent(vec![shell(), output(), computer()]), "shell_call shell_call_output");
    assert_eq!(sent(vec![output(), shell()]), "");
    assert_eq!(sent(vec![shell(), shell(), output(), output()]), "shell_call shell_call_output");
    assert_eq!(sent(vec![hosted(json!({"type": "mcp_approval_request", "id": "m"}))]), "");
}

#[test]
fn a_user_says_a_text_a_list_or_nothing() {
    let content = |parts| items(Quirks::default(), &Group::user(parts))[0]["content"].clone();
    assert_eq!(content(vec![Part::text("Hi")]), "Hi");
    assert_eq!(content(vec![]), "(empty)");
    assert_eq!(content(vec![Part::text("a"), Part::text(""), Part::text("b")]).as_array().unwrap().len(), 2);
}

#[test]
fn media_goes_in_as_the_api_wants_it() {
    let first = |part: Part| items(Quirks::default(), &Group::user(vec![part]))[0]["content"][0].clone();
    let bytes = || MediaData::Base64 { data: "AAAA".to_owned() };
    let url = || MediaData::Url { url: "https://a".to_owned() };
    let file = || MediaData::File { id: "file-1".to_owned() };
    assert_eq!(first(image()), json!({"type": "input_image", "image_url": "data:image/png;base64,AAAA"}));
    assert_eq!(first(medium("image/png", url())), json!({"type": "input_image", "image_url": "https://a"}));
    assert_eq!(first(medium("image/png", file())), json!({"type": "input_image", "file_id": "file-1"}));
    let pdf = "application/pdf";
    assert_eq!(
        first(medium(pdf, bytes())),
        json!({"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"})
    );
    assert_eq!(first(medium(pdf, url())), json!({"type": "input_file", "file_url": "https://a"}));
    assert_eq!(first(medium(pdf, file())), json!({"type": "input_file", "file_id": "file-1"}));
    let refused = |part: Part, quirks: Quirks| {
        let group = Group::user(vec![part]);
        OpenAiResponses::new(quirks).fragment(group.body(), &profile()).unwrap_err().to_string()
    };
    assert!(refused(medium("audio/wav", bytes()), Quirks::openai()).contains("audio/wav"));
    assert!(refused(medium(pdf, bytes()), Quirks::llamacpp()).contains("send a document's text"));
}

#[test]
fn an_image_in_a_result_stays_there_or_follows_it() {
    let group = || {
        let parts = vec![call("a", None, "{}"), call("b", None, "{}")];
        let results = vec![result("a", vec![Part::text("See"), image()]), result("b", vec![Part::text("2")])];
        Group::assistant(parts, None, results).unwrap()
    };
    let inside = items(Quirks::openai(), &group());
    assert_eq!(inside[2]["output"][1]["type"], "input_image");
    assert_eq!(inside[3]["output"], "2");
    let after = items(Quirks::xai(), &group());
    assert_eq!(after[2]["output"], "See");
    assert_eq!(after[4]["content"][1]["type"], "input_image");
}

/// A request with the defaults, changed. The defaults are leaked, so that a change may borrow from its test.
fn encoded<'a>(quirks: &Quirks, change: impl FnOnce(&mut Encodable<'a>)) -> Result<HttpRequest, EncodeError> {
    let profile: &'a Profile = Box::leak(Box::new(profile()));
    let params: &'a ModelParams = Box::leak(Box::default());
    let mut request = Encodable {
        base_url: "http://host/v1",
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
    OpenAiResponses::new(quirks.clone()).encode(&request)
}

fn sent<'a>(quirks: &Quirks, change: impl FnOnce(&mut Encodable<'a>)) -> (String, Value) {
    let sent = encoded(quirks, change).unwrap();
    let body = serde_json::from_slice(&sent.body_bytes()).unwrap();
    (sent.url, body)
}

fn body<'a>(quirks: &Quirks, change: impl FnOnce(&mut Encodable<'a>)) -> Value {
    sent(quirks, change).1
}

#[test]
fn nothing_is_stored_and_reasoning_is_asked_for_in_its_encrypted_form() {
    let openai = body(&Quirks::openai(), |_| {});
    assert_eq!(
        (&openai["store"], &openai["include"]),
        (&json!(false), &json!(["reasoning.encrypted_content"]))
    );
    // "Encrypted content is not supported with this model."
    let other = Profile { origin: origin("gpt-4o"), info: ModelInfo::new("p", "gpt-4o") };
    let other: &Profile = Box::leak(Box::new(other));
    let without = body(&Quirks::openai(), |request| request.profile = other);
    assert!(without["store"] == false && without.get("include").is_none());
    let deepseek = body(&Quirks::deepseek(), |_| {});
    assert!(deepseek.get("store").is_none() && deepseek.get("include").is_none());
}

#[test]
fn settings_are_written_under_the_servers_names() {
    let params = ModelParams {
        max_output_tokens: Some(9),
        temperature: Some(0.5),
        seed: Some(7),
        reasoning: Some(Reasoning::Off),
        ..ModelParams::default()
    };
    let openai =
        body(&Quirks::openai(), |request| (request.params, request.instructions) = (&params, "Be brief."));
    assert_eq!((&openai["max_output_tokens"], &openai["temperature"]), (&json!(9), &json!(0.5)));
    assert_eq!(
        (&openai["instructions"], &openai["reasoning"]),
        (&json!("Be brief."), &json!({"effort": "none"}))
    );
    assert!(openai.get("seed").is_none());
    let local = body(&Quirks::llamacpp(), |request| request.params = &params);
    assert_eq!(local["seed"], 7);
    assert_eq!(local["chat_template_kwargs"], json!({"enable_thinking": false}));
}

#[test]
fn stop_sequences_are_an_error_where_the_api_has_none() {
    let params = ModelParams { stop: vec!["x".to_owned()], ..ModelParams::default() };
    assert_eq!(body(&Quirks::llamacpp(), |request| request.params = &params)["stop"], json!(["x"]));
    let profile = profile();
    let request = Encodable {
        base_url: "http://host/v1",
        profile: &profile,
        instructions: "",
        fragments: &[],
        tools: None,
        tool_choice: &ToolChoice::Auto,
        output: None,
        params: &params,
        delivery: Delivery::Streamed,
    };
    let error = OpenAiResponses::default().encode(&request).unwrap_err();
    assert!(error.to_string().contains("stop sequences"), "{error}");
}

#[test]
fn extra_members_replace_the_codecs_own() {
    let extra = json!({"model": "other", "input": "x", "tools": [{"type": "web_search"}], "store": true});
    let params = ModelParams { extra: extra.as_object().unwrap().clone(), ..ModelParams::default() };
    let fragment = [Bytes::from_static(b"{}")];
    let fragments: &[Bytes] = Box::leak(Box::new(fragment));
    let sent = body(&Quirks::default(), |request| (request.params, request.fragments) = (&params, fragments));
    for (name, value) in extra.as_object().unwrap() {
        assert_eq!(&sent[name], value);
    }
}

#[test]
fn a_query_of_the_address_stays_behind_the_path() {
    let url = |base: &'static str| sent(&Quirks::azure(), |request| request.base_url = base).0;
    assert_eq!(
        url("https://me.openai.azure.com/openai/v1/"),
        "https://me.openai.azure.com/openai/v1/responses"
    );
    assert_eq!(url("https://me/openai?api-version=1"), "https://me/openai/responses?api-version=1");
}

#[test]
fn tools_are_flat_and_say_whether_they_are_strict() {
    let closed = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    let open = ToolSpec::new("add", "Adds.", json!({"type": "object"}));
    let strict = ToolSpec::new("sub", "", closed.clone());
    let tools = OpenAiResponses::default().tools(&[&open, &strict], &profile()).unwrap();
    let request = |choice: ToolChoice, quirks: Quirks| {
        body(&quirks, |request| (request.tools, request.tool_choice) = (Some(&tools), &choice))
    };
    assert_eq!(
        request(ToolChoice::Auto, Quirks::default())["tools"],
        json!([
            {"type": "function", "name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}, "strict": false},
            {"type": "function", "name": "sub", "parameters": closed, "strict": true}
        ])
    );
    assert!(request(ToolChoice::Auto, Quirks::default()).get("tool_choice").is_none());
    assert_eq!(request(ToolChoice::None, Quirks::default())["tool_choice"], "none");
    let named = || ToolChoice::Tool { name: "add".to_owned() };
    assert_eq!(
        request(named(), Quirks::default())["tool_choice"],
        json!({"type": "function", "name": "add"})
    );
    assert_eq!(request(named(), Quirks::llamacpp())["tool_choice"], "required");
}

#[test]
fn a_schema_that_the_api_cannot_take_is_refused_with_its_place() {
    let refused = |schema: Value| {
        let spec = ToolSpec::new("add", "", schema);
        OpenAiResponses::default().tools(&[&spec], &profile()).unwrap_err().to_string()
    };
    let choice = refused(json!({"type": "object", "anyOf": [{}]}));
    assert!(choice.contains("`add`") && choice.contains("`/anyOf`"), "{choice}");
    assert!(refused(json!({"type": "string"})).contains("`/type`"));
    let list = OutputSpec { name: "plan".to_owned(), schema: json!({"type": "array", "items": {}}) };
    let error = encoded(&Quirks::openai(), |request| request.output = Some(&list)).unwrap_err().to_string();
    assert!(error.contains("`plan`") && error.contains("`/type`"), "{error}");
    assert!(encoded(&Quirks::llamacpp(), |request| request.output = Some(&list)).is_ok());
    let spec = ToolSpec::new("add", "", json!({"type": "object", "anyOf": [{}]}));
    assert!(OpenAiResponses::new(Quirks::llamacpp()).tools(&[&spec], &profile()).is_ok());
}

#[test]
fn an_answers_shape_is_wanted_beside_tools() {
    let output = OutputSpec { name: "plan".to_owned(), schema: json!({"type": "object", "properties": {}}) };
    let tools = Bytes::from_static(b"[{}]");
    let request = |quirks: Quirks| {
        body(&quirks, |request| (request.output, request.tools) = (Some(&output), Some(&tools)))
    };
    let openai = request(Quirks::openai());
    assert_eq!(
        openai["text"]["format"],
        json!({"type": "json_schema", "name": "plan", "schema": output.schema, "strict": false})
    );
    assert_eq!(openai["tools"], json!([{}]));
    assert_eq!(request(Quirks::llamacpp())["response_format"]["json_schema"]["name"], "plan");
}

/// The parts of a whole answer, and what it cost.
fn read(answer: &Value, quirks: Quirks) -> (Vec<Part>, Option<Cost>) {
    let mut decoder = OpenAiResponses::new(quirks).decoder(&profile(), Delivery::Whole);
    let mut events = Vec::new();
    decoder.push(answer.to_string().as_bytes(), &mut events).unwrap();
    decoder.finish(&mut events).unwrap();
    let Some(ModelEvent::Done(end)) = events.pop() else { panic!("no end") };
    let parts = events.into_iter().filter_map(|event| match event {
        ModelEvent::End { content, .. } => Some(content),
        _ => None,
    });
    (parts.collect(), end.cost)
}

#[test]
fn a_cost_that_the_provider_tells_is_taken() {
    let answer = |usage: Value| json!({"status": "completed", "output": [], "usage": usage});
    // 37,756,000 ticks are $0.0037756.
    let told = read(&answer(json!({"cost_in_usd_ticks": 37_756_000})), Quirks::xai());
    assert_eq!(told.1, Some(Cost(3_776)));
    assert_eq!(read(&answer(json!({"input_tokens": 1})), Quirks::openai()).1, None);
}

#[test]
fn an_answer_as_long_as_its_limit_was_cut_where_the_server_does_not_say_so() {
    let answer = json!({"status": "completed", "usage": {"input_tokens": 3, "output_tokens": 8}, "output": [
        {"type": "function_call", "call_id": "c", "name": "add", "arguments": "{\"x\": 1"}]});
    let stop = |quirks: Quirks, limit| {
        let codec = OpenAiResponses::new(quirks);
        let mut decoder = codec.limited_decoder(&profile(), Delivery::Whole, limit);
        let mut events = Vec::new();
        decoder.push(answer.to_string().as_bytes(), &mut events).unwrap();
        decoder.finish(&mut events).unwrap();
        match events.pop() {
            Some(ModelEvent::Done(end)) => end.stop,
            other => panic!("no end: {other:?}"),
        }
    };
    assert_eq!(stop(Quirks::llamacpp(), Some(8)), StopReason::Length);
    assert_eq!(stop(Quirks::llamacpp(), Some(9)), StopReason::ToolCalls);
    assert_eq!(stop(Quirks::llamacpp(), None), StopReason::ToolCalls);
    assert_eq!(stop(Quirks::openai(), Some(8)), StopReason::ToolCalls);
}
