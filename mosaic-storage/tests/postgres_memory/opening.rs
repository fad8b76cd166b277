//! Opening: many processes at once, newer formats, servers without pgvector.

use mosaic_core::StoreError;
use mosaic_core::memory::{MemoryStore, Scope};
use mosaic_storage::{PostgresMemories, PostgresStore, open_memories};

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
