//! An agent with fallbacks: who is asked when its model does not answer.

use std::collections::HashMap;
use std::sync::Arc;

use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{
    Agent, AgentError, Capability, ChatModel, Engine, ErrorKind, ModelError, ModelInfo, ModelRef,
    ModelSource, SessionError, TokioRuntime,
};

use crate::support::{Fake, engine};

fn failing(kind: ErrorKind) -> Answer {
    Answer::error(ModelError::new(kind, "no"))
}

/// Makes a new model of a name each time, as a source may.
#[derive(Debug, Clone)]
struct Named(HashMap<&'static str, ScriptedModel>);

impl ModelSource for Named {
    fn resolve(&self, name: &ModelRef) -> Result<Arc<dyn ChatModel>, ModelError> {
        let found = self.0.get(name.to_string().as_str()).cloned();
        let unknown = || ModelError::new(ErrorKind::NotFound, format!("nobody knows `{name}`"));
        Ok(Arc::new(found.ok_or_else(unknown)?))
    }
}

fn engine_with<const N: usize>(models: [(&'static str, &ScriptedModel); N]) -> Engine {
    let source = Named(models.map(|(name, model)| (name, model.clone())).into());
    let store = Arc::new(mosaic_storage::RamStore::new());
    Engine::new(store, Arc::new(TokioRuntime::current().unwrap()), Some(Arc::new(source)))
}

async fn ask(engine: &Engine, name: &str, agent: &Agent) -> String {
    let session = engine.session(name, agent).await.unwrap();
    session.send("Hi").await.unwrap().finish().await.unwrap().text
}

#[tokio::test]
async fn a_fallback_answers_when_the_model_is_overloaded() {
    let bad = ScriptedModel::new([failing(ErrorKind::Overloaded)]);
    let good = ScriptedModel::new([Answer::text("here")]);
    let agent = Agent::builder("test").model(bad.clone()).fallback(good.clone()).build().unwrap();

    assert_eq!(ask(&engine(), "a", &agent).await, "here");
    assert_eq!((bad.requests().len(), good.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_fallback_that_lacks_what_the_request_needs_is_passed_over() {
    let bad = ScriptedModel::new([failing(ErrorKind::Overloaded)]);
    let info = |model: &str, can: &[Capability]| {
        let mut info = ModelInfo::new("scripted", model);
        info.capabilities = Some(can.iter().copied().collect());
        info
    };
    let simple = ScriptedModel::new([Answer::text("never")]).with_info(info("simple", &[]));
    let able = ScriptedModel::new([Answer::text("here")]).with_info(info("able", &[Capability::Tools]));
    let agent = Agent::builder("test")
        .model(bad)
        .fallback(simple.clone())
        .fallback(able)
        .tool(Fake::ok("add"))
        .build()
        .unwrap();

    assert_eq!(ask(&engine(), "a", &agent).await, "here");
    assert!(simple.requests().is_empty());
}

#[tokio::test]
async fn sessions_share_what_one_of_them_learnt_of_a_model() {
    let limited = ModelError::new(ErrorKind::RateLimited, "slow down");
    let limited = limited.with_retry_after(Some(std::time::Duration::from_secs(600)));
    let bad = ScriptedModel::new([Answer::error(limited)]);
    let good = ScriptedModel::from_fn(|_| Answer::text("here"));
    let engine = engine_with([("one:a", &bad), ("two:b", &good)]);
    // Not even the same agent: what counts is the list.
    let agent = |name: &str| Agent::builder(name).model("one:a").fallback("two:b").build().unwrap();

    assert_eq!(ask(&engine, "a", &agent("first")).await, "here");
    assert_eq!(ask(&engine, "b", &agent("second")).await, "here");

    assert_eq!((bad.requests().len(), good.requests().len()), (1, 2));
}

#[tokio::test]
async fn a_fallback_that_nobody_knows_is_an_error_when_the_session_opens() {
    let good = ScriptedModel::new([]);
    let engine = engine_with([("one:a", &good)]);
    let agent = Agent::builder("test").model("one:a").fallback("two:b").build().unwrap();

    let error = engine.session("a", &agent).await.unwrap_err();

    assert!(matches!(&error, SessionError::Model { agent, .. } if agent == "test"));
    assert_eq!(error.report().kind, ErrorKind::NotFound);
    assert!(error.to_string().contains("two:b"), "{error}");
}

#[tokio::test]
async fn a_model_that_is_its_own_fallback_is_one_candidate() {
    let model = ScriptedModel::from_fn(|_| Answer::text("here"));
    let engine = engine_with([("one:a", &model)]);
    let agent = Agent::builder("test").model("one:a").fallback("one:a").build().unwrap();

    assert_eq!(ask(&engine, "a", &agent).await, "here");
}

#[tokio::test]
async fn two_models_that_call_themselves_the_same_are_two_candidates() {
    let bad = ScriptedModel::new([failing(ErrorKind::Server)]);
    let good = ScriptedModel::new([Answer::text("here")]);
    let agent = Agent::builder("test").model(bad).fallback(Arc::new(good) as Arc<dyn ChatModel>);

    assert_eq!(ask(&engine(), "a", &agent.build().unwrap()).await, "here");
}

#[test]
fn a_fallback_whose_name_is_none_is_refused_when_the_agent_is_built() {
    let built = Agent::builder("test").model("one:a").fallback("nonsense").build();
    assert!(matches!(built, Err(AgentError::Model { .. })));
}
