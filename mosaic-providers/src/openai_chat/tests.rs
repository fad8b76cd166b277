use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::{
    CallId, Codec, Delivery, Encodable, EncodeError, Group, HttpRequest, Media, MediaData, ModelEvent,
    ModelInfo, ModelParams, Origin, OutputSpec, Part, Profile, Reasoning, ToolCall, ToolChoice, ToolResult,
    ToolSpec, ToolStatus,
};
use serde_json::{Value, json};

use super::{OpenAiChat, Quirks};

fn origin(model: &str) -> Origin {
    Origin { api: "openai-chat".into(), provider: "p".into(), model: model.into() }
}

fn profile() -> Profile {
    Profile { origin: origin("m"), info: ModelInfo::new("p", "m") }
}

/// The fragment as a list of messages.
fn messages(quirks: Quirks, group: &Arc<Group>) -> Value {
    let bytes = OpenAiChat::new(quirks).fragment(group.body(), &profile()).unwrap();
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

fn image() -> Part {
    let data = MediaData::Base64 { data: "AAAA".to_owned() };
    Part::Media(Media { media_type: "image/png".to_owned(), data, name: None })
}

fn assistant(parts: Vec<Part>, origin: Option<Origin>, results: Vec<ToolResult>) -> Arc<Group> {
    Group::assistant(parts, origin, results).unwrap()
}

#[test]
fn results_follow_their_calls_in_order_under_the_same_ids() {
    let group = assistant(
        vec![
            Part::text("Let me see."),
            call("call_1_0", Some("w1"), "{\"x\":1}"),
            call("call_1_1", Some("w2"), ""),
        ],
        Some(origin("m")),
        vec![result("call_1_1", vec![Part::text("2")]), result("call_1_0", vec![Part::text("1")])],
    );
    assert_eq!(
        messages(Quirks::default(), &group),
        json!([
            {"role": "assistant", "content": "Let me see.", "tool_calls": [
                {"id": "w1", "type": "function", "function": {"name": "add", "arguments": "{\"x\":1}"}},
                {"id": "w2", "type": "function", "function": {"name": "add", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "w1", "content": "1"},
            {"role": "tool", "tool_call_id": "w2", "content": "2"}
        ])
    );
}

#[test]
fn our_ids_are_used_where_theirs_are_of_another_provider_or_double_or_too_long() {
    let ids = |wire: [Option<&str>; 2], from: Option<Origin>| {
        let parts = vec![call("call_1_0", wire[0], "{}"), call("call_1_1", wire[1], "{}")];
        let results = vec![result("call_1_0", vec![]), result("call_1_1", vec![])];
        let sent = messages(Quirks::default(), &assistant(parts, from, results));
        (sent[0]["tool_calls"][0]["id"].clone(), sent[2]["tool_call_id"].clone())
    };
    let ours = (json!("call_1_0"), json!("call_1_1"));
    let elsewhere = Origin { provider: "q".into(), ..origin("m") };
    let long = "x".repeat(41);
    assert_eq!(ids([Some("a"), Some("b")], Some(origin("other"))), (json!("a"), json!("b")));
    assert_eq!(ids([Some("a"), Some("b")], Some(elsewhere)), ours);
    assert_eq!(ids([Some("a"), Some("b")], None), ours);
    assert_eq!(ids([Some("a"), Some("a")], Some(origin("m"))), ours);
    assert_eq!(ids([Some("a"), None], Some(origin("m"))), ours);
    assert_eq!(ids([Some("a"), Some(&long)], Some(origin("m"))), ours);
}

#[test]
fn mistral_gets_ids_of_nine_letters_and_digits() {
    let group = assistant(
        vec![call("call_1_0", Some("call_abc"), "{}")],
        Some(origin("m")),
        vec![result("call_1_0", vec![])],
    );
    let sent = messages(Quirks::mistral(), &group);
    let id = sent[0]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    assert_eq!(sent[1]["tool_call_id"], id);
}

fn mistral_profile(model: &str) -> Profile {
    let origin = Origin { api: "mistral".into(), provider: "p".into(), model: model.into() };
    Profile { origin, info: ModelInfo::new("p", "m") }
}

/// The fragment for Mistral.
fn mistral_fragment(group: &Arc<Group>) -> Bytes {
    OpenAiChat::mistral().fragment(group.body(), &mistral_profile("m")).unwrap()
}

#[test]
fn mistrals_thinking_goes_back_as_a_part_of_the_content() {
    let said = |model: &str| {
        let parts = vec![Part::Reasoning { text: "Hm".to_owned(), opaque: None }, Part::text("4")];
        let group = assistant(parts, Some(mistral_profile(model).origin), vec![]);
        serde_json::from_slice::<Value>(&mistral_fragment(&group)).unwrap()["content"].clone()
    };
    let thinking = json!({"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}], "closed": true});
    assert_eq!(said("m"), json!([thinking, {"type": "text", "text": "4"}]));
    assert_eq!(said("other"), "4");
}

#[test]
fn mistral_is_spoken_to_in_turns() {
    let call = assistant(vec![call("c", None, "{}")], None, vec![result("c", vec![])]);
    let (hi, answer) = (Group::user(vec![Part::text("Hi")]), assistant(vec![Part::text("4")], None, vec![]));
    let roles = |groups: &[&Arc<Group>], quirks: &Quirks| -> Vec<String> {
        let codec = OpenAiChat::new(quirks.clone());
        let profile = Profile { origin: Origin { api: codec.api().into(), ..origin("m") }, ..profile() };
        let fragments: Vec<Bytes> =
            groups.iter().map(|group| codec.fragment(group.body(), &profile).unwrap()).collect();
        let sent = body(&fragments, quirks, |_| {});
        let messages = sent["messages"].as_array().unwrap().iter();
        messages.map(|message| message["role"].as_str().unwrap().to_owned()).collect()
    };
    let mistral = Quirks::mistral();
    assert_eq!(roles(&[&hi, &call, &hi], &mistral), ["user", "assistant", "tool", "assistant", "user"]);
    assert_eq!(
        roles(&[&hi, &call, &answer, &hi], &mistral),
        ["user", "assistant", "tool", "assistant", "user"]
    );
    assert_eq!(roles(&[&hi, &call], &mistral), ["user", "assistant", "tool"]);
    assert_eq!(roles(&[&hi, &answer], &mistral), ["user", "assistant", "user"]);
    assert_eq!(roles(&[&hi, &call, &hi], &Quirks::default()), ["user", "assistant", "tool", "user"]);
}

#[test]
fn mistral_takes_documents_by_url_and_media_in_results() {
    let pdf = |data: MediaData| {
        Part::Media(Media { media_type: "application/pdf".to_owned(), data, name: Some("a.pdf".to_owned()) })
    };
    let sent = |part: Part| -> Value {
        serde_json::from_slice(&mistral_fragment(&Group::user(vec![part]))).unwrap()
    };
    assert_eq!(
        sent(pdf(MediaData::Url { url: "https://a".to_owned() }))["content"][0],
        json!({"type": "document_url", "document_url": "https://a", "document_name": "a.pdf"})
    );
    assert_eq!(
        sent(pdf(MediaData::Base64 { data: "AAAA".to_owned() }))["content"][0]["document_url"],
        "data:application/pdf;base64,AAAA"
    );
    let group = assistant(vec![call("c", None, "{}")], None, vec![result("c", vec![image()])]);
    let list: Value =
        serde_json::from_slice(&[b"[", mistral_fragment(&group).as_ref(), b"]"].concat()).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[1]["content"][0]["type"], "image_url");
}

#[test]
fn mistrals_models_are_told_to_think_in_two_ways() {
    let params = |reasoning| ModelParams { reasoning: Some(reasoning), ..ModelParams::default() };
    let sent = |model: &str, params: ModelParams| {
        let (profile, params): (&Profile, &ModelParams) =
            (Box::leak(Box::new(mistral_profile(model))), Box::leak(Box::new(params)));
        body(&[], &Quirks::mistral(), |request| (request.profile, request.params) = (profile, params))
    };
    assert_eq!(sent("mistral-small-latest", params(Reasoning::Off))["reasoning_effort"], "none");
    assert_eq!(sent("magistral-medium-latest", params(Reasoning::Low))["prompt_mode"], "reasoning");
    let off = sent("magistral-medium-latest", params(Reasoning::Off));
    assert_eq!(off.get("prompt_mode"), Some(&Value::Null));
}

#[test]
fn arguments_that_are_no_object_go_back_in_a_valid_form() {
    for broken in ["{\"x\":", "[1]", "nonsense"] {
        let group = assistant(vec![call("c", None, broken)], None, vec![result("c", vec![])]);
        let sent = messages(Quirks::default(), &group);
        let arguments = sent[0]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
        let value: Value = serde_json::from_str(arguments).unwrap();
        assert_eq!(value, json!({ "INVALID_JSON": broken }));
    }
}

#[test]
fn reasoning_goes_back_to_its_origin_only_and_as_it_came() {
    let said = |opaque: Option<Value>, from: &str, quirks: Quirks| {
        let parts = vec![Part::Reasoning { text: "Hm".to_owned(), opaque }, Part::text("4")];
        messages(quirks, &assistant(parts, Some(origin(from)), vec![]))[0].clone()
    };
    let details = json!([{"type": "reasoning.text", "text": "Hm", "signature": "s"}]);
    assert_eq!(said(None, "m", Quirks::default())["reasoning_content"], "Hm");
    assert_eq!(said(Some(json!({"field": "reasoning"})), "m", Quirks::default())["reasoning"], "Hm");
    let blocks =
        said(Some(json!({"field": "reasoning", "reasoning_details": details})), "m", Quirks::default());
    assert_eq!((&blocks["reasoning"], &blocks["reasoning_details"]), (&json!("Hm"), &details));
    let plain = json!({"role": "assistant", "content": "4"});
    assert_eq!(said(None, "another", Quirks::default()), plain);
    assert_eq!(said(None, "m", Quirks::openai()), plain);
    // DeepSeek wants it beside calls, and only there.
    assert_eq!(said(None, "m", Quirks::deepseek()), plain);
}

#[test]
fn an_answer_with_nothing_to_say_is_left_out() {
    let group = assistant(
        vec![Part::text(""), Part::Reasoning { text: "Hm".into(), opaque: None }],
        Some(origin("m")),
        vec![],
    );
    assert_eq!(messages(Quirks::default(), &group), json!([]));
    let body = body(
        &[Bytes::new(), Bytes::from_static(b"{\"role\":\"user\",\"content\":\"a\"}"), Bytes::new()],
        &Quirks::default(),
        |_| {},
    );
    assert_eq!(body["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn no_text_beside_calls_is_null_or_empty_as_the_server_likes() {
    let group = || assistant(vec![Part::text(""), call("c", None, "{}")], None, vec![result("c", vec![])]);
    assert_eq!(messages(Quirks::default(), &group())[0]["content"], Value::Null);
    assert_eq!(messages(Quirks::llamacpp(), &group())[0]["content"], "");
}

#[test]
fn several_texts_are_a_list_or_one_string() {
    let group = Group::user(vec![Part::text("a"), Part::text(""), Part::text("b")]);
    let list = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
    assert_eq!(messages(Quirks::default(), &group)[0]["content"], list);
    assert_eq!(messages(Quirks::deepseek(), &group)[0]["content"], "a\n\nb");
}

#[test]
fn media_goes_in_as_the_api_wants_it() {
    let media = |media_type: &str, data: MediaData| {
        Group::user(vec![Part::Media(Media {
            media_type: media_type.to_owned(),
            data,
            name: Some("a.pdf".to_owned()),
        })])
    };
    let bytes = || MediaData::Base64 { data: "AAAA".to_owned() };
    let first = |group: &Arc<Group>| messages(Quirks::default(), group)[0]["content"][0].clone();
    assert_eq!(
        first(&media("image/png", bytes())),
        json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}})
    );
    assert_eq!(
        first(&media("audio/mpeg", bytes())),
        json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}})
    );
    assert_eq!(
        first(&media("application/pdf", bytes())),
        json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}})
    );
    let url = media("application/pdf", MediaData::Url { url: "https://a".to_owned() });
    let error = OpenAiChat::default().fragment(url.body(), &profile()).unwrap_err();
    assert!(error.to_string().contains("send the bytes"), "{error}");
}

#[test]
fn an_image_in_a_result_follows_in_a_message_of_the_user() {
    let group = assistant(
        vec![call("a", None, "{}"), call("b", None, "{}")],
        None,
        vec![result("a", vec![image()]), result("b", vec![Part::text("2")])],
    );
    let sent = messages(Quirks::default(), &group);
    let roles: Vec<&str> =
        sent.as_array().unwrap().iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["assistant", "tool", "tool", "user"]);
    assert_eq!(sent[3]["content"][1]["type"], "image_url");
}

/// A request with the defaults, changed. The defaults are leaked, so that a change may borrow from its test.
fn encoded<'a>(
    fragments: &'a [Bytes],
    quirks: &Quirks,
    change: impl FnOnce(&mut Encodable<'a>),
) -> Result<HttpRequest, EncodeError> {
    let profile: &'a Profile = Box::leak(Box::new(profile()));
    let params: &'a ModelParams = Box::leak(Box::default());
    let mut request = Encodable {
        base_url: "http://host/v1",
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
    OpenAiChat::new(quirks.clone()).encode(&request)
}

fn body<'a>(fragments: &'a [Bytes], quirks: &Quirks, change: impl FnOnce(&mut Encodable<'a>)) -> Value {
    let sent = encoded(fragments, quirks, change).unwrap();
    assert_eq!(sent.url, "http://host/v1/chat/completions");
    serde_json::from_slice(&sent.body_bytes()).unwrap()
}

#[test]
fn settings_are_written_under_the_servers_names() {
    let params = ModelParams {
        max_output_tokens: Some(9),
        temperature: Some(0.5),
        stop: vec!["x".to_owned()],
        seed: Some(7),
        reasoning: Some(Reasoning::Low),
        ..ModelParams::default()
    };
    let openai = body(&[], &Quirks::openai(), |request| {
        (request.params, request.instructions) = (&params, "Be brief.")
    });
    assert_eq!(openai["max_completion_tokens"], 9);
    assert_eq!(openai["messages"][0], json!({"role": "developer", "content": "Be brief."}));
    assert_eq!(openai["reasoning_effort"], "low");
    assert_eq!(openai["stream_options"], json!({"include_usage": true}));
    assert_eq!(
        (&openai["seed"], &openai["stop"], &openai["temperature"]),
        (&json!(7), &json!(["x"]), &json!(0.5))
    );
    let mistral = body(&[], &Quirks::mistral(), |request| request.params = &params);
    assert_eq!((&mistral["max_tokens"], &mistral["random_seed"]), (&json!(9), &json!(7)));
    assert!(mistral.get("stream_options").is_none() && mistral.get("seed").is_none());
    assert_eq!(mistral["reasoning_effort"], "high");
    assert_eq!(
        body(&[], &Quirks::openrouter(), |request| request.params = &params)["reasoning"],
        json!({"effort": "low"})
    );
}

#[test]
fn extra_members_replace_the_codecs_own() {
    let extra = json!({"model": "other", "messages": [], "top_k": 3});
    let params = ModelParams { extra: extra.as_object().unwrap().clone(), ..ModelParams::default() };
    let fragment = [Bytes::from_static(b"{}")];
    let sent = body(&fragment, &Quirks::default(), |request| request.params = &params);
    assert_eq!((&sent["model"], &sent["messages"], &sent["top_k"]), (&json!("other"), &json!([]), &json!(3)));
}

#[test]
fn tools_and_their_choice() {
    let spec = ToolSpec::new("add", "Adds.", json!({"type": "object"}));
    let tools = OpenAiChat::default().tools(&[&spec], &profile()).unwrap();
    let sent = |choice: ToolChoice, quirks: Quirks| {
        body(&[], &quirks, |request| (request.tools, request.tool_choice) = (Some(&tools), &choice))
    };
    let auto = sent(ToolChoice::Auto, Quirks::default());
    let function =
        json!({"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}});
    assert_eq!(auto["tools"], json!([{"type": "function", "function": function}]));
    assert!(auto.get("tool_choice").is_none());
    assert_eq!(sent(ToolChoice::Required, Quirks::default())["tool_choice"], "required");
    let named = || ToolChoice::Tool { name: "add".to_owned() };
    assert_eq!(
        sent(named(), Quirks::default())["tool_choice"],
        json!({"type": "function", "function": {"name": "add"}})
    );
    assert_eq!(sent(ToolChoice::Required, Quirks::mistral())["tool_choice"], "any");
    // llama.cpp reads a named choice as `auto` without a word.
    assert_eq!(sent(named(), Quirks::llamacpp())["tool_choice"], "required");
}

#[test]
fn a_cache_that_does_not_work_by_itself_is_asked_for() {
    let sent = |model: &str, quirks: Quirks| {
        let profile: &Profile =
            Box::leak(Box::new(Profile { origin: origin(model), info: ModelInfo::new("p", model) }));
        body(&[], &quirks, |request| request.profile = profile).get("cache_control").cloned()
    };
    let claude = "anthropic/claude-sonnet-4.5";
    assert_eq!(sent(claude, Quirks::openrouter()), Some(json!({"type": "ephemeral"})));
    assert_eq!(sent("openai/gpt-5.5", Quirks::openrouter()), None);
    assert_eq!(sent(claude, Quirks::default()), None);
}

#[test]
fn a_schema_is_strict_only_if_it_keeps_to_the_strict_dialect() {
    let format = |schema: Value, quirks: Quirks| {
        let output = OutputSpec { name: "plan".to_owned(), schema };
        body(&[], &quirks, |request| (request.output, request.instructions) = (Some(&output), "Plan."))
    };
    let closed = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    let open = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let sent = format(closed.clone(), Quirks::default());
    assert_eq!(
        sent["response_format"],
        json!({"type": "json_schema", "json_schema": {"name": "plan", "schema": closed, "strict": true}})
    );
    assert_eq!(format(open.clone(), Quirks::default())["response_format"]["json_schema"]["strict"], false);
    // A choice at the root is a schema, but no strict one.
    let choice = format(json!({"anyOf": [closed]}), Quirks::default());
    assert_eq!(choice["response_format"]["json_schema"]["strict"], false);
    // A list at the root is refused by OpenAI, and named before it is sent.
    let list = OutputSpec { name: "plan".to_owned(), schema: json!({"type": "array", "items": {}}) };
    let error =
        encoded(&[], &Quirks::openai(), |request| request.output = Some(&list)).unwrap_err().to_string();
    assert!(error.contains("`plan`") && error.contains("`/type`"), "{error}");
    // DeepSeek knows JSON, but no schema: it is told in words.
    let deepseek = format(open, Quirks::deepseek());
    assert_eq!(deepseek["response_format"], json!({"type": "json_object"}));
    assert!(
        deepseek["messages"][0]["content"]
            .as_str()
            .unwrap()
            .starts_with("Plan.\n\nGive the final answer as one JSON object")
    );
}

#[test]
fn user_and_model_speak_in_turn_where_a_server_wants_it() {
    let quirks = Quirks::perplexity();
    let user = br#"{"role":"user","content":"a"}"#.as_slice();
    let answer = b"{\"role\":\"assistant\",\"content\":\"b\"}\t".as_slice();
    let roles = |fragments: &[&'static [u8]]| -> String {
        let fragments: Vec<Bytes> = fragments.iter().map(|fragment| Bytes::from_static(fragment)).collect();
        let sent = body(&fragments, &quirks, |_| {});
        let first = |message: &Value| message["role"].as_str().unwrap()[..1].to_owned();
        sent["messages"].as_array().unwrap().iter().map(first).collect()
    };
    assert_eq!(roles(&[user, answer, user]), "uau");
    assert_eq!(roles(&[user, user]), "uau");
    assert_eq!(roles(&[answer, answer, user]), "uauau");
    assert_eq!(roles(&[user, answer]), "uau");
}

#[test]
fn a_tool_that_cannot_be_forced_by_name_is_the_only_one() {
    let spec = |name: &str| ToolSpec::new(name, "d", json!({"type": "object"}));
    let (add, sub) = (spec("add"), spec("sub"));
    let tools = OpenAiChat::default().tools(&[&add, &sub], &profile()).unwrap();
    let named = ToolChoice::Tool { name: "sub".to_owned() };
    let sent = |quirks: Quirks| {
        body(&[], &quirks, |request| (request.tools, request.tool_choice) = (Some(&tools), &named))
    };
    let lmstudio = sent(Quirks::lmstudio());
    assert_eq!(
        (&lmstudio["tool_choice"], &lmstudio["tools"][0]["function"]["name"]),
        (&json!("required"), &json!("sub"))
    );
    assert_eq!(lmstudio["tools"].as_array().unwrap().len(), 1);
    assert_eq!(sent(Quirks::default())["tools"].as_array().unwrap().len(), 2);
}

#[test]
fn a_server_that_tells_the_cost_is_believed_if_the_currency_is_known() {
    let cost = |usage: &str, quirks: Quirks| {
        let answer = format!(
            r#"{{"choices":[{{"message":{{"content":"4"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,{usage}}}}}"#
        );
        let mut decoder = OpenAiChat::new(quirks).decoder(&profile(), Delivery::Whole);
        let mut events = Vec::new();
        decoder.push(answer.as_bytes(), &mut events).unwrap();
        decoder.finish(&mut events).unwrap();
        match events.pop() {
            Some(ModelEvent::Done(end)) => end.cost.map(|cost| cost.0),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(cost(r#""cost":0.00014"#, Quirks::openrouter()), Some(140));
    assert_eq!(cost(r#""cost":0"#, Quirks::openrouter()), Some(0));
    assert_eq!(cost(r#""cost":{"total_cost":0.006}"#, Quirks::perplexity()), Some(6_000));
    assert_eq!(cost(r#""cost_in_usd_ticks":1399000"#, Quirks::xai()), Some(140));
    for untold in [r#""cost":null"#, r#""cost":"much""#, r#""cost":-1"#, r#""completion_tokens":1"#] {
        assert_eq!(cost(untold, Quirks::openrouter()), None, "{untold}");
    }
    assert_eq!(cost(r#""cost":0.00014"#, Quirks::default()), None);
    assert_eq!(body(&[], &Quirks::openrouter(), |_| {})["usage"], json!({"include": true}));
}

#[test]
fn a_server_that_counts_reasoning_beside_the_answer_is_corrected() {
    let answer = br#"{"choices":[{"message":{"content":"4"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":9,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":30}}}"#;
    let output = |quirks: Quirks| {
        let mut decoder = OpenAiChat::new(quirks).decoder(&profile(), Delivery::Whole);
        let mut events = Vec::new();
        decoder.push(answer, &mut events).unwrap();
        decoder.finish(&mut events).unwrap();
        match events.pop() {
            Some(ModelEvent::Done(end)) => end.usage.output,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((output(Quirks::default()), output(Quirks::xai())), (2, 32));
}
