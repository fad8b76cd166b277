//! Conversations are compacted by the summarisers of this crate.

use std::sync::Arc;

use mosaic_core::summary::{Compaction, Summarizer};
use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{Agent, Body, Engine, ModelInfo, Seq, TokioRuntime};
use mosaic_memory::summary::{ExtractiveSummarizer, ModelSummarizer};
use mosaic_storage::RamStore;
use serde_json::json;

/// A talk about a ferry in a window of 600 tokens; the claims of its last compaction and the last request.
async fn talk(summarizer: impl Summarizer + 'static) -> (Vec<String>, String) {
    let model = ScriptedModel::from_fn(|_| {
        Answer::text("The ferry from Kiel to Oslo leaves at two in the afternoon and takes bicycles. It has three restaurants.")
    })
    .with_info(ModelInfo { window: Some(600), ..ModelInfo::new("scripted", "script") });
    let compaction = Compaction::new(summarizer).keep_recent(60).max_tokens(80);
    let agent = Agent::builder("guide").model(model.clone()).compaction(compaction).build().unwrap();
    let runtime = Arc::new(TokioRuntime::current().unwrap());
    let session = Engine::new(Arc::new(RamStore::new()), runtime, None).session("s", &agent).await.unwrap();
    for n in 0..20 {
        let says = format!(
            "My question number {n} about the ferry from Kiel to Oslo and my bicycle: is there room for it?"
        );
        session.send(says).await.unwrap().finish().await.unwrap();
    }
    let entries = session.entries(Seq(1)).await.unwrap();
    let last = entries.iter().rev().find_map(|entry| match &entry.body {
        Body::Compaction { claims, before, after, .. } => {
            assert!(after < before);
            assert!(claims.iter().all(|claim| claim.cites.iter().all(|seq| *seq < entry.seq)));
            Some(claims.iter().map(|claim| claim.text.clone()).collect())
        }
        _ => None,
    });
    let last = last.unwrap_or_else(|| panic!("nothing was compacted"));
    (last, format!("{:?}", model.requests().last().unwrap().groups))
}

#[tokio::test]
async fn without_a_model() {
    let (claims, request) = talk(ExtractiveSummarizer::default()).await;
    assert!(claims.iter().any(|claim| claim.contains("Kiel to Oslo")), "{claims:?}");
    assert!(request.contains("Summary of the conversation so far") && request.contains("question number 19"));
    assert!(
        request.contains("(answered) My question number 3 "),
        "what was asked for is kept as data: {request}"
    );
}

#[tokio::test]
async fn by_a_model() {
    let model = ScriptedModel::from_fn(|request| {
        let text = format!("{:?}", request.groups);
        let number = text
            .split("\\\\\\\"entry\\\\\\\":")
            .nth(1)
            .or(text.split("entry\\\":").nth(1))
            .expect("an entry");
        let number: u64 = number.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        let claim = json!({"text": format!("They talked from {number} on."), "cites": [number]});
        Answer::text(json!({ "claims": [claim] }).to_string())
    });
    let (claims, request) = talk(ModelSummarizer::new(Arc::new(model))).await;
    assert!(claims[0].starts_with("They talked from"));
    assert!(request.contains(&claims[0]));
}
