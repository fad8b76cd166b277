//! Images, documents and videos as blocks.
//!
//! The API wants every document to have a name, of certain characters only, and no two documents of a request to have the
//! same. Here the name is made of the file's; [`join`](super::join) tells equal ones apart, because only a whole request
//! knows them all. It finds them by [`DOCUMENT`].
//!
//! Source: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html>

use mosaic_core::{EncodeError, Media, MediaData};

use super::API;
use crate::wire::write::Writer;

/// What a document's block begins with, its name next. The blank is in no JSON that serde writes, and quotes inside of
/// texts are escaped; arguments of calls, which models write, are written anew where they hold it.
pub(super) const DOCUMENT: &str = r#"{"document": {"name":""#;

/// The formats of the API, by MIME type. Several types have the same.
const FORMATS: &[(&str, &str, &str)] = &[
    ("application/msword", "document", "doc"),
    ("application/pdf", "document", "pdf"),
    ("application/vnd.ms-excel", "document", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "document", "xlsx"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document", "docx"),
    ("image/gif", "image", "gif"),
    ("image/jpeg", "image", "jpeg"),
    ("image/jpg", "image", "jpeg"),
    ("image/png", "image", "png"),
    ("image/webp", "image", "webp"),
    ("text/csv", "document", "csv"),
    ("text/html", "document", "html"),
    ("text/markdown", "document", "md"),
    ("text/plain", "document", "txt"),
    ("video/3gpp", "video", "three_gp"),
    ("video/mp4", "video", "mp4"),
    ("video/mpeg", "video", "mpeg"),
    ("video/quicktime", "video", "mov"),
    ("video/webm", "video", "webm"),
    ("video/x-flv", "video", "flv"),
    ("video/x-matroska", "video", "mkv"),
    ("video/x-ms-wmv", "video", "wmv"),
];

/// Writes a block; says whether it is a document.
pub(super) fn block(media: &Media, out: &mut Writer) -> Result<bool, EncodeError> {
    let unsupported =
        |what: String, hint: &str| EncodeError::Unsupported { api: API, what, hint: hint.to_owned() };
    let kind = media.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((_, member, format)) = FORMATS.iter().find(|(name, _, _)| *name == kind) else {
        return Err(unsupported(
            format!("a medium of type {}", media.media_type),
            "send PNG, JPEG, GIF or WebP images, PDF, Word, Excel, CSV, HTML, Markdown or text documents, or videos",
        ));
    };
    let document = *member == "document";
    out.comma();
    if document {
        out.raw(DOCUMENT).raw(&name(media.name.as_deref().unwrap_or_default())).raw(r#"","#);
    } else {
        out.raw("{").string(member).raw(":{");
    }
    out.raw(r#""format":"#).string(format).raw(r#","source":"#);
    match &media.data {
        MediaData::Base64 { data } => {
            out.raw(r#"{"bytes":""#).plain(data).raw(r#""}"#);
        }
        MediaData::Url { url } if url.starts_with("s3://") => {
            out.raw(r#"{"s3Location":{"uri":"#).string(url).raw("}}");
        }
        MediaData::Url { .. } => {
            return Err(unsupported(
                format!("a medium of type {} by its URL", media.media_type),
                "send its bytes, or an `s3://` address",
            ));
        }
        _ => {
            return Err(unsupported(
                format!("a medium of type {} by a file's id", media.media_type),
                "send its bytes, or an `s3://` address",
            ));
        }
    }
    out.raw("}}");
    Ok(document)
}

/// The name in what the API takes: letters, digits, single blanks, `-`, `()` and `[]`, here 1 to 180 of them.
fn name(file: &str) -> String {
    let stem = match file.rsplit_once('.') {
        Some((stem, end)) if end.len() <= 5 && end.bytes().all(|byte| byte.is_ascii_alphanumeric()) => stem,
        _ => file,
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-()[]".contains(c);
    let plain: String = stem.chars().map(|c| if allowed(c) { c } else { ' ' }).take(180).collect();
    let words: Vec<&str> = plain.split_ascii_whitespace().collect();
    if words.is_empty() { "document".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_documents_name_is_what_the_api_takes() {
        assert_eq!(name("Report (final)-[2].pdf"), "Report (final)-[2]");
        assert_eq!(name("John's  \"report\".v2.docx"), "John s report v2");
        assert_eq!(name("분기보고서.pdf"), "document");
        assert_eq!(name(""), "document");
        assert_eq!(name(&"a".repeat(500)).len(), 180);
    }
}
