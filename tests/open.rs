//! Opening a `Mosaic`: names of models, keys, stores, and what is said when something is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use mosaic::providers::endpoint::Endpoint;
use mosaic::testing::{Answer, Reply, ScriptedModel, ScriptedTransport};
use mosaic::{
    Agent, ChatModel, Cost, ErrorKind, ModelError, ModelInfo, ModelRef, ModelSource, Mosaic, Price, Rates,
    Tool, ToolContext, ToolError, ToolMode, ToolOutput, ToolSpec,
};
use serde_json::{Value, json};

fn named(model: &str) -> Agent {
    Agent::builder("assistant").model(model).build().unwrap()
}

#[derive(Debug)]
struct Nothing(ToolSpec);

#[async_trait::async_trait]
impl Tool for Nothing {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, _: &ToolContext, _: Value) -> Result<ToolOutput, ToolError> {
        Ok(ToolOutput::default())
    }
}

async fn refused(mosaic: &Mosaic, model: &str) -> (ErrorKind, String) {
    let error = mosaic.session("s", &named(model)).await.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn a_missing_key_says_which_variable_to_set() {
    let mosaic = Mosaic::builder().variables(|_| None).open("memory:").await.unwrap();
    let (kind, said) = refused(&mosaic, "anthropic:claude").await;
    assert_eq!(kind, ErrorKind::Auth);
    assert!(said.contains("ANTHROPIC_API_KEY"), "{said}");
}

#[tokio::test]
async fn an_unknown_provider_is_told_which_there_are() {
    let mosaic = Mosaic::open("memory:").await.unwrap();
    let (kind, said) = refused(&mosaic, "opnai:gpt").await;
    assert_eq!(kind, ErrorKind::NotFound);
    assert!(said.contains("`opnai`") && said.contains("openai"), "{said}");
}

#[tokio::test]
async fn the_key_of_a_provider_that_nobody_knows_is_refused_at_once() {
    let error = Mosaic::builder().key("opnai", "sk-secret").open("memory:").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!error.to_string().contains("sk-secret"));
}

#[tokio::test]
async fn a_given_key_counts_more_than_the_environment_and_shows_nowhere() {
    let transport = Arc::new(ScriptedTransport::new([Reply::status(401)]));
    let builder = Mosaic::builder().key("openai", "sk-given").transport(transport.clone());
    assert!(!format!("{builder:?}").contains("sk-given"));
    let variable = |name: &str| (name == "OPENAI_API_KEY").then(|| "sk-environment".into());
    let mosaic = builder.variables(variable).open("memory:").await.unwrap();
    let session = mosaic.session("s", &named("openai:gpt")).await.unwrap();
    session.send("Hi").await.unwrap().finish().await.unwrap_err();
    let request = &transport.requests()[0];
    let key = request.headers.iter().find(|header| header.is_secret()).unwrap();
    assert_eq!(key.expose(), "Bearer sk-given");
    assert!(!format!("{mosaic:?}").contains("sk-given"));
}

#[tokio::test]
async fn a_name_gives_the_same_model_in_every_session() {
    #[derive(Debug)]
    struct Counting(ScriptedModel, std::sync::atomic::AtomicUsize);
    impl ModelSource for Counting {
        fn resolve(&self, name: &ModelRef) -> Result<Arc<dyn ChatModel>, ModelError> {
            if name.provider() != "mine" {
                return Err(ModelError::new(ErrorKind::NotFound, "not mine"));
            }
            self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok(Arc::new(self.0.clone()))
        }
    }
    let source = Arc::new(Counting(ScriptedModel::new([Answer::text("Hi")]), 0.into()));
    let mosaic = Mosaic::builder().models(source.clone()).open("memory:").await.unwrap();
    for name in ["a", "b", "c"] {
        mosaic.session(name, &named("mine:model")).await.unwrap();
    }
    assert_eq!(source.1.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_eq!(refused(&mosaic, "yours:model").await.0, ErrorKind::NotFound);
}

#[tokio::test]
async fn what_is_known_of_a_model_reaches_its_requests() {
    let transport = Arc::new(ScriptedTransport::new([Reply::status(401)]));
    let mut info = ModelInfo::new("lab", "small");
    info.tool_mode = ToolMode::JsonSchema;
    let mosaic = Mosaic::builder()
        .endpoint(Endpoint::compatible("lab", "http://127.0.0.1:9/v1"))
        .model_info(info)
        .transport(transport.clone())
        .open("memory:")
        .await
        .unwrap();
    let agent = Agent::builder("assistant")
        .model("lab:small")
        .tool(Nothing(ToolSpec::new("nothing", "Does nothing.", json!({"type": "object"}))))
        .build()
        .unwrap();
    let session = mosaic.session("s", &agent).await.unwrap();
    session.send("Hi").await.unwrap().finish().await.unwrap_err();
    let request = &transport.requests()[0];
    assert_eq!(request.url, "http://127.0.0.1:9/v1/chat/completions");
    let body = String::from_utf8(request.body_bytes().to_vec()).unwrap();
    assert!(body.contains("json_schema") && !body.contains("\"tools\""), "{body}");
}

/// An answer of OpenAI's, with the figures of a million tokens.
const MILLION: &str = concat!(
    r#"data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#,
    "\n\n",
    r#"data: {"id":"c","choices":[],"usage":{"prompt_tokens":1000000,"completion_tokens":0}}"#,
    "\n\ndata: [DONE]\n\n"
);

#[tokio::test]
async fn a_known_model_has_its_price_without_a_setting_and_the_hosts_own_goes_before_it() {
    let cost = async |model: &str, info: Option<ModelInfo>| {
        let transport = Arc::new(ScriptedTransport::new([Reply::ok(MILLION)]));
        let builder = Mosaic::builder().key("openai", "sk-1").transport(transport);
        let builder = info.into_iter().fold(builder, mosaic::MosaicBuilder::model_info);
        let mosaic = builder.open("memory:").await.unwrap();
        let session = mosaic.session("s", &named(model)).await.unwrap();
        session.send("Hi").await.unwrap().finish().await.unwrap().cost
    };
    assert_eq!(cost("openai:gpt-4o-mini", None).await, Some(Cost(150_000)));
    assert_eq!(cost("openai:no-such-model", None).await, None, "unknown is not nothing");

    let mode = ModelInfo { tool_mode: ToolMode::Text, ..ModelInfo::new("openai", "gpt-4o-mini") };
    assert_eq!(
        cost("openai:gpt-4o-mini", Some(mode)).await,
        Some(Cost(150_000)),
        "what it leaves out is filled in"
    );
    let price = Some(Price::new(Rates::new(1_000_000, 1_000_000)));
    let dear = ModelInfo { price, ..ModelInfo::new("openai", "gpt-4o-mini") };
    assert_eq!(cost("openai:gpt-4o-mini", Some(dear)).await, Some(Cost(1_000_000)));
}

#[tokio::test]
async fn a_model_known_not_to_call_tools_is_not_asked_to() {
    let transport = Arc::new(ScriptedTransport::new([]));
    let mosaic =
        Mosaic::builder().key("openai", "k").transport(transport.clone()).open("memory:").await.unwrap();
    let tool = ToolSpec::new("nothing", "Does nothing.", json!({"type": "object"}));
    let agent = Agent::builder("a").model("openai:o3-deep-research").tool(Nothing(tool)).build().unwrap();
    let session = mosaic.session("s", &agent).await.unwrap();
    let error = session.send("Hi").await.unwrap().finish().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(transport.requests().is_empty());
}

#[tokio::test]
async fn a_store_that_there_is_not_is_told_the_address_to_write() {
    let error = Mosaic::open("mysql://root:secret@db/x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let said = error.to_string();
    assert!(said.contains("memory:") && !said.contains("secret"), "{said}");
}

#[tokio::test]
async fn a_session_that_does_not_exist_is_not_made_by_looking_for_it() {
    let mosaic = Mosaic::open("memory:").await.unwrap();
    let model = ScriptedModel::new([]);
    let agent = Agent::builder("assistant").model(model).build().unwrap();
    assert!(mosaic.find_session("nobody", &agent).await.unwrap().is_none());
    assert!(mosaic.sessions("default", mosaic::ListOptions::default()).await.unwrap().is_empty());
}

#[test]
fn outside_of_tokio_it_says_so() {
    let store = Arc::new(mosaic::storage::RamStore::new());
    let error = Mosaic::builder().open_store(store).unwrap_err();
    assert!(matches!(error, mosaic::Error::NoRuntime));
    assert!(error.to_string().contains("tokio"));
}
