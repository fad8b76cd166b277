//! A group as items of `input`. Written once and kept.
//!
//! ```text
//! user       one message
//! assistant  the items of the answer in their order, one `function_call_output` a result, and, where the server takes no
//!            media in those, one message of the user with them
//! ```
//! Ids of messages and calls are not sent: nothing is stored under them. What the API would refuse is left out: empty texts;
//! reasoning that no item of its answer follows (the answer was cut off there); and an item of a server-side tool that waits
//! for an output which the answer does not hold.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/create#responses-create-input>

use mosaic_core::{EncodeError, GroupBody, Media, MediaData, Part, Profile, ToolCall, ToolResult};
use serde_json::Value;

use super::items::{ANNOTATIONS, PHASE};
use super::quirks::{Documents, Quirks, ResultMedia};
use super::{API, reasoning};
use crate::wire::replay::{Ids, arguments, beside, name};
use crate::wire::turn::{Turn, turn};
use crate::wire::write::Writer;

/// Longer `call_id`s are refused by OpenAI (`string_above_max_length`).
const LONGEST_ID: usize = 64;
/// Shorter ones are numbers within one answer (`call_0` of Bedrock), and come again in the next: ours is sent then, so that a
/// conversation never holds one twice.
const SHORTEST_ID: usize = 16;

/// The group as items, joined by commas.
pub(super) fn fragment(
    group: &GroupBody,
    profile: &Profile,
    quirks: &Quirks,
) -> Result<bytes::Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    match turn(API, group, profile, &[])? {
        Turn::User(parts) => user(parts, quirks, &mut out)?,
        Turn::Answer { parts, origin, same, results } => {
            let fits = |id: &str| {
                (SHORTEST_ID..=LONGEST_ID).contains(&id.len())
                    && id.bytes().all(|byte| byte.is_ascii_graphic())
            };
            let ours = |call: &ToolCall| call.id.to_string();
            let ids = Ids::choose(parts, origin, profile, fits, ours);
            assistant(parts, same, &ids, quirks, &mut out)?;
            outputs(results, &ids, quirks, &mut out)?;
        }
    }
    Ok(out.into_bytes())
}

/// A refusal goes back as the words it was: not every server knows a content part for it.
fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text { text } | Part::Refusal { text } => {
            Some(text).filter(|text| !text.is_empty()).map(|text| &**text)
        }
        _ => None,
    }
}

fn user(parts: &[Part], quirks: &Quirks, out: &mut Writer) -> Result<(), EncodeError> {
    out.comma().raw(r#"{"type":"message","role":"user","content":"#);
    let media = parts.iter().any(|part| matches!(part, Part::Media(_)));
    let texts: Vec<&str> = parts.iter().filter_map(text_of).collect();
    match texts.as_slice() {
        // There is no message without content.
        [] if !media => {
            out.string("(empty)");
        }
        [one] if !media => {
            out.string(one);
        }
        _ => content(parts, quirks, out)?,
    }
    out.raw("}");
    Ok(())
}

/// Texts and media, as a list.
fn content(parts: &[Part], quirks: &Quirks, out: &mut Writer) -> Result<(), EncodeError> {
    out.raw("[");
    for part in parts {
        match (part, text_of(part)) {
            (Part::Media(medium), _) => media(medium, quirks, out.comma())?,
            (_, Some(text)) => {
                out.comma().raw(r#"{"type":"input_text","text":"#).string(text).raw("}");
            }
            _ => {}
        }
    }
    out.raw("]");
    Ok(())
}

fn media(media: &Media, quirks: &Quirks, out: &mut Writer) -> Result<(), EncodeError> {
    let unsupported = |hint: &str| EncodeError::Unsupported {
        api: API,
        what: format!("a medium of type {}", media.media_type),
        hint: hint.to_owned(),
    };
    let kind = media.media_type.split_once('/').map_or(media.media_type.as_str(), |(kind, _)| kind);
    let image = kind == "image";
    if matches!(kind, "audio" | "video") {
        return Err(unsupported("send images or documents, or ask a model that hears through another API"));
    }
    if !image && quirks.documents == Documents::Refused {
        return Err(unsupported("this server takes images only; send a document's text"));
    }
    out.raw(if image { r#"{"type":"input_image""# } else { r#"{"type":"input_file""# });
    match &media.data {
        MediaData::Base64 { data } => {
            if !image {
                out.key("filename").string(media.name.as_deref().unwrap_or("document.pdf"));
            }
            out.key(if image { "image_url" } else { "file_data" });
            out.raw(r#""data:"#).plain(&media.media_type).raw(";base64,").plain(data).raw(r#"""#);
        }
        MediaData::Url { url } => {
            out.key(if image { "image_url" } else { "file_url" }).string(url);
        }
        MediaData::File { id } => {
            out.key("file_id").string(id);
        }
        _ => return Err(unsupported("send the bytes, a URL or a file's id")),
    }
    out.raw("}");
    Ok(())
}

fn assistant(
    parts: &[Part],
    same: bool,
    ids: &Ids,
    quirks: &Quirks,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let replayed = if same { replayable(parts) } else { Vec::new() };
    let mut calls = 0_usize;
    let mut waiting = Writer::default();
    let mut in_message = false;
    for (at, part) in parts.iter().enumerate() {
        match part {
            Part::Reasoning { text, opaque } if same => {
                reasoning::write(text, opaque.as_ref(), quirks.reasoning_replay, &mut waiting)?;
                continue;
            }
            Part::ToolCall(_) => {}
            Part::Provider { .. } if replayed.get(at) == Some(&true) => {}
            // It is of the message before it, and ends that: another may have another.
            Part::Provider { kind, data } if same && in_message && kind == PHASE => {
                out.raw("]").key(PHASE).json(data).raw("}");
                in_message = false;
                continue;
            }
            other if text_of(other).is_some() => {}
            _ => continue,
        }
        let text = text_of(part);
        let thought = waiting.len() > 0;
        if in_message && (text.is_none() || thought) {
            out.raw("]}");
            in_message = false;
        }
        if thought {
            out.comma().bytes(&std::mem::take(&mut waiting).into_bytes());
        }
        match part {
            Part::ToolCall(call) => {
                out.comma().raw(r#"{"type":"function_call","call_id":"#).string(&ids.of_call(calls, call));
                out.raw(r#","name":"#).string(&name(call));
                out.raw(r#","arguments":"#).string(&arguments(call)).raw("}");
                calls += 1;
            }
            Part::Provider { data, .. } => {
                out.comma().value("a provider's block", data)?;
            }
            _ => {
                if !in_message {
                    out.comma().raw(r#"{"type":"message","role":"assistant","content":["#);
                    in_message = true;
                }
                out.comma().raw(r#"{"type":"output_text","text":"#).string(text.unwrap_or_default());
                if let Some(annotations) = beside(parts, at, ANNOTATIONS).filter(|_| same) {
                    out.key(ANNOTATIONS).json(annotations);
                }
                out.raw("}");
            }
        }
    }
    if in_message {
        out.raw("]}");
    }
    Ok(())
}

/// Which of the parts are items of server-side tools that can go back: of a kind that the input takes, and neither a call
/// without its output nor an output without its call. Hosted tools whose items hold both have no `call_id`.
fn replayable(parts: &[Part]) -> Vec<bool> {
    let member =
        |item: &'_ Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut all = vec![false; parts.len()];
    // Calls that wait for their output: where they are, what they are, and their ids.
    let mut waiting: Vec<(usize, String, String)> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let Part::Provider { data, .. } = part else { continue };
        let (kind, call) = (member(data, "type"), member(data, "call_id"));
        let mut take = |at: usize| all.get_mut(at).into_iter().for_each(|taken| *taken = true);
        if let Some(of) = kind.strip_suffix("_output").filter(|of| of.ends_with("_call")) {
            if let Some(found) = waiting.iter().position(|(_, kind, id)| kind == of && *id == call) {
                take(waiting.remove(found).0);
                take(at);
            }
        } else if kind.ends_with("_call") && !call.is_empty() {
            // The same call a second time is told once.
            if !waiting.iter().any(|(_, other, id)| *other == kind && *id == call) {
                waiting.push((at, kind, call));
            }
        } else if kind.ends_with("_call") || matches!(kind.as_str(), "mcp_list_tools" | "compaction") {
            take(at);
        }
    }
    all
}

fn outputs(results: &[ToolResult], ids: &Ids, quirks: &Quirks, out: &mut Writer) -> Result<(), EncodeError> {
    let has_media = |result: &ToolResult| result.content.iter().any(|part| matches!(part, Part::Media(_)));
    for (index, result) in results.iter().enumerate() {
        out.comma().raw(r#"{"type":"function_call_output","call_id":"#).string(&ids.of_result(index, result));
        out.raw(r#","output":"#);
        let texts: Vec<&str> = result.content.iter().filter_map(text_of).collect();
        match (texts.as_slice(), has_media(result)) {
            (_, true) if quirks.result_media == ResultMedia::InResult => {
                content(&result.content, quirks, out)?
            }
            ([], true) => {
                out.string("The result follows in the next message.");
            }
            ([], false) => {
                out.string("(no output)");
            }
            (texts, _) => {
                out.string(&texts.join("\n\n"));
            }
        }
        out.raw("}");
    }
    if quirks.result_media == ResultMedia::InResult || !results.iter().any(has_media) {
        return Ok(());
    }
    let mut parts = Vec::new();
    for (index, result) in results.iter().enumerate().filter(|(_, result)| has_media(result)) {
        parts.push(Part::text(format!("From the result of tool call {}:", ids.of_result(index, result))));
        parts.extend(result.content.iter().filter(|part| matches!(part, Part::Media(_))).cloned());
    }
    user(&parts, quirks, out)
}
