//! A group as members of `messages`. Written once and kept.
//!
//! ```text
//! user       one message
//! assistant  the answer, one `tool` message a result in the order of the calls, and, where results hold media,
//!            one `user` message with it: a `tool` message takes text only
//! ```
//! An answer with nothing to say (cancelled before its first word) is left out: servers refuse it.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages>

use mosaic_core::{EncodeError, GroupBody, Media, MediaData, Origin, Part, Profile, ToolCall, ToolResult};
use serde_json::Value;

use super::quirks::{CallIds, NoText, Quirks, ReasoningReplay, Texts};
use crate::wire::replay::{Ids, arguments};
use crate::wire::write::Writer;

/// The name of the API in errors.
const API: &str = super::API;

/// Longer ids are refused by OpenAI (`string_above_max_length`).
const LONGEST_ID: usize = 40;

/// The group as messages, joined by commas.
pub(super) fn fragment(
    group: &GroupBody,
    profile: &Profile,
    quirks: &Quirks,
) -> Result<bytes::Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    match group {
        GroupBody::User { parts } => user(parts, quirks, &mut out)?,
        GroupBody::Assistant { parts, origin, results } => {
            let same = origin.as_ref() == Some(&profile.origin);
            let ids = ids(parts, origin.as_ref(), profile, quirks);
            assistant(parts, same, &ids, quirks, &mut out)?;
            tool_results(results, &ids, quirks, &mut out)?;
        }
        _ => {
            return Err(EncodeError::Unsupported {
                api: API,
                what: "a group of this kind".to_owned(),
                hint: "use versions of mosaic-core and mosaic-providers that belong together".to_owned(),
            });
        }
    }
    Ok(out.into_bytes())
}

fn user(parts: &[Part], quirks: &Quirks, out: &mut Writer) -> Result<(), EncodeError> {
    out.raw(r#"{"role":"user","content":"#);
    content(parts, quirks, out)?;
    out.raw("}");
    Ok(())
}

/// Texts and media: a string where one text is all there is, else a list.
fn content(parts: &[Part], quirks: &Quirks, out: &mut Writer) -> Result<(), EncodeError> {
    let texts = || parts.iter().filter_map(text_of).filter(|text| !text.is_empty());
    let media = parts.iter().any(|part| matches!(part, Part::Media(_)));
    if !media {
        if texts().count() <= 1 {
            out.string(texts().next().unwrap_or_default());
            return Ok(());
        }
        if quirks.texts == Texts::Joined {
            out.string(&texts().collect::<Vec<_>>().join("\n\n"));
            return Ok(());
        }
    }
    out.raw("[");
    for part in parts {
        match (part, text_of(part)) {
            (Part::Media(media), _) => media_part(media, out.comma())?,
            (_, Some(text)) if !text.is_empty() => {
                out.comma().raw(r#"{"type":"text","text":"#).string(text).raw("}");
            }
            _ => {}
        }
    }
    out.raw("]");
    Ok(())
}

fn text_of(part: &Part) -> Option<&str> {
    match part {
        // A refusal goes back as the words it was: only OpenAI knows a member for it.
        Part::Text { text } | Part::Refusal { text } => Some(text),
        _ => None,
    }
}

fn media_part(media: &Media, out: &mut Writer) -> Result<(), EncodeError> {
    let unsupported = |hint: &str| EncodeError::Unsupported {
        api: API,
        what: format!("{} of type {}", source_of(&media.data), media.media_type),
        hint: hint.to_owned(),
    };
    let kind = media.media_type.split_once('/').map_or(media.media_type.as_str(), |(kind, _)| kind);
    match (kind, &media.data) {
        ("image", MediaData::Base64 { data }) => {
            out.raw(r#"{"type":"image_url","image_url":{"url":"data:"#);
            out.plain(&media.media_type).raw(";base64,").plain(data).raw(r#""}}"#);
        }
        ("image", MediaData::Url { url }) => {
            out.raw(r#"{"type":"image_url","image_url":{"url":"#).string(url).raw("}}");
        }
        ("audio", MediaData::Base64 { data }) => {
            let format = media.media_type.split_once('/').map_or("wav", |(_, format)| format);
            let format = match format.trim_start_matches("x-") {
                "mpeg" | "mpga" => "mp3",
                "wave" | "vnd.wave" => "wav",
                other => other,
            };
            out.raw(r#"{"type":"input_audio","input_audio":{"data":""#).plain(data);
            out.raw(r#"","format":"#).string(format).raw("}}");
        }
        (_, MediaData::File { id }) => {
            out.raw(r#"{"type":"file","file":{"file_id":"#).string(id).raw("}}");
        }
        ("application" | "text", MediaData::Base64 { data }) => {
            out.raw(r#"{"type":"file","file":{"filename":"#);
            out.string(media.name.as_deref().unwrap_or("document.pdf"));
            out.raw(r#","file_data":"data:"#)
                .plain(&media.media_type)
                .raw(";base64,")
                .plain(data)
                .raw(r#""}}"#);
        }
        (_, MediaData::Url { .. }) => return Err(unsupported("send the bytes instead of a URL")),
        _ => return Err(unsupported("send images, WAV or MP3 sound, or PDF documents")),
    }
    Ok(())
}

fn source_of(data: &MediaData) -> &'static str {
    match data {
        MediaData::Url { .. } => "a URL",
        MediaData::File { .. } => "an uploaded file",
        _ => "a medium",
    }
}

fn assistant(
    parts: &[Part],
    same: bool,
    ids: &Ids,
    quirks: &Quirks,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let calls = parts.iter().any(|part| part.as_call().is_some());
    let texts = parts.iter().filter_map(text_of).any(|text| !text.is_empty());
    if !calls && !texts {
        return Ok(());
    }
    out.raw(r#"{"role":"assistant","content":"#);
    match (texts, quirks.no_text) {
        (true, _) => {
            // One string: the parts of an answer came as one, and lists are for users with most servers.
            let all: Vec<&str> = parts.iter().filter_map(text_of).collect();
            match all.as_slice() {
                [one] => out.string(one),
                many => out.string(&many.concat()),
            }
        }
        (false, NoText::Null) => out.raw("null"),
        (false, NoText::Empty) => out.raw(r#""""#),
    };
    let replay = match quirks.reasoning_replay {
        ReasoningReplay::AsReceived => same,
        ReasoningReplay::WithCalls => same && calls,
        ReasoningReplay::Never => false,
    };
    if replay {
        reasoning(parts, out)?;
    }
    if calls {
        out.raw(r#","tool_calls":["#);
        for (index, call) in parts.iter().filter_map(Part::as_call).enumerate() {
            out.comma().raw(r#"{"id":"#).string(&ids.of_call(index, call));
            out.raw(r#","type":"function","function":{"name":"#).string(&call.name);
            out.raw(r#","arguments":"#).string(&arguments(call)).raw("}}");
        }
        out.raw("]");
    }
    out.raw("}");
    Ok(())
}

/// Reasoning in the member in which it came.
fn reasoning(parts: &[Part], out: &mut Writer) -> Result<(), EncodeError> {
    for part in parts {
        let Part::Reasoning { text, opaque } = part else { continue };
        let member = |name: &str| opaque.as_ref().and_then(|opaque| opaque.get(name));
        let details = member("reasoning_details");
        let field = match member("field").and_then(Value::as_str) {
            Some("reasoning") => Some("reasoning"),
            // The blocks say it all, unless the text came beside them.
            _ if details.is_some() => None,
            _ => Some("reasoning_content"),
        };
        if let Some(field) = field.filter(|_| !text.is_empty()) {
            out.key(field).string(text);
        }
        if let Some(details) = details {
            out.key("reasoning_details").value("the reasoning blocks", details)?;
        }
        // One member each: an answer of this API has one reasoning.
        break;
    }
    Ok(())
}

fn tool_results(
    results: &[ToolResult],
    ids: &Ids,
    quirks: &Quirks,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    for (index, result) in results.iter().enumerate() {
        out.comma().raw(r#"{"role":"tool","tool_call_id":"#).string(&ids.of_result(index, result));
        out.raw(r#","content":"#);
        let texts: Vec<&str> =
            result.content.iter().filter_map(text_of).filter(|text| !text.is_empty()).collect();
        let media = result.content.iter().any(|part| matches!(part, Part::Media(_)));
        match texts.as_slice() {
            [] if media => out.string("The result follows in the next message."),
            [] => out.string("(no output)"),
            [one] => out.string(one),
            many => out.string(&many.join("\n\n")),
        };
        out.raw("}");
    }
    let with_media: Vec<(usize, &ToolResult)> = results
        .iter()
        .enumerate()
        .filter(|(_, result)| result.content.iter().any(|part| matches!(part, Part::Media(_))))
        .collect();
    if with_media.is_empty() {
        return Ok(());
    }
    let mut parts = Vec::new();
    for (index, result) in with_media {
        parts.push(Part::text(format!("From the result of tool call {}:", ids.of_result(index, result))));
        parts.extend(result.content.iter().filter(|part| matches!(part, Part::Media(_))).cloned());
    }
    out.comma();
    user(&parts, quirks, out)
}

/// The ids of the group's calls for this server.
fn ids(parts: &[Part], origin: Option<&Origin>, profile: &Profile, quirks: &Quirks) -> Ids {
    let fits = |id: &str| match quirks.call_ids {
        CallIds::Any => id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic()),
        CallIds::NineAlphanumeric => id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
    };
    let ours = |call: &ToolCall| match quirks.call_ids {
        CallIds::Any => call.id.to_string(),
        CallIds::NineAlphanumeric => nine(call.id.as_str()),
    };
    Ids::choose(parts, origin, profile, fits, ours)
}

/// Nine letters and digits that follow from an id (FNV-1a, in base 36).
fn nine(id: &str) -> String {
    let mut hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut text = String::with_capacity(9);
    for _ in 0..9 {
        let digit = u32::try_from(hash % 36).unwrap_or_default();
        text.push(char::from_digit(digit, 36).unwrap_or('0'));
        hash /= 36;
    }
    text
}
