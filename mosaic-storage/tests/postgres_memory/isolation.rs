//! Whoever forgets to ask for a tenant sees nothing of others: row-level security.

use mosaic_core::memory::conformance::id;
use mosaic_core::memory::{
    Change, Memory, MemoryBlock, MemoryBody, MemoryStore, Reach, Scope, SearchQuery, Vector,
};
use mosaic_core::{Timestamp, TokioRuntime};
use mosaic_storage::PostgresMemories;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::server::{Database, database, execute};

const TABLES: [&str; 6] =
    ["memory_parts", "memories", "memory_words", "memory_models", "memory_vectors", "memory_blocks"];

/// A memory, a vector and a block of each of two tenants.
async fn fill(memories: &PostgresMemories) {
    for tenant in ["acme", "globex"] {
        let scope = Scope::of(tenant).user("ann");
        let body = MemoryBody::Insight { text: format!("the secret of {tenant}").into() };
        let memory = Memory::new(id(1), scope.clone(), body, Timestamp(1));
        let block = MemoryBlock {
            scope: scope.clone(),
            name: "human".into(),
            purpose: String::new(),
            text: tenant.into(),
            limit: 99,
            version: 0,
            updated_at: Timestamp(1),
        };
        let changes = vec![
            Change::add(memory, vec![Vector::new("m", vec![1.0, 0.0])]),
            Change::PutBlock { block, expected: None },
        ];
        memories.apply(&scope, changes).await.unwrap();
    }
}

async fn count(db: &mut PgConnection, table: &str) -> i64 {
    let text = AssertSqlSafe(format!("SELECT count(*) FROM mosaic.{table}"));
    sqlx::query_scalar(text).fetch_one(db).await.unwrap()
}

/// What tenants there are, by the digests in the rows.
async fn tenants(database: &Database) -> Vec<uuid::Uuid> {
    let mut db = PgConnection::connect(&database.superuser).await.unwrap();
    let text = "SELECT tenant FROM mosaic.memory_parts ORDER BY tenant_name";
    sqlx::query_scalar(text).fetch_all(&mut db).await.unwrap()
}

#[tokio::test]
async fn a_query_that_forgets_the_tenant_sees_only_the_one_of_its_transaction() {
    let Some(database) = database().await else { return };
    fill(&database.open().await).await;
    let [acme, globex] = tenants(&database).await.try_into().unwrap();
    let stranger = uuid::Uuid::from_u128(7);
    // The application's own role, and one that was only granted the tables.
    let reader = format!("{}_reader", database.name());
    execute(
        &database.superuser,
        &format!(
            "CREATE ROLE {reader} LOGIN; GRANT USAGE ON SCHEMA mosaic TO {reader};
             GRANT ALL ON ALL TABLES IN SCHEMA mosaic TO {reader}"
        ),
    )
    .await;
    for url in [database.url.clone(), database.url_as(&reader)] {
        let mut db = PgConnection::connect(&url).await.unwrap();
        for table in TABLES {
            assert_eq!(count(&mut db, table).await, 0, "{table} without a tenant");
        }
        for tenant in [acme, globex, stranger] {
            let mut transaction = db.begin().await.unwrap();
            let set = sqlx::query("SELECT set_config('mosaic.tenant', $1, true)").bind(tenant.to_string());
            set.execute(&mut *transaction).await.unwrap();
            for table in TABLES {
                let expected = if table == "memory_words" { 2 } else { 1 } * i64::from(tenant != stranger);
                assert_eq!(count(&mut transaction, table).await, expected, "{table} of {tenant}");
                let text = AssertSqlSafe(format!("SELECT count(*) FROM mosaic.{table} WHERE tenant <> $1"));
                let others: i64 =
                    sqlx::query_scalar(text).bind(tenant).fetch_one(&mut *transaction).await.unwrap();
                assert_eq!(others, 0, "{table} shows {tenant} another's");
            }
            transaction.commit().await.unwrap();
            assert_eq!(count(&mut db, "memories").await, 0, "the setting outlives its transaction");
        }
    }
}

#[tokio::test]
async fn a_change_that_forgets_the_tenant_reaches_only_the_one_of_its_transaction() {
    let Some(database) = database().await else { return };
    fill(&database.open().await).await;
    let [acme, globex] = tenants(&database).await.try_into().unwrap();
    let mut db = PgConnection::connect(&database.url).await.unwrap();
    let set = format!("SELECT set_config('mosaic.tenant', '{acme}', true)");
    for text in [
        "UPDATE mosaic.memories SET accessed = 99".to_owned(),
        "DELETE FROM mosaic.memory_vectors".to_owned(),
        "DELETE FROM mosaic.memory_words".to_owned(),
    ] {
        let mut transaction = db.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(set.clone())).execute(&mut *transaction).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }
    for planted in [
        format!("UPDATE mosaic.memories SET tenant = '{globex}'"),
        format!(
            "INSERT INTO mosaic.memory_words (tenant, part, n, count, stem) VALUES ('{globex}', 1, 1, 1, 'x')"
        ),
    ] {
        let mut transaction = db.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(set.clone())).execute(&mut *transaction).await.unwrap();
        let error = sqlx::raw_sql(AssertSqlSafe(planted)).execute(&mut *transaction).await.unwrap_err();
        assert!(error.to_string().contains("row-level security"), "{error}");
    }
    let memories = database.open().await;
    let globex = Scope::of("globex");
    let got = memories.get(&globex, &[id(1)]).await.unwrap();
    assert_eq!(got[0].as_ref().unwrap().accessed, 0);
    let query = SearchQuery::new(globex).text("secret").vector(Vector::new("m", vec![1.0, 0.0]));
    let found = memories.search(query).await.unwrap();
    assert!(found.candidates[0].lexical.is_some() && found.candidates[0].dense.is_some());
}

/// The setting ends with the transaction: what is done next on the connection is nobody's.
#[tokio::test]
async fn a_connection_that_is_given_back_has_no_tenant() {
    use mosaic_core::queue::{JobStore, Pause};

    let Some(database) = database().await else { return };
    let store = mosaic_storage::PostgresStore::open(database.options().connections(1)).await.unwrap();
    let memories = store.memories().await.unwrap();
    // A row of jobs that says what setting it was written under.
    let column =
        "ALTER TABLE mosaic.job_pauses ADD COLUMN tenant text DEFAULT current_setting('mosaic.tenant', true)";
    execute(&database.superuser, column).await;
    fill(&memories).await;
    store.pause(&Pause::Everything).await.unwrap();
    memories.counts(&Scope::of("acme")).await.unwrap();
    store.pause(&Pause::Kind("k".into())).await.unwrap();
    let mut db = PgConnection::connect(&database.superuser).await.unwrap();
    let tenants = sqlx::query_scalar::<_, Option<String>>("SELECT tenant FROM mosaic.job_pauses");
    let tenants = tenants.fetch_all(&mut db).await.unwrap();
    assert_eq!(tenants, [Some(String::new()), Some(String::new())]);
}

#[tokio::test]
async fn names_that_no_database_keeps_are_nobodys() {
    let Some(database) = database().await else { return };
    let memories = database.open().await;
    fill(&memories).await;
    let nul = Scope::of("a\0").user("b\0").agent("c\0").session("d\0");
    assert_eq!(memories.get(&nul, &[id(1)]).await.unwrap(), [None]);
    assert_eq!(memories.list(&nul, Default::default()).await.unwrap(), []);
    assert_eq!(memories.counts(&nul).await.unwrap(), Default::default());
    assert_eq!(memories.blocks(&nul, Reach::Inherited).await.unwrap(), []);
    assert_eq!(memories.erase(&nul).await.unwrap(), Default::default());
    let ann = Scope::of("acme").user("ann");
    assert_eq!(memories.list(&ann.clone().agent("c\0"), Default::default()).await.unwrap(), []);
    assert_eq!(memories.missing_vectors(&ann, "m\0", None, 9).await.unwrap().len(), 1);
    // What JSON holds may hold one.
    let mut memory = Memory::new(id(2), ann.clone(), MemoryBody::Insight { text: "x".into() }, Timestamp(1));
    memory.metadata.insert("a\0b".into(), "c\0d".into());
    memories.apply(&ann, vec![Change::add(memory.clone(), vec![])]).await.unwrap();
    assert_eq!(memories.get(&ann, &[id(2)]).await.unwrap()[0].as_deref(), Some(&memory));
}

#[tokio::test]
async fn the_longest_names_are_names() {
    let Some(database) = database().await else { return };
    let memories = database.open().await;
    // Not one that a database could make short.
    let name = |seed: u32| -> String {
        let mut state = seed;
        let letters = std::iter::from_fn(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_digit(state >> 28, 16)
        });
        letters.take(mosaic_core::memory::check::MAX_NAME).collect()
    };
    let scope = Scope::of(name(1)).user(name(2)).agent(name(3)).session(name(4));
    let mut memory =
        Memory::new(id(1), scope.clone(), MemoryBody::Insight { text: "long names".into() }, Timestamp(1));
    memory.place = Some(mosaic_core::memory::Place::new(name(5), u64::MAX));
    let block = MemoryBlock {
        scope: scope.clone(),
        name: name(6).into(),
        purpose: String::new(),
        text: String::new(),
        limit: 0,
        version: 0,
        updated_at: Timestamp(1),
    };
    let vector = Vector::new(name(7), vec![1.0]);
    let changes = vec![
        Change::add(memory.clone(), vec![vector.clone()]),
        Change::PutBlock { block, expected: Some(0) },
    ];
    memories.apply(&scope, changes).await.unwrap();
    let query = SearchQuery { neighbours: 1, ..SearchQuery::new(scope.clone()) }.text("names").vector(vector);
    let found = memories.search(query).await.unwrap().candidates;
    assert_eq!((found.len(), &*found[0].memory), (1, &memory));
    assert_eq!(memories.blocks(&scope, Reach::Within).await.unwrap().len(), 1);
}

/// Dropped at any moment, a call leaves no transaction open on a connection that others get: what they do there lasts.
#[tokio::test]
async fn a_dropped_call_leaves_no_transaction_open() {
    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;
    use mosaic_core::queue::{JobStore, NewJob, Pause};

    let Some(database) = database().await else { return };
    let store = mosaic_storage::PostgresStore::open(database.options().connections(1)).await.unwrap();
    let memories = store.memories().await.unwrap();
    let runtime = TokioRuntime::current().unwrap();
    let scope = Scope::of("acme").user("ann");
    let mut db = PgConnection::connect(&database.superuser).await.unwrap();
    // So many turns of the executor are some milliseconds: longer than beginning takes.
    for turns in (0..4_000_u32).step_by(40) {
        let job = NewJob::new("k", turns.into()).job(&runtime).unwrap();
        let touch = vec![Change::Touch { ids: vec![id(1)], at: Timestamp(1) }];
        let calls: [BoxFuture<'_, ()>; 2] =
            [memories.apply(&scope, touch).map(drop).boxed(), store.enqueue(vec![job]).map(drop).boxed()];
        for (call, mut future) in calls.into_iter().enumerate() {
            for _ in 0..turns {
                if (&mut future).now_or_never().is_some() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(future);
            // One statement, outside of a transaction as far as the store knows.
            let kind = format!("{turns} {call}");
            store.pause(&Pause::Kind(kind.as_str().into())).await.unwrap();
            let there =
                sqlx::query_scalar::<_, i64>("SELECT count(*) FROM mosaic.job_pauses WHERE kind = $1");
            let there = there.bind(&kind).fetch_one(&mut db).await.unwrap();
            assert_eq!(there, 1, "what was done after a call was dropped is not committed ({kind})");
        }
    }
}
