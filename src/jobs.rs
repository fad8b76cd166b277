//! The jobs of a Mosaic, and who works on them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mosaic_core::queue::{Budget, Handler, JobStore, Queue, Schedule, Worker};
use mosaic_core::{Runtime, RuntimeExt as _};

use crate::Error;

/// Who works on the jobs of a Mosaic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Work {
    /// A worker in the background, if there is anything to handle.
    #[default]
    Background,
    /// The host, whenever it calls [`Queue::run_due_jobs`]: for hosts that have no background, or another process that works.
    ByHand,
}

/// So long jobs that run may go on when a Mosaic is closed. They are due again at the next start.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the builder was given to work with.
#[derive(Default)]
pub(crate) struct JobSettings {
    pub(crate) handlers: Vec<Arc<dyn Handler>>,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) work: Work,
}

impl fmt::Debug for JobSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<&str> = self.handlers.iter().map(|handler| handler.kind()).collect();
        f.debug_struct("JobSettings")
            .field("handlers", &kinds)
            .field("schedules", &self.schedules)
            .field("work", &self.work)
            .finish()
    }
}

/// The jobs, and the worker if there is one.
#[derive(Debug)]
pub(crate) struct Jobs {
    pub(crate) queue: Queue,
    runtime: Arc<dyn Runtime>,
    worker: Mutex<Option<Worker>>,
}

impl Jobs {
    pub(crate) async fn open(
        store: Arc<dyn JobStore>,
        runtime: Arc<dyn Runtime>,
        settings: JobSettings,
    ) -> Result<Self, Error> {
        let JobSettings { handlers, schedules, work } = settings;
        let busy = work == Work::Background && !handlers.is_empty();
        let queue = Queue::new(store, runtime.clone());
        let queue = handlers.into_iter().fold(queue, Queue::shared_handler);
        for schedule in schedules {
            queue.schedule(schedule).await?;
        }
        let worker = busy.then(|| queue.start());
        Ok(Self { queue, runtime, worker: Mutex::new(worker) })
    }

    /// Waits until no job that this Mosaic handles is due or runs, those that are due in a second among them; without a worker,
    /// works on them here.
    pub(crate) async fn idle(&self) -> Result<(), Error> {
        /// What follows a run waits for its end to be written; that is soon.
        const SOON: Duration = Duration::from_secs(1);
        let works = self.worker().is_some();
        loop {
            let soon = self.runtime.now().after(SOON);
            match self.queue.next_due().await? {
                Some(due) if due <= soon && works => self.runtime.sleep(Duration::from_millis(20)).await,
                Some(due) if due <= soon => {
                    self.runtime.sleep_until(due).await;
                    self.queue.run_due_jobs(Budget::jobs(100)).await?;
                }
                // The store knows of a job before its worker does.
                _ if works && self.queue.store().counts(None).await?.running > 0 => {
                    self.runtime.sleep(Duration::from_millis(20)).await
                }
                _ => return Ok(()),
            }
        }
    }

    /// Takes no more jobs, and waits for those that run.
    pub(crate) async fn stop(&self) {
        let worker = self.worker().take();
        if let Some(worker) = worker {
            let report = worker.drain(PATIENCE).await;
            if report.stopped > 0 {
                tracing::warn!(?report, "jobs were stopped; they are due again at the next start");
            }
        }
    }

    fn worker(&self) -> std::sync::MutexGuard<'_, Option<Worker>> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
