//! One gathering step: what the model should know, from the agent's providers.

use std::sync::Arc;

use futures_util::future::{Either, join_all, select};

use crate::context::{ContextProvider, ContextRequest, Provided};
use crate::error::{ErrorKind, ErrorReport};
use crate::runtime::{BoxFuture, Runtime, RuntimeExt as _};
use crate::session::log::Log;
use crate::session::machine::Outcome;
use crate::session::shared::{Bound, Shared};

/// Starts a gathering step. All providers are asked at once, and none is waited for longer than its time.
pub(super) fn start(shared: &Arc<Shared>, bound: &Bound, log: &Log, step: u64) -> BoxFuture<Outcome> {
    let runtime = shared.around.runtime.clone();
    // A run goes on whenever this step is wanted.
    let (Some(run), Some(input)) = (log.machine.run(), log.machine.input()) else {
        return Box::pin(async move { outcome(step, Vec::new()) });
    };
    let request = ContextRequest {
        session: shared.key.clone(),
        user: shared.user(),
        agent: bound.agent.name().into(),
        run,
        input,
        conversation: log.context.groups().clone(),
        seen_from: log.context.seen_from(),
        shown: log.context.shown().clone(),
        deadline: runtime.now(),
    };
    let asked: Vec<_> =
        bound.agent.contexts().iter().map(|provider| (provider.clone(), request.clone())).collect();
    Box::pin(async move {
        let asked = asked.into_iter().map(|(provider, request)| ask(&*runtime, provider, request));
        outcome(step, join_all(asked).await)
    })
}

async fn ask(
    runtime: &dyn Runtime,
    provider: Arc<dyn ContextProvider>,
    mut request: ContextRequest,
) -> Result<Provided, ErrorReport> {
    let timeout = provider.timeout();
    request.deadline = runtime.now().after(timeout);
    match select(provider.provide(&request), runtime.sleep(timeout)).await {
        Either::Left((provided, _)) => provided,
        Either::Right(_) => Err(ErrorReport::new(
            ErrorKind::Timeout,
            format!("a context provider did not answer within {timeout:?}; the run goes on without it"),
        )),
    }
}

fn outcome(step: u64, answers: Vec<Result<Provided, ErrorReport>>) -> Outcome {
    let (mut parts, mut shows, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok(provided) => {
                parts.extend(provided.parts);
                shows.extend(provided.shows);
            }
            Err(error) => {
                tracing::warn!(%error, "a context provider failed");
                errors.push(error);
            }
        }
    }
    Outcome::Gathered { step, parts, shows, errors }
}
