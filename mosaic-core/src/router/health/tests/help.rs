//! Routers, "processes", and stores that misbehave.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;

use crate::error::ErrorKind;
use crate::model::{ChatModel, ModelCall, ModelError, ModelRequest};
use crate::router::health::{HealthPage, HealthStore, RamHealthStore, Swap};
use crate::router::{BreakerPolicy, Candidate, RetryPolicy, RouteHints, Router};
use crate::runtime::{BoxFuture, Runtime, TaskHandle, Timestamp};
use crate::store::StoreError;
use crate::testing::{Answer, ScriptedModel, TestRuntime};

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn failing() -> Answer {
    Answer::error(ModelError::new(ErrorKind::Server, "no"))
}

pub(super) fn limited(seconds: u64) -> Answer {
    let error = ModelError::new(ErrorKind::RateLimited, "slow down");
    Answer::error(error.with_retry_after(Some(secs(seconds))))
}

/// One failure opens; nothing is tried twice, and nobody waits.
pub(super) fn strict() -> BreakerPolicy {
    BreakerPolicy { failures: 1, ..BreakerPolicy::default() }
}

/// A process: its router over one candidate, which answers well after the answers that are told.
pub(super) struct Process {
    pub(super) router: Router,
    pub(super) model: ScriptedModel,
}

pub(super) fn process(
    runtime: &Arc<dyn Runtime>,
    store: &Arc<dyn HealthStore>,
    answers: impl IntoIterator<Item = Answer>,
) -> Process {
    process_with(runtime, store, strict(), answers)
}

pub(super) fn process_with(
    runtime: &Arc<dyn Runtime>,
    store: &Arc<dyn HealthStore>,
    policy: BreakerPolicy,
    answers: impl IntoIterator<Item = Answer>,
) -> Process {
    let mut answers = answers.into_iter().collect::<Vec<_>>().into_iter();
    let model = ScriptedModel::from_fn(move |_| answers.next().unwrap_or_else(|| Answer::text("hi")));
    let router = Router::builder(runtime.clone())
        .candidate(Candidate::new("only", Arc::new(model.clone())))
        .breaker(policy)
        .retry(RetryPolicy { max_attempts: 1, max_wait: Duration::ZERO, ..RetryPolicy::default() })
        .health(store.clone())
        .build()
        .unwrap();
    Process { router, model }
}

impl Process {
    /// Makes a call; the kind of its failure.
    pub(super) async fn say(&self) -> Result<(), ErrorKind> {
        let mut stream = self.router.stream(ModelCall::new(ModelRequest::default())).await.unwrap();
        while let Some(event) = stream.next().await {
            if let Err(error) = event {
                return Err(error.kind);
            }
        }
        Ok(())
    }

    /// How often its candidate was asked.
    pub(super) fn asked(&self) -> usize {
        self.model.requests().len()
    }

    /// Whether a call might go, as far as this process knows.
    pub(super) fn is_open_to_calls(&self) -> bool {
        self.router.explain(&ModelRequest::default(), &RouteHints::new()).chosen.is_some()
    }
}

/// How a store misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mood {
    #[default]
    Well,
    /// Each call fails at once.
    Fails,
    /// No call is answered, and nothing is done.
    Hangs,
    /// All is done, but no call is answered.
    Deaf,
    /// Each state is text that means nothing.
    Garbage,
    /// Each swap finds another state, which nobody sees.
    Contrary,
}

/// A store whose mood changes.
#[derive(Debug, Default)]
pub(super) struct Moody {
    mood: Mutex<Mood>,
    store: RamHealthStore,
    pub(super) loads: AtomicUsize,
    pub(super) swaps: AtomicUsize,
}

impl Moody {
    pub(super) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    async fn answer<T>(&self, answer: T) -> Result<T, StoreError> {
        match *self.mood.lock().unwrap() {
            Mood::Fails => return Err(StoreError::Closed { store: "moody".into() }),
            Mood::Hangs | Mood::Deaf => {}
            _ => return Ok(answer),
        }
        std::future::pending().await
    }
}

#[async_trait::async_trait]
impl HealthStore for Moody {
    async fn load(&self, space: &str, since: u64) -> Result<HealthPage, StoreError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let mut page = self.store.load(space, since).await?;
        if *self.mood.lock().unwrap() == Mood::Garbage {
            page.rows.iter_mut().for_each(|row| row.state = "{\"until\":true}".into());
        }
        self.answer(page).await
    }

    async fn swap(
        &self,
        space: &str,
        candidate: &str,
        expected: u64,
        state: String,
    ) -> Result<Swap, StoreError> {
        self.swaps.fetch_add(1, Ordering::Relaxed);
        let mood = *self.mood.lock().unwrap();
        if mood == Mood::Contrary {
            return Ok(Swap::Conflict { row: None });
        }
        if matches!(mood, Mood::Fails | Mood::Hangs) {
            return self.answer(Swap::Done { version: 0 }).await;
        }
        let swap = self.store.swap(space, candidate, expected, state).await?;
        self.answer(swap).await
    }
}

/// A clock that is ahead of, or behind, the others.
#[derive(Debug)]
pub(super) struct Skewed(pub(super) TestRuntime, pub(super) i64);

impl Runtime for Skewed {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.now().0.saturating_add_signed(self.1))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<()> {
        self.0.sleep_until(Timestamp(at.0.saturating_add_signed(-self.1)))
    }

    fn spawn(&self, task: BoxFuture<()>) -> Box<dyn TaskHandle> {
        self.0.spawn(task)
    }

    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        self.0.spawn_blocking(work);
    }

    fn random(&self) -> u64 {
        self.0.random()
    }
}
