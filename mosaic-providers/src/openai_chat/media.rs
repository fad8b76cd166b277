//! Images, sound and documents.
//!
//! | | OpenAI | Mistral |
//! | --- | --- | --- |
//! | image | `image_url`: a URL or a data URL | the same |
//! | sound | `input_audio`: bytes and their format | `input_audio`: bytes or a URL |
//! | document | `file`: a data URL | `document_url`: a URL or a data URL |
//! | uploaded file | `file`: its id | the same, one level higher |
//!
//! Sources: <https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages>,
//! <https://docs.mistral.ai/api/#tag/chat>, <https://docs.mistral.ai/capabilities/document_ai/document_qna>

use mosaic_core::{EncodeError, Media, MediaData};

use super::quirks::{MediaForm, Quirks};
use crate::wire::write::Writer;

/// A part of a content.
pub(super) fn part(media: &Media, quirks: &Quirks, out: &mut Writer) -> Result<(), EncodeError> {
    let unsupported = |hint: &str| EncodeError::Unsupported {
        api: quirks.api.name(),
        what: format!("{} of type {}", source_of(&media.data), media.media_type),
        hint: hint.to_owned(),
    };
    let kind = media.media_type.split_once('/').map_or(media.media_type.as_str(), |(kind, _)| kind);
    match (kind, &media.data, quirks.media) {
        ("image", MediaData::Base64 { data }, _) => {
            out.raw(r#"{"type":"image_url","image_url":{"url":"#);
            data_url(media, data, out).raw("}}");
        }
        ("image", MediaData::Url { url }, _) => {
            out.raw(r#"{"type":"image_url","image_url":{"url":"#).string(url).raw("}}");
        }
        (_, MediaData::File { id }, MediaForm::OpenAi) => {
            out.raw(r#"{"type":"file","file":{"file_id":"#).string(id).raw("}}");
        }
        (_, MediaData::File { id }, MediaForm::Mistral) => {
            out.raw(r#"{"type":"file","file_id":"#).string(id).raw("}");
        }
        ("audio", MediaData::Base64 { data }, MediaForm::OpenAi) => {
            let format = media.media_type.split_once('/').map_or("wav", |(_, format)| format);
            let format = match format.trim_start_matches("x-") {
                "mpeg" | "mpga" => "mp3",
                "wave" | "vnd.wave" => "wav",
                other => other,
            };
            out.raw(r#"{"type":"input_audio","input_audio":{"data":""#).plain(data);
            out.raw(r#"","format":"#).string(format).raw("}}");
        }
        ("audio", MediaData::Base64 { data }, MediaForm::Mistral) => {
            out.raw(r#"{"type":"input_audio","input_audio":""#).plain(data).raw(r#""}"#);
        }
        ("audio", MediaData::Url { url }, MediaForm::Mistral) => {
            out.raw(r#"{"type":"input_audio","input_audio":"#).string(url).raw("}");
        }
        ("application" | "text", MediaData::Base64 { data }, MediaForm::OpenAi) => {
            out.raw(r#"{"type":"file","file":{"filename":"#);
            out.string(media.name.as_deref().unwrap_or("document.pdf"));
            out.raw(r#","file_data":"#);
            data_url(media, data, out).raw("}}");
        }
        ("application" | "text", MediaData::Base64 { data }, MediaForm::Mistral) => {
            out.raw(r#"{"type":"document_url","document_url":"#);
            document_name(media, data_url(media, data, out));
        }
        ("application" | "text", MediaData::Url { url }, MediaForm::Mistral) => {
            out.raw(r#"{"type":"document_url","document_url":"#).string(url);
            document_name(media, out);
        }
        (_, MediaData::Url { .. }, _) => return Err(unsupported("send the bytes instead of a URL")),
        _ => return Err(unsupported("send images, WAV or MP3 sound, or PDF documents")),
    }
    Ok(())
}

fn data_url<'a>(media: &Media, data: &str, out: &'a mut Writer) -> &'a mut Writer {
    out.raw(r#""data:"#).plain(&media.media_type).raw(";base64,").plain(data).raw(r#"""#)
}

fn document_name(media: &Media, out: &mut Writer) {
    if let Some(name) = &media.name {
        out.key("document_name").string(name);
    }
    out.raw("}");
}

fn source_of(data: &MediaData) -> &'static str {
    match data {
        MediaData::Url { .. } => "a URL",
        MediaData::File { .. } => "an uploaded file",
        _ => "a medium",
    }
}
