//! What the tests of jobs share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mosaic_core::BoxFuture;
use mosaic_core::queue::{
    Handler, Job, JobContext, JobError, JobFilter, JobPage, JobStore, NewJob, Queue, RamQueue,
};
use mosaic_core::testing::TestRuntime;
use serde_json::json;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

type Act = dyn Fn(JobContext) -> BoxFuture<Result<(), JobError>> + Send + Sync;

/// A handler of kind `k` that does what it is told, and writes down when it starts and ends.
pub(crate) struct Does {
    act: Arc<Act>,
    pub(crate) diary: Diary,
}

/// What happened, in order.
#[derive(Clone, Default, Debug)]
pub(crate) struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    pub(crate) fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|written| *written == line).count()
    }
}

impl Does {
    pub(crate) fn new<F>(diary: &Diary, act: impl Fn(JobContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        Self { act: Arc::new(move |ctx| Box::pin(act(ctx))), diary: diary.clone() }
    }
}

#[async_trait::async_trait]
impl Handler for Does {
    fn kind(&self) -> &str {
        "k"
    }

    async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
        self.diary.write("start");
        let ended = (self.act)(ctx.clone()).await;
        self.diary.write(if ended.is_ok() { "done" } else { "failed" });
        ended
    }
}

pub(crate) fn job() -> NewJob {
    NewJob::new("k", json!({}))
}

/// A queue in RAM whose jobs do this.
pub(crate) fn queue<F>(
    runtime: &TestRuntime,
    diary: &Diary,
    act: impl Fn(JobContext) -> F + Send + Sync + 'static,
) -> Queue
where
    F: Future<Output = Result<(), JobError>> + Send + 'static,
{
    over(Arc::new(RamQueue::new()), runtime, diary, act)
}

pub(crate) fn over<F>(
    store: Arc<dyn JobStore>,
    runtime: &TestRuntime,
    diary: &Diary,
    act: impl Fn(JobContext) -> F + Send + Sync + 'static,
) -> Queue
where
    F: Future<Output = Result<(), JobError>> + Send + 'static,
{
    Queue::new(store, Arc::new(runtime.clone())).handler(Does::new(diary, act))
}

pub(crate) async fn all(queue: &Queue) -> Vec<Job> {
    queue.store().list(&JobFilter::default(), JobPage::default()).await.unwrap()
}

/// Lets every task run until it waits.
pub(crate) async fn settle(runtime: &TestRuntime) {
    runtime.advance(Duration::ZERO).await;
}
