//! The signals of each candidate.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use mosaic_core::Timestamp;
use mosaic_core::memory::{Candidate, Memory};

use super::pool::Pool;
use super::question::{self, Question};
use super::signal::{Signal, Signals};
use crate::text::{Words, terms};
use crate::upkeep::Decay;

/// So many of a conversation's best turns speak for it.
const BEST: usize = 3;
/// The share of a rank falls to half at this one, counted from 0.
const HALF_RANK: f64 = 5.0;

/// What is known besides the candidates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Knowing<'k> {
    pub(super) words: &'k Words,
    pub(super) now: Option<Timestamp>,
    pub(super) half_life: Duration,
    pub(super) decay: Option<Decay>,
}

/// The signals of each candidate, in their order.
pub(super) fn measure(question: &Question, candidates: &[Candidate], knowing: &Knowing<'_>) -> Vec<Signals> {
    let pool = Pool::new(candidates);
    let mut all = vec![Signals::NONE; candidates.len()];
    let mut set = |signal, numbers: Vec<f64>| {
        all.iter_mut().zip(numbers).for_each(|(signals, number)| signals.set(signal, number));
    };

    let words = shares(candidates, |candidate| candidate.lexical);
    let meaning = spread(&alike(candidates));
    set(Signal::WordsRank, ranks(&words));
    set(Signal::MeaningRank, ranks(&meaning));
    set(Signal::Window, shares(candidates, |candidate| candidate.window));
    let match_of: Vec<f64> =
        words.iter().zip(&meaning).map(|(words, meaning)| (words + meaning) / 2.0).collect();
    set(Signal::Conversation, conversations(&pool, &match_of));
    set(Signal::Words, words);
    set(Signal::Meaning, meaning);

    let (coverage, around) = coverage(question, &pool, knowing.words);
    set(Signal::Coverage, coverage);
    set(Signal::CoverageAround, around);

    let asks: Vec<bool> =
        candidates.iter().map(|candidate| question::asks(&candidate.memory.text())).collect();
    let reply = |at: usize| {
        let before = pool.before(at).filter(|before| asks.get(*before) == Some(&true));
        before.and_then(|before| match_of.get(before)).copied().unwrap_or(0.0)
    };
    set(Signal::Reply, (0..candidates.len()).map(reply).collect());
    set(Signal::Asks, asks.iter().map(|asks| f64::from(u8::from(*asks))).collect());
    set(Signal::Speaker, speakers(question, candidates));
    if question.asks_when() {
        let of = |candidate: &Candidate| question::speaks_of_time(&candidate.memory.text());
        set(Signal::Time, candidates.iter().map(|candidate| f64::from(u8::from(of(candidate)))).collect());
    }
    let of = |candidate: &Candidate| match (knowing.decay, knowing.now) {
        (Some(decay), Some(now)) => decay.strength(&candidate.memory, now),
        _ => f64::from(candidate.memory.importance).clamp(0.0, 1.0),
    };
    set(Signal::Importance, candidates.iter().map(of).collect());
    if let Some(now) = knowing.now {
        let of = |candidate: &Candidate| recency(&candidate.memory, now, knowing.half_life);
        set(Signal::Recency, candidates.iter().map(of).collect());
    }
    all
}

/// Scores as shares of the best, which is 1. Scores of words have a 0 that means something.
fn shares(candidates: &[Candidate], score: impl Fn(&Candidate) -> Option<f64>) -> Vec<f64> {
    let of = |candidate: &Candidate| score(candidate).filter(|x| x.is_finite()).unwrap_or(0.0).max(0.0);
    let best = candidates.iter().map(of).fold(0.0, f64::max);
    candidates.iter().map(|candidate| if best > 0.0 { of(candidate) / best } else { 0.0 }).collect()
}

/// How alike each is, in numbers that can be compared. While memories are embedded anew there are two models, and what is usual for
/// one is excellent for the other: each cosine counts as the share of the way from what is usual for its model to the same.
pub(super) fn alike(candidates: &[Candidate]) -> Vec<Option<f64>> {
    let dense = |candidate: &Candidate| candidate.dense.filter(|x| x.is_finite());
    let mut models: BTreeMap<Option<&str>, Vec<f64>> = BTreeMap::new();
    for candidate in candidates {
        let cosine = dense(candidate).map(|cosine| cosine.clamp(-1.0, 1.0));
        models.entry(candidate.model.as_deref()).or_default().extend(cosine);
    }
    models.retain(|_, cosines| !cosines.is_empty());
    if models.len() < 2 {
        return candidates.iter().map(dense).collect();
    }
    let usual = |mut cosines: Vec<f64>| {
        // In a fixed order, so that the sum is the same to the last bit.
        cosines.sort_by(f64::total_cmp);
        #[allow(clippy::cast_precision_loss)]
        let count = cosines.len() as f64;
        cosines.iter().sum::<f64>() / count
    };
    let models: BTreeMap<_, f64> =
        models.into_iter().map(|(model, cosines)| (model, usual(cosines))).collect();
    let of = |candidate: &Candidate| {
        let usual = models.get(&candidate.model.as_deref())?;
        let cosine = dense(candidate)?.clamp(-1.0, 1.0);
        Some(if *usual < 1.0 { (cosine - usual) / (1.0 - usual) } else { 0.0 })
    };
    candidates.iter().map(of).collect()
}

/// Scores between the worst, which is 0, and the best, which is 1. Cosines of one model lie between .6 and .9, of
/// another between 0 and .5: their 0 means nothing.
fn spread(scores: &[Option<f64>]) -> Vec<f64> {
    let all = || scores.iter().copied().flatten();
    let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let share =
        |x: f64| if most > least { (x / 2.0 - least / 2.0) / (most / 2.0 - least / 2.0) } else { 1.0 };
    scores.iter().map(|score| score.map_or(0.0, share)).collect()
}

/// 1 for the first, 1/2 for the sixth; 0 for those without a score. Alike scores have one rank.
fn ranks(scores: &[f64]) -> Vec<f64> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let rank = |score: f64| {
        let before = sorted.partition_point(|other| *other > score);
        #[allow(clippy::cast_precision_loss)]
        let before = before as f64;
        if score > 0.0 { 1.0 / (1.0 + before / HALF_RANK) } else { 0.0 }
    };
    scores.iter().map(|score| rank(*score)).collect()
}

/// The mean of the best turns of each candidate's conversation, as a share of the best conversation's.
fn conversations(pool: &Pool<'_>, match_of: &[f64]) -> Vec<f64> {
    let mut best: HashMap<usize, [f64; BEST]> = HashMap::new();
    for (at, score) in match_of.iter().enumerate() {
        let (placed, top) = (pool.is_placed(at), best.entry(pool.conversation(at)).or_default());
        if !placed {
            // What stands nowhere is as good as a conversation in which everything is like it.
            *top = [*score; BEST];
            continue;
        }
        let mut score = *score;
        for place in top.iter_mut() {
            if score > *place {
                std::mem::swap(place, &mut score);
            }
        }
    }
    let of = |at: usize| best.get(&pool.conversation(at)).map_or(0.0, |top| top.iter().sum());
    let most = (0..match_of.len()).map(of).fold(0.0, f64::max);
    (0..match_of.len()).map(|at| if most > 0.0 { of(at) / most } else { 0.0 }).collect()
}

/// How much of what the question asks about each candidate names: alone, and with two on either side. Names of speakers are not
/// part of what is asked about: they are in every turn, and have a signal of their own.
fn coverage(question: &Question, pool: &Pool<'_>, words: &Words) -> (Vec<f64>, Vec<f64>) {
    let candidates = pool.candidates;
    let mut names: Vec<&str> = candidates
        .iter()
        .filter_map(|candidate| candidate.memory.place.as_ref()?.speaker.as_deref())
        .collect();
    names.sort_unstable();
    names.dedup();
    let names: Vec<String> = names.into_iter().flat_map(|name| terms(words, name)).collect();
    let sets: Vec<u64> =
        candidates.iter().map(|candidate| question.terms_in(words, &candidate.memory.document())).collect();
    #[allow(clippy::cast_precision_loss)]
    let weight = |bit: usize, term: &String| {
        let found = sets.iter().filter(|set| **set & (1 << bit) != 0).count();
        let told = found > 0 && !names.contains(term);
        let (all, found) = (sets.len() as f64, found as f64);
        if told { (1.0 + (all - found + 0.5) / (found + 0.5)).ln() } else { 0.0 }
    };
    let weights: Vec<f64> =
        question.terms().iter().enumerate().map(|(bit, term)| weight(bit, term)).collect();
    let total: f64 = weights.iter().sum();
    let share = |set: u64| {
        let told = weights.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0);
        if total > 0.0 { (told.map(|(_, weight)| weight).sum::<f64>() / total).min(1.0) } else { 0.0 }
    };
    let of = |at: usize| sets.get(at).copied().unwrap_or(0);
    let alone = sets.iter().map(|set| share(*set)).collect();
    let around = (0..sets.len()).map(|at| share(pool.around(at).fold(of(at), |set, other| set | of(other))));
    (alone, around.collect())
}

/// Who is named, unless all are.
fn speakers(question: &Question, candidates: &[Candidate]) -> Vec<f64> {
    let speaker =
        |candidate: &Candidate| candidate.memory.place.as_ref().and_then(|place| place.speaker.clone());
    let mut named = HashMap::new();
    for speaker in candidates.iter().filter_map(speaker) {
        named.entry(speaker).or_insert_with_key(|speaker| question.names(speaker));
    }
    if named.values().all(|named| *named) {
        return vec![0.0; candidates.len()];
    }
    let of = |candidate| speaker(candidate).is_some_and(|speaker| named.get(&speaker) == Some(&true));
    candidates.iter().map(|candidate| f64::from(u8::from(of(candidate)))).collect()
}

/// 1 for now, half of it for every half-life ago.
fn recency(memory: &Memory, now: Timestamp, half_life: Duration) -> f64 {
    let age = memory.told_at().until(now).as_secs_f64();
    let half_life = half_life.as_secs_f64();
    if half_life > 0.0 { (-age / half_life).exp2() } else { 0.0 }
}
