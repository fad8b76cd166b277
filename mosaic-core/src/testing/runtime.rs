//! A clock that is turned by hand.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::runtime::{BoxFuture, Runtime, TaskHandle, Timestamp};

/// A runtime whose time stands still until it is turned by hand, and whose randomness comes from a seed.
///
/// Tasks run on the tokio runtime of the test, which must be the single-threaded one (`#[tokio::test]`): there
/// [`advance`](Self::advance) can let every task that it wakes run before it goes on, so sleepers wake in order and
/// each sees its own time. Blocking work runs at once, on the spot. Clones share the clock.
///
/// ```
/// use mosaic_core::testing::TestRuntime;
/// use mosaic_core::{Runtime, RuntimeExt, Timestamp};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = TestRuntime::new(7);
/// let sleep = tokio::spawn(runtime.sleep(Duration::from_secs(3600)));
/// runtime.advance(Duration::from_secs(3600)).await;
/// sleep.await.unwrap();
/// assert_eq!(runtime.now(), TestRuntime::START.after(Duration::from_secs(3600)));
/// # }
/// ```
#[derive(Clone)]
pub struct TestRuntime(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    random: u64,
    sleepers: BTreeMap<(Timestamp, u64), oneshot::Sender<()>>,
    numbered: u64,
}

impl TestRuntime {
    /// Where its time begins: 2026-01-01 00:00:00 UTC.
    pub const START: Timestamp = Timestamp(1_767_225_600_000);

    /// A runtime whose randomness comes from this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let state = State { now: Self::START, random: seed, sleepers: BTreeMap::new(), numbered: 0 };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Turns the clock forward. Whoever sleeps until then wakes in order, at its own time, and runs until it waits
    /// again.
    pub async fn advance(&self, by: Duration) {
        settle().await;
        let end = self.lock().now.after(by);
        while let Some(sleeper) = self.next_until(end) {
            // Nobody listens when the sleep was dropped.
            if sleeper.send(()).is_ok() {
                settle().await;
            }
        }
        self.lock().now = end;
        settle().await;
    }

    /// Turns the clock forward to when the next sleeper wakes, if there is one. Says whether there was.
    pub async fn advance_to_next(&self) -> bool {
        settle().await;
        let next = {
            let state = &mut *self.lock();
            state.sleepers.retain(|_, sleeper| !sleeper.is_closed());
            state.sleepers.first_key_value().map(|((at, _), _)| state.now.until(*at))
        };
        match next {
            Some(by) => {
                self.advance(by).await;
                true
            }
            None => false,
        }
    }

    /// Wakes the next sleeper at its time, and leaves it to the caller to let tasks run. Says whether there was one.
    pub(crate) fn wake_next(&self) -> bool {
        let sleeper = self.next_until(Timestamp(u64::MAX));
        // Nobody listens when the sleep was dropped.
        sleeper.map(|sleeper| sleeper.send(())).is_some()
    }

    /// How many sleep.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.lock().sleepers.values().filter(|sleeper| !sleeper.is_closed()).count()
    }

    fn next_until(&self, end: Timestamp) -> Option<oneshot::Sender<()>> {
        let state = &mut *self.lock();
        let ((at, _), _) = state.sleepers.first_key_value()?;
        if *at > end {
            return None;
        }
        let ((at, _), sleeper) = state.sleepers.pop_first()?;
        state.now = state.now.max(at);
        Some(sleeper)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for TestRuntime {
    fn default() -> Self {
        Self::new(0)
    }
}

/// Lets every task that can run, run: a task that yields goes behind all that are ready. A chain of tasks that wake
/// each other needs one turn a link.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[derive(Debug)]
struct Task(tokio::task::AbortHandle);

impl TaskHandle for Task {
    fn abort(&self) {
        self.0.abort();
    }
}

impl Runtime for TestRuntime {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<()> {
        let state = &mut *self.lock();
        if at <= state.now {
            return Box::pin(std::future::ready(()));
        }
        let (sender, woken) = oneshot::channel();
        state.numbered += 1;
        state.sleepers.insert((at, state.numbered), sender);
        Box::pin(async move {
            // A clock that is gone never strikes.
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }

    fn spawn(&self, task: BoxFuture<()>) -> Box<dyn TaskHandle> {
        Box::new(Task(tokio::spawn(task).abort_handle()))
    }

    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }

    fn random(&self) -> u64 {
        // splitmix64: every seed gives a sequence of its own, and its whole state is one number.
        let state = &mut *self.lock();
        state.random = state.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl fmt::Debug for TestRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestRuntime").field("now", &self.now()).finish_non_exhaustive()
    }
}
