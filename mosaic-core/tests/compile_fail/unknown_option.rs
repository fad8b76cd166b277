//! An option that there is not.
#![allow(unused)]
use mosaic_core::{ToolContext, tool};

/// Adds.
#[tool(efect = ReadOnly)]
fn unknown(a: i64, _ctx: &ToolContext) -> i64 {
    a
}

/// Adds.
#[tool(effect = Sometimes)]
fn value(a: i64) -> i64 {
    a
}

/// Adds.
#[tool(timeout = "soon")]
fn time(a: i64) -> i64 {
    a
}

/// Adds.
#[tool(name = "add two")]
fn named(a: i64) -> i64 {
    a
}

/// Adds.
#[tool(blocking)]
async fn blocked(a: i64) -> i64 {
    a
}

fn main() {}
