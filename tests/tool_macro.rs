//! `#[tool]` from the facade needs no other crate.
#![cfg(feature = "macros")]
#![allow(clippy::unwrap_used)]

use mosaic::prelude::*;
use mosaic::{CallId, RunId};

/// Weather of a city.
#[tool(effect = ReadOnly)]
async fn weather(city: String, ctx: &ToolContext) -> Result<String, ToolError> {
    ctx.progress("looking");
    Ok(format!("No rain in {city}."))
}

/// Adds two numbers.
#[mosaic::tool(crate = mosaic)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[tokio::test]
async fn a_tool_is_made_with_the_facade_alone() {
    let ctx = ToolContext::new("s", RunId(uuid::Uuid::nil()), CallId::derive(1, 0));
    let output = weather.call(&ctx, serde_json::json!({"city": "Oslo"})).await.unwrap();
    assert_eq!(output, ToolOutput::text("No rain in Oslo."));
    assert_eq!(weather.spec().effect, Effect::ReadOnly);
    assert_eq!(add.call(&ctx, serde_json::json!({"a": 1, "b": 2})).await.unwrap(), ToolOutput::text("3"));
}
