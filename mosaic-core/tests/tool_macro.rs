//! `#[tool]` makes a tool of a function.
#![cfg(feature = "macros")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::testing::TestRuntime;
use mosaic_core::{
    Approval, CallId, CallLimits, Effect, Media, MediaData, Part, RunId, Runtime, Tool, ToolContext,
    ToolError, ToolOutput, ToolSet, ToolStatus, run_call, tool,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Serialize)]
struct Forecast {
    city: String,
    days: u32,
}

/// How it is measured.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Celsius,
    Kelvin,
}

/// Weather of a city.
///
/// Knows Europe only.
#[tool(effect = ReadOnly, timeout = "10s", approval = Always)]
async fn weather(
    /// The name of the city.
    city: String,
    ctx: &ToolContext,
    unit: Unit,
    #[tool(default = 3)] days: u32,
    note: Option<String>,
) -> Result<Forecast, ToolError> {
    ctx.progress(json!({"unit": format!("{unit:?}"), "note": note}));
    tokio::task::yield_now().await;
    match city.as_str() {
        "Atlantis" => Err(ToolError::new("no such city").class("LookupError")),
        _ => Ok(Forecast { city, days }),
    }
}

/// Adds two numbers.
#[tool]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Says nothing.
#[tool(name = "say-nothing", effect = Idempotent, timeout = "500ms")]
pub fn nothing() {}

/// Text as it is.
#[tool]
fn shout(#[tool(default)] mut text: String) -> &'static str {
    text.push('!');
    if text.len() > 1 { "AAA" } else { "..." }
}

#[tool(description = "Draws.")]
fn draw() -> ToolOutput {
    let data = MediaData::Base64 { data: "AAAA".into() };
    ToolOutput { content: vec![Part::Media(Media { media_type: "image/png".into(), data, name: None })] }
}

/// Draws, or not.
#[tool]
async fn draw_maybe(yes: bool) -> Result<ToolOutput, String> {
    if yes { Ok(ToolOutput::text("drawn")) } else { Err("no paper".to_owned()) }
}

/// Reads a file.
#[tool(blocking)]
fn read(ctx: &ToolContext, path: String) -> std::io::Result<String> {
    assert!(!ctx.is_cancelled());
    std::fs::read_to_string(path)
}

/// A result whose two sides can be written as JSON is still a result.
#[tool]
fn either(well: bool) -> Result<u32, String> {
    if well { Ok(1) } else { Err("unwell".into()) }
}

/// A name that is a keyword.
#[tool]
fn r#match(r#type: String) -> String {
    r#type
}

/// A tree.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Tree {
    children: Vec<Tree>,
}

/// Counts a tree.
#[tool]
fn count(tree: Tree) -> usize {
    1 + tree.children.into_iter().map(count::function).sum::<usize>()
}

async fn call(tool: &dyn Tool, input: Value) -> Result<ToolOutput, String> {
    let ctx = ToolContext::new("s", RunId(uuid::Uuid::nil()), CallId::derive(1, 0));
    tool.call(&ctx, input).await.map_err(|error| error.to_string())
}

async fn text(tool: &dyn Tool, input: Value) -> Result<String, String> {
    call(tool, input).await.map(|output| output.content.iter().filter_map(Part::as_text).collect())
}

#[test]
fn the_options_and_the_doc_comment_become_the_spec() {
    let spec = weather.spec();
    assert_eq!((&*spec.name, &*spec.description), ("weather", "Weather of a city.\n\nKnows Europe only."));
    assert_eq!(
        (spec.effect, spec.timeout, spec.approval),
        (Effect::ReadOnly, Some(Duration::from_secs(10)), Approval::Always)
    );
    let spec = nothing.spec();
    assert_eq!(
        (&*spec.name, spec.effect, spec.timeout),
        ("say-nothing", Effect::Idempotent, Some(Duration::from_millis(500)))
    );
    let spec = add.spec();
    assert_eq!((spec.effect, spec.timeout, spec.approval), (Effect::Once, None, Approval::Never));
    assert_eq!(&*draw.spec().description, "Draws.");
    assert_eq!(&*r#match.spec().name, "match");
}

#[test]
fn the_parameters_become_the_schema() {
    let schema = &weather.spec().input_schema;
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], json!(["city", "unit"]));
    assert_eq!(
        schema["properties"]["city"],
        json!({"type": "string", "description": "The name of the city."})
    );
    assert_eq!(schema["properties"]["days"]["default"], 3);
    assert_eq!(schema["properties"]["note"]["type"], json!(["string", "null"]));
    assert!(schema["properties"].get("ctx").is_none());
    assert!(schema["properties"]["unit"].to_string().contains("celsius"), "{schema}");
    assert_eq!(nothing.spec().input_schema["type"], "object");
}

#[test]
fn every_one_is_a_tool_that_providers_take() {
    let tools: Vec<Arc<dyn Tool>> = vec![
        Arc::new(weather),
        Arc::new(add),
        Arc::new(nothing),
        Arc::new(shout),
        Arc::new(r#match),
        Arc::new(count),
    ];
    ToolSet::new(tools).unwrap();
}

#[tokio::test]
async fn inputs_are_read_and_defaults_filled_in() {
    let oslo = json!({"city": "Oslo", "unit": "kelvin"});
    assert_eq!(text(&weather, oslo).await, Ok(r#"{"city":"Oslo","days":3}"#.into()));
    let five = json!({"city": "Oslo", "unit": "celsius", "days": 5, "note": "hm"});
    assert_eq!(text(&weather, five).await, Ok(r#"{"city":"Oslo","days":5}"#.into()));
    assert_eq!(text(&shout, json!({})).await, Ok("...".into()));
    assert_eq!(text(&r#match, json!({"type": "x"})).await, Ok("x".into()));
    assert_eq!(text(&count, json!({"tree": {"children": [{"children": []}]}})).await, Ok("2".into()));
    let unknown = text(&add, json!({"a": 1, "b": 2, "c": 3})).await.unwrap_err();
    assert!(unknown.contains("unknown field `c`"), "{unknown}");
}

#[tokio::test]
async fn whatever_is_returned_becomes_an_output_or_an_error() {
    assert_eq!(text(&add, json!({"a": 1, "b": 2})).await, Ok("3".into()));
    assert_eq!(text(&nothing, json!({})).await, Ok("null".into()));
    let atlantis = json!({"city": "Atlantis", "unit": "celsius"});
    assert_eq!(text(&weather, atlantis).await, Err("LookupError: no such city".into()));
    assert!(matches!(call(&draw, json!({})).await.unwrap().content[..], [Part::Media(_)]));
    assert_eq!(text(&draw_maybe, json!({"yes": true})).await, Ok("drawn".into()));
    assert_eq!(text(&draw_maybe, json!({"yes": false})).await, Err("no paper".into()));
    assert_eq!(text(&either, json!({"well": true})).await, Ok("1".into()));
    assert_eq!(text(&either, json!({"well": false})).await, Err("unwell".into()));
    let missing = text(&read, json!({"path": "/no/such/file"})).await.unwrap_err();
    assert!(missing.contains("No such file"), "{missing}");
}

#[tokio::test]
async fn the_function_stays_callable() {
    assert_eq!(add::function(1, 2), 3);
}

#[tokio::test]
async fn a_blocking_tool_runs_through_the_runtime() {
    let runtime: Arc<dyn Runtime> = Arc::new(TestRuntime::default());
    let ctx = ToolContext::new("s", RunId(uuid::Uuid::nil()), CallId::derive(1, 0));
    let input = json!({"path": concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")});
    let end = run_call(&read, ctx, input, &runtime, &CallLimits::default()).await;
    assert_eq!(end.status, ToolStatus::Ok);
    assert!(end.content[0].as_text().unwrap().contains("mosaic-core"));
}

#[test]
fn mistakes_are_explained_by_the_compiler() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
