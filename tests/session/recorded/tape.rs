//! A recording in RAM, and an engine that records into it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use mosaic_core::recording::run::{Replayed, RunRecorder, RunReplay, RunReplayError};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{Agent, Engine, Runtime, SessionStore};
use mosaic_storage::RamStore;
use serde_json::Value;

/// A file that a test can read.
#[derive(Clone, Default)]
pub(crate) struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) struct Tape {
    paper: Paper,
    pub(crate) recorder: RunRecorder,
    pub(crate) runtime: TestRuntime,
    engine: Engine,
}

impl Tape {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(RamStore::new()))
    }

    /// One that leaves a secret out.
    pub(crate) fn without(secret: &str) -> Self {
        Self::of(Arc::new(RamStore::new()), |recorder| recorder.secret(secret))
    }

    pub(crate) fn over(store: Arc<dyn SessionStore>) -> Self {
        Self::of(store, |recorder| recorder)
    }

    fn of(store: Arc<dyn SessionStore>, recorder: impl FnOnce(RunRecorder) -> RunRecorder) -> Self {
        let paper = Paper::default();
        let recorder = recorder(RunRecorder::new(paper.clone()));
        let runtime = TestRuntime::new(7);
        let engine = Engine::new(store, Arc::new(runtime.clone()), None);
        engine.record_runs(recorder.clone());
        Self { paper, recorder, runtime, engine }
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine.clone()
    }

    pub(crate) fn shared_runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(self.runtime.clone())
    }

    /// Waits until nothing runs, and nothing more is written.
    pub(crate) async fn done(&self) {
        self.engine.close().await.unwrap();
        self.recorder.close().unwrap();
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.paper.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn replay(&self, agent: &Agent) -> Result<Replayed, RunReplayError> {
        replay(&self.text(), agent)
    }
}

pub(crate) fn replay(text: &str, agent: &Agent) -> Result<Replayed, RunReplayError> {
    RunReplay::read(text.as_bytes())?.replay(agent)
}
