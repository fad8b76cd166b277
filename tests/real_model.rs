//! Conversations with a real model, through each of the three APIs that its server speaks. `cargo xtask test` starts it and
//! says where it is; without it there is nothing to test here, and that is said.
//!
//! What a small model says is its own affair; what is checked is the structure: a valid call, the tool ran, its result is
//! stored, the stream ended.
#![cfg(all(feature = "sqlite", feature = "reqwest", feature = "macros"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mosaic::memory::embed::HashingEmbedder;
use mosaic::prelude::*;
use mosaic::providers::anthropic::{self, Anthropic};
use mosaic::providers::endpoint::Endpoint;
use mosaic::providers::openai_chat::{self, OpenAiChat};
use mosaic::providers::openai_responses::{self, OpenAiResponses};
use mosaic::{Body, Codec, ModelInfo, ModelParams, Seq, ToolMode, ToolStatus};

static SUMS: AtomicUsize = AtomicUsize::new(0);

/// Works out an arithmetic expression, such as 12 * (3 + 4).
#[tool(effect = ReadOnly)]
fn calculate(expression: String) -> String {
    SUMS.fetch_add(1, Ordering::SeqCst);
    format!("The value of {expression} is 391.")
}

/// The address of the model server, or the reason why there is none.
fn base_url() -> Option<String> {
    let url = std::env::var("MOSAIC_TEST_BASE_URL").ok();
    if url.is_none() {
        eprintln!("skipped: MOSAIC_TEST_BASE_URL is not set; `cargo xtask test` starts a model and sets it");
    }
    url
}

/// One of the server's APIs.
struct Api {
    codec: fn() -> Arc<dyn Codec>,
    /// How this model calls tools there: only two of the three force an answer into a schema.
    tools: ToolMode,
}

const CHAT: Api =
    Api { codec: || Arc::new(OpenAiChat::new(openai_chat::Quirks::llamacpp())), tools: ToolMode::JsonSchema };
const RESPONSES: Api = Api {
    codec: || Arc::new(OpenAiResponses::new(openai_responses::Quirks::llamacpp())),
    tools: ToolMode::JsonSchema,
};
const MESSAGES: Api = Api {
    codec: || Arc::new(Anthropic::new(anthropic::Quirks { cache: anthropic::Cache::Off })),
    tools: ToolMode::Text,
};

async fn open(url: &str, api: &Api, tool_mode: ToolMode, folder: &std::path::Path) -> Mosaic {
    let mut info = ModelInfo::new("local", "real");
    info.tool_mode = tool_mode;
    Mosaic::builder()
        .endpoint(Endpoint::new("local", url, (api.codec)()))
        .model_info(info)
        .open(format!("sqlite:{}", folder.join("real.db").display()))
        .await
        .unwrap()
}

fn agent(instructions: &str) -> mosaic::AgentBuilder {
    let params =
        ModelParams { temperature: Some(0.0), max_output_tokens: Some(64), ..ModelParams::default() };
    let limits = Limits { max_steps: 3, run_timeout: Duration::from_secs(120), ..Limits::default() };
    Agent::builder("real").model("local:real").instructions(instructions).params(params).limits(limits)
}

#[tokio::test]
async fn a_real_model_streams_an_answer_that_is_stored() {
    streams_an_answer_that_is_stored(&CHAT).await;
}

#[tokio::test]
async fn a_real_model_streams_through_responses() {
    streams_an_answer_that_is_stored(&RESPONSES).await;
}

#[tokio::test]
async fn a_real_model_streams_through_messages() {
    streams_an_answer_that_is_stored(&MESSAGES).await;
}

/// One after the other: the calls are counted.
#[tokio::test]
async fn a_real_model_calls_a_tool_whose_result_is_stored() {
    for api in [&CHAT, &RESPONSES, &MESSAGES] {
        SUMS.store(0, Ordering::SeqCst);
        calls_a_tool_whose_result_is_stored(api).await;
    }
}

async fn streams_an_answer_that_is_stored(api: &Api) {
    let Some(url) = base_url() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mosaic = open(&url, api, ToolMode::Native, folder.path()).await;
    let session =
        mosaic.session("chat", &agent("Answer in one short sentence.").build().unwrap()).await.unwrap();
    let mut run = session.send("Say hello.").await.unwrap();
    let mut said = String::new();
    while let Some(event) = run.try_next().await.unwrap() {
        if let Event::Text { delta, .. } = event {
            said += &delta;
        }
    }
    let reply = run.finish().await.unwrap();
    assert_eq!(reply.end, Some(RunEnd::Done));
    assert_eq!(reply.text, said, "what was streamed is what is stored");
    assert!(!said.is_empty() && reply.usage.output > 0 && reply.usage.output <= 64, "{reply:?}");
    mosaic.close().await.unwrap();
}

async fn calls_a_tool_whose_result_is_stored(api: &Api) {
    let Some(url) = base_url() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mosaic = open(&url, api, api.tools, folder.path()).await;
    let agent = agent("Use calculate for arithmetic.").tool(calculate).build().unwrap();
    let session = mosaic.session("sums", &agent).await.unwrap();
    // A small model may call the tool again instead of answering; then the run meets its limit, which is no failure of
    // what is tested here.
    let _ = session.send("Use calculate to work out 17 * 23.").await.unwrap().finish().await;
    mosaic.close().await.unwrap();

    // Another process would read the same.
    let mosaic = open(&url, api, api.tools, folder.path()).await;
    let session = mosaic.find_session("sums", &agent).await.unwrap().unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    let calls: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.body {
            Body::Assistant { parts, .. } => Some(parts.iter().filter_map(Part::as_call)),
            _ => None,
        })
        .flatten()
        .collect();
    let ended: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.body {
            Body::ToolEnd { call, status, .. } => Some((call, *status)),
            _ => None,
        })
        .collect();
    let name = (api.codec)().api();
    assert!(!calls.is_empty(), "the model called no tool through {name}: {entries:#?}");
    for call in &calls {
        assert_eq!(call.name, "calculate");
        assert!(call.input().unwrap()["expression"].is_string(), "{call:?}");
        let results = ended.iter().filter(|(of, _)| **of == call.id).count();
        assert_eq!(results, 1, "{call:?} has one result");
    }
    let ran = ended.iter().filter(|(_, status)| *status == ToolStatus::Ok).count();
    assert!(ran > 0 && ran == SUMS.load(Ordering::SeqCst), "each result is of a call that ran: {ended:?}");
    assert!(matches!(entries.last().unwrap().body, Body::RunEnd { .. }), "the run ended");
    mosaic.close().await.unwrap();
}

/// What a small model makes of it is its own affair, but a fact that stands in its prompt it can repeat.
#[tokio::test]
async fn a_second_session_on_a_real_model_knows_a_preference_of_the_first() {
    let Some(url) = base_url() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut said = Vec::new();
    for (session, text) in
        [("monday", "My favourite drink is green tea."), ("tuesday", "What is my favourite drink?")]
    {
        let mosaic = Mosaic::builder()
            .endpoint(Endpoint::new("local", &url, (CHAT.codec)()))
            .memory(MemorySetup::new(Arc::new(HashingEmbedder::new(256))))
            .open(format!("sqlite:{}", folder.path().join("memory.db").display()))
            .await
            .unwrap();
        let memory = mosaic.memory().unwrap();
        let agent = agent("You are a helpful assistant. Be brief.");
        let agent = agent.context(memory.context()).on_run_end(memory.after_run()).build().unwrap();
        let session = mosaic.session(SessionKey::new(session).user("ann"), &agent).await.unwrap();
        said.push(session.send(text).await.unwrap().finish().await.unwrap().text.to_lowercase());
        mosaic.idle().await.unwrap();
        mosaic.close().await.unwrap();
    }
    assert!(said[1].contains("green tea"), "{said:?}");
}
