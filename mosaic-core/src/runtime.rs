//! Time, tasks and randomness, all injectable: what the core needs of an executor.

use std::fmt;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(feature = "tokio-runtime")]
mod tokio_runtime;
#[cfg(feature = "tokio-runtime")]
pub use tokio_runtime::TokioRuntime;

/// A boxed future.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// A point in time: milliseconds since 1970-01-01 UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Later by a duration; stops at the end of time.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long until a later time; zero if it has passed.
    #[must_use]
    pub fn until(self, later: Timestamp) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// A spawned task. Dropping it lets the task go on.
pub trait TaskHandle: Debug + Send + Sync {
    /// Stops the task at its next await.
    fn abort(&self);
}

/// Time, tasks and randomness.
pub trait Runtime: Debug + Send + Sync {
    /// The time. Never goes back within a process.
    fn now(&self) -> Timestamp;

    /// Sleeps until a point in time.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<()>;

    /// Starts a task.
    fn spawn(&self, task: BoxFuture<()>) -> Box<dyn TaskHandle>;

    /// Runs work that blocks its thread, on a thread where that does no harm.
    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>);

    /// 64 random bits, for ids and jitter; not for secrets.
    fn random(&self) -> u64;
}

/// What every [`Runtime`] can do besides; nobody implements this.
pub trait RuntimeExt: Runtime {
    /// Sleeps for a duration.
    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        self.sleep_until(self.now().after(duration))
    }

    /// A new UUIDv7 of this runtime's time and randomness.
    fn uuid(&self) -> uuid::Uuid {
        let mut random = [0; 10];
        let (low, high) = (self.random().to_be_bytes(), self.random().to_be_bytes());
        for (to, from) in random.iter_mut().zip(low.into_iter().chain(high)) {
            *to = from;
        }
        uuid::Builder::from_unix_timestamp_millis(self.now().0, &random).into_uuid()
    }
}

impl<R: Runtime + ?Sized> RuntimeExt for R {}
