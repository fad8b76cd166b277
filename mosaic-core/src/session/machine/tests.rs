//! The machine under arbitrary outcomes in arbitrary order: late, doubled, failed, cancelled, with a crash at any entry.

mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::table::{Rule, TABLE};
use super::{Machine, Phase};
use crate::context::Cut;
use crate::message::{Cost, Group, GroupBody, Part, Usage};
use crate::session::entry::{About, Body, Decision, Entry};
use crate::session::log::{Log, path};
use crate::tool::Effect;
use world::{Op, Settings, World};

fn ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(
        (any::<u8>(), any::<u8>(), any::<u8>()).prop_map(|(what, a, b)| Op { what, a, b }),
        1..60,
    )
}

const COMPACTS: Settings = Settings { compacts: true, gathers: false };

fn settings() -> impl Strategy<Value = Settings> {
    (any::<bool>(), any::<bool>()).prop_map(|(compacts, gathers)| Settings { compacts, gathers })
}

/// How many times each call of a log ended, and how many calls there are.
fn ends(entries: &[Entry]) -> BTreeMap<String, usize> {
    let mut ends = BTreeMap::new();
    for entry in entries {
        match &entry.body {
            Body::Assistant { parts, .. } => {
                for call in parts.iter().filter_map(Part::as_call) {
                    assert!(
                        ends.insert(call.id.to_string(), 0).is_none(),
                        "two calls have the id {}",
                        call.id
                    );
                }
            }
            Body::ToolEnd { call, .. } => *ends.get_mut(call.as_str()).expect("the call was made") += 1,
            _ => {}
        }
    }
    ends
}

fn assert_fits_the_table(world: &World) {
    for step in &world.taken {
        let row = TABLE.iter().find(|row| row.rule == step.rule).expect("every rule has a row");
        // Where a run ends, the next input in line may begin; and what begins may meet a limit at once.
        let next_run = step.kinds.contains(&"run_end") && row.to.contains(&Phase::Idle);
        assert!(row.from.contains(&step.before), "{step:?}: {row:?}");
        assert!(row.to.contains(&step.after) || next_run, "{step:?}: {row:?}");
        for kind in &step.kinds {
            let begins = *kind == "context_start" && step.kinds.contains(&"run_end");
            assert!(begins || row.append.contains(kind), "{step:?} appends {kind}: {row:?}");
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 512, failure_persistence: None, ..Config::default() })]

    #[test]
    fn folding_the_log_gives_the_same_state_as_having_lived_through_it(ops in ops(), settings in settings()) {
        let mut world = World::new(settings);
        for op in ops {
            world.take(op);
            let mut folded = Machine::default();
            world.entries.iter().for_each(|entry| folded.apply(entry));
            prop_assert_eq!(&folded, &world.machine);
        }
        for (index, entry) in world.entries.iter().enumerate() {
            prop_assert_eq!(entry.seq.0, index as u64 + 1);
        }
        assert_fits_the_table(&world);
    }

    #[test]
    fn it_always_ends_and_every_call_has_exactly_one_result(ops in ops(), settings in settings()) {
        let mut world = World::new(settings);
        ops.into_iter().for_each(|op| world.take(op));
        prop_assert!(world.run_to_the_end(), "it does not end: {:?}", world.machine);
        for (call, ends) in ends(&world.entries) {
            prop_assert_eq!(ends, 1, "call {}", call);
        }
        let starts = world.entries.iter().filter(|entry| matches!(entry.body, Body::Input { .. })).count();
        let run_ends = world.entries.iter().filter(|entry| matches!(entry.body, Body::RunEnd { .. })).count();
        prop_assert!(run_ends <= starts);
        assert_fits_the_table(&world);
    }

    #[test]
    fn after_a_crash_at_any_entry_it_goes_on_and_runs_nothing_twice(ops in ops(), at: prop::sample::Index, settings in settings()) {
        let mut world = World::new(settings);
        ops.into_iter().for_each(|op| world.take(op));
        if world.entries.is_empty() {
            return Ok(());
        }
        let kept = world.entries[..=at.index(world.entries.len())].to_vec();
        let mut after = World::resume(kept, settings);
        prop_assert!(after.run_to_the_end(), "it does not end: {:?}", after.machine);
        for (call, ends) in ends(&after.entries) {
            prop_assert_eq!(ends, 1, "call {}", call);
        }
        // A call that must not run twice has been started at most once, unless a human said so.
        let asked = |about: &About, of: &str| matches!(about, About::Recovery { call } if call.as_str() == of);
        let retries = |of: &str| {
            let questions = after.entries.iter().filter(|entry| {
                matches!(&entry.body, Body::Question { about, .. } if asked(about, of))
            });
            let retried = |seq| after.entries.iter().any(|entry| {
                matches!(&entry.body, Body::Answer { question, decision: Decision::Retry, .. } if *question == seq)
            });
            questions.filter(|question| retried(question.seq)).count()
        };
        let mut started: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
        for entry in &after.entries {
            if let Body::ToolStart { calls } = &entry.body {
                for start in calls {
                    let (times, once) = started.entry(start.call.as_str()).or_default();
                    *times += 1;
                    *once |= start.effect == Effect::Once;
                }
            }
        }
        for (call, (times, once)) in started {
            prop_assert!(!once || times <= 1 + retries(call), "call {} was started {} times", call, times);
        }
    }

    #[test]
    fn an_outcome_of_an_old_attempt_changes_nothing(ops in ops(), settings in settings()) {
        let mut world = World::new(settings);
        for op in ops {
            world.take(op);
            for old in world.old_outcomes() {
                let decided = world.decide(old.clone());
                prop_assert_eq!(decided.rule, Rule::Stale, "{:?}", old);
                prop_assert!(decided.entries.is_empty());
            }
        }
    }

    #[test]
    fn whatever_the_log_holds_the_conversation_is_valid(ops in ops(), at: prop::sample::Index, settings in settings()) {
        let mut world = World::new(settings);
        ops.into_iter().for_each(|op| world.take(op));
        if world.entries.is_empty() {
            return Ok(());
        }
        // Any prefix, then a notice: what a request would be built from. `Group` itself refuses a call without its result.
        let kept = &world.entries[..=at.index(world.entries.len())];
        let log = Log::fold(kept);
        let mut calls = 0;
        for group in log.context.groups().iter() {
            if let GroupBody::Assistant { parts, results, .. } = group.body() {
                let made = parts.iter().filter(|part| part.as_call().is_some()).count();
                prop_assert_eq!(made, results.len());
                calls += made;
            }
        }
        let ended = ends(kept).into_values().filter(|ends| *ends > 0).count();
        prop_assert!(calls <= ended + 8, "a group is closed only when its calls have ended");
    }
}

/// What a model sees of a conversation.
fn seen(groups: &[Arc<Group>]) -> Vec<GroupBody> {
    groups.iter().map(|group| group.body().clone()).collect()
}

proptest! {
    #![proptest_config(Config { cases: 512, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_compaction_parts_no_call_from_its_result_and_loses_nothing(
        ops in ops(),
        settings in settings(),
        at: prop::sample::Index,
        keep in 0_u64..40,
    ) {
        let mut world = World::new(settings);
        ops.into_iter().for_each(|op| world.take(op));
        if world.entries.is_empty() {
            return Ok(());
        }
        let kept = &world.entries[..=at.index(world.entries.len())];
        let (mut log, path) = (Log::fold(kept), path(kept));
        let Some(cut) = Cut::plan(&log.context, &path, keep) else { return Ok(()) };
        let (before, places) = (log.context.groups().clone(), log.context.places().to_vec());
        let summarised = usize::from(log.context.is_compacted());
        let pending: Vec<_> = log.context.pending().collect();
        let entry = Entry {
            seq: log.last().next(),
            v: 1,
            at: world.now,
            run: None,
            body: Body::Compaction {
                step: 1,
                upto: cut.upto,
                summary: "so far".into(),
                claims: Vec::new(),
                facts: serde_json::Value::Null,
                before: 0,
                after: 0,
                usage: Usage::default(),
                cost: None,
            },
        };
        log.context.apply(&entry);
        let after = log.context.groups();
        // The newest groups stay as they are, the others have become one. What waited may have joined behind.
        let stays = places.iter().filter(|place| place.joined > cut.upto).count();
        prop_assert!(after.len() > stays);
        let tail = &before[before.len() - stays..];
        prop_assert_eq!(seen(&after[1..=stays]), seen(tail));
        prop_assert!(before.len() - stays > summarised, "something new is summarised");
        // Whoever waits for an answer still stands there as they said it.
        if let Some(last) = before.last().filter(|group| matches!(group.body(), GroupBody::User { .. })) {
            let stays = after[1..].iter().any(|group| Arc::ptr_eq(group, last));
            prop_assert!(stays);
        }
        // Every entry that was said is in the facts' sources, still shown, or yet to come; never in two places.
        let shown: Vec<_> = places[places.len() - stays..].iter().map(|place| place.said).collect();
        for entry in &path {
            let answered = match &entry.body {
                Body::Input { .. } | Body::Notice { .. } => true,
                // An empty answer is no group; one whose calls are open is not closed yet.
                Body::Assistant { .. } => places.iter().any(|place| place.said == entry.seq),
                _ => false,
            };
            if answered {
                let dropped = cut.dropped.iter().filter(|dropped| dropped.seq == entry.seq).count();
                let shown = shown.iter().filter(|seq| **seq == entry.seq).count();
                let waits = pending.iter().filter(|seq| **seq == entry.seq).count();
                prop_assert_eq!(dropped + shown + waits, 1, "entry {}", entry.seq);
            }
        }
        // A result is summarised with its call, and all calls that are summarised have theirs.
        let calls = cut.passages.iter().filter_map(|entry| match &entry.body {
            Body::Assistant { parts, .. } => Some(parts.iter().filter_map(Part::as_call)),
            _ => None,
        });
        let calls: Vec<_> = calls.flatten().map(|call| &call.id).collect();
        for entry in &cut.passages {
            if let Body::ToolEnd { call, .. } = &entry.body {
                prop_assert!(calls.contains(&call));
            }
        }
    }
}

#[test]
fn the_threshold_counts_what_came_since_the_last_answer_and_over_the_ends_of_runs() {
    let mut world = World::new(COMPACTS);
    world.say(&"x".repeat(4 * 500));
    world.answer_with("done", 0);
    assert_eq!(world.machine.phase(), Phase::Idle);
    world.say(&"x".repeat(4 * 500));
    assert_eq!(world.machine.phase(), Phase::Compacting, "500 and 500 tokens, and the threshold is 900");
    assert_eq!(world.taken.last().map(|taken| taken.rule), Some(Rule::OverThreshold));
}

#[test]
fn a_conversation_is_compacted_when_it_reaches_the_threshold() {
    let context = |reported| {
        let mut world = World::new(COMPACTS);
        world.say("hello");
        world.answer_with("done", reported);
        world.say("more");
        (world.machine.context, world.machine.phase())
    };
    let (of_more, _) = context(1);
    let reported = 900 - (of_more - 1);
    assert_eq!(context(reported), (900, Phase::Compacting));
    assert_eq!(context(reported - 1), (899, Phase::Thinking));
}

#[test]
fn what_an_answer_reports_counts_more_than_an_estimate() {
    let mut world = World::new(COMPACTS);
    world.say(&"x".repeat(4 * 800));
    world.answer_with("done", 10);
    world.say(&"x".repeat(4 * 800));
    assert_eq!(world.machine.phase(), Phase::Thinking, "10 were reported, and 800 came since");
}

#[test]
fn after_a_failed_compaction_the_conversation_must_grow_before_the_next() {
    let mut world = World::new(COMPACTS);
    world.say(&"x".repeat(4 * 1_000));
    assert_eq!(world.machine.phase(), Phase::Compacting);
    world.fail_to_compact();
    assert_eq!(world.machine.phase(), Phase::Thinking, "the model is asked all the same");
    world.answer_with("done", 0);
    world.say("more");
    assert_eq!(world.machine.phase(), Phase::Thinking, "it has not grown by an eighth");
    world.answer_with("done", 0);
    world.say(&"x".repeat(4 * 130));
    assert_eq!(world.machine.phase(), Phase::Compacting);
}

#[test]
fn a_compaction_that_leaves_the_conversation_over_the_threshold_is_not_repeated_at_once() {
    let mut world = World::new(COMPACTS);
    world.say(&"x".repeat(4 * 2_000));
    world.compact(2_000, 1_500);
    assert_eq!(world.machine.phase(), Phase::Thinking);
}

#[test]
fn a_compaction_frees_what_it_says_and_costs_the_run_what_it_took() {
    let mut world = World::new(COMPACTS);
    world.say(&"x".repeat(4 * 1_000));
    let before = world.machine.context;
    world.compact(1_000, 300);
    assert_eq!(world.machine.context, before - 700);
    world.answer_with("done", 10);
    let last = world.entries.last().map(|entry| entry.body.clone());
    let Some(Body::RunEnd { usage, cost, .. }) = last else { panic!("{last:?}") };
    assert_eq!((usage.input, cost), (10 + 7, Some(Cost(5))));
}

#[test]
fn a_prompt_that_stays_too_long_ends_the_run_after_so_many_tries() {
    let mut world = World::new(COMPACTS);
    world.say("hello");
    for _ in 0..2 {
        world.overflow();
        assert_eq!(world.machine.phase(), Phase::Compacting);
        world.compact(10, 10);
    }
    world.overflow();
    assert_eq!(world.machine.phase(), Phase::Idle, "there are two tries");
}

#[test]
fn there_are_so_many_tries_without_an_answer() {
    let mut world = World::new(COMPACTS);
    world.say(&"x".repeat(4 * 1_000));
    for _ in 0..2 {
        assert_eq!(world.machine.phase(), Phase::Compacting);
        world.compact(1_000, 900);
        assert_eq!(world.machine.phase(), Phase::Thinking);
        world.steer(&"x".repeat(4 * 1_000));
    }
    assert_eq!(world.machine.phase(), Phase::Thinking, "there are two tries");
}

#[test]
fn after_a_rewind_the_conversation_is_counted_anew() {
    let mut world = World::new(COMPACTS);
    world.say(&"x".repeat(4 * 100));
    world.answer_with("done", 0);
    world.say("more");
    let said = world.entries.last().cloned().expect("an entry");
    let seq = said.seq.next();
    world.entries.push(Entry { seq, body: Body::Rewind { to: crate::Seq(1) }, ..said.clone() });
    world.entries.push(Entry { seq: seq.next(), ..said });
    let left: Vec<Entry> = path(&world.entries).into_iter().cloned().collect();
    assert_eq!(Log::fold(&world.entries).machine.context, Log::fold(&left).machine.context);
}

#[test]
fn an_answer_gives_all_tries_back() {
    let mut world = World::new(COMPACTS);
    world.say("hello");
    // One more than there are tries.
    for call in 1..=3 {
        world.call_with(1_000);
        assert_eq!(world.machine.phase(), Phase::Compacting, "after call {call}");
        world.compact(1_000, 100);
        assert_eq!(world.machine.phase(), Phase::Thinking);
    }
}

#[test]
fn every_transition_is_taken() {
    let mut runner = TestRunner::deterministic();
    let mut taken: BTreeMap<Rule, usize> = TABLE.iter().map(|row| (row.rule, 0)).collect();
    for case in 0..2_000 {
        let ops = ops().new_tree(&mut runner).expect("a case").current();
        let settings = Settings { compacts: case % 2 == 0, gathers: case % 4 < 2 };
        let mut world = World::new(settings);
        ops.into_iter().for_each(|op| world.take(op));
        world.take_in_a_crash();
        world.run_to_the_end();
        // And a crash that cut the log in the middle.
        let half = world.entries[..world.entries.len() / 2].to_vec();
        let after = World::resume(half, settings);
        for step in world.taken.iter().chain(&after.taken) {
            *taken.get_mut(&step.rule).expect("every rule has a row") += 1;
        }
        for old in world.old_outcomes() {
            *taken.get_mut(&world.decide(old).rule).expect("every rule has a row") += 1;
        }
    }
    let never: Vec<Rule> = taken.into_iter().filter(|(_, times)| *times == 0).map(|(rule, _)| rule).collect();
    assert!(never.is_empty(), "never taken: {never:?}");
}

#[test]
fn every_rule_has_one_row() {
    for (index, row) in TABLE.iter().enumerate() {
        assert!(TABLE.iter().skip(index + 1).all(|other| other.rule != row.rule), "{:?} twice", row.rule);
    }
}

#[test]
fn an_entry_of_another_kind_leaves_the_machine_as_it_is() {
    let mut world = World::new(Settings { compacts: false, gathers: false });
    world.say("hello");
    let before = world.machine.clone();
    let body = Body::Label { on: crate::Seq(1), text: "a note".into() };
    let entry = Entry { seq: before.last().next(), v: 1, at: world.now, run: None, body };
    world.machine.apply(&entry);
    assert_eq!((world.machine.phase(), world.machine.last()), (Phase::Thinking, entry.seq));
}
