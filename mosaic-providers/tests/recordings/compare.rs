//! What a decoder reads, and how it compares with what is expected.

use mosaic_core::{ErrorKind, ModelEnd, ModelError, ModelEvent, Part, StopReason, Usage};
use serde_json::{Value, json};

use crate::load::Recording;

/// An answer, put together from its events and checked against them.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Read {
    parts: Vec<Part>,
    /// The text that was shown, parts ended or not.
    shown: String,
    thought: String,
    end: Option<(StopReason, Usage, Option<String>)>,
    error: Option<(String, Option<u64>, bool)>,
}

/// The kinds of the blocks that hold what a text or a message has beside it.
const BESIDE: [&str; 3] = ["annotations", "citations", "phase"];

impl Read {
    pub(crate) fn error_kind(&self) -> Option<&str> {
        self.error.as_ref().map(|(kind, _, _)| kind.as_str())
    }
}

/// Reads the answer in those pieces.
pub(crate) fn read(recording: &Recording, pieces: &[&[u8]]) -> Read {
    let codec = recording.codec();
    let mut out = Read::default();
    if recording.status() != 200 {
        let body = pieces.concat();
        fail(&mut out, &codec.error(recording.status(), &recording.headers(), &body), false);
        return out;
    }
    let mut decoder = codec.decoder(&recording.profile(), recording.delivery());
    let mut events = Vec::new();
    let mut failed = None;
    for piece in pieces {
        if let Err(error) = decoder.push(piece, &mut events) {
            failed = Some(error);
            break;
        }
    }
    if failed.is_none() {
        failed = decoder.finish(&mut events).err();
    }
    let mut open: Vec<Option<String>> = Vec::new();
    for event in events {
        take(event, &mut open, &mut out);
    }
    if let Some(error) = failed {
        fail(&mut out, &error, true);
    }
    out
}

fn take(event: ModelEvent, open: &mut Vec<Option<String>>, out: &mut Read) {
    assert!(out.end.is_none(), "an event after Done");
    match event {
        ModelEvent::Start { part, .. } => {
            assert_eq!(part as usize, open.len(), "parts are numbered in order");
            open.push(Some(String::new()));
        }
        ModelEvent::Text { part, delta } => {
            out.shown.push_str(&delta);
            open[part as usize].as_mut().expect("an open part").push_str(&delta);
        }
        ModelEvent::Reasoning { part, delta } => {
            out.thought.push_str(&delta);
            open[part as usize].as_mut().expect("an open part").push_str(&delta);
        }
        ModelEvent::Arguments { part, delta } => {
            open[part as usize].as_mut().expect("an open part").push_str(&delta);
        }
        ModelEvent::End { part, content } => {
            let pieces = open[part as usize].take().expect("ended once");
            match &content {
                Part::Text { text } | Part::Refusal { text } | Part::Reasoning { text, .. } => {
                    assert_eq!(&pieces, text, "the pieces are the part");
                }
                Part::ToolCall(call) => assert_eq!(pieces, call.arguments, "the pieces are the arguments"),
                _ => {}
            }
            out.parts.push(content);
        }
        ModelEvent::Done(ModelEnd { stop, usage, response_id, .. }) => {
            assert!(open.iter().all(Option::is_none), "a part is open at the end");
            out.end = Some((stop, usage, response_id));
        }
        other => panic!("unexpected event {other:?}"),
    }
}

fn fail(out: &mut Read, error: &ModelError, in_stream: bool) {
    let after = error.retry_after.map(|after| u64::try_from(after.as_millis()).unwrap());
    out.error = Some((error.kind.to_string(), after, in_stream));
}

/// Compares with `expected`, member by member.
pub(crate) fn check(recording: &Recording, read: &Read) -> Result<(), String> {
    let expected = &recording.expected;
    let same = |what: &str, got: Value, want: &Value| {
        if &got == want { Ok(()) } else { Err(format!("{what}: got {got}, expected {want}")) }
    };
    let text = |part: &Part| part.as_text().map(str::to_owned);
    let reasoning = |part: &Part| match part {
        Part::Reasoning { text, .. } => Some(text.clone()),
        _ => None,
    };
    same("ok", json!(read.error.is_none()), &expected["ok"])?;
    same("text", json!(read.shown), &expected["text"])?;
    same("reasoning", json!(read.thought), &expected["reasoning"])?;
    if let Some(error) = expected["error"].as_object() {
        let (kind, after, in_stream) = read.error.as_ref().ok_or("no error")?;
        let accepted: Vec<&str> =
            error["accept"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        if !accepted.contains(&class(kind)) {
            return Err(format!("error kind: got {kind}, expected one of {accepted:?}"));
        }
        let hint = [&error["retry_after"], &error["retry_after_body_hint"]];
        let wanted = hint.iter().find_map(|value| value.as_f64());
        if after.map(|millis| millis as f64 / 1_000.0) != wanted {
            return Err(format!("retry_after: got {after:?} ms, expected {wanted:?} s"));
        }
        return same("in_stream", json!(in_stream), &error["in_stream"]);
    }
    let (stop, usage, _) = read.end.as_ref().ok_or("no end")?;
    // A text of no characters says nothing: Gemini closes a stream with one, and we keep none.
    let parts: Vec<String> = read.parts.iter().filter_map(text).filter(|text| !text.is_empty()).collect();
    let wanted: Vec<&Value> =
        expected["text_parts"].as_array().unwrap().iter().filter(|text| **text != "").collect();
    same("text_parts", json!(parts), &json!(wanted))?;
    let thoughts: Vec<String> =
        read.parts.iter().filter_map(reasoning).filter(|text| !text.is_empty()).collect();
    let wanted: Vec<&Value> =
        expected["reasoning_parts"].as_array().unwrap().iter().filter(|text| **text != "").collect();
    same("reasoning_parts", json!(thoughts), &json!(wanted))?;
    let calls: Vec<Value> = read.parts.iter().filter_map(Part::as_call).map(call).collect();
    same("tool_calls", json!(calls), &expected["tool_calls"])?;
    let finish = finish(stop);
    if !expected["finish_accept"].as_array().unwrap().contains(&finish) {
        return Err(format!("finish: got {finish}, expected one of {}", expected["finish_accept"]));
    }
    usages(usage, &crate::apis::usage(recording))?;
    if let Some(refusal) = expected.get("refusal").and_then(Value::as_str) {
        let said = read.parts.iter().any(|part| matches!(part, Part::Refusal { text } if text == refusal));
        same("refusal", json!(said), &json!(true))?;
    }
    if let Some(items) = expected.get("other_items").and_then(Value::as_array) {
        let kinds: Vec<&str> = read
            .parts
            .iter()
            .filter_map(|part| match part {
                // What stands beside a text is no item of the wire.
                Part::Provider { kind, .. } => Some(kind.as_str()).filter(|kind| !BESIDE.contains(kind)),
                _ => None,
            })
            .collect();
        same("other_items", json!(kinds), &json!(items))?;
    }
    Ok(())
}

fn call(call: &mosaic_core::ToolCall) -> Value {
    let mut out = json!({"id": call.wire_id, "name": call.name});
    match call.input() {
        Ok(input) => out["arguments"] = input,
        Err(_) => {
            out["arguments"] = json!(call.arguments);
            out["invalid_json"] = json!(true);
        }
    }
    out
}

/// An empty `usage` means that none was reported: all figures are 0 then.
fn usages(usage: &Usage, expected: &Value) -> Result<(), String> {
    let figures = [
        ("input", usage.input),
        ("output", usage.output),
        ("cached_input", usage.cached_input),
        ("cache_write", usage.cache_write),
        ("reasoning", usage.reasoning),
    ];
    for (name, got) in figures {
        let want = expected.get(name).and_then(Value::as_u64).unwrap_or(0);
        if got != want {
            return Err(format!("usage.{name}: got {got}, expected {want}"));
        }
    }
    Ok(())
}

fn finish(stop: &StopReason) -> Value {
    match stop {
        StopReason::Stop => json!("stop"),
        StopReason::ToolCalls => json!("tool_calls"),
        StopReason::Length => json!("length"),
        StopReason::ContentFilter => json!("content_filter"),
        StopReason::Other { reason } if reason.is_empty() => Value::Null,
        _ => json!("other"),
    }
}

/// Our kinds in the recordings' words.
fn class(kind: &str) -> &str {
    let of = |known: ErrorKind| known.as_str() == kind;
    match kind {
        _ if of(ErrorKind::RateLimited) => "rate_limit",
        _ if of(ErrorKind::ContextOverflow) => "context_length_exceeded",
        _ if of(ErrorKind::ContentFiltered) => "content_filter",
        other => other,
    }
}
