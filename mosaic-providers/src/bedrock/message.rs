//! A group as members of `messages`. Written once and kept.
//!
//! ```text
//! user       {"role":"user","content":[blocks]}
//! assistant  {"role":"assistant","content":[blocks]} and, where there are calls,
//!            {"role":"user","content":[one toolResult a call, in order]}
//! ```
//! Behind it stand marks of white space; see [`join`](super::join). The API refuses empty and blank texts, so those are
//! left out; an answer of nothing else, or of reasoning alone, is left out whole. Unsigned reasoning (cut off, or of a
//! model that signs none) is left out too, and so is a server tool's use without its result.
//!
//! Source: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>

use std::borrow::Cow;

use mosaic_core::{EncodeError, GroupBody, Part, Profile, ToolCall, ToolResult};
use serde_json::Value;

use super::blocks::CITATIONS;
use super::join::{ASSISTANT_HEAD, END, Marks, USER_HEAD};
use super::{API, media, models};
use crate::wire::replay::{Ids, arguments, beside, name, plain};
use crate::wire::turn::{Turn, turn};
use crate::wire::write::Writer;

/// The kind of a block that holds text for a guardrail.
const GUARDED: &str = "guardContent";

/// The longest id of a call.
const LONGEST: usize = 64;

/// The group as messages, joined by commas, and its marks.
pub(super) fn fragment(group: &GroupBody, profile: &Profile) -> Result<bytes::Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    let marks = match turn(API, group, profile, &[GUARDED])? {
        Turn::User(parts) => user(parts, &mut out)?,
        Turn::Answer { parts, origin, same, results } => {
            let fits = |id: &str| id.len() <= LONGEST && id.bytes().all(plain);
            let ours = |call: &ToolCall| call.id.to_string();
            let ids = Ids::choose(parts, origin, profile, fits, ours);
            let mut marks = assistant(parts, same, &ids, &mut out)?;
            if !results.is_empty() {
                let status = models::of(&profile.origin.model).status;
                marks.documents = tool_results(results, &ids, status, &mut out)?;
                marks.ends_in_answer = false;
                marks.ends_in_no_text = true;
            }
            marks
        }
    };
    if out.len() > 0 {
        marks.write(&mut out);
    }
    Ok(out.into_bytes())
}

fn user(parts: &[Part], out: &mut Writer) -> Result<Marks, EncodeError> {
    out.raw(USER_HEAD);
    let mut wrote = texts_and_media(parts, true, out)?;
    if !wrote.text && (wrote.documents || !wrote.any) {
        // The API takes no message without content, and no document without a text.
        let text = if wrote.any { "(see the document)" } else { "(empty)" };
        text_block(text, &mut wrote, out);
    }
    out.raw(END);
    Ok(Marks { documents: wrote.documents, ends_in_no_text: !wrote.last_text, ..Marks::default() })
}

/// What a list of blocks came to hold.
#[derive(Debug, Default)]
struct Wrote {
    any: bool,
    text: bool,
    last_text: bool,
    documents: bool,
}

/// Writes texts and media, and where it may stand, text for a guardrail.
fn texts_and_media(parts: &[Part], guarded: bool, out: &mut Writer) -> Result<Wrote, EncodeError> {
    let mut wrote = Wrote::default();
    for part in parts {
        match part {
            Part::Text { text } | Part::Refusal { text } => text_block(text, &mut wrote, out),
            Part::Media(media) => {
                wrote.documents |= media::block(media, out)?;
                wrote.any = true;
                wrote.last_text = false;
            }
            Part::Provider { kind, data } if guarded && kind == GUARDED => {
                let content = data.get(GUARDED).unwrap_or(data);
                out.comma().raw(r#"{"guardContent":"#).value("text for a guardrail", content)?.raw("}");
                wrote.any = true;
                wrote.last_text = false;
            }
            _ => {}
        }
    }
    Ok(wrote)
}

fn text_block(text: &str, wrote: &mut Wrote, out: &mut Writer) {
    if !text.trim().is_empty() {
        out.comma().raw(r#"{"text":"#).string(text).raw("}");
        (wrote.any, wrote.text, wrote.last_text) = (true, true, true);
    }
}

fn assistant(parts: &[Part], same: bool, ids: &Ids, out: &mut Writer) -> Result<Marks, EncodeError> {
    let mut blocks = Writer::with_capacity(256);
    let (mut calls, mut only_reasoning, mut tools) = (0_usize, true, false);
    for (at, part) in parts.iter().enumerate() {
        match part {
            Part::Text { text } | Part::Refusal { text } => {
                let mut wrote = Wrote::default();
                match beside(parts, at, CITATIONS).filter(|_| same && !text.trim().is_empty()) {
                    Some(citations) => {
                        blocks.comma().raw(r#"{"citationsContent":{"content":[{"text":"#).string(text);
                        blocks.raw(r#"}],"citations":"#).json(citations).raw("}}");
                        wrote.any = true;
                    }
                    None => text_block(text, &mut wrote, &mut blocks),
                }
                only_reasoning &= !wrote.any;
            }
            Part::Reasoning { text, opaque: Some(opaque) } if same => reasoning(text, opaque, &mut blocks),
            Part::ToolCall(call) => {
                blocks.comma().raw(r#"{"toolUse":{"toolUseId":"#).string(&ids.of_call(calls, call));
                blocks.raw(r#","name":"#).string(&name(call));
                blocks.raw(r#","input":"#).raw(&input(call)).raw("}}");
                calls += 1;
                (only_reasoning, tools) = (false, true);
            }
            Part::Provider { data, .. } if same && belongs(data, parts) => {
                blocks.comma().value("a provider's block", data)?;
                (only_reasoning, tools) = (false, true);
            }
            _ => {}
        }
    }
    if !only_reasoning {
        out.raw(ASSISTANT_HEAD).bytes(&blocks.into_bytes()).raw(END);
    }
    Ok(Marks { tools, ends_in_answer: true, ..Marks::default() })
}

/// Reasoning that the model signed, or a block that was redacted.
fn reasoning(text: &str, opaque: &Value, out: &mut Writer) {
    let member = |name: &str| opaque.get(name).and_then(Value::as_str);
    if let Some(signature) = member("signature") {
        out.comma().raw(r#"{"reasoningContent":{"reasoningText":{"text":"#).string(text);
        out.raw(r#","signature":"#).string(signature).raw("}}}");
    } else if let Some(data) = member("redacted_content") {
        out.comma().raw(r#"{"reasoningContent":{"redactedContent":"#).string(data).raw("}}");
    }
}

/// The arguments as they were written; anew where they look like a document of ours.
fn input(call: &ToolCall) -> Cow<'_, str> {
    let text = arguments(call);
    if text.contains(media::DOCUMENT)
        && let Ok(value) = serde_json::from_str::<Value>(&text)
    {
        return value.to_string().into();
    }
    text
}

/// Whether a server tool's use has its result in the same answer, and a result its use. Other blocks of an answer (images)
/// are not taken back.
fn belongs(block: &Value, parts: &[Part]) -> bool {
    let id = |block: &Value, member: &str| {
        block.get(member).and_then(|inner| inner.get("toolUseId")).and_then(Value::as_str).map(str::to_owned)
    };
    let whole = |block: &Value| block.pointer("/toolUse/input").is_some_and(Value::is_object);
    let (own, other) = match (id(block, "toolUse"), id(block, "toolResult")) {
        (Some(own), None) if whole(block) => (own, "toolResult"),
        (None, Some(own)) if block.pointer("/toolResult/content").is_some_and(Value::is_array) => {
            (own, "toolUse")
        }
        _ => return false,
    };
    parts.iter().any(|part| match part {
        Part::Provider { data, .. } => {
            id(data, other).as_ref() == Some(&own) && (other == "toolResult" || whole(data))
        }
        _ => false,
    })
}

/// Writes the message of results; says whether there are documents in it.
fn tool_results(
    results: &[ToolResult],
    ids: &Ids,
    status: bool,
    out: &mut Writer,
) -> Result<bool, EncodeError> {
    out.comma().raw(USER_HEAD);
    let mut documents = false;
    for (index, result) in results.iter().enumerate() {
        out.comma().raw(r#"{"toolResult":{"toolUseId":"#).string(&ids.of_result(index, result));
        out.raw(r#","content":["#);
        let mut wrote = texts_and_media(&result.content, false, out)?;
        if !wrote.any {
            text_block("(empty)", &mut wrote, out);
        }
        documents |= wrote.documents;
        out.raw("]");
        if status && result.status.is_error() {
            out.raw(r#","status":"error""#);
        }
        out.raw("}}");
    }
    out.raw(END);
    Ok(documents)
}
