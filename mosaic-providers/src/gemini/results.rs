//! The results of an answer's calls: one `functionResponse` a call, in the order of the calls, in a turn of their own.
//!
//! The text goes under `result`, or under `error` where the call failed, as the API proposes. It stays text, also where it
//! is JSON: the API's numbers are doubles, and an id of nineteen digits would come out as another one.
//!
//! Newer models take pictures, PDFs and plain text inside of a result. For the others, and for other media, a turn of the
//! user follows with them.
//!
//! Source: <https://ai.google.dev/gemini-api/docs/function-calling#multimodal>

use mosaic_core::{EncodeError, Media, MediaData, Part, ToolCall, ToolResult};

use super::message::{self, name};
use super::models::Family;
use super::quirks::Quirks;
use crate::wire::replay::Ids;
use crate::wire::write::Writer;

/// What newer models take inside of a result.
const INSIDE: [&str; 5] = ["image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"];

pub(super) fn write(
    calls: &[&ToolCall],
    results: &[ToolResult],
    ids: &Ids,
    family: &Family,
    quirks: &Quirks,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    out.comma().raw(r#"{"role":"user","parts":["#);
    let mut after: Vec<Part> = Vec::new();
    for (at, (call, result)) in calls.iter().zip(results).enumerate() {
        out.comma().raw(r#"{"functionResponse":{"#);
        let id = ids.of_result(at, result);
        if !id.is_empty() {
            out.raw(r#""id":"#).string(&id).raw(",");
        }
        out.raw(r#""name":"#).string(&name(&call.name));
        out.raw(r#","response":{"#).string(if result.status.is_error() { "error" } else { "result" });
        out.raw(":").string(&said(result)).raw("}");
        let (inside, outside): (Vec<&Media>, Vec<&Media>) =
            media(result).partition(|media| family.newer && is_inside(media));
        if !inside.is_empty() {
            out.raw(r#","parts":["#);
            for media in inside {
                if let MediaData::Base64 { data } = &media.data {
                    out.comma().raw(r#"{"inlineData":{"mimeType":"#).string(&media.media_type);
                    out.raw(r#","data":""#).plain(data).raw(r#""}}"#);
                }
            }
            out.raw("]");
        }
        out.raw("}}");
        if !outside.is_empty() {
            after.push(Part::text(format!("From the result of call {} (`{}`):", at + 1, call.name)));
            after.extend(outside.into_iter().cloned().map(Part::Media));
        }
    }
    out.raw(message::USER_END);
    if after.is_empty() { Ok(()) } else { message::user(&after, quirks, out) }
}

fn media(result: &ToolResult) -> impl Iterator<Item = &Media> {
    result.content.iter().filter_map(|part| match part {
        Part::Media(media) => Some(media),
        _ => None,
    })
}

fn is_inside(media: &Media) -> bool {
    matches!(media.data, MediaData::Base64 { .. }) && INSIDE.contains(&media.media_type.as_str())
}

fn said(result: &ToolResult) -> String {
    let texts: Vec<&str> = result
        .content
        .iter()
        .filter_map(|part| match part {
            Part::Text { text } | Part::Refusal { text } => Some(text.as_str()),
            _ => None,
        })
        .filter(|text| !text.is_empty())
        .collect();
    match texts.as_slice() {
        [] if media(result).next().is_some() => "(see the attached media)".to_owned(),
        [] => "(no output)".to_owned(),
        texts => texts.join("\n\n"),
    }
}
