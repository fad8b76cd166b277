//! What the jobs have in common.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};
use mosaic_core::memory::{MemoryError, Scope};
use mosaic_core::queue::{JobContext, JobError};
use sha2::{Digest, Sha256};

/// An error of the store, as one of the job: tried again where that can help.
pub(super) fn stored(error: &MemoryError) -> JobError {
    error.report().into()
}

/// Goes on, unless the attempt is to stop.
pub(super) fn go_on(ctx: &JobContext) -> Result<(), JobError> {
    if ctx.cancel.is_cancelled() { Err(JobError::retry("it was to stop, and goes on later")) } else { Ok(()) }
}

/// Waits for something, unless the attempt is to stop.
pub(super) async fn unless_stopped<T>(
    ctx: &JobContext,
    wanted: impl Future<Output = T>,
) -> Result<T, JobError> {
    go_on(ctx)?;
    let stopped = pin!(ctx.cancel.cancelled());
    match select(pin!(wanted), stopped).await {
        Either::Left((done, _)) => Ok(done),
        Either::Right(_) => {
            go_on(ctx)?;
            Err(JobError::retry("it was to stop, and goes on later"))
        }
    }
}

/// What keeps the same job from being queued twice: a digest, for names may be longer than a key.
pub(super) fn key(scope: &Scope, more: &str) -> String {
    let scope = serde_json::to_string(scope).unwrap_or_default();
    let digest = Sha256::digest(format!("{}:{scope}{more}", scope.len()));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
