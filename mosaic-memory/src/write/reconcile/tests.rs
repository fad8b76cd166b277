use mosaic_core::Timestamp;
use mosaic_core::memory::{AsOf, MemoryBody, MemoryPage, MemoryStore};
use mosaic_core::testing::TestRuntime;
use mosaic_storage::RamStore;
use proptest::prelude::*;

use super::*;
use crate::embed::HashingEmbedder;
use crate::write::{Action, WriteReport, Writer, WriterOptions};

const DAY: u64 = 86_400_000;

fn day(day: u64) -> Timestamp {
    Timestamp(TestRuntime::START.0 + day * DAY)
}

struct Bench {
    store: Arc<mosaic_storage::RamMemories>,
    runtime: TestRuntime,
    writer: Writer,
    scope: Scope,
}

impl Bench {
    fn new() -> Self {
        let store = Arc::new(RamStore::new().memories());
        let runtime = TestRuntime::new(7);
        let embedder = Arc::new(HashingEmbedder::new(256));
        let writer =
            Writer::new(store.clone(), embedder, Arc::new(runtime.clone()), WriterOptions::default());
        Self { store, runtime, writer, scope: Scope::of("acme").user("ann") }
    }

    async fn write(&self, drafts: impl IntoIterator<Item = Draft>) -> WriteReport {
        self.writer.write_drafts(&self.scope, drafts.into_iter().collect()).await.unwrap()
    }

    async fn one(&self, draft: Draft) -> (Action, Reason) {
        let decision = self.write([draft]).await.decisions.remove(0);
        (decision.action, decision.reason)
    }

    async fn tomorrow(&self) {
        self.runtime.advance(std::time::Duration::from_millis(DAY)).await;
    }

    async fn all(&self) -> Vec<Arc<Memory>> {
        self.page(MemoryPage { limit: 1_000, ..MemoryPage::default() }).await
    }

    async fn page(&self, page: MemoryPage) -> Vec<Arc<Memory>> {
        self.store.list(&self.scope, page).await.unwrap()
    }

    async fn texts(&self, as_of: AsOf) -> Vec<String> {
        let mut page = MemoryPage { limit: 1_000, ..MemoryPage::default() };
        page.filter.as_of = as_of;
        let mut texts: Vec<String> =
            self.page(page).await.iter().map(|memory| memory.text().into_owned()).collect();
        texts.sort();
        texts
    }
}

fn drink(value: &str, at: u64) -> Draft {
    Draft::preference("drink", value, 0.9).since(day(at))
}

fn fact(text: &str, at: u64) -> Draft {
    Draft::insight(text).since(day(at))
}

#[tokio::test]
async fn a_preference_that_changes_ends_and_is_not_erased() {
    let bench = Bench::new();
    assert_eq!(bench.one(drink("tea", 0)).await, (Action::Add, Reason::New));
    bench.tomorrow().await;
    bench.tomorrow().await;
    assert_eq!(bench.one(drink("coffee", 1)).await, (Action::Supersede, Reason::OtherValue));
    assert_eq!(bench.texts(AsOf::then(day(1))).await, ["drink: tea"], "we did not know on day 1");
    assert_eq!(bench.texts(AsOf::valid(day(1))).await, ["drink: coffee"], "now we do");
    assert_eq!(bench.texts(AsOf::valid(day(0))).await, ["drink: tea"], "and on day 0 it was tea");
    let why = bench.all().await.into_iter().find(|memory| *memory.text() == *"drink: coffee").unwrap();
    let why = &why.metadata[crate::write::WRITTEN];
    assert_eq!(why["reason"], "the preference has another value now", "the reason is kept");
}

#[tokio::test]
async fn what_was_said_before_what_is_known_is_the_past() {
    let bench = Bench::new();
    bench.write([drink("coffee", 5)]).await;
    assert_eq!(bench.one(drink("tea", 2)).await, (Action::Add, Reason::Past));
    assert_eq!(bench.texts(AsOf::valid(day(3))).await, ["drink: tea"]);
    assert_eq!(bench.texts(AsOf::valid(day(6))).await, ["drink: coffee"]);
    assert_eq!(bench.one(drink("Coffee.", 4)).await, (Action::Supersede, Reason::OtherValue));
}

#[tokio::test]
async fn what_is_much_less_sure_changes_nothing() {
    let bench = Bench::new();
    bench.write([drink("tea", 0)]).await;
    let guess = |confidence| Draft::preference("drink", "milk", confidence).since(day(1));
    assert_eq!(bench.one(guess(0.4)).await, (Action::Drop, Reason::LessSure));
    assert_eq!(bench.one(guess(0.1)).await, (Action::Drop, Reason::Unsure));
    assert_eq!(bench.one(guess(f32::NAN)).await.0, Action::Drop);
    assert_eq!(bench.one(guess(0.6)).await, (Action::Supersede, Reason::OtherValue));
}

#[tokio::test]
async fn of_two_values_that_are_said_at_once_the_surer_counts() {
    let bench = Bench::new();
    bench.write([drink("tea", 0)]).await;
    let sure = |value, confidence| Draft::preference("drink", value, confidence).since(day(3));
    let report = bench.write([sure("milk", 0.7), sure("tea", 0.95), sure("rum", 0.8)]).await;
    let reasons: Vec<_> = report.decisions.into_iter().map(|decision| decision.reason).collect();
    assert_eq!(reasons, [Reason::SaidAtOnce, Reason::MoreSure, Reason::SaidAtOnce]);
}

#[tokio::test]
async fn what_is_said_again_counts_and_what_is_surer_is_merged() {
    let bench = Bench::new();
    bench.write([drink("tea", 0)]).await;
    assert_eq!(bench.one(drink(" TEA!", 1)).await, (Action::Strengthen, Reason::SaidAgain));
    assert_eq!(bench.all().await[0].accessed, 1);
    let sure = Draft::preference("Drink", "tea", 1.0).since(day(2));
    assert_eq!(bench.one(sure).await, (Action::Merge, Reason::MoreSure));
    let open = bench.page(MemoryPage::default()).await;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].valid_from, day(0), "it has been so since it was said first");
    assert_eq!(open[0].accessed, 2, "and was said three times");
}

#[tokio::test]
async fn insights_are_compared_by_text_then_by_closeness_and_words() {
    let bench = Bench::new();
    let steps = [
        ("Ann likes green tea from Japan", Action::Add, Reason::New),
        ("ann likes green  tea from Japan.", Action::Strengthen, Reason::SaidAgain),
        ("Ann likes green tea", Action::Strengthen, Reason::NothingNew),
        ("Ann likes green tea from Japan and China", Action::Merge, Reason::SaysMore),
        ("Bob's boat is red", Action::Add, Reason::New),
        ("Ann doesn't like green tea from Japan and China", Action::Supersede, Reason::Opposite),
        ("Flight 12 from Oslo to Rome goes at noon", Action::Add, Reason::New),
        ("Flight 14 from Oslo to Rome goes at noon", Action::Add, Reason::New),
    ];
    for (at, (text, action, reason)) in (0..).zip(steps) {
        assert_eq!(bench.one(fact(text, at)).await, (action, reason), "{text}");
    }
    assert!(
        bench.texts(AsOf::valid(day(4))).await.contains(&"Ann likes green tea from Japan and China".into())
    );
}

#[tokio::test]
async fn what_the_extractor_replaces_is_closed_and_kept_for_before() {
    let bench = Bench::new();
    let old = bench.write([fact("Ann works at Acme", 0), fact("Ann sits in Oslo", 0)]).await.decisions;
    let mut new = fact("Ann has retired", 3);
    new.replaces = old.iter().filter_map(|decision| decision.memory).collect();
    let decision = bench.write([new]).await.decisions.remove(0);
    assert_eq!((decision.action, decision.closed.len()), (Action::Supersede, 2));
    assert_eq!(bench.texts(AsOf::valid(day(1))).await, ["Ann sits in Oslo", "Ann works at Acme"]);
    assert_eq!(bench.texts(AsOf::valid(day(3))).await, ["Ann has retired"]);
}

#[tokio::test]
async fn two_values_that_two_writers_left_become_one() {
    let bench = Bench::new();
    for (id, value) in [(1, "tea"), (2, "coffee")] {
        let body = MemoryBody::Preference { key: "drink".into(), value: value.into(), confidence: 0.9 };
        let memory = Memory::new(MemoryId(uuid::Uuid::from_u128(id)), bench.scope.clone(), body, day(0));
        bench.store.apply(&bench.scope, vec![Change::add(memory, vec![])]).await.unwrap();
    }
    assert_eq!(bench.one(drink("tea", 1)).await, (Action::Strengthen, Reason::SaidAgain));
    assert_eq!(bench.texts(AsOf::valid(day(1))).await, ["drink: tea"]);
    assert_eq!(bench.texts(AsOf::valid(day(0))).await, ["drink: coffee", "drink: tea"]);
}

#[tokio::test]
async fn other_scopes_are_left_alone() {
    let bench = Bench::new();
    bench.write([drink("tea", 0)]).await;
    let session = bench.scope.clone().session("s1");
    let report = bench.writer.write_drafts(&session, vec![drink("coffee", 1)]).await.unwrap();
    assert_eq!(report.decisions[0].action, Action::Add);
    assert_eq!(bench.texts(AsOf::default()).await, ["drink: coffee", "drink: tea"]);
}

fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    let preference =
        (0..3_usize, 0..3_usize, 0..11_u8, 0..6_u64, 0..3_u8).prop_map(|(key, value, sure, at, matters)| {
            let value = ["tea", "coffee", "milk"][value];
            let draft = Draft::preference(["drink", "snack", "dip"][key], value, f32::from(sure) / 10.0);
            draft.since(day(at)).importance(f32::from(matters) / 4.0)
        });
    let insight = (0..8_usize, 0..6_u64, 0..3_u8).prop_map(|(text, at, matters)| {
        let text = [
            "Ann likes tea",
            "Ann likes strong green tea",
            "Ann does not like tea",
            "Ann no longer likes strong green tea",
            "Bob has a red boat",
            "Bob has a boat",
            "Bob has never had a boat",
            "Bob has 2 red boats",
        ][text];
        fact(text, at).importance(f32::from(matters) / 4.0)
    });
    prop::collection::vec(prop_oneof![preference, insight], 1..10)
}

/// What the memories say, without ids and counts of use.
fn said(memories: &[Arc<Memory>]) -> Vec<String> {
    let show = |memory: &Arc<Memory>| {
        let (from, to, closed) = (memory.valid_from, memory.valid_to, memory.closed_at);
        let body = serde_json::to_string(&memory.body).unwrap();
        format!("{body} {} {from:?} {to:?} {closed:?}", memory.importance)
    };
    let mut said: Vec<String> = memories.iter().map(show).collect();
    said.sort();
    said
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn writing_the_same_again_changes_nothing_but_strength(drafts in drafts()) {
        run(async {
            let bench = Bench::new();
            bench.write(drafts.clone()).await;
            let once = bench.all().await;
            bench.tomorrow().await;
            let again = bench.write(drafts.clone()).await;
            let actions = again.decisions.iter().map(|decision| decision.action);
            let only = actions.clone().all(|action| matches!(action, Action::Strengthen | Action::Drop));
            prop_assert!(only, "{again}");
            prop_assert_eq!(said(&once), said(&bench.all().await));
            Ok(())
        })?;
    }

    #[test]
    fn the_order_of_drafts_does_not_matter(drafts in drafts(), seed in any::<u64>()) {
        run(async {
            let (one, other) = (Bench::new(), Bench::new());
            one.write(drafts.clone()).await;
            let mut shuffled = drafts.clone();
            let len = shuffled.len() as u64;
            for at in 0..len {
                let with = seed.rotate_left(at as u32 * 7) % len;
                shuffled.swap(at as usize, with as usize);
            }
            other.write(shuffled).await;
            prop_assert_eq!(said(&one.all().await), said(&other.all().await));
            Ok(())
        })?;
    }

    #[test]
    fn nothing_is_removed_and_the_past_reads_as_it_did(batches in prop::collection::vec(drafts(), 1..5)) {
        run(async {
            let bench = Bench::new();
            let mut read: Vec<(Timestamp, Vec<String>, Vec<MemoryId>)> = Vec::new();
            for batch in batches {
                bench.write(batch).await;
                let now = mosaic_core::Runtime::now(&bench.runtime);
                let recorded = AsOf { valid: None, recorded: Some(now) };
                let ids = bench.all().await.iter().map(|memory| memory.id).collect();
                read.push((now, bench.texts(recorded).await, ids));
                bench.tomorrow().await;
            }
            for (_, _, ids) in &read {
                let still = bench.store.get(&bench.scope, ids).await.unwrap();
                prop_assert!(still.iter().all(Option::is_some));
            }
            for (at, texts, _) in &read {
                let recorded = AsOf { valid: None, recorded: Some(*at) };
                prop_assert_eq!(texts, &bench.texts(recorded).await);
            }
            Ok(())
        })?;
    }

    #[test]
    fn of_a_key_there_is_one_value_at_a_time(batches in prop::collection::vec(drafts(), 1..5)) {
        run(async {
            let bench = Bench::new();
            for batch in batches {
                bench.write(batch).await;
                bench.tomorrow().await;
            }
            for at in 0..8 {
                let mut keys = Vec::new();
                let mut page = MemoryPage { limit: 1_000, ..MemoryPage::default() };
                page.filter.as_of = AsOf::valid(day(at));
                for memory in bench.page(page).await {
                    if let MemoryBody::Preference { key, .. } = &memory.body {
                        prop_assert!(!keys.contains(key), "{} twice on day {}", key, at);
                        keys.push(key.clone());
                    }
                }
            }
            Ok(())
        })?;
    }
}
