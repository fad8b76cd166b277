//! Opening: many processes at once, newer formats, servers without pgvector.

use mosaic_core::StoreError;
use mosaic_core::memory::{MemoryError, MemoryStore, Scope};
use mosaic_storage::{PostgresMemories, PostgresStore, open_memories};

use sqlx::Connection as _;

use crate::server::{database, execute};

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_may_make_the_tables_at_once() {
    let Some(database) = database().await else { return };
    // Without the extension too, as somebody who may install it.
    execute(&database.superuser, "DROP EXTENSION vector").await;
    let memories = (0..8).map(|_| open_memories(&database.superuser));
    for store in futures_util::future::join_all(memories).await {
        assert_eq!(store.unwrap().counts(&Scope::of("acme")).await.unwrap(), Default::default());
    }
    let beside = (0..4).map(|_| async {
        let store = PostgresStore::open(database.options().schema("other").connections(2)).await?;
        store.memories().await
    });
    for store in futures_util::future::join_all(beside).await {
        assert_eq!(store.unwrap().counts(&Scope::of("acme")).await.unwrap(), Default::default());
    }
}

#[tokio::test]
async fn a_newer_format_is_refused_and_jobs_go_on() {
    let Some(database) = database().await else { return };
    database.open().await.close().await;
    execute(&database.superuser, "UPDATE mosaic.memory_meta SET format = 99").await;
    let newer = open_memories(&database.url).await.unwrap_err();
    assert!(matches!(newer, StoreError::NewerFormat { found: 99, .. }), "{newer}");
    mosaic_storage::open_jobs(&database.url).await.unwrap();
}

#[tokio::test]
async fn without_pgvector_it_is_said_what_to_do_and_jobs_go_on() {
    let Some(database) = database().await else { return };
    execute(&database.superuser, "DROP EXTENSION vector").await;
    let error = PostgresMemories::open(database.options()).await.unwrap_err();
    assert!(error.to_string().contains("CREATE EXTENSION vector"), "{error}");
    mosaic_storage::open_jobs(&database.url).await.unwrap();
}

#[tokio::test]
async fn pgvector_may_be_in_a_schema_of_its_own() {
    let Some(database) = database().await else { return };
    execute(
        &database.superuser,
        "DROP EXTENSION vector; CREATE SCHEMA \"Ext\"; CREATE EXTENSION vector SCHEMA \"Ext\"; GRANT USAGE ON SCHEMA \"Ext\" TO public",
    )
    .await;
    let rules = ["vectors_are_found_by_direction", "two_models_serve_while_one_replaces_the_other"];
    for rule in mosaic_core::memory::conformance::RULES.iter().filter(|rule| rules.contains(&rule.name)) {
        rule.check(&database).await.unwrap();
    }
    let memories = PostgresMemories::open(database.options().index_vectors_from(1)).await.unwrap();
    memories.index_vectors("acme").await.unwrap();
}

#[tokio::test]
async fn nobody_waits_for_ever_for_a_lock() {
    use mosaic_core::memory::Change;

    let Some(database) = database().await else { return };
    let memories = PostgresMemories::open(database.options().patience(std::time::Duration::from_millis(100)))
        .await
        .unwrap();
    let mut db = sqlx::PgConnection::connect(&database.url).await.unwrap();
    let mut holder = db.begin().await.unwrap();
    sqlx::query("LOCK TABLE mosaic.memory_parts").execute(&mut *holder).await.unwrap();
    let scope = Scope::of("acme").user("ann");
    let change = memories.apply(&scope, vec![Change::DropVectors { model: "m".into() }]).await;
    change.unwrap(); // about nothing that the lock is on
    let block = mosaic_core::memory::MemoryBlock {
        scope: scope.clone(),
        name: "b".into(),
        purpose: String::new(),
        text: String::new(),
        limit: 1,
        version: 0,
        updated_at: mosaic_core::Timestamp(1),
    };
    for error in [
        memories.apply(&scope, vec![Change::PutBlock { block, expected: None }]).await.unwrap_err(),
        memories.counts(&scope).await.unwrap_err(),
    ] {
        assert!(matches!(error, MemoryError::Store(StoreError::Locked { .. })), "{error}");
        assert!(error.is_retryable());
    }
}

/// Two users of a tenant who take the same ids in the other order wait for each other; the server sends one away.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_each_other_is_untied() {
    use mosaic_core::memory::conformance::id;
    use mosaic_core::memory::{Change, Memory, MemoryBody};

    let Some(database) = database().await else { return };
    let memories = database.open().await;
    let add = |user: &str, n: u64| {
        let body = MemoryBody::Insight { text: "x".into() };
        let scope = Scope::of("acme").user(user);
        Change::add(Memory::new(id(n), scope, body, mosaic_core::Timestamp(n)), vec![])
    };
    // A change of another kind between them, so that the two are written one after the other.
    let between = Change::RemoveBlock { name: "x".into() };
    for round in 0..10 {
        let (one, two) = (2 * round, 2 * round + 1);
        let ann = vec![add("ann", one), between.clone(), add("ann", two)];
        let bob = vec![add("bob", two), between.clone(), add("bob", one)];
        let (anns, bobs) = (Scope::of("acme").user("ann"), Scope::of("acme").user("bob"));
        let ended = tokio::join!(memories.apply(&anns, ann), memories.apply(&bobs, bob));
        let ((Ok(()), Err(error)) | (Err(error), Ok(()))) = ended else { panic!("{ended:?}") };
        assert!(matches!(error, MemoryError::Exists { .. }), "{error}");
    }
}
