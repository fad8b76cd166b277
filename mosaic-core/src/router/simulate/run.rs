//! The run of a simulation.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;

use super::super::hash::{mix, unit};
use super::super::{Candidate, RouteHints, Router, RouterBuilder, RouterError};
use super::model::{Record, Simulated, State, lock};
use super::{Load, Outcome, Plan};
use crate::error::ErrorKind;
use crate::message::{Cost, Group, Part};
use crate::model::{ChatModel, ModelCall, ModelEvent, ModelInfo, ModelRequest};
use crate::runtime::{Runtime, Timestamp};
use crate::testing::TestRuntime;

/// The average tokens of a simple question.
const SIMPLE: u64 = 30;

/// A fleet, what is asked of it, and the seed of all chance.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// Who may be asked.
    pub fleet: Vec<Plan>,
    /// What is asked.
    pub load: Load,
    /// The seed of all chance.
    pub seed: u64,
}

impl Simulation {
    /// Asks a router that is built as told over the fleet. One outcome a call, in the order of their arrival.
    ///
    /// # Errors
    /// What is wrong with the router.
    pub fn run(
        &self,
        build: impl FnOnce(RouterBuilder) -> RouterBuilder,
    ) -> Result<Vec<Outcome>, RouterError> {
        let mut build = Some(build);
        self.run_many(1, |builder| match build.take() {
            Some(build) => build(builder),
            None => builder,
        })
    }

    /// As [`run`](Self::run), with several routers, as several processes have them: the calls go to one after the other.
    ///
    /// # Errors
    /// What is wrong with a router.
    pub fn run_many(
        &self,
        routers: usize,
        mut build: impl FnMut(RouterBuilder) -> RouterBuilder,
    ) -> Result<Vec<Outcome>, RouterError> {
        let (runtime, record) = self.start();
        let models = self.models(&runtime, &record);
        let one = |_| {
            let mut builder = Router::builder(Arc::new(runtime.clone()));
            for (plan, model) in self.fleet.iter().zip(&models) {
                let candidate = Candidate::new(plan.id.as_str(), Arc::new(model.clone()));
                builder = builder.candidate(candidate.price(plan.price.clone()));
            }
            build(builder).build()
        };
        let routers = (0..routers.max(1)).map(one).collect::<Result<Vec<_>, _>>()?;
        let router = |call: usize| Some(Arc::new(routers.get(call % routers.len())?.clone()) as _);
        Ok(self.ask(&runtime, &record, router))
    }

    /// What a plain shuffle makes of it: each call goes to one deployment by lot, once.
    #[must_use]
    pub fn baseline(&self) -> Vec<Outcome> {
        let (runtime, record) = self.start();
        let models = self.models(&runtime, &record);
        self.ask(&runtime, &record, |call| {
            let lot = mix(self.seed ^ mix(call as u64)) % models.len().max(1) as u64;
            let model = models.get(usize::try_from(lot).unwrap_or(0))?.clone();
            Some(Arc::new(model))
        })
    }

    fn start(&self) -> (TestRuntime, Record) {
        (TestRuntime::new(self.seed), Arc::new(Mutex::new(vec![Vec::new(); self.load.calls])))
    }

    fn models(&self, runtime: &TestRuntime, record: &Record) -> Vec<Arc<Simulated>> {
        let model = |(number, plan): (usize, &Plan)| {
            Arc::new(Simulated {
                number,
                plan: plan.clone(),
                info: ModelInfo::new(plan.id.as_str(), "simulated"),
                runtime: runtime.clone(),
                record: record.clone(),
                seed: self.seed,
                state: Mutex::new(State::default()),
            })
        };
        self.fleet.iter().enumerate().map(model).collect()
    }

    fn ask(
        &self,
        runtime: &TestRuntime,
        record: &Record,
        model: impl Fn(usize) -> Option<Arc<dyn ChatModel>>,
    ) -> Vec<Outcome> {
        let mut at = Duration::ZERO;
        let calls = (0..self.load.calls).filter_map(|number| {
            let lot = |which: u64| unit(mix(self.seed ^ mix(number as u64 * 8 + which)));
            at += Duration::from_secs_f64((-lot(0).ln() / self.load.rate.max(1e-3)).min(1e6));
            let around = |mean: u64, lot: f64| ((mean as f64 * (0.5 + lot)) as u64).max(1);
            let session = mix(number as u64 ^ self.seed) % self.load.sessions.max(1);
            let said = |tokens: u64| {
                Group::user(vec![Part::text("word".repeat(usize::try_from(tokens).unwrap_or(1)))])
            };
            let mut groups = vec![said(around(self.load.prompt, lot(1)))];
            let mut answer = self.load.answer;
            if lot(3) <= self.load.simple {
                // The conversation is as long; what is asked last is short, and so is the answer.
                groups.push(said(around(SIMPLE, lot(4))));
                answer = (answer / 10).max(1);
            }
            let mut request = ModelRequest { groups: Arc::new(groups), ..ModelRequest::default() };
            request.params.max_output_tokens = Some(around(answer, lot(2)));
            let mut call = ModelCall::new(request);
            call.route = RouteHints::new().session(session.to_string()).user(number.to_string());
            let arrival = TestRuntime::START.after(at);
            Some(one(runtime.clone(), model(number)?, call, arrival))
        });
        let mut outcomes = drive(runtime, join_all(calls));
        for (outcome, attempts) in outcomes.iter_mut().zip(std::mem::take(&mut *lock(record))) {
            outcome.attempts = attempts;
        }
        outcomes
    }
}

async fn one(runtime: TestRuntime, model: Arc<dyn ChatModel>, call: ModelCall, at: Timestamp) -> Outcome {
    runtime.sleep_until(at).await;
    // Until something better is known: a stream that ends without its last event has failed.
    let (mut failure, mut cost) = (Some(ErrorKind::Incomplete), Cost(0));
    match model.stream(call).await {
        Ok(mut stream) => {
            while let Some(event) = stream.next().await {
                match event {
                    Ok(ModelEvent::Done(end)) => {
                        failure = None;
                        cost = end.cost.unwrap_or_default();
                    }
                    Ok(_) => {}
                    Err(error) => failure = Some(error.kind),
                }
            }
        }
        Err(error) => failure = Some(error.kind),
    }
    Outcome { failure, took: at.until(runtime.now()), cost, attempts: Vec::new() }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs on this thread until all is done: when nobody can go on, it is the time at which the next sleeper wakes. Gives
/// nothing when all wait for each other, so that a lost call shows as a missing outcome.
fn drive<T>(runtime: &TestRuntime, all: impl Future<Output = Vec<T>>) -> Vec<T> {
    let mut all = pin!(all);
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(woken.clone());
    loop {
        while woken.0.swap(false, Ordering::Relaxed) {
            if let Poll::Ready(outcomes) = all.as_mut().poll(&mut Context::from_waker(&waker)) {
                return outcomes;
            }
        }
        if !runtime.wake_next() {
            return Vec::new();
        }
    }
}
