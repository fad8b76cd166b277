//! A deployment that is simulated.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream;

use super::super::hash::{hash, mix, unit};
use super::{Attempt, Plan};
use crate::error::ErrorKind;
use crate::message::{Cost, Origin, Usage};
use crate::model::{
    ChatModel, ModelCall, ModelEnd, ModelError, ModelEvent, ModelInfo, ModelStream, StopReason,
};
use crate::runtime::Runtime;
use crate::testing::TestRuntime;

/// What reached the deployments, by the call's number.
pub(super) type Record = Arc<Mutex<Vec<Vec<Attempt>>>>;

#[derive(Debug)]
pub(super) struct Simulated {
    pub(super) number: usize,
    pub(super) plan: Plan,
    pub(super) info: ModelInfo,
    pub(super) runtime: TestRuntime,
    pub(super) record: Record,
    pub(super) seed: u64,
    pub(super) state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    minute: u64,
    taken: u32,
    /// Sessions whose prompts are in its cache.
    cached: HashSet<Arc<str>>,
}

pub(super) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Simulated {
    fn elapsed(&self) -> Duration {
        TestRuntime::START.until(self.runtime.now())
    }

    fn out(&self, at: Duration) -> bool {
        self.plan.outages.iter().any(|outage| outage.contains(&at))
    }

    /// What its provider's limit says: the time until there is room again.
    fn limited(&self, at: Duration) -> Option<Duration> {
        let limit = self.plan.limit?;
        let state = &mut *lock(&self.state);
        let minute = at.as_secs() / 60;
        if state.minute != minute {
            (state.minute, state.taken) = (minute, 0);
        }
        state.taken = state.taken.saturating_add(1);
        (state.taken > limit).then(|| Duration::from_secs((minute + 1) * 60).saturating_sub(at))
    }

    fn fail(&self, call: usize, attempt: usize, kind: ErrorKind, after: Option<Duration>) -> ModelError {
        if let Some(attempt) = lock(&self.record).get_mut(call).and_then(|all| all.get_mut(attempt)) {
            attempt.failure = Some(kind);
        }
        ModelError::new(kind, "simulated").with_retry_after(after)
    }
}

/// Bills the prompt of an attempt that gives no whole answer.
struct Bill {
    model: Arc<Simulated>,
    call: usize,
    attempt: usize,
    prompt: Cost,
}

impl Bill {
    /// It failed before anything was billed, or it is billed whole.
    fn settle(&mut self) {
        self.prompt = Cost(0);
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        let record = &mut *lock(&self.model.record);
        if let Some(attempt) = record.get_mut(self.call).and_then(|all| all.get_mut(self.attempt)) {
            attempt.wasted = self.prompt;
        }
    }
}

/// What the simulation tells its deployments of a call, in the field for the user.
pub(super) fn number(call: &ModelCall) -> usize {
    call.route.user.as_deref().and_then(|user| user.parse().ok()).unwrap_or(0)
}

#[async_trait::async_trait]
impl ChatModel for Arc<Simulated> {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    async fn stream(&self, call: ModelCall) -> Result<ModelStream, ModelError> {
        let (number, at) = (number(&call), self.elapsed());
        let attempt = {
            let record = &mut *lock(&self.record);
            let Some(all) = record.get_mut(number) else {
                return Err(ModelError::new(ErrorKind::Internal, "the simulation has no such call"));
            };
            all.push(Attempt { deployment: self.number, at, failure: None, wasted: Cost(0) });
            all.len() - 1
        };
        if self.out(at) {
            self.runtime.sleep_until(self.runtime.now().after(Duration::from_millis(50))).await;
            return Err(self.fail(number, attempt, ErrorKind::Server, None));
        }
        if let Some(after) = self.limited(at) {
            return Err(self.fail(number, attempt, ErrorKind::RateLimited, Some(after)));
        }
        let input = call.request.groups.iter().map(|group| group.measure().text / 4).sum();
        let prompt = self.plan.price.cost(&Usage { input, ..Usage::default() });
        let mut bill = Bill { model: self.clone(), call: number, attempt, prompt };
        // The lots belong to the call, so that they are the same whatever went on before.
        let lot = |which: u64| {
            unit(mix(self.seed ^ hash(&self.plan.id) ^ mix(number as u64) ^ mix(attempt as u64 * 8 + which)))
        };
        let brown = self.plan.brownouts.iter().find(|brown| brown.during.contains(&at));
        let slower = brown.map_or(1.0, |brown| brown.slower);
        // Near enough to a normal distribution: a sum of three lots.
        let bell = (lot(0) + lot(1) + lot(2) - 1.5) * 2.0;
        let first = self.plan.first.mul_f64((slower * (0.6 * bell).exp()).clamp(0.01, 1_000.0));
        self.runtime.sleep_until(self.runtime.now().after(first)).await;
        if lot(3) <= brown.map_or(self.plan.errors, |brown| brown.errors) || self.out(self.elapsed()) {
            bill.settle();
            return Err(self.fail(number, attempt, ErrorKind::Overloaded, None));
        }
        let output = call.request.params.max_output_tokens.unwrap_or(1);
        let cached = call.route.session.clone().is_some_and(|key| !lock(&self.state).cached.insert(key));
        let usage =
            Usage { input, output, cached_input: if cached { input * 4 / 5 } else { 0 }, ..Usage::default() };
        let rest = self.plan.token.mul_f64(slower).saturating_mul(u32::try_from(output).unwrap_or(u32::MAX));
        let model = self.clone();
        let text = stream::iter([Ok(ModelEvent::Text { part: 0, delta: "said".into() })]);
        let end = stream::once(async move {
            model.runtime.sleep_until(model.runtime.now().after(rest)).await;
            if model.out(model.elapsed()) {
                return Err(model.fail(number, attempt, ErrorKind::Incomplete, None));
            }
            bill.settle();
            Ok(ModelEvent::Done(ModelEnd {
                stop: StopReason::Stop,
                usage,
                cost: Some(model.plan.price.cost(&usage)),
                origin: Origin {
                    api: "simulated".into(),
                    provider: model.info.provider.clone(),
                    model: model.info.model.clone(),
                },
                response_id: None,
            }))
        });
        Ok(Box::pin(futures_util::StreamExt::chain(text, end)))
    }
}
