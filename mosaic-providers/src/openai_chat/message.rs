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

use mosaic_core::{EncodeError, GroupBody, Origin, Part, Profile, ToolCall, ToolResult};
use serde_json::Value;

use super::media;
use super::quirks::{CallIds, MediaForm, NoText, Quirks, ReasoningReplay, Texts};
use super::turns::{self, Last};
use crate::wire::replay::{Ids, arguments, name};
use crate::wire::turn::{Turn, turn};
use crate::wire::write::Writer;

/// Longer ids are refused by OpenAI (`string_above_max_length`).
const LONGEST_ID: usize = 40;

/// The group as messages, joined by commas.
pub(super) fn fragment(
    group: &GroupBody,
    profile: &Profile,
    quirks: &Quirks,
) -> Result<bytes::Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    match turn(quirks.api.name(), group, profile, &[])? {
        Turn::User(parts) => user(parts, quirks, &mut out)?,
        Turn::Answer { parts, origin, same, results } => {
            let ids = ids(parts, origin, profile, quirks);
            assistant(parts, same, &ids, quirks, &mut out)?;
            tool_results(results, &ids, quirks, &mut out)?;
            if out.len() > 0 {
                turns::mark(
                    if results.is_empty() { Last::Answer } else { Last::Result },
                    quirks.turns,
                    &mut out,
                );
            }
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
            (Part::Media(media), _) => media::part(media, quirks, out.comma())?,
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
    let thoughts = || parts.iter().filter_map(thought_of);
    let in_content =
        same && quirks.reasoning_replay == ReasoningReplay::InContent && thoughts().next().is_some();
    match (texts, quirks.no_text) {
        _ if in_content => thinking_content(parts, out),
        (true, _) => {
            // One string: the parts of an answer came as one, and lists are for users with most servers.
            let all: Vec<&str> = parts.iter().filter_map(text_of).collect();
            match all.as_slice() {
                [one] => out.string(one),
                many => out.string(&many.concat()),
            };
        }
        (false, NoText::Null) => {
            out.raw("null");
        }
        (false, NoText::Empty) => {
            out.raw(r#""""#);
        }
    }
    let replay = match quirks.reasoning_replay {
        ReasoningReplay::AsReceived => same,
        ReasoningReplay::WithCalls => same && calls,
        ReasoningReplay::InContent | ReasoningReplay::Never => false,
    };
    if replay {
        reasoning(parts, out)?;
    }
    if calls {
        out.raw(r#","tool_calls":["#);
        for (index, call) in parts.iter().filter_map(Part::as_call).enumerate() {
            out.comma().raw(r#"{"id":"#).string(&ids.of_call(index, call));
            out.raw(r#","type":"function","function":{"name":"#).string(&name(call));
            out.raw(r#","arguments":"#).string(&arguments(call)).raw("}}");
        }
        out.raw("]");
    }
    out.raw("}");
    Ok(())
}

fn thought_of(part: &Part) -> Option<&str> {
    match part {
        Part::Reasoning { text, .. } => Some(text.as_str()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// Reasoning and texts as a list, in their order.
/// Source: <https://docs.mistral.ai/capabilities/reasoning>
fn thinking_content(parts: &[Part], out: &mut Writer) {
    out.raw("[");
    for part in parts {
        if let Some(thought) = thought_of(part) {
            out.comma().raw(r#"{"type":"thinking","thinking":[{"type":"text","text":"#).string(thought);
            out.raw(r#"}],"closed":true}"#);
        } else if let Some(text) = text_of(part).filter(|text| !text.is_empty()) {
            out.comma().raw(r#"{"type":"text","text":"#).string(text).raw("}");
        }
    }
    out.raw("]");
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
        if media && quirks.media == MediaForm::Mistral {
            content(&result.content, quirks, out)?;
            out.raw("}");
            continue;
        }
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
    if with_media.is_empty() || quirks.media == MediaForm::Mistral {
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
