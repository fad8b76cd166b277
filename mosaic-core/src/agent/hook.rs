//! What is told when a run ends.

use std::fmt::Debug;
use std::time::Duration;

use crate::error::ErrorReport;
use crate::session::EndedRun;

/// Is told of every run that is about to end: to queue what follows it.
///
/// It is called *before* the end is written, so that a crash between the two loses nothing: a job that was queued for a run
/// whose end was never written finds out ([`EndedRun::read`] says [`Open`](crate::RunEntries::Open)), and is told of once more
/// when the run, resumed, does end. So it may be told of one run twice, and what it queues must bear that: a deduplication key
/// made of the run will do.
///
/// A hook that fails, or takes longer than its [`timeout`](Self::timeout), is logged and left behind: the run ends.
#[async_trait::async_trait]
pub trait RunEndHook: Debug + Send + Sync {
    /// A run is about to end.
    ///
    /// # Errors
    /// Whatever went wrong; it is logged.
    async fn run_ending(&self, run: &EndedRun) -> Result<(), ErrorReport>;

    /// After so long it is not waited for any more. 5 s.
    fn timeout(&self) -> Duration {
        Duration::from_secs(5)
    }
}
