//! The contract of a store of memories as checks: for everybody who writes one.
//!
//! A store is good when [`check_all`] says so. Each rule is also a function of its own, and [`RULES`] lists them by name, to make one
//! test of each. The rules read no clock and never sleep; they run in a tokio runtime, best one with several threads.
//!
//! | rules about | file |
//! | --- | --- |
//! | what comes back, lists and pages, all or nothing | `keeping` |
//! | closing, superseding, what was believed when | `times` |
//! | tenants, users, agents, sessions | `scoping` |
//! | words, vectors, neighbours, filters | `searching` |
//! | models, embedding anew | `vectors` |
//! | core blocks | `blocks` |
//! | removing, erasing, export and import | `leaving` |
//! | what is refused | `refusing` |
//! | two handles, many tasks, opening again | `sharing` |
//!
//! [`Model`] is a store of memories in thirty lines, without an index: what the rules of random changes compare with.

pub mod blocks;
mod help;
pub mod keeping;
pub mod leaving;
mod model;
pub mod refusing;
mod rules;
pub mod scoping;
pub mod searching;
pub mod sharing;
pub mod times;
pub mod vectors;

pub use crate::conformance::{Broken, Failures};
pub use help::{Factory, id};
pub use model::Model;
pub use rules::{RULES, Rule, check_all};
