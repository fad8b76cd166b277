//! A runtime over tokio's clock and tasks.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::{BoxFuture, Runtime, TaskHandle, Timestamp};

/// A runtime over tokio's clock and tasks. The wall clock is read once; after that tokio's monotonic clock counts, so
/// that a change of the system's time moves no deadline, and paused time in tests works.
#[derive(Debug, Clone)]
pub struct TokioRuntime {
    handle: Handle,
    start: (Instant, Timestamp),
}

impl TokioRuntime {
    /// Over the runtime of the caller.
    ///
    /// # Errors
    /// When the caller does not run in a tokio runtime.
    pub fn current() -> Result<Self, tokio::runtime::TryCurrentError> {
        Ok(Self::over(Handle::try_current()?))
    }

    /// Over a given runtime.
    #[must_use]
    pub fn over(handle: Handle) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { handle, start: (Instant::now(), Timestamp::default().after(since)) }
    }
}

#[derive(Debug)]
struct Task(tokio::task::AbortHandle);

impl TaskHandle for Task {
    fn abort(&self) {
        self.0.abort();
    }
}

impl Runtime for TokioRuntime {
    fn now(&self) -> Timestamp {
        self.start.1.after(self.start.0.elapsed())
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<()> {
        let (start, origin) = self.start;
        // A deadline at the end of time would overflow tokio's clock; a century is long enough.
        let wait = origin.until(at).min(Duration::from_secs(100 * 365 * 24 * 3600));
        Box::pin(tokio::time::sleep_until(start + wait))
    }

    fn spawn(&self, task: BoxFuture<()>) -> Box<dyn TaskHandle> {
        Box::new(Task(self.handle.spawn(task).abort_handle()))
    }

    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        drop(self.handle.spawn_blocking(work));
    }

    fn random(&self) -> u64 {
        // The standard library's hasher is keyed by the operating system's randomness, anew each time.
        RandomState::new().build_hasher().finish()
    }
}
