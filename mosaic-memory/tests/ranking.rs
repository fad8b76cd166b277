//! What holds of every ranking, whatever the candidates are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use mosaic_core::Timestamp;
use mosaic_core::memory::{Candidate, Memory, MemoryBody, MemoryId, Place, Scope};
use mosaic_memory::recall::{Hit, Question, Ranking, ReciprocalRank, Signal, Signals, Strategy, rank};
use mosaic_memory::text::Words;
use mosaic_memory::upkeep::Decay;
use proptest::prelude::*;

const QUESTION: &str = "When did Ann paint the lake?";

fn ranked(candidates: &[Candidate], strategy: Strategy) -> Vec<Hit> {
    let words = Words::english();
    let ranking = Ranking { strategy, now: Some(Timestamp(1_800_000_000_000)), ..Ranking::default() };
    rank(&words, &Question::read(&words, QUESTION), candidates, &ranking)
}

fn ids(hits: &[Hit]) -> Vec<MemoryId> {
    hits.iter().map(|hit| hit.memory.id).collect()
}

fn candidate(id: u128, text: &str, place: Option<Place>) -> Candidate {
    let body = MemoryBody::Insight { text: text.into() };
    let mut memory = Memory::new(MemoryId(uuid::Uuid::from_u128(id)), Scope::default(), body, Timestamp(0));
    memory.place = place;
    Candidate { memory: Arc::new(memory), lexical: None, window: None, dense: None, model: None, hit: true }
}

fn scored(mut candidate: Candidate, lexical: f64) -> Candidate {
    candidate.lexical = Some(lexical);
    candidate
}

fn position_of(hits: &[Hit], id: u128) -> usize {
    hits.iter().position(|hit| hit.memory.id.0.as_u128() == id).unwrap()
}

/// Any score a store might give, and some that none should.
fn score() -> impl Strategy_<Value = Option<f64>> {
    prop_oneof![
        Just(None),
        (-2.0..20.0_f64).prop_map(Some),
        prop::sample::select(vec![
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            5e-324,
            0.0,
            -0.0
        ])
        .prop_map(Some),
    ]
}

use proptest::strategy::Strategy as Strategy_;

fn place() -> impl Strategy_<Value = Option<Place>> {
    let speaker = prop::option::of(prop::sample::select(vec!["Ann", "Bob", "Ann Lee", ""]));
    prop::option::of((0..3_u8, prop_oneof![0..12_u64, Just(u64::MAX)], speaker).prop_map(
        |(chat, position, speaker)| Place {
            speaker: speaker.map(Into::into),
            ..Place::new(format!("chat {chat}"), position)
        },
    ))
}

fn text() -> impl Strategy_<Value = String> {
    let word = prop::sample::select(vec![
        "lake",
        "painted",
        "Ann",
        "yesterday",
        "boat",
        "the",
        "?",
        "日本",
        "\u{301}",
    ]);
    prop::collection::vec(word, 1..8).prop_map(|words| words.join(" "))
}

fn candidates() -> impl Strategy_<Value = Vec<Candidate>> {
    let model = prop::sample::select(vec![None, Some("old"), Some("new")]);
    let one = (text(), place(), score(), score(), score(), any::<bool>(), -1.0..3.0_f32, model);
    prop::collection::vec(one, 0..30).prop_map(|all| {
        let all = all.into_iter().enumerate();
        all.map(|(id, (text, place, lexical, window, dense, hit, importance, model))| {
            let mut one = candidate(id as u128, &text, place);
            Arc::make_mut(&mut one.memory).importance = importance;
            Candidate { lexical, window, dense, hit, model: model.map(Into::into), ..one }
        })
        .collect()
    })
}

fn strategy() -> impl Strategy_<Value = Strategy> {
    let weight =
        prop_oneof![-2.0..2.0_f64, prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::MAX, 0.0])];
    let weights = prop::collection::vec(weight, Signal::ALL.len()).prop_map(|weights| {
        let all = Signal::ALL.iter().zip(weights);
        Strategy::Weighted(all.fold(Signals::NONE, |all, (signal, weight)| all.with(*signal, weight)))
    });
    let k = prop_oneof![-1.0..100.0_f64, Just(f64::NAN)];
    let fusion = k.prop_map(|k| Strategy::ReciprocalRank(ReciprocalRank { k, ..ReciprocalRank::default() }));
    prop_oneof![2 => Just(Strategy::default()), 2 => weights, 1 => fusion]
}

proptest! {
    #[test]
    fn everything_is_ranked_once_by_a_score_that_is_a_number((all, strategy) in (candidates(), strategy())) {
        let hits = ranked(&all, strategy);
        prop_assert_eq!(hits.len(), all.len());
        for hit in &hits {
            prop_assert!(hit.score.is_finite(), "{hit:?}");
            for share in &hit.shares {
                prop_assert!((0.0..=1.0).contains(&share.value), "{share:?}");
            }
            let sum: f64 = hit.shares.iter().map(|share| share.points).sum();
            let size: f64 = hit.shares.iter().map(|share| share.points.abs()).sum();
            prop_assert!((sum - hit.score).abs() <= 1e-9 * size.max(1.0), "the explanation is not of this score: {hit:?}");
        }
        prop_assert!(hits.windows(2).all(|two| two[0].score >= two[1].score));
    }

    #[test]
    fn the_order_of_the_candidates_does_not_matter((all, strategy, seed) in (candidates(), strategy(), any::<u64>())) {
        let hits = ranked(&all, strategy);
        let mut other = all;
        let length = other.len().max(1);
        for at in 0..other.len() {
            other.swap(at, (seed as usize).wrapping_mul(at + 7) % length);
        }
        prop_assert_eq!(ids(&hits), ids(&ranked(&other, strategy)));
    }

    #[test]
    fn a_better_score_of_an_arm_never_costs_a_place(
        (scores, at, arm, more) in (prop::collection::vec(prop::array::uniform3(0.0..9.0_f64), 1..12), any::<usize>(), 0..3_usize, 0.0..9.0_f64)
    ) {
        let of = |scores: &[[f64; 3]]| -> Vec<Candidate> {
            let one = |(id, [lexical, window, dense]): (usize, &[f64; 3])| Candidate {
                lexical: Some(*lexical), window: Some(*window), dense: Some(*dense), ..candidate(id as u128, "lake", None)
            };
            scores.iter().enumerate().map(one).collect()
        };
        let at = at % scores.len();
        let mut better = scores.clone();
        better[at][arm] += more;
        for strategy in [Strategy::default(), Strategy::half_and_half(), Strategy::ReciprocalRank(ReciprocalRank::default())] {
            let [before, after] = [&scores, &better].map(|scores| position_of(&ranked(&of(scores), strategy), at as u128));
            prop_assert!(after <= before, "{strategy:?}: from {before} to {after}");
        }
    }
}

#[test]
fn of_alike_ones_the_lowest_id_is_first() {
    let all: Vec<Candidate> = [3, 1, 2].map(|id| scored(candidate(id, "a lake", None), 1.0)).into();
    assert_eq!(
        ids(&ranked(&all, Strategy::default())).iter().map(|id| id.0.as_u128()).collect::<Vec<_>>(),
        [1, 2, 3]
    );
}

#[test]
fn an_answer_is_found_beside_the_question_that_shares_the_words() {
    let say = |id: u128, speaker: &str, text: &str| {
        let place = Place { speaker: Some(speaker.into()), ..Place::new("chat", id as u64) };
        candidate(id, text, Some(place))
    };
    let all = [
        say(1, "Bob", "Hello!"),
        scored(say(2, "Bob", "When did you paint that lake?"), 5.0),
        say(3, "Ann", "Last summer."),
        say(4, "Bob", "Nice."),
        say(9, "Bob", "I have a boat."),
    ];
    let hits = ranked(&all, Strategy::default());
    assert_eq!(
        hits[0].memory.text(),
        "Last summer.",
        "{:#?}",
        hits.iter().map(ToString::to_string).collect::<Vec<_>>()
    );
    let why: Vec<Signal> = hits[0].shares.iter().map(|share| share.signal).collect();
    assert!(
        why.contains(&Signal::Reply)
            && why.contains(&Signal::Speaker)
            && why.contains(&Signal::CoverageAround)
    );
}

#[test]
fn what_stands_in_another_conversation_or_beyond_a_gap_is_no_neighbour() {
    let say = |id: u128, chat: &str, position: u64, text: &str, hit: bool| {
        let candidate = candidate(id, text, Some(Place::new(chat, position)));
        Candidate { hit, ..candidate }
    };
    let reply = |all: &[Candidate]| {
        let hits = ranked(all, Strategy::default());
        let answer = hits.iter().find(|hit| hit.memory.id.0.as_u128() == 2).unwrap();
        answer.shares.iter().any(|share| share.signal == Signal::Reply)
    };
    let asked = |chat, position, hit| scored(say(1, chat, position, "Did Ann paint the lake?", hit), 3.0);
    assert!(reply(&[asked("a", 10, true), say(2, "a", 11, "Yes.", true)]));
    assert!(!reply(&[asked("a", 10, true), say(2, "b", 11, "Yes.", true)]), "another conversation");
    assert!(
        !reply(&[asked("a", 10, true), say(2, "a", 20, "Yes.", true)]),
        "hits that came without neighbours"
    );
    // Numbers may be left out: a hit came with its neighbours, so the next one is the next one.
    assert!(reply(&[asked("a", 10, true), say(2, "a", 20, "Yes.", false)]));
    assert!(!reply(&[
        say(3, "a", 5, "Hm.", true),
        asked("a", 10, false),
        say(2, "a", 20, "Yes.", false),
        say(4, "a", 30, "Oh.", true),
    ]));
}

#[test]
fn a_model_whose_cosines_are_all_high_does_not_come_first_for_that() {
    let like = |id: u128, model: &str, dense: f64| {
        let mut one = candidate(id, "a lake", None);
        (one.dense, one.model) = (Some(dense), Some(model.into()));
        one
    };
    // The best by far of the one model lies below the worst of the other.
    let all = [
        like(1, "low", 0.62),
        like(2, "low", 0.11),
        like(3, "low", 0.1),
        like(4, "high", 0.82),
        like(5, "high", 0.8),
        like(6, "high", 0.79),
    ];
    for strategy in [Strategy::meaning(), Strategy::ReciprocalRank(ReciprocalRank::default())] {
        let order: Vec<u128> = ids(&ranked(&all, strategy)).into_iter().map(|id| id.0.as_u128()).collect();
        assert_eq!((order[0], order[1]), (1, 4), "{order:?}");
    }
}

#[test]
fn importance_fades_where_the_host_wants_it_to() {
    let now = Timestamp(1_800_000_000_000);
    let told = |id: u128, days_ago: u64, importance: f32| {
        let mut one = scored(candidate(id, "a lake", None), 1.0);
        let memory = Arc::make_mut(&mut one.memory);
        (memory.recorded_at, memory.importance) = (Timestamp(now.0 - days_ago * 86_400_000), importance);
        one
    };
    let all = [told(1, 900, 0.9), told(2, 1, 0.5)];
    let first = |decay| {
        let strategy = Strategy::default().weigh(Signal::Importance, 0.5);
        let ranking = Ranking { strategy, now: Some(now), decay, ..Ranking::default() };
        let words = Words::english();
        rank(&words, &Question::read(&words, QUESTION), &all, &ranking)[0].memory.id.0.as_u128()
    };
    assert_eq!((first(None), first(Some(Decay::default()))), (1, 2));
}

#[test]
fn recency_and_importance_count_only_where_the_host_wants_them() {
    let now = 1_800_000_000_000_u64;
    let told = |id: u128, days_ago: u64, importance: f32| {
        let mut one = scored(candidate(id, "a lake", None), 1.0);
        let memory = Arc::make_mut(&mut one.memory);
        (memory.valid_from, memory.importance) = (Timestamp(now - days_ago * 86_400_000), importance);
        one
    };
    let all = [told(1, 300, 0.0), told(2, 1, 0.0), told(3, 300, 1.0)];
    let first = |strategy| ranked(&all, strategy)[0].memory.id.0.as_u128();
    assert_eq!(first(Strategy::default()), 1);
    assert_eq!(first(Strategy::default().weigh(Signal::Recency, 0.1)), 2);
    assert_eq!(first(Strategy::default().weigh(Signal::Importance, 0.1)), 3);
}
