//! The deviations of real servers, each as an exchange that we wrote from the documented formats (`fixtures/`). Every one
//! gives what it must, whole, byte by byte and cut in two anywhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use mosaic_core::{
    Codec, Delivery, Headers, ModelError, ModelEvent, ModelInfo, Origin, Part, Profile, StopReason, Usage,
};
use mosaic_providers::anthropic::Anthropic;
use mosaic_providers::bedrock::Bedrock;
use mosaic_providers::cohere::Cohere;
use mosaic_providers::event_stream::{HeaderValue, write_message};
use mosaic_providers::gemini::Gemini;
use mosaic_providers::ollama::Ollama;
use mosaic_providers::openai_chat::OpenAiChat;
use mosaic_providers::openai_responses::OpenAiResponses;
use serde_json::{Map, Value, json};

fn profile(api: &str) -> Profile {
    let origin = Origin { api: api.into(), provider: "test".into(), model: "model".into() };
    Profile { origin, info: ModelInfo::new("test", "model") }
}

/// What comes out, in the form of the fixtures.
fn read(codec: &dyn Codec, fixture: &Value, pieces: &[&[u8]]) -> Value {
    let status = u16::try_from(fixture["status"].as_u64().unwrap()).unwrap();
    if status != 200 {
        let mut headers = Headers::default();
        for (name, value) in fixture["headers"].as_object().into_iter().flatten() {
            headers.push(name.clone(), value.as_str().unwrap().to_owned());
        }
        return json!({ "error": error(&codec.error(status, &headers, &pieces.concat())) });
    }
    let delivery = match fixture["delivery"].as_str() {
        Some("whole") => Delivery::Whole,
        Some("streamed") => Delivery::Streamed,
        None if fixture["body"][0].as_str().is_some_and(|line| line.starts_with('{')) => Delivery::Whole,
        other => other.map_or(Delivery::Streamed, |other| panic!("delivery {other}")),
    };
    let mut decoder = codec.decoder(&profile(codec.api()), delivery);
    let mut events = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| decoder.push(piece, &mut events));
    }
    let result = result.and_then(|()| decoder.finish(&mut events));
    // After its end a decoder says nothing more, whatever it is given.
    let before = events.len();
    assert!(decoder.push(b"data: {\"choices\":[]}\n\n", &mut events).is_ok());
    assert!(decoder.finish(&mut events).is_ok());
    assert_eq!(events.len(), before);
    match result {
        Ok(()) => whole(&events),
        Err(failed) => {
            assert_eq!(failed.provider.as_deref(), Some("test"));
            let mut out = json!({ "error": error(&failed) });
            let shown: String = events.iter().filter_map(shown).collect();
            if !shown.is_empty() {
                out["shown"] = shown.into();
            }
            out
        }
    }
}

fn shown(event: &ModelEvent) -> Option<&str> {
    match event {
        ModelEvent::Text { delta, .. } => Some(delta),
        _ => None,
    }
}

fn whole(events: &[ModelEvent]) -> Value {
    let parts: Vec<Value> = events
        .iter()
        .filter_map(|event| match event {
            ModelEvent::End { content, .. } => Some(part(content)),
            _ => None,
        })
        .collect();
    let Some(ModelEvent::Done(end)) = events.last() else { panic!("no end: {events:?}") };
    let mut out = json!({ "parts": parts, "stop": stop(&end.stop) });
    if end.usage != Usage::default() {
        let Usage { input, output, cached_input, cache_write, reasoning, .. } = end.usage;
        out["usage"] = json!([input, output, cached_input, cache_write, reasoning]);
    }
    let calls = events.iter().filter_map(|event| match event {
        ModelEvent::End { content, .. } => content.as_call(),
        _ => None,
    });
    if calls.clone().any(|call| call.input().is_err()) {
        out["invalid"] = true.into();
    }
    out
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text { text } => json!({ "text": text }),
        Part::Reasoning { text, opaque: None } => json!({ "reasoning": text }),
        Part::Reasoning { text, opaque } => json!({ "reasoning": text, "opaque": opaque }),
        Part::Refusal { text } => json!({ "refusal": text }),
        Part::ToolCall(call) => {
            assert!(call.id.is_unassigned());
            json!({ "call": [call.wire_id, call.name, call.arguments] })
        }
        Part::Provider { data, .. } => json!({ "provider": data }),
        other => panic!("unexpected part {other:?}"),
    }
}

fn stop(stop: &StopReason) -> String {
    match stop {
        StopReason::Stop => "stop".to_owned(),
        StopReason::ToolCalls => "tool_calls".to_owned(),
        StopReason::Length => "length".to_owned(),
        StopReason::ContentFilter => "content_filter".to_owned(),
        StopReason::Other { reason } => format!("other:{reason}"),
        other => panic!("unexpected stop {other:?}"),
    }
}

fn error(error: &ModelError) -> Value {
    json!({
        "kind": error.kind, "status": error.status, "retryable": error.retryable, "says": error.message,
        "retry_after_ms": error.retry_after.map(|after| u64::try_from(after.as_millis()).unwrap()),
        "request_id": error.request_id,
        "prompt": error.limits.and_then(|limits| limits.prompt),
        "window": error.limits.and_then(|limits| limits.window),
    })
}

/// An error is compared in what the fixture names; `says` is a part of the message.
fn compare(got: &Value, expected: &Value) -> Result<(), String> {
    let mut expected: Map<String, Value> = expected.as_object().unwrap().clone();
    let mut got: Map<String, Value> = got.as_object().unwrap().clone();
    if expected.get("usage") == Some(&json!([0, 0, 0, 0, 0])) {
        expected.remove("usage");
    }
    let error = got.remove("error").unwrap_or(Value::Null);
    match expected.remove("error") {
        None if error.is_null() => {}
        None => return Err(format!("an error: {error}")),
        Some(wanted) => {
            for (name, value) in wanted.as_object().unwrap() {
                let same = match name.as_str() {
                    "says" => {
                        error["says"].as_str().is_some_and(|text| text.contains(value.as_str().unwrap()))
                    }
                    _ => &error[name] == value,
                };
                if !same {
                    return Err(format!("error {name}: expected {value}, got {error}"));
                }
            }
        }
    }
    if got == expected {
        Ok(())
    } else {
        Err(format!("\n  got      {}\n  expected {}", json!(got), json!(expected)))
    }
}

/// What the server sends: lines, or messages of a binary event stream.
fn body(fixture: &Value) -> Vec<u8> {
    let Some(events) = fixture["events"].as_array() else {
        let lines: Vec<&str> = fixture["body"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        return lines.join("\n").into_bytes();
    };
    let mut bytes: Vec<u8> = events.iter().flat_map(|event| message(&event[0], &event[1])).collect();
    bytes.truncate(bytes.len() - fixture["cut"].as_u64().map_or(0, |cut| usize::try_from(cut).unwrap()));
    if let Some(at) = fixture["damage"].as_u64() {
        bytes[usize::try_from(at).unwrap()] ^= 1;
    }
    bytes
}

/// `name`, `exception:name` and `error:code`; a text is a payload as it is.
fn message(name: &Value, said: &Value) -> Vec<u8> {
    let (kind, name) = name.as_str().unwrap().split_once(':').unwrap_or(("event", name.as_str().unwrap()));
    let text = |text| HeaderValue::Text(text);
    let said_text = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
    let of = match kind {
        "event" => (":event-type", ":content-type", "application/json"),
        "exception" => (":exception-type", ":content-type", "application/json"),
        _ => (":error-code", ":error-message", said_text.as_str()),
    };
    let payload = if kind == "error" { "" } else { said_text.as_str() };
    let headers = [(of.0, text(name)), (of.1, text(of.2)), (":message-type", text(kind))];
    write_message(&headers, payload.as_bytes())
}

fn run(codec: &dyn Codec) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(codec.api());
    let mut failures = Vec::new();
    let mut ran = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let fixture: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let body = body(&fixture);
        ran += 1;
        let got = read(codec, &fixture, &[&body]);
        if let Err(why) = compare(&got, &fixture["expected"]) {
            failures.push(format!("{name}: {why}"));
            continue;
        }
        let mut pieces: Vec<Vec<&[u8]>> =
            (0..=body.len()).map(|at| <[&[u8]; 2]>::from(body.split_at(at)).to_vec()).collect();
        pieces.push(body.chunks(1).collect());
        for pieces in pieces {
            let cut = read(codec, &fixture, &pieces);
            if cut != got {
                failures.push(format!(
                    "{name}, cut into {} at {}: {cut} is not {got}",
                    pieces.len(),
                    pieces[0].len()
                ));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(ran >= 20, "only {ran} fixtures");
}

#[test]
fn openai_chat_servers_may_differ_in_all_these_ways() {
    run(&OpenAiChat::default());
}

#[test]
fn anthropic_servers_may_differ_in_all_these_ways() {
    run(&Anthropic::default());
}

#[test]
fn bedrock_may_differ_in_all_these_ways() {
    run(&Bedrock::default());
}

#[test]
fn gemini_may_differ_in_all_these_ways() {
    run(&Gemini::default());
}

#[test]
fn cohere_may_answer_in_all_these_ways() {
    run(&Cohere);
}

#[test]
fn mistral_may_answer_in_all_these_ways() {
    run(&OpenAiChat::mistral());
}

#[test]
fn ollama_servers_may_differ_in_all_these_ways() {
    run(&Ollama);
}

#[test]
fn openai_responses_servers_may_differ_in_all_these_ways() {
    run(&OpenAiResponses::default());
}

#[test]
fn invalid_utf8_is_a_decode_error_that_says_where() {
    let stream: &[u8] =
        b"data: {\"choices\":[{\"delta\":{\"content\":\"ok\"}}]}\n\ndata: {\"a\":\"\xff\"}\n\n";
    for cut in 0..stream.len() {
        let mut decoder = OpenAiChat::default().decoder(&profile("openai-chat"), Delivery::Streamed);
        let mut events = Vec::new();
        let (left, right) = stream.split_at(cut);
        let result = decoder.push(left, &mut events).and_then(|()| decoder.push(right, &mut events));
        let error = result.unwrap_err();
        assert_eq!(error.kind.as_str(), "decode");
        assert!(error.message.contains("invalid UTF-8 at byte 6"), "{}", error.message);
        // What came before is not lost.
        assert_eq!(events.iter().filter_map(shown).collect::<String>(), "ok");
    }
}

#[test]
fn a_character_that_is_cut_between_two_pieces_is_whole() {
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"é🎉\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let mut decoder = OpenAiChat::default().decoder(&profile("openai-chat"), Delivery::Streamed);
    let mut events = Vec::new();
    for byte in stream.as_bytes().chunks(1) {
        decoder.push(byte, &mut events).unwrap();
    }
    assert_eq!(events.iter().filter_map(shown).collect::<String>(), "é🎉");
}

#[test]
fn blanks_and_a_bom_before_an_answer_say_nothing() {
    let answer = "{\"choices\":[{\"message\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}";
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    for (body, blanks) in [(answer, " \n \r\n"), (stream, "\n\n\r\n")] {
        let text = format!("\u{feff}{}{body}", blanks.repeat(50));
        for pieces in [text.as_bytes().chunks(1).collect(), vec![text.as_bytes()]] {
            let mut decoder = OpenAiChat::default().decoder(&profile("openai-chat"), Delivery::Streamed);
            let mut events = Vec::new();
            for piece in pieces {
                decoder.push(piece, &mut events).unwrap();
            }
            decoder.finish(&mut events).unwrap();
            assert_eq!(events.iter().filter_map(shown).collect::<String>(), "ok");
        }
    }
}
