//! Parameters that a model cannot give.
#![allow(unused)]
use mosaic_core::{ToolContext, tool};

/// Greets.
#[tool]
fn borrowed(name: &str, _ctx: &ToolContext) -> String {
    name.to_owned()
}

/// Greets.
#[tool]
fn pattern((first, second): (String, String)) -> String {
    first + &second
}

/// Greets.
#[tool]
fn owned(ctx: ToolContext) {}

/// Greets.
#[tool]
fn twice(one: &ToolContext, other: &ToolContext) {}

/// Greets.
#[tool]
fn option(#[tool(defualt)] name: String) {}

fn main() {}
