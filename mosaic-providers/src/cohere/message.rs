//! A group as members of `messages`. Written once and kept.
//!
//! ```text
//! user       one message
//! assistant  the answer (content, plan, calls, citations), one `tool` message a result in the order of the calls and,
//!            where results hold images, one `user` message with them: a `tool` message takes texts and documents only
//! ```
//! Texts without a letter are left out, because the API refuses them; an answer with nothing else is left out whole.
//!
//! Source: <https://docs.cohere.com/reference/chat>, <https://docs.cohere.com/docs/tool-use-overview>,
//! <https://docs.cohere.com/docs/image-inputs>

use mosaic_core::{EncodeError, GroupBody, Media, MediaData, Part, Profile, ToolCall, ToolResult};
use serde_json::Value;

use super::decoder::{CITATIONS, PLAN};
use crate::wire::replay::{Ids, arguments, name};
use crate::wire::turn::{Turn, turn};
use crate::wire::write::Writer;

const API: &str = super::API;

/// The group as messages, joined by commas.
pub(super) fn fragment(group: &GroupBody, profile: &Profile) -> Result<bytes::Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    match turn(API, group, profile, &[])? {
        Turn::User(parts) => user(parts, &mut out)?,
        Turn::Answer { parts, origin, same, results } => {
            let fits = |id: &str| id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic());
            let ours = |call: &ToolCall| call.id.to_string();
            let ids = Ids::choose(parts, origin, profile, fits, ours);
            assistant(parts, same, &ids, &mut out)?;
            tool_results(results, &ids, &mut out)?;
        }
    }
    Ok(out.into_bytes())
}

/// A text that is not blank.
fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text { text } | Part::Refusal { text } => Some(text).filter(|text| !text.trim().is_empty()),
        _ => None,
    }
    .map(String::as_str)
}

/// A string where one text is all there is, else a list.
fn user(parts: &[Part], out: &mut Writer) -> Result<(), EncodeError> {
    out.raw(r#"{"role":"user","content":"#);
    let texts: Vec<&str> = parts.iter().filter_map(text_of).collect();
    let media = parts.iter().any(|part| matches!(part, Part::Media(_)));
    match (texts.as_slice(), media) {
        ([], false) => {
            out.string("(empty)");
        }
        ([one], false) => {
            out.string(one);
        }
        _ => {
            out.raw("[");
            for part in parts {
                match (part, text_of(part)) {
                    (Part::Media(media), _) => image(media, out.comma())?,
                    (_, Some(text)) => {
                        out.comma().raw(r#"{"type":"text","text":"#).string(text).raw("}");
                    }
                    _ => {}
                }
            }
            out.raw("]");
        }
    }
    out.raw("}");
    Ok(())
}

fn image(media: &Media, out: &mut Writer) -> Result<(), EncodeError> {
    let unsupported = |hint: &str| EncodeError::Unsupported {
        api: API,
        what: format!("a medium of type {}", media.media_type),
        hint: hint.to_owned(),
    };
    if !media.media_type.starts_with("image/") {
        return Err(unsupported("send its text, as a part or in `documents` of the extra parameters"));
    }
    out.raw(r#"{"type":"image_url","image_url":{"url":"#);
    match &media.data {
        MediaData::Base64 { data } => {
            out.raw(r#""data:"#).plain(&media.media_type).raw(";base64,").plain(data).raw(r#"""#);
        }
        MediaData::Url { url } => {
            out.string(url);
        }
        _ => return Err(unsupported("send the bytes or a URL")),
    }
    out.raw("}}");
    Ok(())
}

fn assistant(parts: &[Part], same: bool, ids: &Ids, out: &mut Writer) -> Result<(), EncodeError> {
    let calls = parts.iter().any(|part| part.as_call().is_some());
    let texts: Vec<&str> = parts.iter().filter_map(text_of).collect();
    if !calls && texts.is_empty() {
        return Ok(());
    }
    let thoughts = same && parts.iter().any(|part| thought_of(part).is_some());
    out.raw(r#"{"role":"assistant""#);
    if thoughts || texts.len() > 1 {
        out.key("content").raw("[");
        for part in parts {
            if let Some(thought) = thought_of(part).filter(|_| same) {
                out.comma().raw(r#"{"type":"thinking","thinking":"#).string(thought).raw("}");
            } else if let Some(text) = text_of(part) {
                out.comma().raw(r#"{"type":"text","text":"#).string(text).raw("}");
            }
        }
        out.raw("]");
    } else if let Some(text) = texts.first() {
        out.key("content").string(text);
    }
    let own = |name: &str| {
        parts.iter().find_map(|part| match part {
            Part::Provider { kind, data } if same && kind == name => Some(data),
            _ => None,
        })
    };
    if calls {
        if let Some(Value::String(plan)) = own(PLAN).filter(|plan| **plan != "") {
            out.key("tool_plan").string(plan);
        }
        out.key("tool_calls").raw("[");
        for (index, call) in parts.iter().filter_map(Part::as_call).enumerate() {
            out.comma().raw(r#"{"id":"#).string(&ids.of_call(index, call));
            out.raw(r#","type":"function","function":{"name":"#).string(&name(call));
            out.raw(r#","arguments":"#).string(&arguments(call)).raw("}}");
        }
        out.raw("]");
    }
    // They point into the texts by number.
    let whole = parts.iter().all(|part| !matches!(part, Part::Text { .. }) || text_of(part).is_some());
    if let Some(citations) = own(CITATIONS).filter(|citations| whole && citations.is_array()) {
        out.key("citations").value("the citations", citations)?;
    }
    out.raw("}");
    Ok(())
}

fn thought_of(part: &Part) -> Option<&str> {
    match part {
        Part::Reasoning { text, .. } if !text.trim().is_empty() => Some(text),
        _ => None,
    }
}

fn tool_results(results: &[ToolResult], ids: &Ids, out: &mut Writer) -> Result<(), EncodeError> {
    let media_of = |result: &ToolResult| result.content.iter().any(|part| matches!(part, Part::Media(_)));
    let mut images = Vec::new();
    for (index, result) in results.iter().enumerate() {
        let id = ids.of_result(index, result);
        out.comma().raw(r#"{"role":"tool","tool_call_id":"#).string(&id);
        out.raw(r#","content":"#);
        let texts: Vec<&str> = result.content.iter().filter_map(text_of).collect();
        match texts.as_slice() {
            [] if media_of(result) => out.string("The result follows in the next message."),
            [] => out.string("(no output)"),
            [one] => out.string(one),
            many => out.string(&many.join("\n\n")),
        };
        out.raw("}");
        if media_of(result) {
            images.push(Part::text(format!("From the result of tool call {id}:")));
            images.extend(result.content.iter().filter(|part| matches!(part, Part::Media(_))).cloned());
        }
    }
    if images.is_empty() {
        return Ok(());
    }
    user(&images, out.comma())
}
