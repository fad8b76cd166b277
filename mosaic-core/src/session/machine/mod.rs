//! The run machine: what a session does next. Pure: no clock, no network, no executor, no randomness.
//!
//! ```text
//!                 ┌────────────────── Input ───────────────────┐
//!                 ▼                                            │
//!   Idle ──> Thinking ── Assistant with calls ──> Tools ──> (all ended) ──> Thinking
//!    ▲         │  ▲ └── ContextStart ──> Gathering ───┤      (once, before the first model call)
//!    ▲         │  ▲ └── CompactStart ──> Compacting ──┤
//!    │         │  └────────────────────────────────────┘
//!    └ RunEnd ─┴── Cancel ──> Cancelling ── (nothing runs) ── RunEnd ──> Idle, or the next input in line
//! ```
//!
//! * [`Machine::steps`] says what should be going on.
//! * [`Machine::decide`] turns an [`Outcome`] into entries. It changes nothing.
//! * [`Machine::apply`] takes an entry. Only this changes the machine, so folding a log gives the same state as having
//!   lived through it.
//!
//! [`table::TABLE`] lists every transition; tests fail when one is never taken, or when a decision does what its row
//! does not allow.

mod decide;
mod fold;
mod outcome;
mod settle;
mod state;
pub mod table;
#[cfg(test)]
mod tests;

pub use decide::{Decided, Env};
pub use outcome::{Compacted, Outcome, Reply};
pub(super) use settle::parse_json;
pub use state::{CompactionPolicy, Gathers, Machine, Phase, RecoveryPolicy, Step};
