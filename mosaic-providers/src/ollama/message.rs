//! A group as members of `messages`. Written once and kept.
//!
//! ```text
//! user       one message: its texts joined, its images beside them
//! assistant  the answer, one `tool` message a result in the order of the calls and, where results hold images, one
//!            `user` message with them: not every template prints those of a `tool` message
//! ```
//! A result names its tool, because older servers know no ids; newer ones are told the id too.
//!
//! Source: <https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion>

use mosaic_core::{EncodeError, GroupBody, Media, MediaData, Part, Profile, ToolCall, ToolResult};

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
            assistant(parts, same, &ids, &mut out);
            tool_results(parts, results, &ids, &mut out)?;
        }
    }
    Ok(out.into_bytes())
}

fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text { text } | Part::Refusal { text } => Some(text.as_str()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

fn user(parts: &[Part], out: &mut Writer) -> Result<(), EncodeError> {
    let texts: Vec<&str> = parts.iter().filter_map(text_of).collect();
    out.raw(r#"{"role":"user","content":"#).string(&texts.join("\n\n"));
    let mut images = parts.iter().filter_map(|part| match part {
        Part::Media(media) => Some(media),
        _ => None,
    });
    if let Some(first) = images.next() {
        out.key("images").raw("[");
        image(first, out)?;
        images.try_for_each(|media| image(media, out.comma()))?;
        out.raw("]");
    }
    out.raw("}");
    Ok(())
}

fn image(media: &Media, out: &mut Writer) -> Result<(), EncodeError> {
    let unsupported = |what: &str, hint: &str| EncodeError::Unsupported {
        api: API,
        what: format!("{what} of type {}", media.media_type),
        hint: hint.to_owned(),
    };
    match &media.data {
        _ if !media.media_type.starts_with("image/") => {
            Err(unsupported("a medium", "send its text, or images"))
        }
        MediaData::Base64 { data } => {
            out.raw("\"").plain(data).raw("\"");
            Ok(())
        }
        MediaData::Url { .. } => Err(unsupported("a URL", "send the bytes instead of a URL")),
        _ => Err(unsupported("an uploaded file", "send the bytes")),
    }
}

fn assistant(parts: &[Part], same: bool, ids: &Ids, out: &mut Writer) {
    let calls = parts.iter().any(|part| part.as_call().is_some());
    let text: String = parts.iter().filter_map(text_of).collect();
    if !calls && text.is_empty() {
        return;
    }
    out.raw(r#"{"role":"assistant","content":"#).string(&text);
    let thought: String = parts
        .iter()
        .filter_map(|part| match part {
            Part::Reasoning { text, .. } if same => Some(text.as_str()),
            _ => None,
        })
        .collect();
    if !thought.is_empty() {
        out.key("thinking").string(&thought);
    }
    if calls {
        out.key("tool_calls").raw("[");
        for (index, call) in parts.iter().filter_map(Part::as_call).enumerate() {
            out.comma().raw(r#"{"id":"#).string(&ids.of_call(index, call));
            out.raw(r#","function":{"name":"#).string(&name(call));
            out.raw(r#","arguments":"#).raw(&arguments(call)).raw("}}");
        }
        out.raw("]");
    }
    out.raw("}");
}

fn tool_results(
    parts: &[Part],
    results: &[ToolResult],
    ids: &Ids,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let mut images = Vec::new();
    // A group's results are in the order of its calls.
    for ((index, result), call) in results.iter().enumerate().zip(parts.iter().filter_map(Part::as_call)) {
        let texts: Vec<&str> = result.content.iter().filter_map(text_of).collect();
        let media = result.content.iter().any(|part| matches!(part, Part::Media(_)));
        let text = match (texts.is_empty(), media) {
            (false, _) => texts.join("\n\n"),
            (true, true) => "The result follows in the next message.".to_owned(),
            (true, false) => "(no output)".to_owned(),
        };
        out.comma().raw(r#"{"role":"tool","content":"#).string(&text);
        out.key("tool_name").string(&name(call));
        out.key("tool_call_id").string(&ids.of_result(index, result)).raw("}");
        if media {
            images.push(Part::text(format!("From the result of `{}`:", call.name)));
            images.extend(result.content.iter().filter(|part| matches!(part, Part::Media(_))).cloned());
        }
    }
    if images.is_empty() {
        return Ok(());
    }
    user(&images, out.comma())
}
