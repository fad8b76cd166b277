use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::TryStreamExt;
use mosaic_core::memory::{
    AsOf, Candidates, Change, Memory, MemoryBlock, MemoryBody, MemoryCounts, MemoryError, MemoryId,
    MemoryKind, MemoryPage, MemoryStore, Reach, Record, RecordStream, Scope, SearchQuery, Vector,
};
use mosaic_core::queue::{Budget, Queue, RamQueue};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{Runtime, Timestamp};
use mosaic_storage::{RamMemories, RamStore};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::upkeep::Decay;
use crate::write::Reason;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn ann() -> Scope {
    Scope::of("acme").user("ann")
}

fn day(day: u32) -> Timestamp {
    TestRuntime::START.after(day * DAY)
}

fn id(n: u128) -> MemoryId {
    MemoryId(Uuid::from_u128(n))
}

fn memory(n: u128, body: MemoryBody, from: u32) -> Memory {
    let mut memory = Memory::new(id(n), ann(), body, TestRuntime::START);
    memory.valid_from = day(from);
    memory
}

fn insight(n: u128, text: &str, from: u32) -> Memory {
    memory(n, MemoryBody::Insight { text: text.into() }, from)
}

fn drink(n: u128, value: &str, confidence: f32, from: u32) -> Memory {
    memory(n, MemoryBody::Preference { key: "drink".into(), value: value.into(), confidence }, from)
}

struct World {
    store: Arc<RamMemories>,
    runtime: TestRuntime,
    told: Arc<Mutex<Vec<ConsolidationReport>>>,
}

impl World {
    /// Memories with vectors that are all alike, at a cosine of .86, so that words decide.
    async fn new(memories: Vec<Memory>) -> Self {
        let store = Arc::new(RamStore::new().memories());
        let alike = |memory: &Memory| {
            let mut values = vec![0.0; 8];
            (values[0], values[memory.id.0.as_u128() as usize]) = (1.0, 0.4);
            vec![Vector::new("m", values)]
        };
        let changes = memories.into_iter().map(|memory| {
            let vectors = alike(&memory);
            Change::add(memory, vectors)
        });
        store.apply(&Scope::of("acme"), changes.collect()).await.unwrap();
        Self { store, runtime: TestRuntime::new(9), told: Arc::default() }
    }

    async fn run(&self, consolidation: Consolidation) -> ConsolidationReport {
        let told = self.told.clone();
        let handler = Consolidate::new(self.store.clone())
            .observe(move |report| told.lock().unwrap().push(report.clone()));
        let queue = Queue::new(Arc::new(RamQueue::new()), Arc::new(self.runtime.clone())).handler(handler);
        queue.add(consolidation.job()).await.unwrap();
        assert_eq!(queue.run_due_jobs(Budget::jobs(1)).await.unwrap().done, 1);
        self.told.lock().unwrap().pop().unwrap()
    }

    async fn consolidate(&self) -> ConsolidationReport {
        self.run(Consolidation::new(Scope::of("acme")).forget_below(None)).await
    }

    async fn texts(&self, as_of: AsOf) -> Vec<String> {
        let mut page = MemoryPage { limit: 1_000, ..MemoryPage::default() };
        page.filter.as_of = as_of;
        let all = self.store.list(&Scope::of("acme"), page).await.unwrap();
        let mut texts: Vec<String> = all.iter().map(|memory| memory.text().into_owned()).collect();
        texts.sort();
        texts
    }

    async fn get(&self, n: u128) -> Option<Arc<Memory>> {
        self.store.get(&Scope::of("acme"), &[id(n)]).await.unwrap().remove(0)
    }

    async fn everything(&self) -> Vec<Record> {
        self.store.export(&Scope::of("acme")).await.unwrap().try_collect().await.unwrap()
    }
}

#[tokio::test]
async fn of_what_is_there_twice_one_stays_and_the_other_says_which() {
    let mut used = insight(3, "Ann has a dog called Rex.", 2);
    (used.accessed, used.accessed_at) = (3, Some(day(4)));
    let world = World::new(vec![
        insight(1, "Ann has a dog called Rex", 1),
        insight(2, "Bob sails", 1),
        used,
        insight(4, "Bob sails at night", 5),
    ])
    .await;
    let report = world.consolidate().await;
    let joined: Vec<_> = report.joined.iter().map(|one| (one.memory, one.to, one.reason.clone())).collect();
    assert_eq!(joined, [(id(3), id(1), Reason::SaidAgain), (id(2), id(4), Reason::SaysMore)]);
    let [first, third] = [world.get(1).await.unwrap(), world.get(3).await.unwrap()];
    assert_eq!((third.superseded_by, third.closed_at), (Some(id(1)), Some(world.runtime.now())));
    assert_eq!((first.accessed, first.accessed_at), (3, Some(day(4))), "its uses are the other's");
    // The shorter one was so until somebody said more.
    assert_eq!(world.texts(AsOf::valid(day(3))).await, ["Ann has a dog called Rex", "Bob sails"]);
    assert_eq!(world.texts(AsOf::valid(day(6))).await, ["Ann has a dog called Rex", "Bob sails at night"]);
    let before = world.everything().await;
    assert_eq!(world.consolidate().await.joined, []);
    assert_eq!(world.everything().await, before, "the second run changed something");
}

#[tokio::test]
async fn two_values_that_two_processes_added_at_once_become_one() {
    let mut elsewhere = drink(4, "wine", 0.9, 3);
    elsewhere.scope = ann().agent("cook");
    let world = World::new(vec![
        drink(1, "tea", 0.8, 3),
        drink(2, "coffee", 0.9, 3),
        drink(3, "Coffee.", 0.85, 3),
        elsewhere,
        memory(5, MemoryBody::Preference { key: "city".into(), value: "Oslo".into(), confidence: 0.9 }, 3),
    ])
    .await;
    assert_eq!(world.consolidate().await.joined.len(), 2);
    let all = ["city: Oslo", "drink: coffee", "drink: wine"];
    assert_eq!(world.texts(AsOf::valid(day(3))).await, all, "what another agent knows stays");
    assert_eq!(world.get(1).await.unwrap().superseded_by, Some(id(2)), "the surer one stays");
}

#[tokio::test]
async fn values_that_follow_each_other_end_where_the_next_begins() {
    let world =
        World::new(vec![drink(1, "milk", 0.9, 5), drink(2, "tea", 0.9, 1), drink(3, "coffee", 0.9, 3)]).await;
    world.consolidate().await;
    for (at, value) in [(2, "drink: tea"), (4, "drink: coffee"), (9, "drink: milk")] {
        assert_eq!(world.texts(AsOf::valid(day(at))).await, [value]);
    }
    assert_eq!(world.consolidate().await.joined, []);
}

#[tokio::test]
async fn what_stands_in_a_conversation_or_has_ended_is_left_alone() {
    // For some days it was otherwise; that says nothing of today.
    let mut ended = insight(1, "Ann does not sail", 4);
    ended.valid_to = Some(day(5));
    let mut placed = insight(2, "Ann sails", 3);
    placed.place = Some(mosaic_core::memory::Place::new("c", 1));
    let mut theirs = insight(3, "Ann sails", 3);
    theirs.scope = Scope::of("acme").user("bob");
    let episode = memory(5, MemoryBody::Episode { text: "Ann sails".into(), span: None }, 3);
    let world = World::new(vec![ended, placed, theirs, insight(4, "Ann sails", 3), episode]).await;
    assert_eq!(world.consolidate().await.joined, []);
    assert_eq!(world.texts(AsOf::default()).await.len(), 5);
}

/// A store in which others are faster, so many times: the change is refused.
#[derive(Debug)]
struct Contested(Arc<RamMemories>, AtomicU32);

#[async_trait::async_trait]
impl MemoryStore for Contested {
    async fn apply(&self, scope: &Scope, changes: Vec<Change>) -> Result<(), MemoryError> {
        match self.1.load(Ordering::Relaxed) {
            0 => self.0.apply(scope, changes).await,
            left => {
                self.1.store(left - 1, Ordering::Relaxed);
                Err(MemoryError::Closed { id: id(1) })
            }
        }
    }

    async fn search(&self, query: SearchQuery) -> Result<Candidates, MemoryError> {
        self.0.search(query).await
    }

    async fn get(&self, scope: &Scope, ids: &[MemoryId]) -> Result<Vec<Option<Arc<Memory>>>, MemoryError> {
        self.0.get(scope, ids).await
    }

    async fn list(&self, scope: &Scope, page: MemoryPage) -> Result<Vec<Arc<Memory>>, MemoryError> {
        self.0.list(scope, page).await
    }

    async fn missing_vectors(
        &self,
        scope: &Scope,
        model: &str,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<Arc<Memory>>, MemoryError> {
        self.0.missing_vectors(scope, model, after, limit).await
    }

    async fn blocks(&self, scope: &Scope, reach: Reach) -> Result<Vec<MemoryBlock>, MemoryError> {
        self.0.blocks(scope, reach).await
    }

    async fn counts(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        self.0.counts(scope).await
    }

    async fn export(&self, scope: &Scope) -> Result<RecordStream, MemoryError> {
        self.0.export(scope).await
    }

    async fn erase(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        self.0.erase(scope).await
    }
}

#[tokio::test]
async fn what_others_change_meanwhile_is_looked_at_anew_but_not_for_ever() {
    let mut faded = insight(3, "Ann had soup", 1);
    faded.importance = 0.1;
    let cases = [
        (vec![insight(1, "Ann sails", 1), insight(2, "Ann sails", 2)], vec!["Ann sails"]),
        // Of tea the past stays.
        (vec![drink(1, "tea", 0.9, 1), drink(2, "milk", 0.9, 2)], vec!["drink: milk", "drink: tea"]),
        (vec![faded, insight(4, "Bob sails", 1)], vec!["Bob sails"]),
    ];
    for (memories, stays) in cases {
        for times in [1, 2, 1_000] {
            let world = World::new(memories.clone()).await;
            let store = Arc::new(Contested(world.store.clone(), AtomicU32::new(times)));
            let queue = Queue::new(Arc::new(RamQueue::new()), Arc::new(world.runtime.clone()))
                .handler(Consolidate::new(store));
            queue.add(Consolidation::new(ann()).forget_below(Some(0.2)).job()).await.unwrap();
            let report = queue.run_due_jobs(Budget::jobs(1)).await.unwrap();
            let left = world.texts(AsOf::default()).await;
            if times == 1_000 {
                assert_eq!((report.done, report.retried, left.len()), (0, 1, 2));
            } else {
                assert_eq!((report.done, left), (1, stays.iter().map(ToString::to_string).collect()));
            }
        }
    }
}

#[tokio::test]
async fn what_nobody_used_for_long_is_closed_and_removed_only_if_the_host_wants_it() {
    let mut used = insight(2, "Bob sails", 0);
    (used.accessed, used.accessed_at) = (1, Some(day(50)));
    let mut important = insight(3, "Carla is allergic to nuts", 0);
    important.importance = 1.0;
    let world =
        World::new(vec![insight(1, "Ann had soup", 0), used, important, drink(4, "tea", 0.9, 0)]).await;
    let rules = Consolidation::new(ann()).decay(Decay::half_life(30 * DAY)).forget_below(Some(0.1));
    world.runtime.advance(70 * DAY).await;
    // 0.5 / 2^(70/30) is .0992; used once, and twenty days ago, it is .397; what matters more is at .198.
    assert_eq!(world.run(rules.clone()).await.forgotten, 1);
    assert_eq!(world.get(1).await.unwrap().closed_at, Some(day(70)));
    assert_eq!(world.run(rules.clone()).await.forgotten, 0);
    world.runtime.advance(1_000 * DAY).await;
    let report = world.run(rules.clone()).await;
    assert_eq!((report.forgotten, report.removed), (2, 0), "a preference does not fade");
    assert_eq!(world.texts(AsOf::default()).await, ["drink: tea"]);
    assert_eq!(world.texts(AsOf::then(day(10))).await.len(), 4, "and all of it was believed once");

    let report = world.run(rules.clone().remove_after(1_000 * DAY)).await;
    assert_eq!((report.removed, world.get(1).await.is_none(), world.get(2).await.is_some()), (1, true, true));
    world.runtime.advance(1_000 * DAY).await;
    assert_eq!(world.run(rules.remove_after(1_000 * DAY)).await.removed, 2);
    assert_eq!(world.everything().await.len(), 1);
}

#[tokio::test]
async fn the_age_of_a_memory_is_that_of_when_the_job_was_made() {
    let world = World::new(vec![insight(1, "Ann had soup", 0)]).await;
    let queue = Queue::new(Arc::new(RamQueue::new()), Arc::new(world.runtime.clone()))
        .handler(Consolidate::new(world.store.clone()));
    queue.add(Consolidation::new(ann()).decay(Decay::half_life(DAY)).job()).await.unwrap();
    world.runtime.advance(100 * DAY).await;
    queue.run_due_jobs(Budget::jobs(1)).await.unwrap();
    assert_eq!(world.texts(AsOf::default()).await.len(), 1);
}

#[tokio::test]
async fn a_schedule_consolidates_again_and_again() {
    let world = World::new(vec![insight(1, "Ann sails", 1), insight(2, "Ann sails", 2)]).await;
    let queue = Queue::new(Arc::new(RamQueue::new()), Arc::new(world.runtime.clone()))
        .handler(Consolidate::new(world.store.clone()));
    let daily = Consolidation::new(ann());
    queue.schedule(daily.every(DAY)).await.unwrap();
    queue.schedule(daily.every(DAY)).await.unwrap();
    assert_eq!(queue.store().schedules(None, None).await.unwrap().len(), 1, "one a scope");
    for (day, left) in [(1, 1), (2, 1), (3, 2)] {
        world.runtime.advance(DAY).await;
        if day == 3 {
            let twice = [insight(3, "Bob sails", 1), insight(4, "Bob sails", 2)];
            let changes = twice.map(|memory| Change::add(memory, Vec::new()));
            world.store.apply(&ann(), changes.into()).await.unwrap();
        }
        assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().done, 1);
        assert_eq!(world.texts(AsOf::default()).await.len(), left);
    }
}

/// Sentences of few words, so that many are near to each other, say the same, say more, or deny each other.
fn sentence() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["tea", "boats", "Oslo", "green", "not", "12"]);
    prop::collection::vec(word, 1..4).prop_map(|words| format!("Ann likes {}", words.join(" ")))
}

fn some_memory() -> impl Strategy<Value = (MemoryBody, u32, f32, u8)> {
    let value = prop::sample::select(vec!["tea", "coffee", "Tea."]);
    let preference =
        (value, prop::sample::select(vec![0.2_f32, 0.5, 0.9])).prop_map(|(value, confidence)| {
            MemoryBody::Preference { key: "drink".into(), value: value.into(), confidence }
        });
    let insight = sentence().prop_map(|text| MemoryBody::Insight { text: text.into() });
    let body = prop_oneof![3 => insight, 2 => preference];
    (body, 0_u32..3, prop::sample::select(vec![0.1_f32, 0.9]), 0_u8..3)
}

/// What is there, without what chance made: times of record, and ids of copies.
fn essence(records: &[Record]) -> Vec<String> {
    let known = |id: MemoryId| if id.0.as_u128() < 1_000 { id.to_string() } else { "copy".into() };
    let mut all: Vec<String> = records
        .iter()
        .filter_map(|record| match record {
            Record::Memory { memory, .. } => Some(format!(
                "{} {} {:?}..{:?} closed: {} by {:?} used {}",
                known(memory.id),
                memory.text(),
                memory.valid_from,
                memory.valid_to,
                memory.closed_at.is_some(),
                memory.superseded_by.map(known),
                memory.accessed
            )),
            _ => None,
        })
        .collect();
    all.sort();
    all
}

async fn world_of(memories: &[(MemoryBody, u32, f32, u8)]) -> World {
    let store = Arc::new(RamStore::new().memories());
    let added = (1..).zip(memories).map(|(n, (body, from, importance, near))| {
        let mut memory = memory(n, body.clone(), *from);
        memory.importance = *importance;
        // Some without a vector; the others more or less alike.
        let vector = Vector::new("m", vec![1.0, 0.2 * f32::from(*near)]);
        Change::add(memory, (*near > 0).then_some(vector).into_iter().collect())
    });
    store.apply(&ann(), added.collect()).await.unwrap();
    World { store, runtime: TestRuntime::new(9), told: Arc::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn a_second_run_changes_nothing_and_no_fact_is_lost(memories in prop::collection::vec(some_memory(), 0..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = world_of(&memories).await;
            let first = world.consolidate().await;
            let after = world.everything().await;
            let second = world.consolidate().await;
            assert_eq!(second.joined, [], "after {:?}", first.joined);
            assert_eq!(world.everything().await, after);

            // The same memories come to the same, whatever chance made of ids of copies and times.
            let other = world_of(&memories).await;
            other.runtime.advance(DAY).await;
            other.consolidate().await;
            assert_eq!(essence(&other.everything().await), essence(&after));

            // Who yielded says to whom, and in the end that is somebody who is believed.
            let by_id: std::collections::BTreeMap<MemoryId, Memory> = after
                .iter()
                .filter_map(|record| match record {
                    Record::Memory { memory, .. } => Some((memory.id, Memory::clone(memory))),
                    _ => None,
                })
                .collect();
            for memory in by_id.values() {
                let (mut at, mut steps) = (memory, 0);
                while let Some(next) = at.superseded_by {
                    at = &by_id[&next];
                    steps += 1;
                    assert!(steps <= by_id.len(), "they yield to each other in a circle");
                }
                assert_eq!(at.closed_at, None, "{} yielded, and nobody is left", memory.text());
                assert_eq!(at.body.kind(), memory.body.kind());
            }
            // Of each key one value a time, unless it is not sure enough to be compared.
            let day_values = by_id.values().filter(|memory| {
                let sure = matches!(&memory.body, MemoryBody::Preference { confidence, .. } if *confidence >= 0.3);
                sure && memory.closed_at.is_none() && AsOf::valid(day(9)).admits(memory)
            });
            assert!(day_values.count() <= 1);
            assert_eq!(by_id.values().filter(|memory| memory.body.kind() == MemoryKind::Episode).count(), 0);
        });
    }
}
