use std::sync::Arc;

use mosaic_core::testing::{Reply, ScriptedTransport, TestRuntime};
use mosaic_core::{
    Auth, CountBasis, ErrorKind, Group, HttpRequest, ModelInfo, ModelRequest, OutputSpec, Part, TokenCounter,
    ToolSpec, ToolSpecs,
};
use serde_json::{Value, json};

use super::{ProviderCounter, answer, request};
use crate::anthropic::Anthropic;
use crate::catalogue::Catalogue;
use crate::endpoint::Endpoint;

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body_bytes()).unwrap()
}

fn written(url: &str, body: Value) -> HttpRequest {
    HttpRequest { url: url.into(), body: vec![body.to_string().into()], ..HttpRequest::default() }
}

#[tokio::test]
async fn anthropic_is_asked_with_the_messages_of_the_request_and_nothing_about_the_answer() {
    let transport = Arc::new(ScriptedTransport::new([Reply::ok(r#"{"input_tokens":2095}"#)]));
    let endpoint = Endpoint::new("anthropic", "https://api.anthropic.com/v1", Arc::new(Anthropic::default()))
        .auth(Auth::header("x-api-key", "sk-secret"));
    let info = Catalogue::get().info("anthropic", "claude-haiku-4-5");
    let model = endpoint.model_with(info, transport.clone(), Arc::new(TestRuntime::default()));
    let counter = ProviderCounter::new(Arc::new(model), "anthropic-messages").unwrap();
    let tool = ToolSpec::new("look", "Looks.", json!({"type": "object"}));
    let mut asked = ModelRequest {
        instructions: "Be brief.".into(),
        groups: Arc::new(vec![Group::user(vec![Part::text("Hi")])]),
        tools: Arc::new(ToolSpecs::new(vec![tool])),
        output: Some(Arc::new(OutputSpec { name: "plan".into(), schema: json!({"type": "object"}) })),
        ..ModelRequest::default()
    };
    asked.params.temperature = Some(0.5);
    let count = counter.count(&asked).await.unwrap();
    assert_eq!((count.tokens, count.basis), (2095, CountBasis::Provider));

    let sent = transport.requests().remove(0);
    assert_eq!(sent.url, "https://api.anthropic.com/v1/messages/count_tokens");
    assert!(sent.headers.iter().any(|line| line.expose() == "sk-secret"));
    assert!(sent.headers.iter().any(|line| &*line.name == "anthropic-version"));
    let body = body(&sent);
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["messages", "model", "output_config", "system", "tools"]);
    assert_eq!(body["model"], "claude-haiku-4-5");
}

#[tokio::test]
async fn a_refused_question_is_the_providers_error() {
    let refusal = r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#;
    let reply = Reply::status(429).header("retry-after", "3").body(refusal);
    let transport = Arc::new(ScriptedTransport::new([reply, Reply::ok("{}"), Reply::ok("<html>")]));
    let endpoint = Endpoint::new("anthropic", "http://host/v1", Arc::new(Anthropic::default()));
    let model = endpoint.model("m", transport, Arc::new(TestRuntime::default()));
    let counter = ProviderCounter::new(Arc::new(model), "anthropic-messages").unwrap();
    let error = counter.count(&ModelRequest::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.status), (ErrorKind::RateLimited, Some(429)));
    assert_eq!(error.provider.as_deref(), Some("anthropic"));
    for _ in 0..2 {
        let error = counter.count(&ModelRequest::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    }
}

/// <https://ai.google.dev/api/tokens>: the whole request goes inside, and the model is named once more.
#[test]
fn gemini_is_given_the_whole_request() {
    let base = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro";
    let wire =
        json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"topK": 1}});
    for end in [":generateContent", ":streamGenerateContent?alt=sse"] {
        let question = request("gemini", written(&format!("{base}{end}"), wire.clone())).unwrap();
        assert_eq!(question.url, format!("{base}:countTokens"));
        let mut inside = wire.clone();
        inside["model"] = "models/gemini-2.5-pro".into();
        assert_eq!(body(&question), json!({"generateContentRequest": inside}));
    }
    assert_eq!(answer("gemini", br#"{"totalTokens": 31, "cachedContentTokenCount": 2}"#).unwrap(), 31);
}

#[test]
fn responses_are_counted_by_their_input() {
    let wire = json!({"model": "gpt-5", "input": [], "tools": [], "stream": true, "store": false, "max_output_tokens": 9});
    let question = request("openai-responses", written("https://api.openai.com/v1/responses", wire)).unwrap();
    assert_eq!(question.url, "https://api.openai.com/v1/responses/input_tokens");
    assert_eq!(body(&question), json!({"model": "gpt-5", "input": [], "tools": []}));
    let told = br#"{"object": "response.input_tokens", "input_tokens": 11}"#;
    assert_eq!(answer("openai-responses", told).unwrap(), 11);
}

#[test]
fn an_api_without_the_call_says_what_to_do_instead() {
    let error = request("openai-chat", HttpRequest::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("RequestCounter"), "{error}");
    let endpoint = Endpoint::compatible("lab", "http://host");
    let model = endpoint.model_with(
        ModelInfo::new("lab", "m"),
        Arc::new(ScriptedTransport::new([])),
        Arc::new(TestRuntime::default()),
    );
    assert!(ProviderCounter::new(Arc::new(model), "openai-chat").is_err());
    let foreign = request("gemini", written("http://host/v1/messages", json!({}))).unwrap_err();
    assert_eq!(foreign.kind(), ErrorKind::Internal);
    assert!(request("gemini", written("http://host/models/m:generateContent", json!([]))).is_err());
}
