//! Consolidation: what is there twice is joined, what has faded is closed.
//!
//! ```text
//! preferences of one key ──> in the order of their times, each against those before ─┐
//! insights ──> each against those near it ───────────────────────────────────────────┴─> one yields to the other, or both stay
//!      again, until nothing changes
//! what is weaker than the threshold ──> closed          what was closed long ago ──> removed, if the host wants it
//! ```
//!
//! Which of two stays is what [`reconcile`](crate::write::reconcile) would have decided, had they come one after the other. Nothing is
//! written anew: of each pair one memory stays as it is, and the other says which in `superseded_by`. So there is less to do after
//! every step, and whoever is interrupted begins again.

mod fading;
mod handler;
mod insights;
mod pair;
mod preferences;
mod rules;
#[cfg(test)]
mod tests;

pub use handler::{Consolidate, ConsolidationReport, Joined};
pub use rules::{CONSOLIDATE, Consolidation, ConsolidationRules};
