//! Who is eligible, and who of them is best.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::breaker::Gate;
use super::budget::{Claim, Rooms};
use super::deployment::Deployment;
use super::hash::{hash, mix, unit};
use super::verdict::Verdict;
use super::{Needs, Rejected, RouteHints, Score, Scored, Standing, Strategy};
use crate::error::ErrorKind;
use crate::runtime::Timestamp;

/// What one pick looks at.
pub(super) struct Ask<'a> {
    pub(super) needs: &'a Needs,
    pub(super) hints: &'a RouteHints,
    /// The one that the call prefers.
    pub(super) preferred: Option<usize>,
    /// Those that the rule for this kind of task sends it to; empty without one.
    pub(super) favoured: &'a [bool],
    /// How often each was asked in this call.
    pub(super) asked: &'a [u32],
    pub(super) per_candidate: u32,
    /// Those that are being asked while another is looked for; empty unless it is.
    pub(super) asking: &'a [bool],
    /// Those that the policy does not fall back to.
    pub(super) barred: &'a [bool],
    /// The place of each in the list that the call falls back to; empty before a failure with such a list.
    pub(super) places: &'a [usize],
    pub(super) claim: Option<&'a Claim>,
    pub(super) seed: u64,
    pub(super) now: Timestamp,
}

impl Ask<'_> {
    /// Whether it is about a second request beside one that is going on.
    fn hedges(&self) -> bool {
        !self.asking.is_empty()
    }
}

/// What a pick found. Kept by its call, so that the next pick needs no memory.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) best: Option<usize>,
    pub(super) rejected: Vec<(usize, Verdict)>,
    /// Of those among whom the scores decided, in no order.
    pub(super) scores: Vec<(usize, f64)>,
    raw: Vec<f64>,
}

/// Finds the best of those that are eligible. Waits for nobody and takes nothing.
pub(super) fn pick(all: &[Arc<Deployment>], strategy: &Strategy, ask: &Ask<'_>, found: &mut Found) {
    found.rejected.clear();
    found.scores.clear();
    let rooms = ask.claim.map(|claim| claim.rooms(ask.now)).unwrap_or_default();
    let mut best_rank = None;
    for (index, deployment) in all.iter().enumerate() {
        if let Some(why) = reject(deployment, index, ask, &rooms) {
            found.rejected.push((index, why));
            continue;
        }
        let asked = ask.asked.get(index).copied().unwrap_or(0);
        let preferred = ask.preferred == Some(index);
        let favoured = ask.favoured.get(index).copied().unwrap_or(false);
        let priority = if strategy.ranks_priority() { 0 } else { deployment.candidate.priority };
        let place = ask.places.get(index).copied().unwrap_or(0);
        let rank = (asked, place, !preferred, !favoured, priority);
        match best_rank {
            Some(best) if rank > best => continue,
            Some(best) if rank == best => {}
            _ => {
                best_rank = Some(rank);
                found.scores.clear();
            }
        }
        found.scores.push((index, 0.0));
    }
    rank(all, strategy, ask, found);
    let least = found.scores.iter().min_by(|(_, one), (_, other)| one.total_cmp(other));
    found.best = least.map(|(index, _)| *index);
}

fn reject(deployment: &Deployment, index: usize, ask: &Ask<'_>, rooms: &Rooms) -> Option<Verdict> {
    let candidate = &deployment.candidate;
    let is = |of: &[bool]| of.get(index).copied().unwrap_or(false);
    if is(ask.barred) {
        return Some(Verdict::NotAFallback);
    }
    if is(ask.asking) {
        return Some(Verdict::Asking);
    }
    if ask.asked.get(index).is_some_and(|asked| *asked >= ask.per_candidate) {
        return Some(Verdict::Asked);
    }
    let needed = ask.needs.abilities();
    if let Some(capability) = needed.shared_with(deployment.cannot) {
        return Some(Verdict::Lacks(capability));
    }
    // What nobody knows is asked of the model that the host named first, and of no other.
    if (!deployment.first_named || ask.hedges())
        && let Some(capability) = needed.missing_in(deployment.can)
    {
        return Some(Verdict::Unsure(capability));
    }
    let tokens = ask.needs.span();
    if let Some(window) = deployment.window.filter(|window| tokens > *window) {
        return Some(Verdict::TooLong { tokens, window });
    }
    let has = |tag: &Arc<str>| candidate.tags.contains(tag);
    let wish = &ask.hints.tags;
    if !wish.all.iter().all(has)
        || wish.not.iter().any(has)
        || !(wish.any.is_empty() || wish.any.iter().any(has))
    {
        return Some(Verdict::Tags);
    }
    let data = &ask.hints.data;
    if !data.regions.is_empty()
        && !candidate.region.as_ref().is_some_and(|region| data.regions.contains(region))
    {
        return Some(Verdict::Region);
    }
    if let Some(most) = data.max_retention_days
        && candidate.retention_days.is_none_or(|days| days > most)
    {
        return Some(Verdict::Retention);
    }
    match deployment.breaker.gate(ask.now) {
        Gate::Cooling(until) => return Some(Verdict::Cooling { until, cause: deployment.breaker.cause() }),
        Gate::Probing(until) => return Some(Verdict::Probing { until }),
        // Somebody who waits already finds out whether it is well, not a request that is made to save time.
        Gate::Due if ask.hedges() => {
            return Some(Verdict::Cooling { until: ask.now, cause: deployment.breaker.cause() });
        }
        Gate::Closed | Gate::Due => {}
    }
    if let Some(bucket) = &deployment.requests {
        let until = bucket.room_at(1, ask.now).unwrap_or(ask.now);
        if until > ask.now {
            return Some(Verdict::Requests { limit: bucket.limit(), until });
        }
    }
    if let Some(bucket) = &deployment.tokens {
        let until = bucket.room_at(deployment.tokens(ask.needs), ask.now);
        if until != Some(ask.now) {
            return Some(Verdict::Tokens { limit: bucket.limit(), until });
        }
    }
    if let Some(why) = ask.claim.and_then(|claim| claim.refuses(deployment, rooms)) {
        return Some(why);
    }
    let limit = candidate.limits.parallel?;
    (deployment.in_flight.load(Ordering::Relaxed) >= limit).then_some(Verdict::Busy { limit })
}

fn rank(all: &[Arc<Deployment>], strategy: &Strategy, ask: &Ask<'_>, found: &mut Found) {
    let Found { scores, raw, .. } = found;
    if scores.len() < 2 {
        return;
    }
    let session = ask.hints.session.as_deref().map(hash);
    for (score, weight) in &strategy.scores {
        raw.clear();
        raw.extend(scores.iter().map(|(index, _)| {
            all.get(*index).map_or(f64::INFINITY, |deployment| measure(score, deployment, session, ask))
        }));
        let finite = || raw.iter().copied().filter(|value| value.is_finite());
        let (low, high) =
            (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        for ((_, total), value) in scores.iter_mut().zip(&*raw) {
            let share = match value.is_finite() {
                true if high > low => (value - low) / (high - low),
                true => 0.0,
                false => 1.0,
            };
            *total += weight * share;
        }
    }
}

fn measure(score: &Score, deployment: &Deployment, session: Option<u64>, ask: &Ask<'_>) -> f64 {
    let candidate = &deployment.candidate;
    // The least of exponential times is each one's as often as its weight says.
    let lot = |seed: u64| -unit(mix(seed ^ deployment.hash)).ln() / candidate.weight;
    let calls = deployment.in_flight.load(Ordering::Relaxed);
    match score {
        Score::Priority => f64::from(candidate.priority),
        Score::Weighted => lot(ask.seed),
        Score::Sticky => lot(session.unwrap_or(ask.seed)),
        Score::Cost => deployment.rates.map_or(f64::INFINITY, |(input, output)| {
            input * ask.needs.prompt as f64 + output * ask.needs.answer.unwrap_or(1_024) as f64
        }),
        Score::Latency => deployment.latency.expected(ask.now),
        Score::LeastBusy => f64::from(calls) / candidate.weight,
        Score::Custom(scorer) => scorer.score(&Standing {
            candidate,
            in_flight: calls,
            first_event: deployment.latency.first_average(),
            needs: ask.needs,
            hints: ask.hints,
        }),
    }
}

impl Found {
    /// When the first of those that only wait for time is eligible again.
    pub(super) fn ready_at(&self) -> Option<Timestamp> {
        self.rejected.iter().filter_map(|(_, why)| why.until()).min()
    }

    /// Whether a call that ends may make somebody eligible.
    pub(super) fn waits_for_a_call(&self) -> bool {
        self.rejected.iter().any(|(_, why)| why.waits_for_a_call())
    }

    pub(super) fn rejected(
        &self,
        all: &[Arc<Deployment>],
        claim: Option<&Claim>,
        most: usize,
    ) -> Vec<Rejected> {
        let name = |(index, why): &(usize, Verdict)| {
            all.get(*index)
                .map(|of| Rejected { candidate: of.candidate.id.clone(), why: why.named(of, claim) })
        };
        self.rejected.iter().take(most).filter_map(name).collect()
    }

    /// The scores, best first.
    pub(super) fn scored(&self, all: &[Arc<Deployment>], most: usize) -> Vec<Scored> {
        let mut scores = self.scores.clone();
        scores.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        // What is no number is none in JSON either, and the decision must be readable again.
        let name = |(index, score): &(usize, f64)| {
            all.get(*index)
                .map(|of| Scored { candidate: of.candidate.id.clone(), score: score.min(f64::MAX) })
        };
        scores.iter().take(most).filter_map(name).collect()
    }

    /// The kind of an error that says that nobody is eligible.
    pub(super) fn kind(&self) -> ErrorKind {
        let kinds = self.rejected.iter().filter_map(|(_, why)| why.kind());
        kinds.max_by_key(|(hope, _)| *hope).map_or(ErrorKind::Unsupported, |(_, kind)| kind)
    }
}
