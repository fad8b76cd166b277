//! Functions that cannot be tools.
#![allow(unused)]
use mosaic_core::{ToolContext, tool};

struct Notes;

impl Notes {
    /// Lists.
    #[tool]
    fn list(&self) {}
}

/// Shows.
#[tool]
fn generic<T: ToString>(value: T) -> String {
    value.to_string()
}

/// Shows.
#[tool]
fn implied(value: impl ToString) -> String {
    value.to_string()
}

#[tool]
fn silent(_ctx: &ToolContext) {}

/// Not a function.
#[tool]
struct Tool;

fn main() {}
