//! What is erased leaves no trace: not in a table when `erase` has returned, and not in the server's files after `scrub`, but for the
//! write-ahead log, which the server alone may shorten.

use mosaic_core::memory::conformance::id;
use mosaic_core::memory::{
    Change, Memory, MemoryBlock, MemoryBody, MemoryPage, MemoryStore, Place, Scope, SearchQuery, SourceRef,
    Vector,
};
use mosaic_core::{Seq, Timestamp};
use mosaic_storage::PostgresMemories;
use sqlx::{Connection as _, PgConnection};

use crate::server::{Database, database, execute};

/// What is looked for: each in another part of a memory. Vectors are planted as bytes.
const PLANTED: &[&str] = &[
    "planted-user",
    "planted-agent",
    "planted-session",
    "planted-text",
    "plantedstem",
    "planted-key",
    "planted-speaker",
    "planted-caption",
    "planted-tag",
    "planted-source",
    "planted-block",
    "planted-name",
    "planted-model",
];

/// As bytes, what no other vector has.
const NUMBER: f32 = 0.123_456_79;

pub(crate) fn secret() -> Scope {
    Scope::of("acme").user("planted-user")
}

fn vector() -> Vec<f32> {
    [[NUMBER; 100], [-NUMBER; 100]].concat()
}

pub(crate) fn planted(n: u64) -> Vec<Change> {
    let scope = match n % 3 {
        0 => secret(),
        1 => secret().agent("planted-agent"),
        _ => secret().session("planted-session"),
    };
    let filler = "lorem ipsum ".repeat(usize::try_from(n * 7 % 90).unwrap());
    let body = if n.is_multiple_of(2) {
        MemoryBody::Insight { text: format!("planted-text plantedstem {n} {filler}").into() }
    } else {
        MemoryBody::Preference {
            key: "planted-key".into(),
            value: format!("{n} {filler}").into(),
            confidence: 0.5,
        }
    };
    let mut memory = Memory::new(id(n), scope.clone(), body, Timestamp(n));
    memory.place = Some(Place {
        speaker: Some("planted-speaker".into()),
        caption: Some("planted-caption".into()),
        ..Place::new("c", n)
    });
    memory.metadata.insert("tag".into(), "planted-tag".into());
    memory.source = vec![SourceRef { session: "planted-source".into(), seq: Seq(n) }];
    let block = MemoryBlock {
        scope,
        name: "planted-name".into(),
        purpose: String::new(),
        text: format!("planted-block {filler}"),
        limit: 9_000,
        version: 0,
        updated_at: Timestamp(n),
    };
    vec![
        Change::add(memory, vec![Vector::new("planted-model", vector())]),
        Change::PutBlock { block, expected: None },
    ]
}

pub(crate) fn other(n: u64) -> Change {
    let scope = Scope::of("acme").user(format!("somebody {}", n % 5));
    let body = MemoryBody::Insight {
        text: format!("harmless {n} {}", "words ".repeat(usize::try_from(n * 13 % 200).unwrap())).into(),
    };
    Change::add(
        Memory::new(id(100_000 + n), scope, body, Timestamp(n)),
        vec![Vector::new("m", vec![0.5; 200])],
    )
}

async fn fill(memories: &PostgresMemories) {
    let all = Scope::of("acme");
    for n in 1..=120_u64 {
        let mut changes = planted(n);
        changes.push(other(n));
        if n > 20 && n.is_multiple_of(2) {
            changes.push(Change::Remove { id: id(100_000 + n - 11) });
            changes.push(Change::Close { id: id(n - 13), at: Timestamp(n), kept: None });
        }
        if n > 30 && n.is_multiple_of(5) {
            changes.push(Change::Remove { id: id(n - 29) });
        }
        memories.apply(&all, changes).await.unwrap();
    }
}

/// What the server has on disk of what was planted.
pub(crate) async fn traces(database: &Database) -> Vec<String> {
    let mut wanted: Vec<(&str, Vec<u8>)> =
        PLANTED.iter().map(|text| (*text, text.as_bytes().to_vec())).collect();
    wanted.push(("the vector", [NUMBER.to_le_bytes(), NUMBER.to_le_bytes()].concat()));
    // Of 200 equal numbers each is this, as 16 bits, when their length is 1. In the middle of the vector its sign changes.
    let middle = [0x2c87_u16, 0x2c87, 0xac87, 0xac87].map(u16::to_le_bytes).concat();
    wanted.push(("the half vector", middle));
    database.on_disk(&wanted).await
}

/// All text that the tables hold, the catalogues too, where it holds what was planted.
pub(crate) async fn rows_with_traces(database: &Database) -> i64 {
    let text = "SELECT sum(n)::bigint FROM (
        SELECT count(*) AS n FROM mosaic.memories m WHERE m::text LIKE '%planted%' UNION ALL
        SELECT count(*) FROM mosaic.memory_words m WHERE m::text LIKE '%planted%' UNION ALL
        SELECT count(*) FROM mosaic.memory_parts m WHERE m::text LIKE '%planted%' UNION ALL
        SELECT count(*) FROM mosaic.memory_models m WHERE m::text LIKE '%planted%' UNION ALL
        SELECT count(*) FROM mosaic.memory_blocks m WHERE m::text LIKE '%planted%' UNION ALL
        SELECT count(*) FROM mosaic.memory_vectors v WHERE NOT EXISTS (SELECT 1 FROM mosaic.memories m WHERE m.n = v.n) UNION ALL
        SELECT count(*) FROM mosaic.memory_words w WHERE NOT EXISTS (SELECT 1 FROM mosaic.memories m WHERE m.n = w.n) UNION ALL
        SELECT count(*) FROM pg_stats s WHERE s::text LIKE '%planted%') all_of_it";
    database.ask(text).await
}

#[tokio::test]
async fn an_erased_user_is_in_no_table_and_after_a_scrub_in_no_file() {
    let Some(database) = database().await else { return };
    let memories = PostgresMemories::open(database.options().index_vectors_from(50)).await.unwrap();
    fill(&memories).await;
    memories.index_vectors("acme").await.unwrap();
    execute(&database.superuser, "ANALYZE").await;
    assert!(rows_with_traces(&database).await > 100, "the check sees rows");
    let seen = traces(&database).await;
    for what in PLANTED.iter().copied().chain(["the vector", "the half vector"]) {
        assert!(seen.iter().any(|trace| trace.starts_with(what)), "the check does not see {what}: {seen:?}");
    }
    let in_statistics: i64 =
        database.ask("SELECT count(*) FROM pg_stats s WHERE s::text LIKE '%planted%'").await;
    assert_eq!(in_statistics, 0, "what the planner keeps are values of rows");

    let erased = memories.erase(&secret()).await.unwrap();
    assert!(erased.memories > 90 && erased.blocks == 3, "{erased:?}");
    assert_eq!(rows_with_traces(&database).await, 0);
    execute(&database.superuser, "VACUUM").await;
    assert!(
        !traces(&database).await.is_empty(),
        "a plain `VACUUM` would do, and the documents say it does not"
    );
    memories.scrub().await.unwrap();
    assert_eq!(traces(&database).await, [""; 0]);

    let page = MemoryPage { limit: 1_000, ..MemoryPage::default() };
    let left = memories.list(&Scope::of("acme"), page).await.unwrap();
    assert!(left.len() > 50, "the others stay");
    let query = SearchQuery::new(Scope::of("acme")).text("harmless").vector(Vector::new("m", vec![1.0; 200]));
    let found = memories.search(query).await.unwrap();
    assert!(found.candidates.iter().any(|one| one.lexical.is_some() && one.dense.is_some()));
}

#[tokio::test]
async fn a_removed_memory_is_in_no_file_after_a_scrub() {
    let Some(database) = database().await else { return };
    let memories = database.open().await;
    let all = Scope::of("acme");
    for n in 1..=30 {
        memories.apply(&all, vec![other(n)]).await.unwrap();
    }
    let mut one = planted(3);
    one.truncate(1);
    memories.apply(&all, one).await.unwrap();
    memories.apply(&all, vec![Change::Remove { id: id(3) }]).await.unwrap();
    memories.scrub().await.unwrap();
    let left = traces(&database).await;
    let names = ["planted-user", "planted-model"];
    let left: Vec<_> =
        left.iter().filter(|trace| !names.iter().any(|name| trace.starts_with(name))).collect();
    assert_eq!(left, [""; 0], "only names are there: the user and the model may have more");
}

#[tokio::test]
async fn what_somebody_may_still_see_is_not_scrubbed_in_silence() {
    let Some(database) = database().await else { return };
    let patience = std::time::Duration::from_millis(150);
    let memories = PostgresMemories::open(database.options().patience(patience)).await.unwrap();
    let mut one = planted(3);
    one.truncate(1);
    // One of the application that reads; somebody else, who writes in another database of the server.
    let elsewhere = format!("{}/postgres", database.superuser.rsplit_once('/').unwrap().0);
    for (url, begin) in [
        (&database.url, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1"),
        (&elsewhere, "BEGIN; SELECT pg_current_xact_id()"),
    ] {
        memories.apply(&secret(), one.clone()).await.unwrap();
        let mut db = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(begin).execute(&mut db).await.unwrap();
        memories.erase(&secret()).await.unwrap();
        let error = memories.scrub().await.unwrap_err();
        assert!(error.is_retryable() && error.to_string().contains("still open"), "{error}");
        sqlx::raw_sql("COMMIT").execute(&mut db).await.unwrap();
        // As patient as others are, for there may be others who write.
        database.open().await.scrub().await.unwrap();
        assert_eq!(traces(&database).await, [""; 0]);
    }
}
