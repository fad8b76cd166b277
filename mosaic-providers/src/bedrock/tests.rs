use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::{
    CallId, Codec, Delivery, Encodable, EncodeError, ErrorKind, Group, Headers, HttpRequest, Media,
    MediaData, ModelInfo, ModelParams, Origin, OutputSpec, Part, Profile, Reasoning, ToolCall, ToolChoice,
    ToolResult, ToolSpec, ToolStatus,
};
use serde_json::{Value, json};

use super::{Bedrock, Cache, Quirks};

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const LLAMA: &str = "meta.llama3-3-70b-instruct-v1:0";

fn origin(model: &str) -> Origin {
    Origin { api: "bedrock-converse".into(), provider: "p".into(), model: model.into() }
}

fn profile(model: &str) -> Profile {
    Profile { origin: origin(model), info: ModelInfo::new("p", model) }
}

fn text(text: &str) -> Arc<Group> {
    Group::user(vec![Part::text(text)])
}

fn said(parts: Vec<Part>, results: Vec<ToolResult>) -> Arc<Group> {
    Group::assistant(parts, Some(origin(CLAUDE)), results).unwrap()
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

fn media(media_type: &str, name: Option<&str>, data: MediaData) -> Part {
    Part::Media(Media { media_type: media_type.to_owned(), data, name: name.map(str::to_owned) })
}

fn file(name: &str) -> Part {
    media("application/pdf", Some(name), MediaData::Base64 { data: "AA".to_owned() })
}

fn add() -> ToolSpec {
    ToolSpec::new("add", "Adds.", json!({"type": "object", "properties": {"x": {"type": "number"}}}))
}

/// What may differ from a plain request.
struct Ask<'a> {
    model: &'a str,
    tools: Vec<ToolSpec>,
    choice: ToolChoice,
    output: Option<OutputSpec>,
    params: ModelParams,
    delivery: Delivery,
    quirks: Quirks,
}

fn ask(model: &str) -> Ask<'_> {
    Ask {
        model,
        tools: Vec::new(),
        choice: ToolChoice::Auto,
        output: None,
        params: ModelParams::default(),
        delivery: Delivery::Streamed,
        quirks: Quirks::default(),
    }
}

impl Ask<'_> {
    fn request(&self, groups: &[Arc<Group>]) -> HttpRequest {
        let (codec, profile) = (Bedrock::new(self.quirks.clone()), profile(self.model));
        let fragments: Vec<Bytes> =
            groups.iter().map(|group| codec.fragment(group.body(), &profile).unwrap()).collect();
        let tools: Vec<&ToolSpec> = self.tools.iter().collect();
        let tools = (!tools.is_empty()).then(|| codec.tools(&tools, &profile).unwrap());
        codec
            .encode(&Encodable {
                base_url: "https://host",
                profile: &profile,
                instructions: "Be brief.",
                fragments: &fragments,
                tools: tools.as_ref(),
                tool_choice: &self.choice,
                output: self.output.as_ref(),
                params: &self.params,
                delivery: self.delivery,
            })
            .unwrap()
    }

    /// The body, which the API would take.
    fn body(&self, groups: &[Arc<Group>]) -> Value {
        let body: Value = serde_json::from_slice(&self.request(groups).body_bytes()).unwrap();
        assert_eq!(crate::validity::check("bedrock-converse", &body), Ok(()), "{body}");
        body
    }
}

#[test]
fn the_models_id_is_one_part_of_the_path() {
    let url = |model: &str, delivery| Ask { delivery, ..ask(model) }.request(&[text("Hi")]).url;
    assert_eq!(
        url(CLAUDE, Delivery::Streamed),
        "https://host/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream"
    );
    let arn = "arn:aws:bedrock:us-east-1:012345678901:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0";
    assert_eq!(
        url(arn, Delivery::Whole),
        "https://host/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A012345678901%3Ainference-profile%2Fus.anthropic.claude-3-7-sonnet-20250219-v1%3A0/converse"
    );
    assert_eq!(url("../x?y", Delivery::Whole), "https://host/model/..%2Fx%3Fy/converse");
}

#[test]
fn all_results_stand_in_one_message_after_their_calls() {
    let image = media("image/png", None, MediaData::Base64 { data: "AA".to_owned() });
    let answer = said(
        vec![
            Part::text("Sure."),
            call("c0", Some("tooluse_1"), "{\"x\":1}"),
            call("c1", Some("tooluse_2"), ""),
        ],
        vec![
            result("c1", ToolStatus::Denied, vec![Part::text(" "), image]),
            result("c0", ToolStatus::Ok, vec![]),
        ],
    );
    let body =
        Ask { quirks: Quirks { cache: Cache::Off }, ..ask(CLAUDE) }.body(&[text("Hi"), answer, text("So?")]);
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"text": "Hi"}]},
            {"role": "assistant", "content": [
                {"text": "Sure."},
                {"toolUse": {"toolUseId": "tooluse_1", "name": "add", "input": {"x": 1}}},
                {"toolUse": {"toolUseId": "tooluse_2", "name": "add", "input": {}}}]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "(empty)"}]}},
                {"toolResult": {"toolUseId": "tooluse_2", "status": "error", "content": [
                    {"image": {"format": "png", "source": {"bytes": "AA"}}}]}},
                {"text": "So?"}]}
        ])
    );
}

#[test]
fn roles_alternate_and_a_user_begins() {
    let body = ask(LLAMA).body(&[
        said(vec![Part::text("One.")], vec![]),
        said(vec![], vec![]),
        said(vec![Part::text("Two.")], vec![]),
        text("Three?"),
        text("Four?"),
    ]);
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"text": "(earlier messages were left out)"}]},
            {"role": "assistant", "content": [{"text": "One."}, {"text": "Two."}]},
            {"role": "user", "content": [{"text": "Three?"}, {"text": "Four?"}]},
        ])
    );
}

#[test]
fn the_status_of_a_result_goes_only_to_models_that_take_it() {
    let answer = said(vec![call("c", None, "{}")], vec![result("c", ToolStatus::Error, vec![])]);
    let status = |model: &str| {
        ask(model).body(&[text("Hi"), answer.clone()])["messages"][2]["content"][0]["toolResult"]["status"]
            .clone()
    };
    assert_eq!(status(CLAUDE), "error");
    assert_eq!(status("us.amazon.nova-pro-v1:0"), "error");
    assert_eq!(status(LLAMA), Value::Null);
}

#[test]
fn names_and_ids_that_the_api_refuses_are_replaced() {
    let made_up = Part::ToolCall(ToolCall {
        id: CallId("c0".into()),
        wire_id: Some("functions.add:0".to_owned()),
        name: "my tool.é".to_owned(),
        arguments: "{\"x\":".to_owned(),
    });
    let answer = said(vec![made_up], vec![result("c0", ToolStatus::Rejected, vec![])]);
    let body = ask(LLAMA).body(&[text("Hi"), answer]);
    assert_eq!(
        body["messages"][1]["content"][0]["toolUse"],
        json!({"toolUseId": "c0", "name": "my_tool__", "input": {"INVALID_JSON": "{\"x\":"}})
    );
}

fn thoughts() -> Vec<Part> {
    vec![
        Part::Reasoning { text: "Hm".to_owned(), opaque: Some(json!({"signature": "sig"})) },
        Part::Reasoning { text: String::new(), opaque: Some(json!({"redacted_content": "xx"})) },
        Part::Reasoning { text: "unsigned".to_owned(), opaque: None },
        Part::text("Yes."),
    ]
}

#[test]
fn signed_and_redacted_reasoning_goes_back_to_its_origin_only() {
    let content = |model: &str, parts: Vec<Part>| {
        ask(model).body(&[text("Hi"), said(parts, vec![]), text("So?")])["messages"][1]["content"].clone()
    };
    assert_eq!(
        content(CLAUDE, thoughts()),
        json!([
            {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "sig"}}},
            {"reasoningContent": {"redactedContent": "xx"}},
            {"text": "Yes."}
        ])
    );
    assert_eq!(content(LLAMA, thoughts()), json!([{"text": "Yes."}]));
    // Reasoning alone is no answer.
    let alone =
        ask(CLAUDE).body(&[text("Hi"), said(thoughts().into_iter().take(1).collect(), vec![]), text("So?")]);
    assert_eq!(alone["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn a_server_tools_blocks_go_back_together_to_their_origin_only() {
    let used = json!({"toolUse": {"toolUseId": "s", "name": "nova_code_interpreter", "input": {"snippet": "1"}, "type": "server_tool_use"}});
    let gave = json!({"toolResult": {"toolUseId": "s", "content": [{"json": {"stdOut": "1"}}], "status": "success", "type": "nova_code_interpreter_result"}});
    let provider = |data: &Value| Part::Provider { kind: "x".to_owned(), data: data.clone() };
    let content = |model: &str, blocks: &[&Value]| {
        let mut parts: Vec<Part> = blocks.iter().copied().map(provider).collect();
        parts.push(Part::text("1."));
        ask(model).body(&[text("Hi"), said(parts, vec![]), text("So?")])["messages"][1]["content"].clone()
    };
    let one = json!({"text": "1."});
    assert_eq!(content(CLAUDE, &[&used, &gave]), json!([used, gave, one]));
    assert_eq!(content(LLAMA, &[&used, &gave]), json!([one]));
    assert_eq!(content(CLAUDE, &[&used]), json!([one]));
    assert_eq!(content(CLAUDE, &[&gave]), json!([one]));
    let image = json!({"image": {"format": "png", "source": {"bytes": "AA"}}});
    assert_eq!(content(CLAUDE, &[&image]), json!([one]));
}

#[test]
fn equal_names_of_documents_are_told_apart_and_stay_the_same_at_each_turn() {
    let names = |body: &Value| -> Vec<String> {
        let blocks = body["messages"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|message| message["content"].as_array().unwrap().clone());
        let inner = blocks.flat_map(|block| match block.pointer("/toolResult/content") {
            Some(Value::Array(content)) => content.clone(),
            _ => vec![block],
        });
        inner.filter_map(|block| block.pointer("/document/name")?.as_str().map(str::to_owned)).collect()
    };
    // Arguments that look like a document of ours are not touched.
    let arguments = r#"{"document": {"name":"Report","format":"pdf"}}"#;
    let mut groups = vec![
        Group::user(vec![file("Report.pdf"), file("report.pdf"), Part::text("Compare.")]),
        said(vec![call("c", None, arguments)], vec![result("c", ToolStatus::Ok, vec![file("Report.pdf")])]),
        Group::user(vec![file("Other.pdf"), file("Report (2).pdf")]),
    ];
    let body = ask(CLAUDE).body(&groups);
    let first = names(&body);
    assert_eq!(first, ["Report", "report (2)", "Report (3)", "Other", "Report (2) (2)"]);
    assert_eq!(
        body["messages"][1]["content"][0]["toolUse"]["input"],
        serde_json::from_str::<Value>(arguments).unwrap()
    );
    // A document wants a text beside it.
    let last = body["messages"][2]["content"].as_array().unwrap();
    assert!(last.contains(&json!({"text": "(see the document)"})));
    groups.push(Group::user(vec![file("Other.pdf")]));
    assert_eq!(names(&ask(CLAUDE).body(&groups))[..5], first);
}

#[test]
fn media_that_the_api_takes_are_sent_and_others_named() {
    let sent = |part: Part| {
        let fragment =
            Bedrock::default().fragment(Group::user(vec![part, Part::text("?")]).body(), &profile(CLAUDE));
        fragment.map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap()["content"][0].clone())
    };
    let bytes = || MediaData::Base64 { data: "AA".to_owned() };
    assert_eq!(
        sent(media("image/JPG", None, bytes())).unwrap(),
        json!({"image": {"format": "jpeg", "source": {"bytes": "AA"}}})
    );
    assert_eq!(
        sent(media("text/plain; charset=utf-8", Some("a_b.txt"), bytes())).unwrap(),
        json!({"document": {"name": "a b", "format": "txt", "source": {"bytes": "AA"}}})
    );
    let stored = MediaData::Url { url: "s3://bucket/a.mp4".to_owned() };
    assert_eq!(
        sent(media("video/mp4", None, stored)).unwrap(),
        json!({"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/a.mp4"}}}})
    );
    let refused = |part| match sent(part) {
        Err(error @ EncodeError::Unsupported { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(refused(media("audio/wav", None, bytes())).contains("a medium of type audio/wav; send PNG"));
    assert!(
        refused(media("image/png", None, MediaData::Url { url: "https://a/b".to_owned() }))
            .contains("send its bytes")
    );
    assert!(
        refused(media("image/png", None, MediaData::File { id: "f".to_owned() })).contains("by a file's id")
    );
}

#[test]
fn text_for_a_guardrail_is_sent_as_such() {
    let data = json!({"guardContent": {"text": {"text": "Check me", "qualifiers": ["query"]}}});
    let group = Group::user(vec![Part::Provider { kind: "guardContent".to_owned(), data: data.clone() }]);
    assert_eq!(ask(LLAMA).body(&[group])["messages"][0]["content"], json!([data]));
}

#[test]
fn cache_points_stand_where_the_model_takes_them() {
    let point = json!({"cachePoint": {"type": "default"}});
    let answer = said(vec![call("c", None, "{}")], vec![result("c", ToolStatus::Ok, vec![])]);
    let groups = [text("One"), text("Two"), answer];
    let places = |model: &str, quirks: Quirks| {
        let body = Ask { tools: vec![add()], quirks, ..ask(model) }.body(&groups);
        let at = |list: &Value| -> Vec<usize> {
            let list = list.as_array().unwrap().iter().enumerate();
            list.filter(|(_, block)| **block == point).map(|(at, _)| at).collect()
        };
        (
            at(&body["toolConfig"]["tools"]),
            at(&body["system"]),
            at(&body["messages"][0]["content"]),
            at(&body["messages"][2]["content"]),
        )
    };
    let default = Quirks::default;
    assert_eq!(places(CLAUDE, default()), (vec![1], vec![1], vec![2], vec![1]));
    // Nova takes none behind a tool's result, and none behind tools.
    assert_eq!(places("amazon.nova-lite-v1:0", default()), (vec![], vec![1], vec![1, 3], vec![]));
    assert_eq!(places(LLAMA, default()), (vec![], vec![], vec![], vec![]));
    assert_eq!(places(LLAMA, Quirks { cache: Cache::On }), (vec![1], vec![1], vec![2], vec![1]));
    assert_eq!(places(CLAUDE, Quirks { cache: Cache::Off }), (vec![], vec![], vec![], vec![]));
}

#[test]
fn the_choice_of_tools_is_said_as_far_as_the_api_can() {
    let called = [text("Hi"), said(vec![call("c", None, "{}")], vec![result("c", ToolStatus::Ok, vec![])])];
    let config = |choice: ToolChoice, tools: Vec<ToolSpec>, groups: &[Arc<Group>]| {
        Ask { choice, tools, ..ask(LLAMA) }.body(groups)["toolConfig"].clone()
    };
    let new = [text("Hi")];
    let sent = config(ToolChoice::Auto, vec![add()], &new);
    assert_eq!(
        sent,
        json!({"tools": [{"toolSpec": {"name": "add", "description": "Adds.", "inputSchema": {"json": add().input_schema}}}]})
    );
    assert_eq!(config(ToolChoice::Required, vec![add()], &new)["toolChoice"], json!({"any": {}}));
    let named = ToolChoice::Tool { name: "add".to_owned() };
    assert_eq!(config(named, vec![add()], &new)["toolChoice"], json!({"tool": {"name": "add"}}));
    assert_eq!(config(ToolChoice::None, vec![add()], &new), Value::Null);
    assert_eq!(config(ToolChoice::Auto, vec![], &new), Value::Null);
    // Calls in the conversation want tools, so one stands there that does nothing.
    for sent in [config(ToolChoice::None, vec![add()], &called), config(ToolChoice::Auto, vec![], &called)] {
        assert_eq!(sent["tools"][0]["toolSpec"]["name"], "no_tool");
        assert_eq!(sent["tools"].as_array().unwrap().len(), 1);
        assert_eq!(sent["toolChoice"], Value::Null);
    }
}

#[test]
fn a_schema_that_is_of_no_object_is_refused_by_name_and_place() {
    let tools = |schema: Value| {
        let mut spec = add();
        spec.input_schema = schema;
        Bedrock::default()
            .tools(&[&spec], &profile(LLAMA))
            .map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap())
    };
    let open = tools(json!({"properties": {}})).unwrap();
    assert_eq!(open[0]["toolSpec"]["inputSchema"]["json"], json!({"type": "object", "properties": {}}));
    for (schema, place) in [
        (json!({"type": "string"}), r#"tool `add`, which says `"string"` at `/type`"#),
        (json!([1]), "which says `[1]` at ``"),
    ] {
        let error = tools(schema).unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
}

#[test]
fn a_hosts_own_members_stand_beside_ours() {
    let extra = json!({
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
        "inferenceConfig": {"temperature": 0.1},
        "additionalModelRequestFields": {"top_k": 5},
        "toolConfig": {"tools": [{"systemTool": {"name": "nova_code_interpreter"}}]}
    });
    let params = ModelParams {
        max_output_tokens: Some(4_000),
        temperature: Some(0.9),
        reasoning: Some(Reasoning::Low),
        extra: extra.as_object().unwrap().clone(),
        ..ModelParams::default()
    };
    let body = Ask { params, tools: vec![add()], ..ask(CLAUDE) }.body(&[text("Hi")]);
    assert_eq!(body["guardrailConfig"]["guardrailIdentifier"], "g");
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 4_000, "temperature": 0.1}));
    assert_eq!(
        body["additionalModelRequestFields"],
        json!({"thinking": {"type": "enabled", "budget_tokens": 2_000}, "top_k": 5})
    );
    let tools = body["toolConfig"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 3);
    assert_eq!(tools[2], json!({"systemTool": {"name": "nova_code_interpreter"}}));
}

#[test]
fn each_family_is_told_to_think_in_its_own_way() {
    let of = |model: &str, reasoning, max: Option<u64>| {
        let params = ModelParams {
            reasoning: Some(reasoning),
            max_output_tokens: max,
            temperature: Some(0.5),
            ..ModelParams::default()
        };
        let body = Ask { params, ..ask(model) }.body(&[text("Hi")]);
        (body["additionalModelRequestFields"].clone(), body["inferenceConfig"]["temperature"].clone())
    };
    let budget = json!({"thinking": {"type": "enabled", "budget_tokens": 8_192}});
    assert_eq!(of(CLAUDE, Reasoning::Medium, None), (budget, Value::Null));
    assert_eq!(of(CLAUDE, Reasoning::Off, None), (json!({"thinking": {"type": "disabled"}}), json!(0.5)));
    let adaptive = json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}});
    assert_eq!(of("us.anthropic.claude-opus-4-6-v1", Reasoning::High, None), (adaptive, Value::Null));
    let nova = |effort: &str| json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}});
    assert_eq!(of("us.amazon.nova-2-lite-v1:0", Reasoning::High, None), (nova("high"), Value::Null));
    // The highest effort excludes a limit of tokens.
    assert_eq!(of("us.amazon.nova-2-lite-v1:0", Reasoning::High, Some(9)), (nova("medium"), Value::Null));
    assert_eq!(
        of("openai.gpt-oss-120b-1:0", Reasoning::Low, None),
        (json!({"reasoning_effort": "low"}), json!(0.5))
    );
    assert_eq!(of(LLAMA, Reasoning::High, None), (Value::Null, json!(0.5)));
}

#[test]
fn a_forced_call_goes_before_thinking() {
    let params = ModelParams { reasoning: Some(Reasoning::Medium), ..ModelParams::default() };
    let body =
        Ask { params, tools: vec![add()], choice: ToolChoice::Required, ..ask(CLAUDE) }.body(&[text("Hi")]);
    assert_eq!(body["additionalModelRequestFields"], json!({"thinking": {"type": "disabled"}}));
    assert_eq!(body["toolConfig"]["toolChoice"], json!({"any": {}}));
}

#[test]
fn a_wanted_shape_is_sent_as_text_and_the_tools_stay() {
    let schema =
        json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]});
    let output = Some(OutputSpec { name: "answer".to_owned(), schema });
    let body = Ask { output, tools: vec![add()], ..ask(CLAUDE) }.body(&[text("Hi")]);
    let format = &body["outputConfig"]["textFormat"];
    assert_eq!(format["type"], "json_schema");
    let sent = &format["structure"]["jsonSchema"];
    assert_eq!(sent["name"], "answer");
    assert_eq!(
        serde_json::from_str::<Value>(sent["schema"].as_str().unwrap()).unwrap(),
        json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false})
    );
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "add");
}

#[test]
fn an_exceptions_name_tells_the_kind() {
    let cases = [
        ("AccessDeniedException", 403, "You don't have access to the model", ErrorKind::Auth, false),
        ("ExpiredTokenException", 403, "The security token is expired", ErrorKind::Auth, false),
        ("ResourceNotFoundException", 404, "end of its life", ErrorKind::NotFound, false),
        ("ModelNotReadyException", 429, "not ready", ErrorKind::Overloaded, true),
        ("ServiceQuotaExceededException", 400, "quota", ErrorKind::RateLimited, true),
        (
            "ThrottlingException",
            429,
            "Too many tokens, please wait before trying again.",
            ErrorKind::RateLimited,
            true,
        ),
        ("ModelTimeoutException", 408, "", ErrorKind::Timeout, true),
        ("ModelErrorException", 424, "", ErrorKind::Server, true),
        ("ServiceUnavailableException", 503, "", ErrorKind::Overloaded, true),
        (
            "ValidationException",
            400,
            "Input is too long for requested model.",
            ErrorKind::ContextOverflow,
            false,
        ),
        (
            "ValidationException",
            400,
            "Too many input tokens. Max input tokens: 8192",
            ErrorKind::ContextOverflow,
            false,
        ),
        ("ValidationException", 400, "Malformed input request", ErrorKind::InvalidRequest, false),
    ];
    for (name, status, message, kind, retryable) in cases {
        let mut headers = Headers::default();
        headers.push("x-amzn-errortype", format!("{name}:http://internal.amazon.com/coral/"));
        headers.push("x-amzn-requestid", "r-1");
        let told = json!({ "message": message }).to_string();
        let in_body =
            json!({ "__type": format!("com.amazon.coral.service#{name}"), "Message": message }).to_string();
        for (headers, body) in [(headers, told), (Headers::default(), in_body)] {
            let error = Bedrock::default().error(status, &headers, body.as_bytes());
            assert_eq!((error.kind, error.retryable), (kind, retryable), "{name} {message}");
            assert_eq!(error.status, Some(status));
            assert!(error.message.contains(name), "{}", error.message);
            assert_eq!(error.request_id.as_deref(), headers.get("x-amzn-requestid"));
        }
    }
}

#[test]
fn figures_of_an_overflow_are_read() {
    let body = br#"{"message":"The model returned the following errors: prompt is too long: 208310 tokens > 200000 maximum"}"#;
    let error = Bedrock::default().error(400, &Headers::default(), body);
    assert_eq!(error.kind, ErrorKind::ContextOverflow);
    let limits = error.limits.unwrap();
    assert_eq!((limits.prompt, limits.window), (Some(208_310), Some(200_000)));
}
