//! A group as members of `messages`. Written once and kept.
//!
//! ```text
//! user       {"role":"user","content":[blocks]}
//! assistant  {"role":"assistant","content":[blocks]} and, where there are calls,
//!            {"role":"user","content":[one tool_result a call, in order]}
//! ```
//! The API refuses empty and blank texts, so those are left out; an answer with nothing else is left out whole. Unsigned
//! thinking (cut off, or another model's) is left out too, and so is a server tool's use without its result.
//!
//! # The mark at the end
//! A cache breakpoint goes into the last block of a message of the user, and is placed when the request is joined, long after
//! the fragment was written. So a fragment that ends in such a message ends in `}]}`, the last block's brace first; one that
//! ends in an answer ends in `}] }`. Joining needs to look at these bytes only.
//!
//! Source: <https://docs.anthropic.com/en/api/messages>,
//! <https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching>

use mosaic_core::{EncodeError, GroupBody, Media, MediaData, Part, Profile, ToolCall, ToolResult};
use serde_json::Value;

use super::blocks::CITATIONS;
use crate::wire::replay::{Ids, arguments, beside, name, plain};
use crate::wire::turn::{Turn, turn};
use crate::wire::write::Writer;

const API: &str = super::API;

/// The end of a fragment that ends in a message of the user, whose last block takes a breakpoint.
pub(super) const CACHEABLE_END: &str = "}]}";
/// The end of one that ends in an answer.
const ANSWER_END: &str = "] }";
/// The beginning of a fragment that begins with an answer.
pub(super) const ASSISTANT_HEAD: &str = r#"{"role":"assistant","content":["#;

/// The group as messages, joined by commas.
pub(super) fn fragment(group: &GroupBody, profile: &Profile) -> Result<bytes::Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    match turn(API, group, profile, &[])? {
        Turn::User(parts) => {
            out.raw(r#"{"role":"user","content":["#);
            if !texts_and_media(parts, &mut out)? {
                // The API takes no message without content.
                out.raw(r#"{"type":"text","text":"(empty)"}"#);
            }
            out.raw("]}");
        }
        Turn::Answer { parts, origin, same, results } => {
            // `^[a-zA-Z0-9_-]+$`, and no longer than the API's own are by far.
            let fits = |id: &str| id.len() <= 128 && id.bytes().all(plain);
            let ours = |call: &ToolCall| call.id.to_string();
            let ids = Ids::choose(parts, origin, profile, fits, ours);
            assistant(parts, same, &ids, results.is_empty(), &mut out)?;
            tool_results(results, &ids, &mut out)?;
        }
    }
    Ok(out.into_bytes())
}

/// Writes text, images and documents; `false` when there were none.
fn texts_and_media(parts: &[Part], out: &mut Writer) -> Result<bool, EncodeError> {
    let before = out.len();
    for part in parts {
        match part {
            Part::Text { text } | Part::Refusal { text } => text_block(text, None, out),
            Part::Media(media) => media_block(media, out)?,
            _ => {}
        }
    }
    Ok(out.len() > before)
}

fn text_block(text: &str, citations: Option<&Value>, out: &mut Writer) {
    if !text.trim().is_empty() {
        out.comma().raw(r#"{"type":"text","text":"#).string(text);
        if let Some(citations) = citations {
            out.raw(r#","citations":"#).json(citations);
        }
        out.raw("}");
    }
}

fn media_block(media: &Media, out: &mut Writer) -> Result<(), EncodeError> {
    let unsupported = |hint: &str| EncodeError::Unsupported {
        api: API,
        what: format!("a medium of type {}", media.media_type),
        hint: hint.to_owned(),
    };
    let kind = media.media_type.split_once('/').map_or(media.media_type.as_str(), |(kind, _)| kind);
    let block = match (kind, media.media_type.as_str(), &media.data) {
        ("image", _, _) => "image",
        (_, "application/pdf", _) | (_, _, MediaData::File { .. } | MediaData::Url { .. })
            if kind != "audio" =>
        {
            "document"
        }
        ("text", _, _) => return Err(unsupported("send it as text")),
        _ => return Err(unsupported("send images or PDF documents")),
    };
    out.comma().raw(r#"{"type":"#).string(block).raw(r#","source":"#);
    match &media.data {
        MediaData::Base64 { data } => {
            out.raw(r#"{"type":"base64","media_type":"#).string(&media.media_type);
            out.raw(r#","data":""#).plain(data).raw(r#""}"#);
        }
        MediaData::Url { url } => {
            out.raw(r#"{"type":"url","url":"#).string(url).raw("}");
        }
        MediaData::File { id } => {
            out.raw(r#"{"type":"file","file_id":"#).string(id).raw("}");
        }
        _ => return Err(unsupported("send the bytes, a URL or a file's id")),
    }
    if let (Some(name), "document") = (&media.name, block) {
        out.raw(r#","title":"#).string(name);
    }
    out.raw("}");
    Ok(())
}

fn assistant(parts: &[Part], same: bool, ids: &Ids, last: bool, out: &mut Writer) -> Result<(), EncodeError> {
    let mut blocks = Writer::with_capacity(256);
    let mut calls = 0_usize;
    for (at, part) in parts.iter().enumerate() {
        match part {
            Part::Text { text } | Part::Refusal { text } => {
                let citations = if same { beside(parts, at, CITATIONS) } else { None };
                text_block(text, citations, &mut blocks);
            }
            Part::Reasoning { text, opaque: Some(opaque) } if same => thinking(text, opaque, &mut blocks),
            Part::ToolCall(call) => {
                blocks.comma().raw(r#"{"type":"tool_use","id":"#).string(&ids.of_call(calls, call));
                blocks.raw(r#","name":"#).string(&name(call));
                blocks.raw(r#","input":"#).raw(&arguments(call)).raw("}");
                calls += 1;
            }
            Part::Provider { data, .. } if same && data.is_object() && belongs(data, parts) => {
                blocks.comma().value("a provider's block", data)?;
            }
            _ => {}
        }
    }
    if blocks.len() == 0 {
        return Ok(());
    }
    out.raw(ASSISTANT_HEAD).bytes(&blocks.into_bytes()).raw(if last { ANSWER_END } else { "]}" });
    Ok(())
}

/// Thinking that the API signed, or a block that it redacted.
fn thinking(text: &str, opaque: &Value, out: &mut Writer) {
    let member = |name: &str| opaque.get(name).and_then(Value::as_str);
    if let Some(signature) = member("signature") {
        out.comma().raw(r#"{"type":"thinking","thinking":"#).string(text);
        out.raw(r#","signature":"#).string(signature).raw("}");
    } else if let Some(data) = member("redacted_thinking") {
        out.comma().raw(r#"{"type":"redacted_thinking","data":"#).string(data).raw("}");
    }
}

/// Whether a server tool's use has its result in the same answer, and a result its use. Others are refused.
fn belongs(block: &Value, parts: &[Part]) -> bool {
    let member = |block: &Value, name: &str| block.get(name).and_then(Value::as_str).map(str::to_owned);
    let other = |has: &dyn Fn(&Value) -> bool| {
        parts.iter().any(|part| matches!(part, Part::Provider { data, .. } if has(data)))
    };
    match (member(block, "type").as_deref(), member(block, "id"), member(block, "tool_use_id")) {
        (Some("server_tool_use" | "mcp_tool_use"), id, _) => {
            block.get("input").is_some_and(Value::is_object)
                && other(&|data| id.is_some() && member(data, "tool_use_id") == id)
        }
        (_, _, Some(of)) => other(&|data| member(data, "id").as_ref() == Some(&of)),
        _ => true,
    }
}

fn tool_results(results: &[ToolResult], ids: &Ids, out: &mut Writer) -> Result<(), EncodeError> {
    if results.is_empty() {
        return Ok(());
    }
    out.comma().raw(r#"{"role":"user","content":["#);
    for (index, result) in results.iter().enumerate() {
        out.comma().raw(r#"{"type":"tool_result","tool_use_id":"#).string(&ids.of_result(index, result));
        let mut content = Writer::with_capacity(64);
        if texts_and_media(&result.content, &mut content)? {
            out.raw(r#","content":["#).bytes(&content.into_bytes()).raw("]");
        }
        if result.status.is_error() {
            out.raw(r#","is_error":true"#);
        }
        out.raw("}");
    }
    out.raw("]}");
    Ok(())
}
