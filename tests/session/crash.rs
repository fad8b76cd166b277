//! A process dies; another goes on.

use std::sync::Arc;

use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{Decision, Effect, ErrorKind, Event, RecoveryPolicy, Seq, SessionStore, ToolStatus};
use mosaic_storage::RamStore;
use serde_json::json;

use crate::support::{Fake, agent, engine_over, kinds, results};

/// Runs a session to the middle of a tool call and lets its process "die": its tasks and its
/// handle of the store are dropped with its runtime.
fn die_in_a_call(store: Arc<dyn SessionStore>, effect: Effect) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async move {
        let model = ScriptedModel::new([Answer::call("work", json!({"n": 1}))]);
        let mut tool = crate::support::Fake::ok("work");
        tool.spec.effect = effect;
        let agent = agent(&model).tool(Hang(tool)).build().unwrap();
        let session = engine_over(store).session("a", &agent).await.unwrap();
        let mut run = session.send("go").await.unwrap();
        while let Some(event) = run.next().await {
            if let Event::Entry { entry } = event
                && entry.body.kind() == "tool_start"
            {
                return;
            }
        }
    });
    drop(runtime);
}

/// A tool that hangs.
#[derive(Debug)]
pub(crate) struct Hang(pub(crate) Fake);

#[async_trait::async_trait]
impl mosaic_core::Tool for Hang {
    fn spec(&self) -> &mosaic_core::ToolSpec {
        &self.0.spec
    }

    async fn call(
        &self,
        _ctx: &mosaic_core::ToolContext,
        _input: serde_json::Value,
    ) -> Result<mosaic_core::ToolOutput, mosaic_core::ToolError> {
        std::future::pending().await
    }
}

async fn resume(
    effect: Effect,
    recovery: RecoveryPolicy,
    decision: Option<Decision>,
) -> (usize, Vec<mosaic_core::Entry>) {
    let store = Arc::new(RamStore::new());
    tokio::task::spawn_blocking({
        let store = Arc::new(store.sibling());
        move || die_in_a_call(store, effect)
    })
    .await
    .unwrap();
    let model = ScriptedModel::new([Answer::text("done")]);
    let mut tool = Fake::ok("work");
    tool.spec.effect = effect;
    let agent = agent(&model).tool(tool.clone()).recovery(recovery).build().unwrap();
    let session = engine_over(store).session("a", &agent).await.unwrap();
    let mut run = session.resume().await.unwrap().expect("something was interrupted");
    while let Some(event) = run.next().await {
        if let Event::Entry { entry } = event
            && entry.body.kind() == "question"
        {
            session.answer(entry.seq, "a human", decision.clone().unwrap()).await.unwrap();
        }
    }
    assert_eq!(run.finish().await.unwrap().text, "done");
    assert!(session.resume().await.unwrap().is_none(), "nothing is left to do");
    (tool.called(), session.entries(Seq(1)).await.unwrap())
}

#[tokio::test]
async fn a_call_that_started_and_never_ended_is_not_run_again() {
    let (called, entries) = resume(Effect::Once, RecoveryPolicy::TellModel, None).await;
    assert_eq!(called, 0);
    assert_eq!(results(&entries)[0].1, ToolStatus::Unknown);
}

#[tokio::test]
async fn a_call_that_may_run_twice_is_run_again_with_the_same_key() {
    for effect in [Effect::ReadOnly, Effect::Idempotent] {
        let (called, entries) = resume(effect, RecoveryPolicy::TellModel, None).await;
        assert_eq!(called, 1);
        let keys: Vec<_> = entries
            .iter()
            .filter_map(|entry| match &entry.body {
                mosaic_core::Body::ToolStart { calls } => Some((calls[0].attempt, calls[0].key.clone())),
                _ => None,
            })
            .collect();
        assert_eq!((keys[0].0, keys[1].0), (1, 2));
        assert_eq!(keys[0].1, keys[1].1);
    }
}

#[tokio::test]
async fn a_human_may_decide_what_becomes_of_an_unknown_call() {
    let ask = RecoveryPolicy::Ask;
    let (called, _) = resume(Effect::Once, ask, Some(Decision::Retry)).await;
    assert_eq!(called, 1);
    let given = Decision::Give { content: vec!["it worked".into()] };
    let (called, entries) = resume(Effect::Once, ask, Some(given)).await;
    assert_eq!((called, results(&entries)[0].2.as_str()), (0, "it worked"));
    let (called, entries) = resume(Effect::Once, ask, Some(Decision::TellUnknown)).await;
    assert_eq!((called, results(&entries)[0].1), (0, ToolStatus::Unknown));
}

#[tokio::test]
async fn two_processes_cannot_run_one_session() {
    let store = Arc::new(RamStore::new());
    let gate = mosaic_core::testing::Gate::new();
    let model = ScriptedModel::new([Answer::text("one").hold(&gate)]);
    let agent = agent(&model).build().unwrap();
    let first = engine_over(store.clone()).session("a", &agent).await.unwrap();
    let second = engine_over(Arc::new(store.sibling())).session("a", &agent).await.unwrap();

    let run = first.send("go").await.unwrap();
    let error = second.send("me too").await.unwrap_err();
    gate.open();

    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(run.finish().await.unwrap().text, "one");
    assert_eq!(kinds(&second.entries(Seq(3)).await.unwrap()), ["input", "assistant", "run_end"]);
}

#[tokio::test]
async fn a_run_that_was_interrupted_for_a_year_goes_on() {
    use mosaic_core::testing::TestRuntime;
    use mosaic_core::{Agent, Engine, Runtime};

    let store = Arc::new(RamStore::new());
    let clock = TestRuntime::new(1);
    let engine = |store: Arc<RamStore>| Engine::new(store, Arc::new(clock.clone()) as Arc<dyn Runtime>, None);
    let agent = |answer| Agent::builder("test").model(ScriptedModel::new([answer])).build().unwrap();
    let dying = Arc::new(store.sibling());
    let session = engine(dying.clone()).session("a", &agent(Answer::never())).await.unwrap();
    let run = session.send("go").await.unwrap();
    // The process "dies": its handle of the store is closed under it, and nothing of it is heard of again.
    dying.close().await.unwrap();
    drop((run, session));

    clock.advance(std::time::Duration::from_secs(365 * 24 * 3600)).await;
    let session = engine(store).session("a", &agent(Answer::text("welcome back"))).await.unwrap();
    let reply = session.resume().await.unwrap().expect("it was interrupted").finish().await.unwrap();

    assert_eq!(reply.text, "welcome back");
}
