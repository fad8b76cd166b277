//! Budgets: money that may be spent, never overshot by calls that run at the same time.
//!
//! Whoever adds a call's cost up after its answer learns of it too late: a hundred calls that start at once all find the
//! budget unspent. Here the most that a call can cost is set aside before it is asked, and what it did cost is booked when
//! it ends.
//!
//! ```text
//! limit ├── spent ──┤── reserved by calls that are going on ──┤── left ──┤
//!                   settle: reserved -> spent, at the real cost │ reserve: the most that the call can cost, or no call
//! ```
//!
//! | how a call ends | is charged |
//! | --- | --- |
//! | it answers | its cost: the provider's own figure, or price times usage; the reservation, where neither is known |
//! | it fails before it said anything | nothing |
//! | it is cancelled, or breaks off | its prompt, and a token for each byte that was shown, at most the reservation; thoughts that a provider bills and does not show are not in it |
//!
//! | what is it about | say |
//! | --- | --- |
//! | all calls | nothing more |
//! | a candidate, a model, a provider, a tag of candidates | [`Budget::of_candidate`], [`of_model`](Budget::of_model), [`of_provider`](Budget::of_provider), [`of_tag`](Budget::of_tag); several: all must hold |
//! | one user, or each user | [`Budget::of_user`], [`Budget::each_user`] |
//! | a day, a month (UTC), any length of time, all time | [`Period`] |
//!
//! A ledger may serve routers of other candidates, so a name that no candidate has is no mistake here: a budget of it is
//! never charged.
//!
//! A candidate whose budget is used up is passed over, and the call goes to the next one. Each process counts for itself: give
//! each its share, and keep what was spent over a restart with [`Budgets::spent`] and [`Budgets::restore`].
//!
//! ```
//! use mosaic_core::Cost;
//! use mosaic_core::router::{Budget, Budgets, Period};
//!
//! let budgets = Budgets::new([
//!     Budget::new("all", Cost::dollars(100)).per(Period::Month),
//!     Budget::new("dear ones", Cost::dollars(20)).per(Period::Day).of_tag("dear"),
//!     Budget::new("a user", Cost::cents(50)).per(Period::Day).each_user(),
//! ])?;
//! // One ledger may serve many routers: `Router::builder(..).budgets(budgets.clone())`.
//! assert!(budgets.spent(mosaic_core::Timestamp(0)).is_empty());
//! # Ok::<(), mosaic_core::router::RouterError>(())
//! ```

mod account;
mod ceiling;
mod claim;
mod definition;
mod ledger;
mod period;
#[cfg(test)]
mod tests;

pub(super) use ceiling::Ceiling;
pub(super) use claim::{Claim, Held, Rooms};
pub use definition::{Budget, Reserve};
pub use ledger::{Budgets, Spent};
pub use period::Period;
