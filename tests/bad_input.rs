//! Bad input gets a typed error that names the thing and the way out; nothing stored is lost.
//!
//! What concerns the file of a database alone (locked, read-only, damaged, full) stands in
//! `mosaic-storage/tests/sqlite_faults.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use async_trait::async_trait;
use mosaic::providers::endpoint::Endpoint;
use mosaic::testing::{Answer, Reply, ScriptedModel, ScriptedTransport};
use mosaic::{
    Agent, Body, Error, ErrorKind, Limits, Mosaic, Seq, SessionKey, StoreError, Tool, ToolContext, ToolError,
    ToolOutput, ToolSpec,
};
use serde_json::{Value, json};

async fn without_keys() -> Mosaic {
    Mosaic::builder().variables(|_| None).open("memory:").await.unwrap()
}

/// The error of opening a session with a model of this name.
async fn refused(model: &str) -> Error {
    let agent = Agent::builder("assistant").model(model).build().unwrap();
    without_keys().await.session("a", &agent).await.unwrap_err()
}

#[tokio::test]
async fn an_unknown_provider_is_named_with_what_there_is() {
    let error = refused("opnai:gpt-4o-mini").await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("`opnai`") && error.to_string().contains("openai"), "{error}");
}

#[tokio::test]
async fn a_missing_key_says_which_variable_to_set() {
    let error = refused("anthropic:claude").await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("ANTHROPIC_API_KEY"), "{error}");
}

#[test]
fn a_name_without_a_provider_is_refused_when_the_agent_is_built() {
    let error = Agent::builder("assistant").model("gpt-4o-mini").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("provider:model"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_transport_error_and_the_input_is_kept() {
    // A port that was free a moment ago: nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mosaic = Mosaic::builder()
        .endpoint(Endpoint::compatible("lab", format!("http://127.0.0.1:{port}/v1")))
        .open("memory:")
        .await
        .unwrap();
    let limits = Limits { max_attempts: 1, ..Limits::default() };
    let agent = Agent::builder("assistant").model("lab:any").limits(limits).build().unwrap();
    let session = mosaic.session("a", &agent).await.unwrap();

    let error = session.send("hello?").await.unwrap().finish().await.unwrap_err();

    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Transport, true));
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    let entries = session.entries(Seq(1)).await.unwrap();
    assert!(entries.iter().any(|entry| matches!(entry.body, Body::Input { .. })));
}

#[derive(Debug)]
struct Big(ToolSpec, usize);

#[async_trait]
impl Tool for Big {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, _: &ToolContext, _: Value) -> Result<ToolOutput, ToolError> {
        Ok(ToolOutput::text("x".repeat(self.1)))
    }
}

fn tool(name: &str, schema: Value) -> Big {
    Big(ToolSpec::new(name, "A tool.", schema), 1)
}

#[test]
fn two_tools_of_one_name_are_refused() {
    let object = json!({"type": "object"});
    let agent = Agent::builder("assistant").model("openai:m").tool(tool("add", object.clone()));
    let error = agent.tool(tool("add", object)).build().unwrap_err();
    assert!(error.to_string().contains("`add`"), "{error}");
}

#[test]
fn a_schema_that_is_no_schema_is_refused_with_its_place() {
    let schema = json!({"type": "object", "properties": {"city": {"type": "sting"}}});
    let error =
        Agent::builder("assistant").model("openai:m").tool(tool("weather", schema)).build().unwrap_err();
    assert!(error.to_string().contains("`weather`"), "{error}");
    assert!(error.to_string().contains("/properties/city"), "{error}");
}

#[tokio::test]
async fn a_session_that_does_not_exist_is_not_made_by_looking_for_it() {
    let mosaic = without_keys().await;
    let agent = Agent::builder("assistant").model(ScriptedModel::new([])).build().unwrap();
    assert!(mosaic.find_session("nobody", &agent).await.unwrap().is_none());
    assert!(mosaic.find_session("nobody", &agent).await.unwrap().is_none());
    let error = mosaic.fork("nobody", Seq(1), "somebody").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("nobody"), "{error}");
}

#[tokio::test]
async fn invalid_utf8_from_a_provider_is_a_decode_error() {
    let body: &[u8] =
        b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\ndata: [DONE]\n\n";
    let transport = ScriptedTransport::new([Reply::ok(body).header("content-type", "text/event-stream")]);
    let mosaic = Mosaic::builder()
        .transport(Arc::new(transport))
        .endpoint(Endpoint::compatible("lab", "http://lab.test/v1"))
        .open("memory:")
        .await
        .unwrap();
    let limits = Limits { max_attempts: 1, ..Limits::default() };
    let agent = Agent::builder("assistant").model("lab:any").limits(limits).build().unwrap();
    let session = mosaic.session("a", &agent).await.unwrap();

    let error = session.send("hello").await.unwrap().finish().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(error.to_string().to_lowercase().contains("utf-8"), "{error}");
}

#[tokio::test]
async fn a_tool_result_of_fifty_megabytes_is_cut_and_stored() {
    let model = ScriptedModel::new([Answer::call("big", json!({})), Answer::text("done")]);
    let mut big = tool("big", json!({"type": "object"}));
    big.1 = 50 << 20;
    let agent = Agent::builder("assistant").model(model).tool(big).build().unwrap();
    let session = without_keys().await.session("a", &agent).await.unwrap();

    let reply = session.send("go").await.unwrap().finish().await.unwrap();

    assert_eq!(reply.text, "done");
    let entries = session.entries(Seq(1)).await.unwrap();
    let stored: usize = entries
        .iter()
        .filter_map(|entry| match &entry.body {
            Body::ToolEnd { content, .. } => {
                Some(content.iter().filter_map(|part| part.as_text()).map(str::len).sum::<usize>())
            }
            _ => None,
        })
        .sum();
    assert!((200_000..300_000).contains(&stored), "{stored} bytes");
}

#[tokio::test]
async fn a_log_of_a_newer_version_and_a_damaged_one_are_refused_and_left_alone() {
    let mosaic = without_keys().await;
    let agent = Agent::builder("assistant").model(ScriptedModel::new([])).build().unwrap();
    let row = |v, bytes: &str| mosaic::Row {
        seq: Seq(1),
        v,
        kind: "created".into(),
        at: mosaic::Timestamp(0),
        bytes: bytes.to_owned().into(),
    };
    let whole = r#"{"body":{"type":"hologram"}}"#;
    for (name, row, kind) in [
        ("newer", row(99, whole), ErrorKind::NewerFormat),
        ("unknown", row(1, whole), ErrorKind::Corrupt),
        ("damaged", row(1, r#"{"body":{"typ"#), ErrorKind::Corrupt),
    ] {
        mosaic.store().create(&SessionKey::new(name), vec![row]).await.unwrap();
        let error = mosaic.session(name, &agent).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains("entry 1"), "{error}");
        let info = mosaic.store().find(&SessionKey::new(name)).await.unwrap().unwrap();
        assert_eq!(info.last, Seq(1), "{name}: nothing was written to it");
    }
}

#[tokio::test]
async fn an_address_that_is_none_says_what_would_be_one() {
    for url in ["redis://localhost", "app.db", ""] {
        let error = Mosaic::open(url).await.unwrap_err();
        assert!(matches!(error, Error::Store(StoreError::Address { .. })), "{url}: {error}");
    }
}
