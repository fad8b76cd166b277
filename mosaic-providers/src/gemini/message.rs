//! A group as members of `contents`. Written once and kept.
//!
//! ```text
//! user       {"role":"user","parts":[texts and media]}
//! assistant  {"role":"model","parts":[parts]} and, where there are calls, what `results` writes
//! ```
//! Empty texts are refused, so they are left out; an answer with nothing but thoughts is left out whole.
//!
//! # The mark at the end
//! The API wants a turn of the user before a call and at the end of the conversation. Whether a fragment ends in a turn of
//! the model shows in its last bytes: `] }` instead of `]}`. Joining needs to look at these, and at the first, only.
//!
//! Sources: <https://ai.google.dev/api/caching#Content>, <https://ai.google.dev/gemini-api/docs/thought-signatures>

use std::borrow::Cow;

use mosaic_core::{EncodeError, GroupBody, Media, MediaData, Part, Profile, ToolCall};
use serde_json::Value;

use super::chunk::BLOCKS;
use super::models::{self, Family};
use super::quirks::{Files, Quirks};
use super::results;
use crate::wire::replay::{Ids, arguments};
use crate::wire::turn::{Turn, turn};
use crate::wire::write::Writer;

/// The beginning of a turn of the model.
pub(super) const MODEL_HEAD: &str = r#"{"role":"model","parts":["#;
/// The end of a fragment that ends in a turn of the model.
pub(super) const MODEL_END: &str = "] }";
/// The end of any other turn.
pub(super) const USER_END: &str = "]}";
const USER_HEAD: &str = r#"{"role":"user","parts":["#;

/// What stands for the signature of a call that another model made. The API's own words for it:
/// <https://ai.google.dev/gemini-api/docs/thought-signatures#faqs>
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// Where the Files API has its files.
const FILES: &str = "https://generativelanguage.googleapis.com/v1beta/files/";

/// The group as contents, joined by commas.
pub(super) fn fragment(
    group: &GroupBody,
    profile: &Profile,
    quirks: &Quirks,
) -> Result<bytes::Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    match turn(super::API, group, profile, &[])? {
        Turn::User(parts) => user(parts, quirks, &mut out)?,
        Turn::Answer { parts, origin, same, results } => {
            let family = models::of(&profile.origin.model);
            // Ids are optional. One that the API did not give is not sent: older versions do not know the member.
            let ids = Ids::choose(parts, origin, profile, fits, |_| String::new());
            model(parts, same, &ids, &family, &mut out)?;
            if results.is_empty() {
                mark(&mut out);
            } else {
                let calls: Vec<&ToolCall> = parts.iter().filter_map(Part::as_call).collect();
                results::write(&calls, results, &ids, &family, quirks, &mut out)?;
            }
        }
    }
    Ok(out.into_bytes())
}

pub(super) fn unsupported(what: impl Into<String>, hint: &str) -> EncodeError {
    EncodeError::Unsupported { api: super::API, what: what.into(), hint: hint.to_owned() }
}

/// The longest id that the API itself would give is a fraction of this.
fn fits(id: &str) -> bool {
    id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A turn of the user.
pub(super) fn user(parts: &[Part], quirks: &Quirks, out: &mut Writer) -> Result<(), EncodeError> {
    out.comma().raw(USER_HEAD);
    let before = out.len();
    for part in parts {
        match part {
            Part::Text { text } | Part::Refusal { text } => text_part(text, out),
            Part::Media(media) => media_part(media, quirks, out.comma())?,
            _ => {}
        }
    }
    if out.len() == before {
        // The API takes no turn without parts.
        text_part("(empty)", out);
    }
    out.raw(USER_END);
    Ok(())
}

fn text_part(text: &str, out: &mut Writer) {
    if !text.trim().is_empty() {
        out.comma().raw(r#"{"text":"#).string(text).raw("}");
    }
}

/// A picture, a document, a sound, a film.
fn media_part(media: &Media, quirks: &Quirks, out: &mut Writer) -> Result<(), EncodeError> {
    let uri = match (&media.data, quirks.files) {
        (MediaData::Base64 { data }, _) => {
            out.raw(r#"{"inlineData":{"mimeType":"#).string(&media.media_type);
            out.raw(r#","data":""#).plain(data).raw(r#""}}"#);
            return Ok(());
        }
        (MediaData::Url { url }, _) => Cow::Borrowed(url.as_str()),
        (MediaData::File { id }, _) if id.contains("://") => Cow::Borrowed(id.as_str()),
        (MediaData::File { id }, Files::FilesApi) => {
            Cow::Owned(format!("{FILES}{}", id.strip_prefix("files/").unwrap_or(id)))
        }
        (MediaData::File { .. }, Files::CloudStorage) => {
            return Err(unsupported(
                "a file by its id on Vertex AI",
                "upload it to Cloud Storage and give its `gs://` URI",
            ));
        }
        _ => return Err(unsupported("a medium of this kind", "send the bytes, a URL or a file's id")),
    };
    out.raw(r#"{"fileData":{"mimeType":"#).string(&media.media_type);
    out.raw(r#","fileUri":"#).string(&uri).raw("}}");
    Ok(())
}

/// A turn of the model; nothing where there is nothing to say.
fn model(
    parts: &[Part],
    same: bool,
    ids: &Ids,
    family: &Family,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let mut turn = Writer::with_capacity(256);
    // The signature that goes on the next call.
    let mut signature: Option<&str> = None;
    let (mut calls, mut says) = (0_usize, false);
    for (at, part) in parts.iter().enumerate() {
        let before = turn.len();
        match part {
            Part::Text { text } | Part::Refusal { text } => {
                match parts.get(at + 1).and_then(|next| Mark::of(next, same)) {
                    Some(Mark::Text { signature, chars }) if chars > 0 => {
                        let (head, tail) = split(text, chars);
                        text_part(head, &mut turn);
                        turn.comma().raw(r#"{"text":"#).string(tail);
                        signed(Some(signature), &mut turn);
                    }
                    _ => text_part(text, &mut turn),
                }
            }
            Part::Reasoning { text, .. } => match Mark::of(part, same) {
                Some(Mark::Call { signature: own }) => signature = Some(own),
                Some(Mark::Text { signature, chars: 0 }) => {
                    turn.comma().raw(r#"{"text":"""#);
                    signed(Some(signature), &mut turn);
                }
                // It stands on the text before it.
                Some(Mark::Text { .. }) => {}
                Some(Mark::Thought { signature }) => {
                    if !text.is_empty() || signature.is_some() {
                        turn.comma().raw(r#"{"text":"#).string(text).raw(r#","thought":true"#);
                        signed(signature, &mut turn);
                    }
                    continue;
                }
                None => {}
            },
            Part::ToolCall(call) => {
                turn.comma().raw(r#"{"functionCall":{"#);
                let id = ids.of_call(calls, call);
                if !id.is_empty() {
                    turn.raw(r#""id":"#).string(&id).raw(",");
                }
                turn.raw(r#""name":"#).string(&name(&call.name));
                turn.raw(r#","args":"#).raw(&arguments(call)).raw("}");
                // Only the first of parallel calls has one.
                let missing = (family.newer && calls == 0).then_some(NO_SIGNATURE);
                signed(signature.take().or(missing), &mut turn);
                calls += 1;
            }
            Part::Provider { data, .. } if same && belongs(data, parts) => {
                turn.comma().value("a provider's block", data)?;
            }
            _ => {}
        }
        says |= turn.len() > before;
    }
    if says {
        out.raw(MODEL_HEAD).bytes(&turn.into_bytes()).raw(USER_END);
    }
    Ok(())
}

/// Puts the mark at the end.
fn mark(out: &mut Writer) {
    if out.len() > 0 {
        let bytes = std::mem::take(out).into_bytes();
        out.bytes(bytes.strip_suffix(USER_END.as_bytes()).unwrap_or(&bytes)).raw(MODEL_END);
    }
}

/// What a reasoning stands for.
enum Mark<'a> {
    Thought { signature: Option<&'a str> },
    Call { signature: &'a str },
    Text { signature: &'a str, chars: usize },
}

impl<'a> Mark<'a> {
    /// `None` for what is no reasoning of this very model.
    fn of(part: &'a Part, same: bool) -> Option<Self> {
        let Part::Reasoning { opaque, .. } = part else { return None };
        if !same {
            return None;
        }
        let member = |name: &str| opaque.as_ref().and_then(|opaque| opaque.get(name));
        let signature = member("signature").and_then(Value::as_str).filter(|text| !text.is_empty());
        match (member("of").and_then(Value::as_str), signature) {
            (Some("call"), Some(signature)) => Some(Self::Call { signature }),
            (Some("text"), Some(signature)) => {
                let chars = member("chars").and_then(Value::as_u64).unwrap_or(0);
                Some(Self::Text { signature, chars: usize::try_from(chars).unwrap_or(usize::MAX) })
            }
            _ => Some(Self::Thought { signature }),
        }
    }
}

/// Closes a part, signed where there is a signature.
fn signed(signature: Option<&str>, out: &mut Writer) {
    if let Some(signature) = signature {
        out.raw(r#","thoughtSignature":"#).string(signature);
    }
    out.raw("}");
}

/// The text before the last so many characters, and those: the signature came with a piece of it, and a piece without
/// one must not be joined with it.
fn split(text: &str, chars: usize) -> (&str, &str) {
    let at = text.char_indices().rev().nth(chars.saturating_sub(1)).map_or(0, |(at, _)| at);
    text.split_at_checked(at).unwrap_or(("", text))
}

/// Whether a provider's block may stand in a request: a part that the API documents, and code with its result beside it.
fn belongs(data: &Value, parts: &[Part]) -> bool {
    let has = |name: &str| data.get(name).is_some();
    let count = |name: &str| {
        parts
            .iter()
            .filter(|part| matches!(part, Part::Provider { data, .. } if data.get(name).is_some()))
            .count()
    };
    let pair = |one: &str, other: &str| count(one) == count(other);
    if has("executableCode") || has("codeExecutionResult") {
        return pair("executableCode", "codeExecutionResult");
    }
    if has("toolCall") || has("toolResponse") {
        return pair("toolCall", "toolResponse");
    }
    BLOCKS.into_iter().any(has)
}

/// A name that the API takes: models write all sorts of things, and another provider's may stand in the log.
pub(super) fn name(name: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    let begins = |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins(name) && name.len() <= 64 && name.chars().all(fits) {
        return name.into();
    }
    let plain: String = name.chars().map(|c| if fits(c) { c } else { '_' }).take(63).collect();
    if begins(&plain) { plain.into() } else { format!("_{plain}").into() }
}
