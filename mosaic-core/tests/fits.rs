//! A model that is known not to be able to do what is asked is not asked; where nobody knows, the provider decides.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod toy_codec;

use std::sync::Arc;

use mosaic_core::testing::{Reply, ScriptedTransport, TestRuntime};
use mosaic_core::{
    Capability, ChatModel, ErrorKind, Group, HttpModel, Media, MediaData, ModelCall, ModelError, ModelInfo,
    ModelRequest, Origin, OutputSpec, Part, Profile, ToolMode, ToolResult, ToolSpec, ToolSpecs, ToolStatus,
};
use serde_json::json;
use toy_codec::ToyCodec;

const ALL: [Capability; 7] = [
    Capability::Tools,
    Capability::ImageInput,
    Capability::DocumentInput,
    Capability::AudioInput,
    Capability::StructuredOutput,
    Capability::Reasoning,
    Capability::PromptCache,
];

/// A model that can do all but this.
fn all_but(lacking: Capability) -> ModelInfo {
    ModelInfo::new("acme", "m1").able(ALL.into_iter().filter(|capability| *capability != lacking))
}

/// What comes of a request, and how many were sent.
async fn ask(info: ModelInfo, request: ModelRequest) -> (Result<(), ModelError>, usize) {
    let transport = ScriptedTransport::from_fn(|_| Reply::ok("end\n"));
    let origin = Origin { api: "toy".into(), provider: info.provider.clone(), model: info.model.clone() };
    let model = HttpModel::new(
        Arc::new(ToyCodec::default()),
        Profile { origin, info },
        "http://host/v1",
        Arc::new(transport.clone()),
        Arc::new(TestRuntime::default()),
    );
    let answer = model.stream(ModelCall::new(request)).await.map(drop);
    (answer, transport.requests().len())
}

async fn refusal(info: ModelInfo, request: ModelRequest) -> String {
    let (answer, sent) = ask(info, request).await;
    let error = answer.expect_err("this is refused");
    assert_eq!((error.kind(), sent), (ErrorKind::Unsupported, 0), "{error}");
    assert_eq!(error.provider.as_deref(), Some("acme"));
    assert!(!error.is_retryable());
    let message = error.to_string();
    assert!(message.contains("`acme:m1`") && message.contains("`model_info`"), "{message}");
    message
}

async fn accepted(info: ModelInfo, request: ModelRequest) {
    let (answer, sent) = ask(info, request).await;
    answer.expect("this is sent");
    assert_eq!(sent, 1);
}

fn said(parts: Vec<Part>) -> ModelRequest {
    ModelRequest { groups: Arc::new(vec![Group::user(parts)]), ..ModelRequest::default() }
}

fn with_tools() -> ModelRequest {
    let schema = json!({"type": "object", "properties": {}});
    let tools = Arc::new(ToolSpecs::new(vec![ToolSpec::new("look", "Looks.", schema)]));
    ModelRequest { tools, ..said(vec![Part::text("Look.")]) }
}

fn with_shape() -> ModelRequest {
    let output = OutputSpec { name: "plan".into(), schema: json!({"type": "object"}) };
    ModelRequest { output: Some(Arc::new(output)), ..said(vec![Part::text("Plan.")]) }
}

fn media(media_type: &str) -> Part {
    let data = MediaData::Base64 { data: "AAAA".into() };
    Part::Media(Media { media_type: media_type.into(), data, name: None })
}

#[tokio::test]
async fn tools_are_refused_in_native_mode_and_told_in_text_mode() {
    let message = refusal(all_but(Capability::Tools), with_tools()).await;
    assert!(message.contains("call no tools") && message.contains("tool mode `text`"), "{message}");
    accepted(ModelInfo { tool_mode: ToolMode::Text, ..all_but(Capability::Tools) }, with_tools()).await;
    accepted(all_but(Capability::Tools), said(vec![Part::text("Hi")])).await;
}

#[tokio::test]
async fn a_shape_is_refused_where_none_can_be_forced() {
    let lacking = all_but(Capability::StructuredOutput);
    let message = refusal(lacking.clone(), with_shape()).await;
    assert!(message.contains("JSON Schema"), "{message}");
    accepted(lacking.clone(), with_tools()).await;

    let schema_mode = ModelInfo { tool_mode: ToolMode::JsonSchema, ..lacking.clone() };
    let message = refusal(schema_mode, with_tools()).await;
    assert!(message.contains("tool mode `text`"), "{message}");

    let text_mode = ModelInfo { tool_mode: ToolMode::Text, ..lacking };
    accepted(text_mode, ModelRequest { output: with_shape().output, ..with_tools() }).await;
}

#[tokio::test]
async fn media_are_refused_by_what_they_are() {
    for (lacking, media_type, word) in [
        (Capability::ImageInput, "image/png", "no images"),
        (Capability::DocumentInput, "application/pdf", "no documents"),
        (Capability::AudioInput, "audio/wav", "no sound"),
    ] {
        let message = refusal(all_but(lacking), said(vec![media(media_type)])).await;
        assert!(message.contains(word) && message.contains(media_type), "{message}");
        for other in ["image/png", "application/pdf", "audio/wav", "text/csv", "video/mp4"] {
            if other != media_type {
                accepted(all_but(lacking), said(vec![media(other)])).await;
            }
        }
    }
}

#[tokio::test]
async fn an_image_in_a_tools_result_counts() {
    let call = Part::call("c1", "look", "{}");
    let result = ToolResult {
        call: mosaic_core::CallId("c1".into()),
        status: ToolStatus::Ok,
        content: vec![media("image/png")],
    };
    let group = Group::assistant(vec![call], None, vec![result]).unwrap();
    let request = ModelRequest { groups: Arc::new(vec![group]), ..ModelRequest::default() };
    assert!(refusal(all_but(Capability::ImageInput), request).await.contains("no images"));
}

#[tokio::test]
async fn where_nobody_knows_the_provider_decides() {
    let unknown = ModelInfo::new("acme", "m1");
    let unsure = ModelInfo { unsure: ALL.into(), ..ModelInfo::new("acme", "m1").able([]) };
    for info in [unknown, unsure] {
        for request in [with_tools(), with_shape(), said(vec![media("image/png"), media("audio/wav")])] {
            accepted(info.clone(), request).await;
        }
    }
}

#[tokio::test]
async fn the_refusal_says_whose_word_it_is() {
    let own = refusal(all_but(Capability::Tools), with_tools()).await;
    assert!(own.contains("what the host says"), "{own}");
    let listed = ModelInfo { source: Some("catalogue of 2026-11-25".into()), ..all_but(Capability::Tools) };
    assert!(refusal(listed, with_tools()).await.contains("catalogue of 2026-11-25"));
}
