use mosaic_core::{Codec, Delivery, Group, ModelParams, OutputSpec, Part, Reasoning, ToolChoice, ToolSpec};
use serde_json::{Value, json};

use super::{NEW, OLD, body, profile, sent, vertex};
use crate::gemini::{Gemini, Quirks, Schemas, Streams};

fn hi() -> [std::sync::Arc<Group>; 1] {
    [Group::user(vec![Part::text("Hi")])]
}

fn add() -> ToolSpec {
    ToolSpec::new("add", "Adds.", json!({"type": "object", "properties": {"x": {"type": "integer"}}}))
}

#[test]
fn the_url_says_the_model_and_how_the_answer_comes() {
    let array = Gemini::new(Quirks { streams: Streams::Array, ..Quirks::default() });
    let url = |codec: &Gemini, model: &str, delivery| {
        sent(codec, model, &hi(), |request| request.delivery = delivery).0
    };
    let base = "https://host/v1beta/models/gemini-2.5-flash";
    let default = Gemini::default();
    assert_eq!(url(&default, OLD, Delivery::Whole), format!("{base}:generateContent"));
    assert_eq!(url(&default, OLD, Delivery::Streamed), format!("{base}:streamGenerateContent?alt=sse"));
    assert_eq!(url(&array, OLD, Delivery::Streamed), format!("{base}:streamGenerateContent"));
    assert_eq!(
        url(&default, "tunedModels/mine", Delivery::Whole),
        "https://host/v1beta/tunedModels/mine:generateContent"
    );
}

#[test]
fn settings_are_written_under_the_apis_names() {
    let params = ModelParams {
        max_output_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(0.9),
        stop: vec!["x".to_owned()],
        seed: Some(u64::MAX),
        reasoning: Some(Reasoning::Low),
        ..ModelParams::default()
    };
    let sent = body(NEW, &hi(), |request| (request.params, request.instructions) = (&params, "Be brief."));
    assert_eq!(
        sent,
        json!({
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "generationConfig": {"maxOutputTokens": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["x"],
                "seed": 2_147_483_647, "thinkingConfig": {"includeThoughts": true, "thinkingLevel": "low"}}
        })
    );
    assert_eq!(body(NEW, &hi(), |_| {}).as_object().unwrap().len(), 1);
}

#[test]
fn what_only_this_api_knows_is_joined_with_what_the_codec_writes() {
    let extra = json!({"safetySettings": [], "tools": [{"googleSearch": {}}],
        "generationConfig": {"topK": 3, "temperature": 1}, "toolConfig": {"includeServerSideToolInvocations": true}});
    let params = ModelParams {
        temperature: Some(0.5),
        max_output_tokens: Some(9),
        extra: extra.as_object().unwrap().clone(),
        ..ModelParams::default()
    };
    let tools = Gemini::default().tools(&[&add()], &profile(NEW)).unwrap();
    let with = body(NEW, &hi(), |request| {
        (request.params, request.tools, request.tool_choice) = (&params, Some(&tools), &ToolChoice::Required);
    });
    assert_eq!(with["generationConfig"], json!({"maxOutputTokens": 9, "temperature": 1, "topK": 3}));
    assert_eq!(with["safetySettings"], json!([]));
    assert_eq!(with["tools"][0]["functionDeclarations"][0]["name"], "add");
    assert_eq!(with["tools"][1], json!({"googleSearch": {}}));
    assert_eq!(
        with["toolConfig"],
        json!({"functionCallingConfig": {"mode": "ANY"}, "includeServerSideToolInvocations": true})
    );
    let without = body(NEW, &hi(), |request| request.params = &params);
    assert_eq!(without["tools"], json!([{"googleSearch": {}}]));
    let extra = json!({"contents": [{"role": "user", "parts": [{"text": "Else"}]}]});
    let params = ModelParams { extra: extra.as_object().unwrap().clone(), ..ModelParams::default() };
    assert_eq!(body(NEW, &hi(), |request| request.params = &params), extra);
}

#[test]
fn a_cache_of_the_hosts_own_holds_instructions_and_tools() {
    let extra = json!({"cachedContent": "cachedContents/1"});
    let params = ModelParams { extra: extra.as_object().unwrap().clone(), ..ModelParams::default() };
    let tools = Gemini::default().tools(&[&add()], &profile(NEW)).unwrap();
    let sent = body(NEW, &hi(), |request| {
        (request.params, request.tools, request.tool_choice) = (&params, Some(&tools), &ToolChoice::Required);
        request.instructions = "Be brief.";
    });
    assert_eq!(sent.as_object().unwrap().keys().collect::<Vec<_>>(), ["cachedContent", "contents"]);
}

#[test]
fn a_model_without_a_place_for_instructions_is_told_them_by_the_user() {
    let sent = body("gemma-3-27b-it", &hi(), |request| request.instructions = "Be brief.");
    assert_eq!(sent.get("systemInstruction"), None);
    assert_eq!(sent["contents"][0], json!({"role": "user", "parts": [{"text": "Be brief."}]}));
    assert_eq!(sent["contents"][1]["parts"][0]["text"], "Hi");
}

#[test]
fn tools_and_their_choice() {
    let tools = Gemini::default().tools(&[&add()], &profile(NEW)).unwrap();
    let choice = |choice: ToolChoice| {
        let choice: &ToolChoice = Box::leak(Box::new(choice));
        let tools = tools.clone();
        let tools: &bytes::Bytes = Box::leak(Box::new(tools));
        let sent = body(NEW, &hi(), |request| (request.tools, request.tool_choice) = (Some(tools), choice));
        sent.pointer("/toolConfig/functionCallingConfig").cloned()
    };
    assert_eq!(
        serde_json::from_slice::<Value>(&tools).unwrap(),
        json!([{"functionDeclarations": [{"name": "add", "description": "Adds.",
            "parametersJsonSchema": {"type": "object", "properties": {"x": {"type": "integer"}}}}]}])
    );
    assert_eq!(choice(ToolChoice::Auto), None);
    assert_eq!(choice(ToolChoice::None), Some(json!({"mode": "NONE"})));
    assert_eq!(choice(ToolChoice::Required), Some(json!({"mode": "ANY"})));
    let named = ToolChoice::Tool { name: "add".to_owned() };
    assert_eq!(choice(named), Some(json!({"mode": "ANY", "allowedFunctionNames": ["add"]})));
}

#[test]
fn a_tool_that_the_api_cannot_take_is_refused_by_name() {
    let refused = |tool: ToolSpec, quirks: Quirks| {
        let error = Gemini::new(quirks).tools(&[&add(), &tool], &profile(NEW)).unwrap_err();
        assert_eq!(error.kind(), mosaic_core::ErrorKind::Unsupported);
        error.to_string()
    };
    let tree = json!({"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}});
    let error = refused(ToolSpec::new("plant", "", tree), Quirks::default());
    assert_eq!(
        error,
        "gemini cannot carry the schema of tool `plant` at `/properties/kids/items` (`#` refers to itself); write the \
         levels out that are needed, or take the inner value as text"
    );
    let list = json!({"type": "object", "properties": {"l": {"type": "array"}}});
    let open_api = Quirks { schemas: Schemas::OpenApi, ..Quirks::default() };
    assert!(refused(ToolSpec::new("sort", "", list), open_api).contains("tool `sort` at `/properties/l`"));
    let error = refused(ToolSpec::new("2fa", "", json!({"type": "object"})), Quirks::default());
    assert!(error.contains("`2fa`") && error.contains("rename it"), "{error}");
}

#[test]
fn a_schema_of_the_answer_never_costs_the_tools() {
    let output = OutputSpec { name: "plan".to_owned(), schema: json!({"const": "yes"}) };
    let tools = Gemini::default().tools(&[&add()], &profile(NEW)).unwrap();
    let asked = |model: &str, quirks: Quirks, with_tools: bool| {
        let (output, tools) = (Box::leak(Box::new(output.clone())), Box::leak(Box::new(tools.clone())));
        sent(&Gemini::new(quirks), model, &hi(), |request| {
            request.output = Some(output);
            request.instructions = "Plan.";
            request.tools = with_tools.then_some(&*tools);
        })
        .1
    };
    let schema = json!({"type": "string", "enum": ["yes"]});
    let forced = json!({"responseMimeType": "application/json", "responseJsonSchema": schema});
    assert_eq!(asked(OLD, Quirks::default(), false)["generationConfig"], forced);
    assert_eq!(asked(NEW, Quirks::default(), true)["generationConfig"], forced);
    // "Function calling with a response mime type: 'application/json' is unsupported"
    let told = asked(OLD, Quirks::default(), true);
    assert_eq!(told.get("generationConfig"), None);
    assert!(told["tools"].is_array());
    let words = told["systemInstruction"]["parts"][0]["text"].as_str().unwrap();
    assert!(words.starts_with("Plan.\n\nGive the final answer") && words.contains("\"yes\""), "{words}");
    let open_api = Quirks { schemas: Schemas::OpenApi, ..Quirks::default() };
    assert_eq!(asked(OLD, open_api, false)["generationConfig"]["responseSchema"], schema);
}

#[test]
fn counting_asks_with_the_same_request_in_the_servers_shape() {
    let tools = Gemini::default().tools(&[&add()], &profile(NEW)).unwrap();
    let count = |codec: &Gemini| {
        let tools: &bytes::Bytes = Box::leak(Box::new(tools.clone()));
        let mut counted = None;
        sent(codec, NEW, &hi(), |request| {
            (request.tools, request.tool_choice) = (Some(tools), &ToolChoice::Required);
            let asked = codec.count_request(request).unwrap();
            counted =
                Some((asked.url.clone(), serde_json::from_slice::<Value>(&asked.body_bytes()).unwrap()));
        });
        counted.unwrap()
    };
    let (url, wrapped) = count(&Gemini::default());
    assert_eq!(url, format!("https://host/v1beta/models/{NEW}:countTokens"));
    let inner = &wrapped["generateContentRequest"];
    assert_eq!(inner["model"], format!("models/{NEW}"));
    assert!(inner["contents"].is_array() && inner["tools"].is_array() && inner["toolConfig"].is_object());
    let (_, plain) = count(&vertex());
    assert!(plain["contents"].is_array() && plain["tools"].is_array() && plain.get("toolConfig").is_none());

    let codec = Gemini::default();
    assert_eq!(codec.count_answer(br#"{"totalTokens": 31, "cachedContentTokenCount": 4}"#).unwrap(), 31);
    let kind = |body: &[u8]| codec.count_answer(body).unwrap_err().kind.as_str();
    assert_eq!(kind(b"{}"), "decode");
    assert_eq!(
        kind(br#"{"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}"#),
        "rate_limited"
    );
}
