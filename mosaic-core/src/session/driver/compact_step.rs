//! One compaction, from the log to the outcome.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};

use crate::context::{Context, Cut, summary_group};
use crate::error::{ErrorKind, ErrorReport};
use crate::id::Seq;
use crate::message::{Cost, Usage};
use crate::model::estimated_tokens;
use crate::runtime::{BoxFuture, RuntimeExt as _};
use crate::session::entry::{Body, Entry};
use crate::session::error::SessionError;
use crate::session::log::path;
use crate::session::machine::{Compacted, Outcome};
use crate::session::shared::{Bound, Shared};
use crate::summary::{
    Claim, Compaction, Facts, PassageOptions, Summary, SummaryError, SummaryRequest, SummaryUse, passages,
};

/// What is to be compacted.
pub(super) struct Start {
    pub(super) number: u64,
    /// The how-manieth try, from 1.
    pub(super) tries: u32,
    /// What the model would see.
    pub(super) context: Context,
}

/// Starts a compaction step. Dropping the future cancels it.
pub(super) fn start(shared: &Arc<Shared>, bound: &Bound, start: Start) -> BoxFuture<Outcome> {
    let Start { number: step, tries, context } = start;
    let Some(compaction) = bound.compaction.clone() else {
        return Box::pin(async move { Failed::from(no_compactor()).outcome(step) });
    };
    let keep = compaction.keeps(bound.policy, tries);
    let shared = shared.clone();
    Box::pin(async move {
        match compact(&shared, &compaction, &context, keep).await {
            Ok(compacted) => Outcome::Compacted { step, compacted },
            Err(failed) => failed.outcome(step),
        }
    })
}

/// Why there is no summary, and what was spent in vain.
struct Failed {
    error: ErrorReport,
    usage: Usage,
    cost: Option<Cost>,
}

impl Failed {
    fn outcome(self, step: u64) -> Outcome {
        let Self { error, usage, cost } = self;
        Outcome::CompactFailed { step, error, usage, cost }
    }
}

impl From<ErrorReport> for Failed {
    fn from(error: ErrorReport) -> Self {
        Self { error, usage: Usage::default(), cost: None }
    }
}

impl From<SummaryError> for Failed {
    fn from(error: SummaryError) -> Self {
        let (usage, cost) = error.spent();
        Self { error: error.report(), usage, cost }
    }
}

impl From<SessionError> for Failed {
    fn from(error: SessionError) -> Self {
        error.report().into()
    }
}

/// A session may be run by an agent that compacts nothing, and its log say that a compaction is under way.
fn no_compactor() -> ErrorReport {
    ErrorReport::new(
        ErrorKind::Unsupported,
        "the agent has no summariser, so the conversation cannot be compacted; give it one with `.compaction(..)`",
    )
}

/// What is gained by less than a tenth is lost again by the next answer.
fn is_shorter(before: u64, after: u64) -> bool {
    after.saturating_mul(10) <= before.saturating_mul(9)
}

async fn compact(
    shared: &Shared,
    compaction: &Compaction,
    context: &Context,
    keep: u64,
) -> Result<Compacted, Failed> {
    let entries = shared.read(Seq(1)).await?;
    let path = path(&entries);
    let cut = Cut::plan(context, &path, keep).ok_or_else(|| {
        ErrorReport::new(
            ErrorKind::ContextOverflow,
            "nothing of the conversation can be summarised: all of it is too recent, or waits for an answer",
        )
    })?;
    let deadline = shared.around.runtime.now().after(compaction.timeout);
    let request = SummaryRequest::new(
        passages(cut.passages.iter().copied(), &PassageOptions::default()),
        SummaryUse::Compaction,
    )
    .earlier(earlier(&path))
    .max_tokens(compaction.max_tokens)
    .deadline(deadline);
    let summary = within(shared, compaction, &request).await?;
    let Summary { usage, cost, .. } = summary;
    let failed = |error: ErrorReport| Failed { error, usage, cost };
    request.check(&summary).map_err(|error| failed(SummaryError::from(error).report()))?;
    let facts = serde_json::to_value(Facts::of(cut.dropped.iter().copied())).unwrap_or_default();
    let text = summary.text();
    let (before, after) =
        (cut.before, cut.kept.saturating_add(estimated_tokens(&summary_group(&text, &facts))));
    if !is_shorter(before, after) {
        let message = format!(
            "a compaction would leave {after} of about {before} tokens, which is no progress; \
             let it keep less of what is recent, or allow the summary less"
        );
        return Err(failed(ErrorReport::new(ErrorKind::ContextOverflow, message)));
    }
    Ok(Compacted { upto: cut.upto, summary: text, claims: summary.claims, facts, before, after, usage, cost })
}

/// The summary, in time. A summariser of the host's that panics has failed, and nothing else has.
async fn within(
    shared: &Shared,
    compaction: &Compaction,
    request: &SummaryRequest,
) -> Result<Summary, Failed> {
    if request.passages.is_empty() && request.earlier.is_none() {
        return Err(SummaryError::Nothing.into());
    }
    let work = async { compaction.summarizer.summarize(request).await };
    let work = AssertUnwindSafe(work).catch_unwind();
    match select(std::pin::pin!(work), shared.around.runtime.sleep(compaction.timeout)).await {
        Either::Left((Ok(made), _)) => Ok(made?),
        Either::Left((Err(_), _)) => {
            let message = "the summariser panicked; its message went to the panic hook of this process";
            Err(ErrorReport::new(ErrorKind::Internal, message).into())
        }
        Either::Right(_) => Err(SummaryError::Late.into()),
    }
}

/// The summary that the conversation begins with, if it does.
fn earlier(path: &[&Entry]) -> Option<Summary> {
    path.iter().rev().find_map(|entry| match &entry.body {
        Body::Compaction { claims, summary, upto, .. } => Some(Summary::new(match claims.as_slice() {
            [] => vec![Claim::new(summary.as_str(), [*upto])],
            claims => claims.to_vec(),
        })),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Timestamp;

    #[test]
    fn the_newest_summary_is_rolled_on() {
        let entry = |seq, summary: &str, claims: Vec<Claim>| {
            let (usage, cost, facts) = (Usage::default(), None, serde_json::Value::Null);
            let (upto, summary) = (Seq(seq - 1), summary.to_owned());
            let body = Body::Compaction {
                step: seq,
                upto,
                summary,
                claims,
                facts,
                before: 9,
                after: 1,
                usage,
                cost,
            };
            Entry { seq: Seq(seq), v: 1, at: Timestamp(seq), run: None, body }
        };
        let (first, second) = (entry(4, "first", vec![]), entry(8, "second", vec![]));
        let claims = |path: &[&Entry]| earlier(path).map(|summary| summary.claims);
        assert_eq!(claims(&[]), None);
        // One of a log without claims rests on the last entry that it stands for.
        assert_eq!(claims(&[&first, &second]), Some(vec![Claim::new("second", [Seq(7)])]));
        let third = entry(9, "third", vec![Claim::new("a claim", [Seq(2)])]);
        assert_eq!(claims(&[&first, &second, &third]), Some(vec![Claim::new("a claim", [Seq(2)])]));
    }
}
