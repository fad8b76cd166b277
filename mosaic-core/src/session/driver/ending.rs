//! Telling of runs that are about to end.

use std::future::Future;
use std::sync::{Arc, PoisonError};

use futures_util::future::{Either, select};

use crate::runtime::RuntimeExt as _;
use crate::session::EndedRun;
use crate::session::entry::{Body, Entry};
use crate::session::log::Log;
use crate::session::shared::{Bound, Shared};

/// Tells the agent's hooks of the runs that end with these entries, which are not written yet.
pub(super) fn tell(
    shared: &Arc<Shared>,
    bound: &Bound,
    log: &Log,
    entries: &[Entry],
) -> impl Future<Output = ()> + Send + use<> {
    // A run that begins and ends within one decision has its input there.
    let begun_here = |run| {
        let began = |entry: &&Entry| entry.run == Some(run) && matches!(entry.body, Body::Input { .. });
        entries.iter().find(began).map(|input| input.seq)
    };
    let ended = |entry: &Entry| {
        let run = entry.run.filter(|_| matches!(entry.body, Body::RunEnd { .. }))?;
        let from = log.machine.input_of(run).or_else(|| begun_here(run))?;
        let (session, agent) = (shared.key.clone(), bound.agent.name().into());
        Some(EndedRun { session, user: shared.user(), agent, run, from })
    };
    // Most entries end nothing, and most agents have no hooks.
    let of_all = shared.around.run_ends.read().unwrap_or_else(PoisonError::into_inner);
    let hooks = || of_all.iter().chain(bound.agent.run_ends());
    let ends: Vec<EndedRun> = match hooks().next() {
        Some(_) => entries.iter().filter_map(ended).collect(),
        None => Vec::new(),
    };
    let hooks: Vec<_> = if ends.is_empty() { Vec::new() } else { hooks().cloned().collect() };
    drop(of_all);
    let runtime = shared.around.runtime.clone();
    async move {
        for run in &ends {
            for hook in &hooks {
                let timeout = hook.timeout();
                let session = &run.session;
                match select(hook.run_ending(run), runtime.sleep(timeout)).await {
                    Either::Left((Ok(()), _)) => {}
                    Either::Left((Err(error), _)) => {
                        tracing::error!(%error, %session, run = %run.run, "a hook at the end of a run failed");
                    }
                    Either::Right(_) => {
                        tracing::error!(?timeout, %session, run = %run.run, "a hook at the end of a run took too long");
                    }
                }
            }
        }
    }
}
