use std::sync::Arc;
use std::time::Duration;

use mosaic_core::memory::{Change, MemoryBlock, MemoryPage, MemoryStore, Scope};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{CallId, Effect, ErrorKind, RunId, Runtime, ToolContext, ToolError};
use mosaic_storage::{RamMemories, RamStore};
use serde_json::{Value, json};

use super::{Forgetting, MemoryTools, MemoryToolsOptions};
use crate::embed::HashingEmbedder;

struct Bench {
    store: Arc<RamMemories>,
    runtime: TestRuntime,
    scope: Scope,
    options: MemoryToolsOptions,
}

impl Bench {
    fn new() -> Self {
        let (store, runtime) = (Arc::new(RamStore::new().memories()), TestRuntime::new(3));
        let scope = Scope::of("acme").user("ann");
        Self { store, runtime, scope, options: MemoryToolsOptions::default() }
    }

    fn tools(&self) -> MemoryTools {
        let (embedder, runtime) = (Arc::new(HashingEmbedder::new(256)), Arc::new(self.runtime.clone()));
        MemoryTools::new(self.store.clone(), embedder, runtime, self.scope.clone(), self.options.clone())
    }

    async fn call(&self, name: &str, input: Value) -> Result<String, ToolError> {
        self.runtime.advance(Duration::from_secs(1)).await;
        let tool = self.tools().all().into_iter().find(|tool| &*tool.spec().name == name).unwrap();
        let ctx = ToolContext::new("s1", RunId(uuid::Uuid::nil()), CallId::derive(1, 0));
        let output = tool.call(&ctx, input).await?;
        Ok(output.content[0].as_text().unwrap().to_owned())
    }

    async fn refused(&self, name: &str, input: Value) -> (ErrorKind, String) {
        let error = self.call(name, input).await.unwrap_err();
        assert!(error.fatal.is_none(), "the model can go on");
        (error.kind, error.message)
    }

    async fn block(&self, name: &str, text: &str) {
        let block = MemoryBlock {
            scope: self.scope.clone(),
            name: name.into(),
            purpose: String::new(),
            text: text.into(),
            limit: 20,
            version: 0,
            updated_at: self.runtime.now(),
        };
        let change = Change::PutBlock { block, expected: None };
        self.store.apply(&self.scope, vec![change]).await.unwrap();
    }

    async fn memories(&self) -> usize {
        self.store.list(&self.scope, MemoryPage::default()).await.unwrap().len()
    }
}

#[tokio::test]
async fn the_descriptions_are_valid_and_name_no_scope() {
    Bench::new().tools().set().unwrap();
    let mut effects = Vec::new();
    for tool in Bench::new().tools().all() {
        let spec = tool.spec();
        spec.validate().unwrap();
        for name in ["scope", "tenant", "user", "agent", "session"] {
            assert!(spec.input_schema["properties"].get(name).is_none(), "{}", spec.name);
        }
        effects.push((spec.name.to_string(), spec.effect));
    }
    let effect = |name: &str, effect| (name.to_owned(), effect);
    assert_eq!(
        effects,
        [
            effect("memory_search", Effect::ReadOnly),
            effect("memory_save", Effect::Idempotent),
            effect("memory_forget", Effect::Idempotent),
            effect("preference_get", Effect::ReadOnly),
            effect("preference_set", Effect::Idempotent),
            effect("block_edit", Effect::Once),
        ]
    );
}

#[tokio::test]
async fn a_fact_is_saved_once_found_and_forgotten() {
    let bench = Bench::new();
    let boat = json!({"text": "Ann's boat is called Miso."});
    let saved: Value = serde_json::from_str(&bench.call("memory_save", boat.clone()).await.unwrap()).unwrap();
    assert_eq!(saved["done"], "saved");
    let again: Value = serde_json::from_str(&bench.call("memory_save", boat).await.unwrap()).unwrap();
    assert_eq!((&again["done"], &again["memory"]), (&json!("known already"), &saved["memory"]));
    let search = json!({"query": "the name of the boat"});
    let found = bench.call("memory_search", search.clone()).await.unwrap();
    let used = bench.store.list(&bench.scope, MemoryPage::default()).await.unwrap();
    assert_eq!(used[0].accessed, 2, "saved again, and found");
    let id = saved["memory"].as_str().unwrap();
    assert_eq!(found, format!("[{id}] Ann's boat is called Miso. (since 1 January 2026)\n"));
    for _ in 0..2 {
        let forget = json!({"memory": format!("[{id}]")});
        assert_eq!(bench.call("memory_forget", forget).await.unwrap(), "forgotten");
    }
    assert_eq!(bench.call("memory_search", search).await.unwrap(), "nothing found");
    assert_eq!(bench.memories().await, 0);
    assert_eq!(bench.store.counts(&bench.scope).await.unwrap().memories, 1, "the past is kept");
}

#[tokio::test]
async fn a_host_may_want_what_is_forgotten_removed() {
    let mut bench = Bench::new();
    bench.options.forgetting = Forgetting::Remove;
    let saved = bench.call("memory_save", json!({"text": "Ann is ill"})).await.unwrap();
    let saved: Value = serde_json::from_str(&saved).unwrap();
    bench.call("memory_forget", json!({"memory": saved["memory"]})).await.unwrap();
    assert_eq!(bench.store.counts(&bench.scope).await.unwrap().memories, 0);
}

#[tokio::test]
async fn a_preference_is_set_read_and_replaced() {
    let bench = Bench::new();
    assert_eq!(bench.call("preference_get", json!({})).await.unwrap(), "not known");
    for value in ["tea", "coffee"] {
        bench.call("preference_set", json!({"key": "Drink", "value": value})).await.unwrap();
    }
    assert_eq!(bench.call("preference_get", json!({"key": "drink"})).await.unwrap(), "coffee");
    assert_eq!(bench.call("preference_get", json!({})).await.unwrap(), "drink: coffee\n");
    let now = bench.call("memory_search", json!({"query": "drink"})).await.unwrap();
    assert!(!now.contains("tea"), "{now}");
    let past = bench.call("memory_search", json!({"query": "drink", "past": true})).await.unwrap();
    assert!(past.contains("drink: tea (since 1 January 2026, until 1 January 2026)"), "{past}");
}

#[tokio::test]
async fn a_block_is_edited_within_its_limit() {
    let bench = Bench::new();
    bench.block("plan", "buy milk, buy tea").await;
    let edit = |old: &str, new: &str| json!({"block": "plan", "old": old, "new": new});
    let done = bench.call("block_edit", edit("milk", "rum")).await.unwrap();
    assert_eq!(done, "block `plan` has 16 of 20 characters now");
    for (input, kind, message) in [
        (edit("milk", "x"), ErrorKind::InvalidRequest, "does not stand in"),
        (edit("buy", "x"), ErrorKind::InvalidRequest, "2 times"),
        (edit("", "x"), ErrorKind::InvalidRequest, "is empty"),
        (edit("rum", "rum and a lot of tea"), ErrorKind::InvalidRequest, "its limit is 20"),
        (json!({"block": "plans", "new": "x"}), ErrorKind::NotFound, "`plan`"),
    ] {
        let (found, why) = bench.refused("block_edit", input).await;
        assert!(found == kind && why.contains(message), "{why}");
    }
    bench.call("block_edit", json!({"block": "plan", "new": "sleep"})).await.unwrap();
    let blocks = bench.store.blocks(&bench.scope, mosaic_core::memory::Reach::Within).await.unwrap();
    assert_eq!((&*blocks[0].text, blocks[0].version), ("sleep", 3));
}

#[tokio::test]
async fn bad_input_is_a_typed_error_and_changes_nothing() {
    let bench = Bench::new();
    for (name, input, message) in [
        ("memory_save", json!({"text": " "}), "says nothing"),
        ("memory_save", json!({"text": "x".repeat(2_001)}), "one by one"),
        ("memory_save", json!({"text": "x", "importance": 7}), "not from 0 to 1"),
        ("memory_save", json!({"text": "x", "user": "bob"}), "unknown field"),
        ("memory_search", json!({"query": ""}), "1 to 2000"),
        ("memory_search", json!({"query": "x", "limit": 99}), "1 to 20"),
        ("memory_forget", json!({"memory": "the first"}), "no id"),
        ("preference_set", json!({"key": "k".repeat(101), "value": "x"}), "shorten"),
        ("preference_set", json!({"key": "?", "value": "x"}), "says nothing"),
    ] {
        let (kind, why) = bench.refused(name, input).await;
        assert_eq!(kind, ErrorKind::InvalidRequest, "{why}");
        assert!(why.contains(message), "{why}");
    }
    let nobody = json!({"memory": uuid::Uuid::nil().to_string()});
    assert_eq!(bench.refused("memory_forget", nobody).await.0, ErrorKind::NotFound);
    assert_eq!(bench.memories().await, 0);
}

#[tokio::test]
async fn another_users_memory_is_out_of_reach() {
    let (ann, mut bob) = (Bench::new(), Bench::new());
    let saved = ann.call("memory_save", json!({"text": "Ann's boat is called Miso."})).await.unwrap();
    bob.store = ann.store.clone();
    bob.scope = Scope::of("acme").user("bob");
    assert_eq!(bob.call("memory_search", json!({"query": "boat"})).await.unwrap(), "nothing found");
    let saved: Value = serde_json::from_str(&saved).unwrap();
    let forget = json!({"memory": saved["memory"]});
    assert_eq!(bob.refused("memory_forget", forget).await.0, ErrorKind::NotFound);
    assert_eq!(ann.memories().await, 1);
}

#[tokio::test]
async fn secrets_are_not_saved() {
    let bench = Bench::new();
    bench.block("plan", "").await;
    bench.call("memory_save", json!({"text": "The key is sk-abcdefghijklmnop1234"})).await.unwrap();
    bench.call("preference_set", json!({"key": "password", "value": "hunter22"})).await.unwrap();
    bench.call("block_edit", json!({"block": "plan", "new": "pin: zebra-9"})).await.unwrap();
    let lines = mosaic_core::MemoryStoreExt::export_lines(&*bench.store, &bench.scope).await.unwrap();
    for secret in ["sk-abc", "hunter22", "zebra-9"] {
        assert!(!lines.contains(secret), "{secret} in {lines}");
    }
}
