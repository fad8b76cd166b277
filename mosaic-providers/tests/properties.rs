//! What holds for every stream: cutting changes nothing, and nothing panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use mosaic_core::{
    Codec, Delivery, Group, ModelEvent, ModelInfo, Origin, Part, Profile, ToolResult, ToolStatus,
};
use mosaic_providers::anthropic::Anthropic;
use mosaic_providers::bedrock::{Bedrock, Cache, Quirks as BedrockQuirks};
use mosaic_providers::cohere::Cohere;
use mosaic_providers::gemini::{self, Gemini};
use mosaic_providers::ollama::Ollama;
use mosaic_providers::openai_chat::{OpenAiChat, Quirks};
use mosaic_providers::openai_responses::{self, OpenAiResponses};
use mosaic_providers::sse::SseParser;
use proptest::prelude::*;

/// Every codec, and variants whose requests differ.
fn codecs() -> Vec<Box<dyn Codec>> {
    vec![
        Box::new(OpenAiChat::default()),
        Box::new(OpenAiChat::new(Quirks::mistral())),
        Box::new(OpenAiChat::new(Quirks::perplexity())),
        Box::new(Anthropic::default()),
        Box::new(Gemini::default()),
        Box::new(Cohere),
        Box::new(Ollama),
        Box::new(OpenAiResponses::default()),
        Box::new(OpenAiResponses::new(openai_responses::Quirks::deepseek())),
        Box::new(Bedrock::default()),
        Box::new(Bedrock::new(BedrockQuirks { cache: Cache::On })),
    ]
}

/// The APIs whose calls have ids, and where.
const KNOWN: [&str; 6] =
    ["anthropic-messages", "cohere", "mistral", "ollama", "openai-chat", "openai-responses"];

/// Bytes that are often lines of an event stream, often nearly so, and sometimes nothing of the kind.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        Just("data: "),
        Just("data:"),
        Just("data"),
        Just("event: "),
        Just("id: "),
        Just("id: \0"),
        Just("retry: 12"),
        Just(": "),
        Just("x: "),
        Just("\u{feff}"),
        Just("")
    ];
    let value = prop_oneof!["[ -~é🎉]{0,12}", Just("{\"choices\":[]}".to_owned()), Just("[DONE]".to_owned())];
    let end = prop_oneof![Just("\n"), Just("\r"), Just("\r\n"), Just("\n\n"), Just("\r\n\r\n"), Just("")];
    let line =
        (field, value, end).prop_map(|(field, value, end)| format!("{field}{value}{end}").into_bytes());
    let noise = prop::collection::vec(any::<u8>(), 0..8);
    let piece = prop_oneof![8 => line, 1 => noise];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Cuts the bytes after those lengths, in turn.
fn cut<'a>(bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// All that a parser says of the pieces: events and what is left.
fn events(pieces: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let mut parser = SseParser::new();
    let mut seen = Vec::new();
    let mut keep = |event: mosaic_providers::sse::SseEvent<'_>| {
        seen.push((event.name.to_vec(), event.data.to_vec(), event.id.to_vec()));
    };
    for piece in pieces {
        let mut feed = parser.feed(piece);
        while let Some(event) = feed.next().unwrap() {
            keep(event);
        }
    }
    if let Some(event) = parser.finish().unwrap() {
        keep(event);
    }
    seen
}

/// The rules of the WHATWG, as plainly as they can be written, over the whole stream at once.
fn reference(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (mut lines, mut line, mut at) = (Vec::new(), Vec::new(), 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\r' | b'\n' => {
                if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') {
                    at += 1;
                }
                lines.push(std::mem::take(&mut line));
            }
            byte => line.push(byte),
        }
        at += 1;
    }
    // What `finish` hands out: the last line, and an empty one after it.
    lines.push(line);
    lines.push(Vec::new());
    let (mut name, mut data, mut id, mut seen): (Vec<u8>, Vec<Vec<u8>>, Vec<u8>, _) = Default::default();
    for line in lines {
        if line.is_empty() {
            if !data.is_empty() {
                seen = push(seen, (name.clone(), data.join(&b'\n'), id.clone()));
            }
            name.clear();
            data.clear();
            continue;
        }
        let (field, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (&line[..], &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value).to_vec();
        match field {
            b"data" => data.push(value),
            b"event" => name = value,
            b"id" if !value.contains(&0) => id = value,
            _ => {}
        }
    }
    seen
}

fn push<T>(mut list: Vec<T>, item: T) -> Vec<T> {
    list.push(item);
    list
}

fn profile(api: &str) -> Profile {
    let origin = Origin { api: api.into(), provider: "p".into(), model: "m".into() };
    Profile { origin, info: ModelInfo::new("p", "m") }
}

/// Every delta joined, every part, and how it ended.
fn decoded(codec: &dyn Codec, delivery: Delivery, pieces: &[&[u8]]) -> String {
    let mut decoder = codec.decoder(&profile(codec.api()), delivery);
    let mut events = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| decoder.push(piece, &mut events));
    }
    let result = result.and_then(|()| decoder.finish(&mut events));
    let mut shown = String::new();
    for event in &events {
        match event {
            ModelEvent::Text { delta, .. }
            | ModelEvent::Reasoning { delta, .. }
            | ModelEvent::Arguments { delta, .. } => {
                shown.push_str(delta);
            }
            other => shown.push_str(&format!("{other:?}")),
        }
    }
    format!("{shown} {:?}", result.map_err(|error| error.to_string()))
}

/// JSON of any shape, under the names that the APIs use.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let name = prop_oneof![
        Just("choices"),
        Just("delta"),
        Just("message"),
        Just("content"),
        Just("tool_calls"),
        Just("function"),
        Just("name"),
        Just("arguments"),
        Just("index"),
        Just("id"),
        Just("type"),
        Just("usage"),
        Just("error"),
        Just("finish_reason"),
        Just("reasoning"),
        Just("reasoning_details"),
        Just("content_block"),
        Just("partial_json"),
        Just("text"),
        Just("input"),
        Just("candidates"),
        Just("parts"),
        Just("thought"),
        Just("thoughtSignature"),
        Just("functionCall"),
        Just("args"),
        Just("finishReason"),
        Just("usageMetadata"),
        Just("executableCode"),
        Just("thinking"),
        Just("tool_plan"),
        Just("citations"),
        Just("done"),
        Just("item"),
        Just("item_id"),
        Just("output"),
        Just("output_index"),
        Just("response"),
        Just("status"),
        Just("summary"),
        Just("call_id")
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "[a-z\"{}\\\\é]{0,6}".prop_map(Into::into),
        prop_oneof![
            Just("content_block_start"),
            Just("content_block_delta"),
            Just("content_block_stop"),
            Just("message_start"),
            Just("message_delta"),
            Just("message_stop"),
            Just("text"),
            Just("tool_use"),
            Just("thinking"),
            Just("content-start"),
            Just("content-end"),
            Just("tool-call-start"),
            Just("message-end"),
            Just("stop"),
            Just("response.output_item.added"),
            Just("response.output_item.done"),
            Just("response.output_text.delta"),
            Just("response.function_call_arguments.delta"),
            Just("response.reasoning_summary_text.delta"),
            Just("response.completed"),
            Just("function_call"),
            Just("reasoning"),
            Just("output_text")
        ]
        .prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::vec((name.clone(), inner), 0..5).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }),
        ]
    })
}

/// A schema, or nearly one.
fn schema() -> impl Strategy<Value = serde_json::Value> {
    let keyword = prop_oneof![
        Just("type"),
        Just("properties"),
        Just("items"),
        Just("anyOf"),
        Just("oneOf"),
        Just("allOf"),
        Just("enum"),
        Just("const"),
        Just("$ref"),
        Just("$defs"),
        Just("additionalProperties"),
        Just("prefixItems"),
        Just("nullable"),
        Just("required"),
        Just("format"),
        Just("default"),
        Just("description"),
        Just("minimum"),
        Just("a")
    ];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Into::into),
        Just(serde_json::Value::Null),
        any::<i8>().prop_map(Into::into),
        prop_oneof![
            Just("string"),
            Just("object"),
            Just("array"),
            Just("null"),
            Just("#/$defs/a"),
            Just("#/properties/a"),
            Just("#"),
            Just("date")
        ]
        .prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            3 => prop::collection::vec((keyword.clone(), inner), 0..5).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }),
        ]
    })
}

/// Whether a schema has keywords that Gemini documents, and no others, on every level.
fn only_known_keywords(schema: &serde_json::Value) -> bool {
    let Some(members) = schema.as_object() else { return false };
    let each =
        |value: &serde_json::Value| value.as_array().is_some_and(|all| all.iter().all(only_known_keywords));
    members.iter().all(|(keyword, value)| match keyword.as_str() {
        "properties" => value.as_object().is_some_and(|all| all.values().all(only_known_keywords)),
        "items" => only_known_keywords(value),
        "anyOf" | "prefixItems" => each(value),
        "additionalProperties" => value.is_boolean() || only_known_keywords(value),
        "type" | "enum" | "required" | "format" | "description" | "minimum" | "nullable" => true,
        _ => false,
    })
}

/// A part of an answer, of all kinds, whole and broken.
fn said() -> impl Strategy<Value = Part> {
    let text = || prop_oneof![Just(String::new()), Just(" \n".to_owned()), "[a-z \"]{1,6}"];
    let opaque = prop_oneof![
        Just(None),
        Just(Some(serde_json::json!({"signature": "s"}))),
        Just(Some(serde_json::json!({"redacted_thinking": "x"}))),
        Just(Some(serde_json::json!({"signature": "s", "of": "call"}))),
        (0_u64..9)
            .prop_map(|chars| Some(serde_json::json!({"signature": "s", "of": "text", "chars": chars}))),
        Just(Some(serde_json::json!({"id": "rs_1", "encrypted_content": "x"}))),
        Just(Some(serde_json::json!({"id": "rs_2", "in": "content"}))),
        Just(Some(serde_json::json!({"redacted_content": "x"}))),
        Just(Some(
            serde_json::json!({"field": "reasoning", "reasoning_details": [{"type": "reasoning.text"}]})
        )),
    ];
    let provider = prop_oneof![
        Just(serde_json::json!({"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}})),
        Just(serde_json::json!({"type": "web_search_tool_result", "tool_use_id": "s1", "content": []})),
        Just(serde_json::json!("I will add.")),
        Just(serde_json::json!([{"start": 0, "end": 1}])),
        Just(
            serde_json::json!({"toolUse": {"toolUseId": "s3", "name": "x", "input": {}, "type": "server_tool_use"}})
        ),
        Just(serde_json::json!({"toolResult": {"toolUseId": "s3", "content": [{"text": "1"}]}})),
        Just(
            serde_json::json!({"type": "server_tool_use", "id": "s2", "name": "web_search", "input": "cut"})
        ),
        Just(serde_json::json!({"type": "code", "executableCode": {"code": "1"}})),
        Just(serde_json::json!({"type": "result", "codeExecutionResult": {"output": "1"}})),
        Just(serde_json::json!({"type": "note", "groundingMetadata": {}})),
        Just(serde_json::json!({"type": "web_search_call", "id": "ws_1", "status": "completed"})),
        Just(serde_json::json!({"type": "shell_call", "id": "sh_1", "call_id": "c1"})),
        Just(serde_json::json!({"type": "shell_call_output", "id": "sho_1", "call_id": "c1", "output": []})),
    ];
    let arguments = prop_oneof![Just("{}"), Just(""), Just("{\"x\":"), Just("[1]"), Just("{\"x\":1}")];
    // What a model made up, too.
    let name = prop_oneof![
        4 => Just("add".to_owned()),
        1 => Just(String::new()),
        1 => Just("1. é \"x\"".to_owned()),
        1 => Just("x".repeat(70))
    ];
    let wire = prop_oneof![
        Just(None),
        "[a-c]{0,2}".prop_map(Some),
        Just(Some("functions.add:0".to_owned())),
        Just(Some("x".repeat(50)))
    ];
    prop_oneof![
        text().prop_map(Part::text),
        text().prop_map(|text| Part::Refusal { text }),
        (text(), opaque).prop_map(|(text, opaque)| Part::Reasoning { text, opaque }),
        provider.prop_map(|data| Part::Provider { kind: kind(&data), data }),
        prop_oneof![
            Just(("annotations", serde_json::json!([{"type": "url_citation", "url": "https://a"}]))),
            Just(("phase", serde_json::json!("commentary"))),
        ]
        .prop_map(|(kind, data)| Part::Provider { kind: kind.to_owned(), data }),
        (arguments, wire, name).prop_map(|(arguments, wire_id, name)| Part::ToolCall(
            mosaic_core::ToolCall {
                id: mosaic_core::CallId::default(),
                wire_id,
                name,
                arguments: arguments.to_owned(),
            }
        )),
    ]
}

/// The name under which a codec keeps such a block.
fn kind(data: &serde_json::Value) -> String {
    let own = if data.is_string() { "tool_plan" } else { "citations" };
    data["type"].as_str().unwrap_or(own).to_owned()
}

/// What a log may hold: inputs, and answers of this model or another, each call with its result.
fn history() -> impl Strategy<Value = Vec<(bool, bool, Vec<Part>, String)>> {
    prop::collection::vec(
        (any::<bool>(), any::<bool>(), prop::collection::vec(said(), 0..6), "[a-z ]{0,3}"),
        1..8,
    )
}

/// The history as groups, as the machine builds them: ids that follow from the place in the log.
fn groups(codec: &dyn Codec, history: &[(bool, bool, Vec<Part>, String)]) -> Vec<std::sync::Arc<Group>> {
    let mut groups = vec![Group::user(vec![Part::text("Hi")])];
    for (step, (user, same, parts, output)) in (0_u64..).zip(history) {
        if *user {
            let texts = parts.iter().filter(|part| matches!(part, Part::Text { .. })).cloned().collect();
            groups.push(Group::user(texts));
            continue;
        }
        let mut parts = parts.clone();
        let mut results = Vec::new();
        let calls = parts.iter_mut().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        });
        for (index, call) in calls.enumerate() {
            call.id = mosaic_core::CallId::derive(step, index);
            let content = vec![Part::text(output.clone())];
            results.push(ToolResult { call: call.id.clone(), status: ToolStatus::Unknown, content });
        }
        let mut origin = profile(codec.api()).origin;
        if !same {
            origin.provider = "another".into();
        }
        groups.push(Group::assistant(parts, Some(origin), results).unwrap());
    }
    groups
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_stream_gives_the_events_of_the_rules_however_it_is_cut(
        bytes in stream(),
        lengths in prop::collection::vec(0_usize..9, 0..40),
    ) {
        let whole = reference(&bytes);
        prop_assert_eq!(events(&[&bytes]), whole.clone());
        prop_assert_eq!(events(&cut(&bytes, &lengths)), whole);
    }

    #[test]
    fn decoders_never_panic_and_never_see_the_cuts(
        bytes in stream(),
        lengths in prop::collection::vec(0_usize..9, 0..40),
    ) {
        for codec in codecs().iter().map(Box::as_ref) {
            for delivery in [Delivery::Streamed, Delivery::Whole] {
                let whole = decoded(codec, delivery, &[&bytes]);
                prop_assert_eq!(decoded(codec, delivery, &cut(&bytes, &lengths)), whole);
            }
        }
    }

    #[test]
    fn json_of_any_shape_is_an_answer_or_a_typed_error(values in prop::collection::vec(json(), 1..6)) {
        for codec in codecs().iter().map(Box::as_ref) {
            let stream: String = values.iter().map(|value| format!("data: {value}\n\n")).collect();
            let whole = decoded(codec, Delivery::Streamed, &[stream.as_bytes()]);
            let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
            prop_assert_eq!(decoded(codec, Delivery::Streamed, &bytes), whole);
            let body = values[0].to_string();
            decoded(codec, Delivery::Whole, &[body.as_bytes()]);
            let error = codec.error(400, &mosaic_core::Headers::default(), body.as_bytes());
            prop_assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn a_schema_of_any_shape_is_written_or_refused_with_a_reason(schema in schema()) {
        let tool = mosaic_core::ToolSpec::new("add", "", schema);
        let open_api = gemini::Quirks { schemas: gemini::Schemas::OpenApi, ..gemini::Quirks::default() };
        for codec in [Gemini::default(), Gemini::new(open_api)] {
            match codec.tools(&[&tool], &profile("gemini")) {
                Ok(bytes) => {
                    let written: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                    let function = &written[0]["functionDeclarations"][0];
                    let member = if function["parameters"].is_object() { "parameters" } else { "parametersJsonSchema" };
                    prop_assert!(only_known_keywords(&function[member]), "{}", written);
                }
                Err(error) => prop_assert!(error.to_string().contains("tool `add` at `/"), "{}", error),
            }
        }
    }

    #[test]
    fn whatever_the_log_holds_the_request_is_valid_for_the_provider(history in history(), from in 0_usize..3) {
        for codec in codecs().iter().map(Box::as_ref) {
            let profile = profile(codec.api());
            // A conversation may have been cut before any group.
            let groups = groups(codec, &history);
            let fragments: Vec<_> = groups
                .iter()
                .skip(from.min(groups.len() - 1))
                .map(|group| codec.fragment(group.body(), &profile).unwrap())
                .collect();
            if fragments.iter().all(|fragment| fragment.is_empty()) {
                continue;
            }
            let request = mosaic_core::Encodable {
                base_url: "http://host",
                profile: &profile,
                instructions: "Be brief.",
                fragments: &fragments,
                tools: None,
                tool_choice: &mosaic_core::ToolChoice::Auto,
                output: None,
                params: &mosaic_core::ModelParams::default(),
                delivery: Delivery::Streamed,
            };
            let body = serde_json::from_slice(&codec.encode(&request).unwrap().body_bytes()).unwrap();
            prop_assert_eq!(mosaic_providers::validity::check(codec.api(), &body), Ok(()), "{}", body);
        }
    }

    #[test]
    fn whatever_a_model_wrote_goes_back_as_valid_json(
        text in any::<String>(), arguments in any::<String>(), wire in any::<String>(), output in any::<String>(),
    ) {
        let call = Part::ToolCall(mosaic_core::ToolCall {
            id: mosaic_core::CallId::derive(3, 0),
            wire_id: Some(wire),
            name: "add".to_owned(),
            arguments,
        });
        let result = ToolResult { call: mosaic_core::CallId::derive(3, 0), status: ToolStatus::Error, content: vec![Part::text(output)] };
        for codec in codecs().iter().map(Box::as_ref).filter(|codec| KNOWN.contains(&codec.api())) {
            let origin = Some(profile(codec.api()).origin);
            let group = Group::assistant(vec![Part::text(text.clone()), call.clone()], origin, vec![result.clone()]).unwrap();
            let bytes = codec.fragment(group.body(), &profile(codec.api())).unwrap();
            let messages: Vec<serde_json::Value> = serde_json::from_slice(&[b"[", bytes.as_ref(), b"]"].concat()).unwrap();
            let messages: Vec<_> = match codec.api() {
                // The text and the call are items of their own.
                "openai-responses" => messages.into_iter().filter(|item| item["type"] != "message").collect(),
                _ => messages,
            };
            prop_assert_eq!(messages.len(), 2);
            let (call, result) = match codec.api() {
                "anthropic-messages" => (messages[0]["content"].as_array().unwrap().last().map(|block| &block["id"]).unwrap(), &messages[1]["content"][0]["tool_use_id"]),
                "openai-responses" => (&messages[0]["call_id"], &messages[1]["call_id"]),
                _ => (&messages[0]["tool_calls"][0]["id"], &messages[1]["tool_call_id"]),
            };
            prop_assert_eq!(call, result);
            prop_assert!(!call.as_str().unwrap().is_empty());
        }
    }
}
