//! What is found: the same as by the other stores, and nothing less where there is much.

use mosaic_core::memory::conformance::id;
use mosaic_core::memory::{
    AsOf, Change, Filter, Memory, MemoryBody, MemoryError, MemoryStore, Place, Reach, Scope, SearchQuery,
    Vector, cosine,
};
use mosaic_core::{StoreError, Timestamp};
use mosaic_storage::{PostgresMemories, RamStore};
use sqlx::{Connection as _, PgConnection};

use crate::server::{Database, database, execute, soon};

const WORDS: [&str; 7] = ["tea", "coffee", "morning", "evening", "cake", "garden", "walk"];

/// A turn of one of several conversations; positions come in no order, and some twice.
fn turn(n: u64, scope: &Scope, conversation: u64) -> Memory {
    let pick = |by: u64| WORDS[usize::try_from(n * by % 7).unwrap()];
    let text = format!("{} {} and {}", pick(3), pick(5), pick(n));
    let body = MemoryBody::Episode { text: text.into(), span: None };
    let mut memory = Memory::new(id(n), scope.clone(), body, Timestamp(n));
    if !n.is_multiple_of(11) {
        memory.place = Some(Place::new(format!("c{conversation}"), n * 37 % 101));
    }
    memory
}

fn small(n: u64) -> Vec<f32> {
    let number = |by: u64| f32::from(u16::try_from(n % by).unwrap());
    vec![1.0, number(13), number(7) - 3.0]
}

/// The answers of both stores to many questions, to the last bit of their scores.
async fn answers_alike(database: &Database, turns: u64) {
    let stores: [Box<dyn MemoryStore>; 2] =
        [Box::new(database.open().await), Box::new(RamStore::new().memories())];
    let ann = Scope::of("acme").user("ann");
    let cook = ann.clone().agent("cook");
    for store in &stores {
        // First what is the tenant's own, which a user inherits: of alike ones the first is found.
        let shared = Scope::of("acme");
        let changes = (2_001..2_011).map(|n| Change::add(turn(n, &shared, 0), vec![])).collect();
        store.apply(&shared, changes).await.unwrap();
        let add = |n: u64| {
            let scope = if n.is_multiple_of(5) { &cook } else { &ann };
            Change::add(turn(n, scope, n / 40), vec![Vector::new("m", small(n))])
        };
        store.apply(&ann, (1..=turns).map(add).collect()).await.unwrap();
        let closed = (1..=turns).filter(|n| n.is_multiple_of(9));
        let close = |n| Change::Close { id: id(n), at: Timestamp(5_000), kept: None };
        store.apply(&ann, closed.map(close).collect()).await.unwrap();
        let removed = (1..=turns).filter(|n| n.is_multiple_of(31));
        store.apply(&ann, removed.map(|n| Change::Remove { id: id(n) }).collect()).await.unwrap();
    }
    let filters = [
        Filter::default(),
        Filter { as_of: AsOf::then(Timestamp(100)), ..Filter::default() },
        Filter { since: Some(Timestamp(20)), before: Some(Timestamp(90)), ..Filter::default() },
    ];
    let inherited =
        |scope: &Scope| SearchQuery { reach: Reach::Inherited, ..SearchQuery::new(scope.clone()) };
    let within = |scope: &Scope| SearchQuery::new(scope.clone());
    let scopes = [within(&ann), inherited(&ann), within(&cook), inherited(&cook), within(&Scope::of("acme"))];
    for scope in scopes {
        for filter in &filters {
            for text in ["cake in the garden", "tea", "walk walked walking coffee evening", "nothing here"] {
                let query = SearchQuery { neighbours: 2, limit: 9, filter: filter.clone(), ..scope.clone() };
                let [ours, theirs] =
                    [&stores[0], &stores[1]].map(|store| store.search(query.clone().text(text)));
                let (ours, theirs) = (ours.await.unwrap(), theirs.await.unwrap());
                assert_eq!(ours, theirs, "{text:?} by {query:?}");
            }
        }
    }
    // What is here for its words has a cosine too, which may be off by a hundredth, and is another's by as much.
    let query = SearchQuery { neighbours: 2, limit: 9, ..SearchQuery::new(ann.clone()) };
    let query = query.text("cake in the garden").vector(Vector::new("m", small(40)));
    for store in &stores {
        let found = store.search(query.clone()).await.unwrap().candidates;
        for one in &found {
            let n = u64::try_from(one.memory.id.0.as_u128() >> 80).unwrap();
            let exact = (n < 2_001).then(|| f64::from(cosine(&small(n), &small(40))));
            let near = |dense: f64| exact.is_some_and(|exact| (dense - exact).abs() < 0.01);
            assert!(one.dense.map_or(exact.is_none(), near), "{n} is {:?} like 40, not {exact:?}", one.dense);
        }
        assert!(found.len() > 20);
    }
    for n in [1, 40, 77] {
        let query =
            SearchQuery { limit: 9, ..SearchQuery::new(ann.clone()) }.vector(Vector::new("m", small(n)));
        let [ours, theirs] = [&stores[0], &stores[1]].map(|store| store.search(query.clone()));
        let cosines = |found: mosaic_core::memory::Candidates| {
            let mut all: Vec<f64> = found.candidates.iter().filter_map(|one| one.dense).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        assert_eq!(cosines(ours.await.unwrap()), cosines(theirs.await.unwrap()));
    }
}

#[tokio::test]
async fn words_score_as_they_do_in_ram() {
    let Some(database) = database().await else { return };
    answers_alike(&database, 150).await;
}

#[tokio::test]
async fn words_score_as_they_do_in_ram_where_thousands_match() {
    let Some(database) = database().await else { return };
    answers_alike(&database, 2_000).await;
}

/// Numbers that are spread evenly, the same each time.
fn spread(n: u64, width: u64) -> Vec<f32> {
    let number = |at: u64| {
        let mixed = (n * 1_000_003 + at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        f32::from(u16::try_from(mixed >> 48).unwrap()) / 32_768.0 - 1.0
    };
    (0..width).map(number).collect()
}

const WIDTH: u64 = 24;

async fn add(memories: &PostgresMemories, scope: &Scope, numbers: std::ops::Range<u64>) {
    let numbers: Vec<u64> = numbers.collect();
    for some in numbers.chunks(500) {
        let change = |n: &u64| {
            let body = MemoryBody::Insight { text: "x".into() };
            let memory = Memory::new(id(*n), scope.clone(), body, Timestamp(*n));
            Change::add(memory, vec![Vector::new("m", spread(*n, WIDTH))])
        };
        memories.apply(scope, some.iter().map(change).collect()).await.unwrap();
    }
}

/// The memories most alike, as one who looks at all says.
fn best(question: &[f32], numbers: impl Iterator<Item = u64>, limit: usize) -> Vec<u64> {
    let mut all: Vec<(u64, f32)> = numbers.map(|n| (n, cosine(&spread(n, WIDTH), question))).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut best: Vec<u64> = all.into_iter().take(limit).map(|(n, _)| n).collect();
    best.sort_unstable();
    best
}

async fn found(memories: &PostgresMemories, scope: &Scope, question: &[f32], limit: u32) -> Vec<u64> {
    let query = SearchQuery { limit, ..SearchQuery::new(scope.clone()) };
    let found = memories.search(query.vector(Vector::new("m", question.to_vec()))).await.unwrap();
    let number = |id: uuid::Uuid| u64::try_from(id.as_u128() >> 80).unwrap();
    found.candidates.iter().map(|one| number(one.memory.id.0)).collect()
}

/// The indexes of neighbours, and how often they were read.
async fn indexes(database: &Database) -> Vec<(String, i64)> {
    let mut db = PgConnection::connect(&database.superuser).await.unwrap();
    let text = "SELECT indexrelname::text, idx_scan FROM pg_stat_user_indexes WHERE indexrelname LIKE 'hnsw_%' ORDER BY 1";
    sqlx::query_as(text).fetch_all(&mut db).await.unwrap()
}

#[tokio::test]
async fn a_small_tenant_beside_a_large_one_gets_all_its_hits() {
    let Some(database) = database().await else { return };
    let memories = PostgresMemories::open(database.options().index_vectors_from(1_000)).await.unwrap();
    let (large, small) = (Scope::of("large"), Scope::of("small"));
    let (ann, bob) = (large.clone().user("ann"), large.clone().user("bob").agent("cook"));
    add(&memories, &ann, 1..3_000).await;
    add(&memories, &bob, 3_000..3_012).await;
    add(&memories, &small, 1..13).await;
    memories.index_vectors("large").await.unwrap();
    memories.index_vectors("small").await.unwrap();
    assert_eq!(indexes(&database).await.len(), 1, "only the large tenant has one");
    let question = spread(77_777, WIDTH);
    for scope in [&small, &bob, &large.clone().agent("cook"), &Scope::of("large").user("bob")] {
        assert_eq!(found(&memories, scope, &question, 50).await.len(), 12, "in {scope}");
    }
    // Where the index is read, it is read until enough is found, and nearly all of the best are among it.
    let expected = best(&question, 1..3_012, 50);
    let there = found(&memories, &large, &question, 50).await;
    assert_eq!(there.len(), 50);
    let right = there.iter().filter(|n| expected.contains(n)).count();
    assert!(right >= 45, "{right} of 50 are among the best");
    // The server counts in the background.
    soon(async {
        while indexes(&database).await[0].1 == 0 {
            found(&memories, &large, &question, 50).await;
        }
    })
    .await;
}

#[tokio::test]
async fn where_an_index_gives_up_the_scope_is_scanned() {
    let Some(database) = database().await else { return };
    execute(&database.superuser, &format!("ALTER DATABASE {} SET hnsw.max_scan_tuples = 1", database.name()))
        .await;
    let memories = PostgresMemories::open(database.options().index_vectors_from(1_000)).await.unwrap();
    let large = Scope::of("large");
    let question = spread(77_777, WIDTH);
    add(&memories, &large.clone().user("ann"), 1..3_000).await;
    // As unlike the question as can be, so that the index comes to them last.
    let cook = large.clone().user("bob").agent("cook");
    let away: Vec<f32> = question.iter().map(|number| -number).collect();
    let change = |n: u64| {
        let memory = Memory::new(id(n), cook.clone(), MemoryBody::Insight { text: "x".into() }, Timestamp(n));
        Change::add(memory, vec![Vector::new("m", away.clone())])
    };
    memories.apply(&cook, (3_000..3_012).map(change).collect()).await.unwrap();
    memories.index_vectors("large").await.unwrap();
    assert_eq!(
        found(&memories, &large.agent("cook"), &question, 50).await,
        (3_000..3_012).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn indexes_come_and_go_with_the_vectors() {
    let Some(database) = database().await else { return };
    let memories = PostgresMemories::open(database.options().index_vectors_from(40)).await.unwrap();
    let ann = Scope::of("acme").user("ann");
    add(&memories, &ann, 1..100).await;
    // Nobody asks for it.
    soon(async {
        while indexes(&database).await.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    memories.apply(&ann, vec![Change::DropVectors { model: "m".into() }]).await.unwrap();
    // The model comes back with another width, which the old index could not take.
    let wide = |n: u64| Change::PutVectors { id: id(n), vectors: vec![Vector::new("m", spread(n, 30))] };
    memories.apply(&ann, (1..100).map(wide).collect()).await.unwrap();
    memories.index_vectors("acme").await.unwrap();
    let query =
        SearchQuery { limit: 5, ..SearchQuery::new(ann.clone()) }.vector(Vector::new("m", spread(7, 30)));
    let found = memories.search(query).await.unwrap();
    assert!(found.candidates.iter().any(|one| one.memory.id == id(7) && one.dense > Some(0.999)));
    memories.erase(&ann).await.unwrap();
    memories.index_vectors("acme").await.unwrap();
    assert_eq!(indexes(&database).await, []);
}

#[tokio::test]
async fn vectors_of_any_width_and_none_of_a_direction_are_compared() {
    let Some(database) = database().await else { return };
    let memories = PostgresMemories::open(database.options().index_vectors_from(1)).await.unwrap();
    let ann = Scope::of("acme").user("ann");
    for width in [1, 3_999, 4_001, 16_000, 16_001, 16_384] {
        let model = format!("wide {width}");
        let vector = |n: u64| {
            let mut values = vec![1e-3; width];
            values[0] = f32::from(u8::try_from(n).unwrap()) - 3.0;
            if n == 5 {
                values.fill(0.0);
            }
            Vector::new(&*model, values)
        };
        let change = |n: u64| {
            let body = MemoryBody::Insight { text: "x".into() };
            let memory = Memory::new(id(n), ann.clone(), body, Timestamp(n));
            Change::add(memory, vec![vector(n)])
        };
        memories.apply(&ann, (1..=5).map(change).collect()).await.unwrap();
        memories.index_vectors("acme").await.unwrap();
        let found = memories.search(SearchQuery::new(ann.clone()).vector(vector(4))).await.unwrap();
        assert_eq!(found.candidates.len(), 5, "of {width} numbers");
        for (n, one) in (1..).zip(&found.candidates) {
            let exact = f64::from(cosine(&vector(n).values, &vector(4).values));
            let dense = one.dense.unwrap();
            assert!((dense - exact).abs() < 1e-6, "of {width} numbers {n} is {dense} like 4, not {exact}");
        }
        let nowhere = memories.search(SearchQuery::new(ann.clone()).vector(vector(5))).await.unwrap();
        assert!(nowhere.candidates.iter().all(|one| one.dense == Some(0.0)), "of {width} numbers");
        assert_eq!(nowhere.candidates.len(), 5);
        memories.erase(&ann).await.unwrap();
    }
    // Numbers that 16 bits cannot hold.
    let huge = Vector::new("huge", vec![f32::MAX, f32::MAX / 2.0, f32::MIN_POSITIVE]);
    let memory = Memory::new(id(1), ann.clone(), MemoryBody::Insight { text: "x".into() }, Timestamp(1));
    memories.apply(&ann, vec![Change::add(memory, vec![huge.clone()])]).await.unwrap();
    let found = memories.search(SearchQuery::new(ann).vector(huge)).await.unwrap();
    assert!((found.candidates[0].dense.unwrap() - 1.0).abs() < 1e-6);
}

#[tokio::test]
async fn memories_end_with_their_store() {
    let Some(database) = database().await else { return };
    let store = mosaic_storage::PostgresStore::open(database.options()).await.unwrap();
    let memories = store.memories().await.unwrap();
    let ann = Scope::of("acme").user("ann");
    memories.apply(&ann, vec![Change::RemoveBlock { name: "x".into() }]).await.unwrap();
    mosaic_core::queue::JobStore::close(&store).await.unwrap();
    for error in [
        memories.apply(&ann, Vec::new()).await.unwrap_err(),
        memories.search(SearchQuery::new(ann.clone())).await.unwrap_err(),
        memories.erase(&ann).await.unwrap_err(),
        memories.export(&ann).await.err().unwrap(),
    ] {
        assert!(matches!(error, MemoryError::Store(StoreError::Closed { .. })), "{error}");
    }
}

/// What is compared first is the short vector, and of many only the best are compared again.
#[tokio::test]
async fn a_vector_that_was_replaced_is_found_by_the_new_one() {
    let Some(database) = database().await else { return };
    let memories = database.open().await;
    let ann = Scope::of("acme").user("ann");
    let vector = |n: u64| Vector::new("m", if n == 60 { vec![1.0, -1.0] } else { vec![1.0, 0.1] });
    let changes = (1..=60).map(|n| Change::add(turn(n, &ann, 0), vec![vector(n)])).collect();
    memories.apply(&ann, changes).await.unwrap();
    let wanted = Vector::new("m", vec![0.0, 1.0]);
    let replace = Change::PutVectors { id: id(60), vectors: vec![wanted.clone()] };
    memories.apply(&ann, vec![replace]).await.unwrap();
    let query = SearchQuery { limit: 1, ..SearchQuery::new(ann).vector(wanted) };
    let found = memories.search(query).await.unwrap().candidates;
    assert!(found.iter().any(|one| one.hit && one.memory.id == id(60)), "{found:?}");
}

#[tokio::test]
async fn what_is_closed_at_a_time_is_not_counted_as_of_then() {
    let Some(database) = database().await else { return };
    let memories = database.open().await;
    let ann = Scope::of("acme").user("ann");
    memories.apply(&ann, (1..=2).map(|n| Change::add(turn(n, &ann, 0), vec![])).collect()).await.unwrap();
    let close = Change::Close { id: id(1), at: Timestamp(9), kept: None };
    memories.apply(&ann, vec![close]).await.unwrap();
    for (then, admitted) in [(8, 2), (9, 1)] {
        let as_of = AsOf { valid: None, recorded: Some(Timestamp(then)) };
        let query =
            SearchQuery { filter: Filter { as_of, ..Filter::default() }, ..SearchQuery::new(ann.clone()) };
        assert_eq!(memories.search(query.text("tea")).await.unwrap().admitted, admitted, "at {then}");
    }
}
