//! Whether a model can be given a request at all, before it is sent.
//!
//! A provider's own answer to a request that its model cannot do is often an error about some member of the body, and
//! sometimes none: tools that are silently ignored, an image that is described by guessing. Only what is *known* not to
//! work is refused here; where nobody knows, the provider decides.

use crate::error::ErrorKind;
use crate::message::{GroupBody, Media, Part};
use crate::model::{Capability, ModelError, ModelInfo, ModelRequest, ToolMode};

/// Refuses what the model is known not to be able to do.
pub(super) fn check(info: &ModelInfo, request: &ModelRequest) -> Result<(), ModelError> {
    let lacks = |capability| info.can(capability) == Some(false);
    if info.tool_mode == ToolMode::Native && !request.tools.is_empty() && lacks(Capability::Tools) {
        let way = "have its tools called in text (tool mode `text` in `model_info`), or ask another model";
        return Err(refused(info, "call no tools", "there are tools", way));
    }
    if forces_a_shape(info.tool_mode, request) && lacks(Capability::StructuredOutput) {
        let way = match info.tool_mode {
            ToolMode::JsonSchema => "choose the tool mode `text`, which needs none, or ask another model",
            _ => "ask another model, or ask for the shape in the instructions and check the answer",
        };
        return Err(refused(info, "not keep to a JSON Schema", "the answer is to have one", way));
    }
    let blind =
        [Capability::ImageInput, Capability::DocumentInput, Capability::AudioInput].map(|it| (it, lacks(it)));
    if blind.iter().any(|(_, lacks)| *lacks) {
        let found = media(request).find_map(|media| {
            let needs = needed(media)?;
            blind.contains(&(needs, true)).then_some((needs, &media.media_type))
        });
        if let Some((needs, media_type)) = found {
            let what = match needs {
                Capability::ImageInput => "take no images",
                Capability::AudioInput => "take no sound",
                _ => "take no documents",
            };
            let way = "ask another model, or give it the content as text";
            return Err(refused(info, what, &format!("the conversation holds `{media_type}`"), way));
        }
    }
    Ok(())
}

/// Whether the answer is forced into a schema, for the host's shape or for the calls of tools.
fn forces_a_shape(mode: ToolMode, request: &ModelRequest) -> bool {
    match mode {
        ToolMode::Native => request.output.is_some(),
        ToolMode::JsonSchema => request.output.is_some() || !request.tools.is_empty(),
        // With tools, the shape is told in words as well.
        ToolMode::Text => request.output.is_some() && request.tools.is_empty(),
    }
}

fn refused(info: &ModelInfo, cannot: &str, but: &str, way: &str) -> ModelError {
    let ModelInfo { provider, model, .. } = info;
    let source = match &info.source {
        Some(source) => format!("by the {source}"),
        None => "by what the host says of it".to_owned(),
    };
    ModelError::new(
        ErrorKind::Unsupported,
        format!(
            "`{provider}:{model}` can {cannot} {source}, and {but}; {way}. If the model can, say so with `model_info`"
        ),
    )
}

fn media(request: &ModelRequest) -> impl Iterator<Item = &Media> {
    request.groups.iter().flat_map(|group| {
        let (parts, results) = match group.body() {
            GroupBody::User { parts } => (parts, [].as_slice()),
            GroupBody::Assistant { parts, results, .. } => (parts, results.as_slice()),
        };
        let told = results.iter().flat_map(|result| &result.content);
        parts.iter().chain(told).filter_map(|part| match part {
            Part::Media(media) => Some(media),
            _ => None,
        })
    })
}

/// What a model must be able to do to be given this; `None` for text, and for what there is no word for.
fn needed(media: &Media) -> Option<Capability> {
    match media.media_type.split('/').next()? {
        "image" => Some(Capability::ImageInput),
        "audio" => Some(Capability::AudioInput),
        "text" | "video" => None,
        _ => Some(Capability::DocumentInput),
    }
}
