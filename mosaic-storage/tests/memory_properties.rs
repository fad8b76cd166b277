//! Random changes, by many users of several tenants, compared with a store of thirty lines.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // clippy knows `#[test]` functions only, not their helpers

#[cfg(feature = "postgres")]
#[allow(dead_code)] // shared with a test program that uses all of it
#[path = "postgres_memory/server.rs"]
mod server;

use mosaic_core::Timestamp;
use mosaic_core::memory::conformance::{Model, id};
use mosaic_core::memory::{
    AsOf, Change, Filter, Kept, Memory, MemoryBody, MemoryId, MemoryPage, MemoryStore, Place, Reach, Scope,
    SearchQuery, Vector,
};
use mosaic_storage::RamStore;
use proptest::prelude::*;

/// What happens.
#[derive(Debug, Clone)]
enum Event {
    Apply(Scope, Vec<Change>),
    Erase(Scope),
    /// Another handle is used from now on.
    Switch,
    /// Everything is looked at, as of some times.
    Look(Filter),
}

fn scopes() -> Vec<Scope> {
    let mut all = Vec::new();
    for tenant in ["acme", "globex"] {
        all.push(Scope::of(tenant));
        all.push(Scope::of(tenant).agent("cook"));
        for user in ["ann", "bob"] {
            all.push(Scope::of(tenant).user(user));
            all.push(Scope::of(tenant).user(user).agent("cook"));
            all.push(Scope::of(tenant).user(user).agent("cook").session("s"));
        }
    }
    all
}

fn scope() -> impl Strategy<Value = Scope> {
    prop::sample::select(scopes())
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0_u64..12).prop_map(Timestamp)
}

fn any_id() -> impl Strategy<Value = MemoryId> {
    (1_u64..25).prop_map(id)
}

prop_compose! {
    fn memory(scope: Scope)(
        id in any_id(),
        recorded_at in time(),
        from in time(),
        lasts in prop::option::of(1_u64..9),
        place in prop::option::of((0_u8..2, 0_u64..6)),
    ) -> Memory {
        let body = MemoryBody::Insight { text: "everybody shares these words".into() };
        let mut memory = Memory::new(id, scope.clone(), body, recorded_at);
        memory.valid_from = from;
        memory.valid_to = lasts.map(|lasts| Timestamp(from.0 + lasts));
        memory.place = place.map(|(conversation, position)| Place::new(format!("c{conversation}"), position));
        memory
    }
}

fn kept() -> impl Strategy<Value = Option<Kept>> {
    prop::option::of((any_id(), time()).prop_map(|(id, until)| Kept { id, until }))
}

fn vectors() -> Vec<Vector> {
    vec![Vector::new("m", vec![1.0, 0.5])]
}

fn change(scope: Scope) -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => memory(scope.clone()).prop_map(|memory| Change::add(memory, vectors())),
        2 => (any_id(), time(), kept()).prop_map(|(id, at, kept)| Change::Close { id, at, kept }),
        2 => (any_id(), memory(scope), kept()).prop_map(|(id, by, kept)| Change::supersede(id, by, vectors(), kept)),
        2 => (any_id(), any_id(), time(), kept()).prop_map(|(id, to, at, kept)| Change::Yield { id, to, at, kept }),
        1 => (prop::collection::vec(any_id(), 0..3), time()).prop_map(|(ids, at)| Change::Touch { ids, at }),
        1 => any_id().prop_map(|id| Change::Remove { id }),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let as_of = (prop::option::of(time()), prop::option::of(time()));
    (as_of, prop::option::of(time()), prop::option::of(time())).prop_map(
        |((valid, recorded), since, before)| Filter {
            as_of: AsOf { valid, recorded },
            since,
            before,
            ..Filter::default()
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        10 => scope().prop_flat_map(|scope| {
            (Just(scope.clone()), prop::collection::vec(change(scope), 1..4))
        }).prop_map(|(scope, changes)| Event::Apply(scope, changes)),
        1 => scope().prop_map(Event::Erase),
        2 => Just(Event::Switch),
        3 => filter().prop_map(Event::Look),
    ]
}

fn ids<'m>(memories: impl IntoIterator<Item = &'m Memory>) -> Vec<MemoryId> {
    memories.into_iter().map(|memory| memory.id).collect()
}

/// Every scope, in every way to read it, sees what the model says: nothing less, and nothing of others.
async fn looks_alike(store: &dyn MemoryStore, model: &Model, filter: &Filter) {
    for scope in scopes() {
        let page = MemoryPage { filter: filter.clone(), after: None, limit: 1_000 };
        let listed = store.list(&scope, page).await.unwrap();
        let expected = model.seen(&scope, Reach::Within, filter);
        let without_uses = |memory: &Memory| Memory { accessed: 0, accessed_at: None, ..memory.clone() };
        let plain: Vec<Memory> = listed.iter().map(|memory| without_uses(memory)).collect();
        assert_eq!(plain, expected.into_iter().map(without_uses).collect::<Vec<_>>(), "{scope} lists");

        for reach in [Reach::Within, Reach::Inherited] {
            let expected = ids(model.seen(&scope, reach, filter));
            let query = SearchQuery {
                filter: filter.clone(),
                reach,
                neighbours: 2,
                ..SearchQuery::new(scope.clone())
            };
            for query in [
                query.clone().text("Who shares a word?"),
                query.clone().vector(Vector::new("m", vec![0.5, 1.0])),
            ] {
                let found = store.search(query).await.unwrap();
                assert_eq!(found.admitted, expected.len() as u64);
                let found = ids(found.candidates.iter().map(|one| &*one.memory));
                assert_eq!(found, expected, "{scope} {reach:?} {filter:?}");
            }
        }
    }
}

async fn live(handles: [&dyn MemoryStore; 2], events: Vec<Event>) {
    let [mut store, mut other] = handles;
    let mut model = Model::default();
    for event in events {
        match event {
            Event::Apply(scope, changes) => {
                let made = model.apply(&scope, &changes);
                let result = store.apply(&scope, changes).await;
                assert_eq!(result.is_ok(), made, "{result:?}");
            }
            Event::Erase(scope) => {
                model.erase(&scope);
                store.erase(&scope).await.unwrap();
            }
            Event::Switch => std::mem::swap(&mut store, &mut other),
            Event::Look(filter) => looks_alike(store, &model, &filter).await,
        }
    }
    for store in handles {
        looks_alike(store, &model, &Filter::default()).await;
    }
}

fn run(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn ram_does_what_the_model_does(events in prop::collection::vec(event(), 1..60)) {
        let store = RamStore::new();
        let other = store.sibling();
        run(live([&store.memories(), &other.memories()], events));
    }
}

#[cfg(feature = "sqlite")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_does_what_the_model_does(events in prop::collection::vec(event(), 1..60)) {
        use mosaic_core::SessionStore;
        use mosaic_storage::{Durability, SqliteOptions, SqliteStore};

        let folder = tempfile::tempdir().unwrap();
        // So small an index keeps no part that is not being searched.
        let options = SqliteOptions::new(folder.path().join("app.db")).durability(Durability::Process).memory_index_bytes(1);
        run(async {
            let (one, two) = (SqliteStore::open(options.clone()).await.unwrap(), SqliteStore::open(options).await.unwrap());
            live([&one.memories(), &two.memories()], events).await;
            one.close().await.unwrap();
            two.close().await.unwrap();
        });
    }
}

/// The answer to a question is the same from both stores, to the last bit of its scores.
#[cfg(feature = "sqlite")]
#[test]
fn both_stores_give_the_same_scores() {
    use mosaic_storage::{SqliteOptions, SqliteStore};

    let folder = tempfile::tempdir().unwrap();
    run(async {
        let sqlite = SqliteStore::open(SqliteOptions::new(folder.path().join("app.db"))).await.unwrap();
        let stores: [std::sync::Arc<dyn MemoryStore>; 2] =
            [std::sync::Arc::new(sqlite.memories()), std::sync::Arc::new(RamStore::new().memories())];
        let ann = Scope::of("acme").user("ann");
        let words = ["tea", "coffee", "morning", "evening", "cake", "garden", "walk"];
        for store in &stores {
            let changes = (1..=200_u64).map(|n| {
                let pick = |by: u64| words[(n * by % 7) as usize];
                let text = format!("{} {} and {}", pick(3), pick(5), pick(n));
                let body = MemoryBody::Episode { text: text.into(), span: None };
                let mut memory = Memory::new(id(n), ann.clone(), body, Timestamp(n));
                memory.place = Some(Place::new("c", n * 37 % 101));
                let vector = Vector::new("m", vec![1.0, (n % 13) as f32, (n % 7) as f32]);
                Change::add(memory, vec![vector])
            });
            store.apply(&ann, changes.collect()).await.unwrap();
        }
        let query = SearchQuery { neighbours: 2, limit: 9, ..SearchQuery::new(ann) }
            .text("cake in the garden")
            .vector(Vector::new("m", vec![1.0, 3.0, 2.0]));
        let [one, two] =
            [stores[0].search(query.clone()).await.unwrap(), stores[1].search(query).await.unwrap()];
        assert!(one.candidates.len() > 20);
        assert_eq!(one, two);
    });
}

#[cfg(feature = "postgres")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// As a role that is no superuser, so that row-level security holds as well.
    #[test]
    fn postgres_does_what_the_model_does(events in prop::collection::vec(event(), 1..60)) {
        run(async {
            let Some(database) = server::database().await else { return };
            let (one, two) = (database.open().await, database.open().await);
            live([&one, &two], events).await;
            one.close().await;
            two.close().await;
        });
    }
}
