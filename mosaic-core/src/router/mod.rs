//! Routing: one model made of many.
//!
//! Providers fail, limit, slow down and differ in price. A [`Router`] is a [`ChatModel`](crate::ChatModel) over
//! [`Candidate`]s, and does its work within one `stream()`:
//!
//! ```text
//! candidates ─ filter ─ score ─ ask ─ the first event shows ─> answer
//!                ▲                │ failed before that
//!                └── next best, backoff, or wait for a cooldown, under one budget of attempts
//! ```
//!
//! | question | answered by |
//! | --- | --- |
//! | who may be asked | capabilities, window, tags, data policy, breaker, limits a minute, calls at once |
//! | who is best | priority, then the [`Score`]s of the [`Strategy`] |
//! | how often | [`RetryPolicy`]: one budget for retries and fallbacks together |
//! | to whom after a failure | [`Fallbacks`], by kind of failure |
//! | who is left alone | [`BreakerPolicy`] |
//! | why | [`RouteDecision`], the stream's first event, and [`Router::explain`] |
//!
//! ```
//! # use std::sync::Arc;
//! # use mosaic_core::{ChatModel, ModelRequest, testing::{ScriptedModel, TestRuntime}};
//! use mosaic_core::router::{Candidate, RouteHints, Router};
//! # let (east, west): (Arc<dyn ChatModel>, Arc<dyn ChatModel>) =
//! #     (Arc::new(ScriptedModel::new([])), Arc::new(ScriptedModel::new([])));
//! # let runtime = Arc::new(TestRuntime::new(1));
//! let router = Router::builder(runtime)
//!     .candidate(Candidate::new("east", east))
//!     .candidate(Candidate::new("west", west).priority(1))
//!     .build()?;
//! let decision = router.explain(&ModelRequest::default(), &RouteHints::new());
//! assert_eq!(decision.chosen.as_deref(), Some("east"));
//! # Ok::<(), mosaic_core::router::RouterError>(())
//! ```

mod answer;
mod breaker;
pub mod budget;
mod builder;
mod candidate;
mod course;
mod decision;
mod deployment;
mod error;
mod estimate;
mod hash;
pub mod health;
mod hedging;
mod hints;
mod histogram;
mod latency;
mod limit;
mod needs;
mod opening;
mod pick;
mod policy;
// The folder and its main type have one name, as in `agent` and `session`.
#[allow(clippy::module_inception)]
mod router;
pub mod rules;
#[cfg(feature = "testing")]
pub mod simulate;
mod strategy;
#[cfg(test)]
mod tests;
mod verdict;

pub use breaker::BreakerPolicy;
pub use budget::{Budget, Budgets, Period, Reserve, Spent};
pub use builder::RouterBuilder;
pub use candidate::Candidate;
pub use decision::{AttemptOutcome, Lacking, Rejected, Rejection, RouteAttempt, RouteDecision, Scored};
pub use error::RouterError;
pub use estimate::{QuarterBytes, TokenEstimator};
pub use hints::{DataDemand, RouteHints, TagWish, TaskKind};
pub use needs::Needs;
pub use policy::{Fallback, Fallbacks, Hedge, HedgeAfter, MidAnswer, RetryPolicy};
pub use router::Router;
pub use rules::{Classifier, Heuristics, TaskRule};
pub use strategy::{Score, Scorer, Standing, Strategy};
