//! All of it together: a model of Bedrock behind a transport that plays its part.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use futures_util::StreamExt;
use mosaic_core::testing::{Reply, ScriptedTransport, TestRuntime};
use mosaic_core::{
    ChatModel, ErrorKind, Group, ModelCall, ModelError, ModelEvent, ModelRequest, Part, Timestamp,
};
use mosaic_providers::endpoint::Endpoint;
use mosaic_providers::event_stream::{HeaderValue, write_message};
use mosaic_providers::sigv4::{CredentialSource, Credentials, Region};

/// A role that the host took, or lost. Its own `Debug` would tell the token.
#[derive(Debug)]
struct Role(Option<&'static str>);

#[async_trait::async_trait]
impl CredentialSource for Role {
    async fn credentials(&self, _: Timestamp) -> Result<Credentials, ModelError> {
        let token = self.0.ok_or_else(|| ModelError::new(ErrorKind::Auth, "the role is gone; log in"))?;
        Ok(Credentials::new("ASIA1", "key-of-the-role").session_token(token))
    }
}

fn call() -> ModelCall {
    let groups = Arc::new(vec![Group::user(vec![Part::text("Hi")])]);
    ModelCall::new(ModelRequest { groups, ..ModelRequest::default() })
}

fn event(name: &str, payload: &str) -> Vec<u8> {
    let headers = [(":message-type", HeaderValue::Text("event")), (":event-type", HeaderValue::Text(name))];
    write_message(&headers, payload.as_bytes())
}

#[tokio::test]
async fn a_request_is_signed_and_its_stream_read() {
    let stream = [
        event("messageStart", r#"{"role":"assistant"}"#),
        event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Hello"}}"#),
        event("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        event("messageStop", r#"{"stopReason":"end_turn"}"#),
        event("metadata", r#"{"usage":{"inputTokens":3,"outputTokens":1}}"#),
    ];
    let busy = Reply::status(429)
        .header("x-amzn-errortype", "ThrottlingException")
        .header("x-amzn-requestid", "r-1")
        .body(r#"{"message":"Too many tokens, please wait before trying again."}"#);
    let transport = Arc::new(ScriptedTransport::new([Reply::ok(stream.concat()).cut_every(7), busy]));
    let endpoint = Endpoint::bedrock(Region::new("eu-central-1").unwrap(), Role(Some("token-of-today")));
    let model = endpoint.model("amazon.nova-lite-v1:0", transport.clone(), Arc::new(TestRuntime::new(1)));

    let events: Vec<_> = model.stream(call()).await.unwrap().map(Result::unwrap).collect().await;
    let Some(ModelEvent::Done(end)) = events.last() else { panic!("{events:?}") };
    assert_eq!((end.usage.input, end.usage.output), (3, 1));
    assert!(events.iter().any(
        |event| matches!(event, ModelEvent::End { content: Part::Text { text }, .. } if text == "Hello")
    ));

    let error = model.stream(call()).await.err().unwrap();
    assert_eq!((error.kind, error.request_id.as_deref()), (ErrorKind::RateLimited, Some("r-1")));

    let requests = transport.requests();
    assert_eq!(
        requests[0].url,
        "https://bedrock-runtime.eu-central-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse-stream"
    );
    let line = |name: &str| {
        requests[0].headers.iter().find(|header| header.name == name).map(|header| header.expose().to_owned())
    };
    let authorization = line("authorization").unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=ASIA1/"), "{authorization}");
    assert!(authorization.contains("/eu-central-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "));
    assert_eq!(line("x-amz-security-token").as_deref(), Some("token-of-today"));
    let shown = format!("{requests:?} {model:?}");
    assert!(!shown.contains("token-of-today") && !shown.contains("key-of-the-role"), "{shown}");
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let transport = Arc::new(ScriptedTransport::new([]));
    let endpoint = Endpoint::bedrock(Region::new("eu-central-1").unwrap(), Role(None));
    let model = endpoint.model("amazon.nova-lite-v1:0", transport.clone(), Arc::new(TestRuntime::new(1)));
    let error = model.stream(call()).await.err().unwrap();
    assert_eq!((error.kind, error.provider.as_deref()), (ErrorKind::Auth, Some("bedrock")));
    assert!(error.message.contains("log in"));
    assert!(transport.requests().is_empty());
}
