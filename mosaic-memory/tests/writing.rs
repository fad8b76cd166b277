//! What one process learned in one session, another knows in the next: agents, tools, a file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use mosaic_core::memory::{AsOf, Filter, MemoryStore, Scope};
use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{Agent, ChatModel, Engine, Runtime, Seq, TokioRuntime};
use mosaic_memory::embed::HashingEmbedder;
use mosaic_memory::recall::{Recall, RecallOptions, RecallRequest};
use mosaic_memory::write::tools::{MemoryTools, MemoryToolsOptions};
use mosaic_memory::write::{RulesExtractor, Turn, Writer, WriterOptions};
use mosaic_storage::SqliteStore;
use serde_json::json;

fn ann() -> Scope {
    Scope::of("acme").user("ann")
}

/// One process: says one thing in one session, to an agent that has memory tools, and extracts memories afterwards.
async fn process(url: &str, session: &str, says: &str, answers: Vec<Answer>) -> String {
    let store = SqliteStore::open_url(url).await.unwrap();
    let memories: Arc<dyn MemoryStore> = Arc::new(store.memories());
    let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime::current().unwrap());
    let embedder = Arc::new(HashingEmbedder::new(128));
    let options = MemoryToolsOptions::default();
    let tools = MemoryTools::new(memories.clone(), embedder.clone(), runtime.clone(), ann(), options);
    let model = ScriptedModel::new(answers);
    let given: Arc<dyn ChatModel> = Arc::new(model.clone());
    let agent = Agent::builder("helper").model(given).tools(tools.all()).build().unwrap();

    let engine = Engine::new(Arc::new(store), runtime.clone(), None);
    let talk = engine.session(session, &agent).await.unwrap();
    talk.send(says).await.unwrap().finish().await.unwrap();

    let turn = Turn::of_entries(session, &talk.entries(Seq::ZERO).await.unwrap());
    let writer = Writer::new(memories.clone(), embedder, runtime, WriterOptions::default());
    writer.write(&ann(), turn, &RulesExtractor).await.unwrap();
    drop(talk);
    engine.close().await.unwrap();
    format!("{:?}", model.requests().last().unwrap().groups)
}

#[tokio::test]
async fn a_second_session_knows_a_preference_that_the_first_one_learned() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("app.db").display());
    let set = Answer::call("preference_set", json!({"key": "drink", "value": "green tea"}));
    process(&url, "monday", "I prefer tabs for indentation.", vec![set, Answer::text("Noted.")]).await;

    let get = Answer::new()
        .then_call("preference_get", json!({"key": "drink"}))
        .then_call("memory_search", json!({"query": "indentation"}));
    let saw = process(&url, "tuesday", "What do I like?", vec![get, Answer::text("Tea and tabs.")]).await;
    assert!(saw.contains("green tea"), "what the tool set: {saw}");
    assert!(saw.contains("indentation: tabs"), "what was extracted: {saw}");

    // And without the agent's doing, for its prompt.
    let store = SqliteStore::open_url(&url).await.unwrap();
    let embedder = Arc::new(HashingEmbedder::new(128));
    let recall = Recall::new(Arc::new(store.memories()), embedder, RecallOptions::default());
    let now = TokioRuntime::current().unwrap().now();
    let filter = Filter { as_of: AsOf::valid(now), ..Filter::default() };
    let request =
        RecallRequest::new(ann(), "Format this, mind my indentation").filter(filter).limit(1).budget(100);
    assert_eq!(recall.recall(&request).await.unwrap().text(), "- indentation: tabs\n");
}
