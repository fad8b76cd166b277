//! A model that follows a script.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream;

use super::answer::{Answer, Beat};
use crate::error::ErrorKind;
use crate::model::{ChatModel, ModelCall, ModelError, ModelEvent, ModelInfo, ModelRequest, ModelStream};

/// A model that follows a script and remembers what it was asked.
///
/// A request that the script has no answer for is an `internal` error that says so. Clones share script and memory, so
/// a test keeps one and gives the other to the agent.
#[derive(Clone)]
pub struct ScriptedModel {
    info: ModelInfo,
    shared: Arc<Shared>,
}

struct Shared {
    /// Apart from the record, which the script's own function may read.
    script: Mutex<Script>,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    requests: Vec<ModelRequest>,
    cancelled: usize,
}

enum Script {
    Queue(VecDeque<Answer>),
    Function(Box<dyn FnMut(&ModelRequest) -> Answer + Send>),
}

impl ScriptedModel {
    /// Gives these answers, in order.
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::of(Script::Queue(answers.into_iter().collect()))
    }

    /// Answers each request by a function.
    pub fn from_fn(answer: impl FnMut(&ModelRequest) -> Answer + Send + 'static) -> Self {
        Self::of(Script::Function(Box::new(answer)))
    }

    fn of(script: Script) -> Self {
        Self {
            info: ModelInfo::new("scripted", "script"),
            shared: Arc::new(Shared { script: Mutex::new(script), record: Mutex::default() }),
        }
    }

    /// With other facts: a small window or a price, for one.
    #[must_use]
    pub fn with_info(mut self, info: ModelInfo) -> Self {
        self.info = info;
        self
    }

    /// Adds an answer to the end of a script that is a list.
    pub fn push(&self, answer: Answer) {
        if let Script::Queue(queue) = &mut *self.script() {
            queue.push_back(answer);
        }
    }

    /// What it was asked, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<ModelRequest> {
        self.record().requests.clone()
    }

    /// How many streams were dropped before their end: cancelled calls.
    #[must_use]
    pub fn cancelled(&self) -> usize {
        self.record().cancelled
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.shared.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts the streams that were dropped before their end.
struct Guard {
    model: ScriptedModel,
    over: bool,
}

impl Guard {
    fn finish(mut self) {
        self.over = true;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.over {
            self.model.record().cancelled += 1;
        }
    }
}

#[async_trait::async_trait]
impl ChatModel for ScriptedModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    async fn stream(&self, call: ModelCall) -> Result<ModelStream, ModelError> {
        let answer = match &mut *self.script() {
            Script::Function(answer) => Some(answer(&call.request)),
            Script::Queue(queue) => queue.pop_front(),
        };
        let number = {
            let requests = &mut self.record().requests;
            requests.push(call.request);
            requests.len()
        };
        let mut answer = answer.ok_or_else(|| {
            ModelError::new(ErrorKind::Internal, format!("the script has no answer to request {number}"))
        })?;
        if let Some(error) = answer.refused.take() {
            return Err(error);
        }
        let beats = answer.into_beats(&self.info).into_iter();
        let guard = Guard { model: self.clone(), over: false };
        Ok(Box::pin(stream::unfold((beats, guard), |(mut beats, mut guard)| async move {
            loop {
                let item = match beats.next() {
                    Some(Beat::Hold(gate)) => {
                        gate.pass().await;
                        continue;
                    }
                    Some(Beat::Never) => std::future::pending().await,
                    Some(Beat::Event(event)) => Ok(event),
                    Some(Beat::Fail(error)) => Err(error),
                    None => {
                        guard.finish();
                        return None;
                    }
                };
                guard.over = matches!(item, Ok(ModelEvent::Done(_)) | Err(_));
                return Some((item, (beats, guard)));
            }
        })))
    }
}

impl fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedModel").field("info", &self.info).finish_non_exhaustive()
    }
}
