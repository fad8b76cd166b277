//! A process that is killed loses no memory that was acknowledged, and leaves no half of a change.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use mosaic_core::Timestamp;
use mosaic_core::memory::conformance::id;
use mosaic_core::memory::{
    AsOf, Change, Filter, Memory, MemoryBody, MemoryPage, MemoryStore, Scope, SearchQuery, Vector,
};
use sqlx::{Connection as _, PgConnection};

use crate::server::database;

const DATABASE: &str = "MOSAIC_MEMORY_TEST_DATABASE";

fn ann() -> Scope {
    Scope::of("acme").user("ann")
}

fn memory(n: u64) -> Change {
    let body = MemoryBody::Insight { text: format!("memory{n} of many").into() };
    let memory = Memory::new(id(n), ann(), body, Timestamp(n));
    Change::add(memory, vec![Vector::new("m", vec![1.0, f32::from(u16::try_from(n).unwrap())])])
}

/// Each change adds two memories and closes one of those before.
fn step(n: u64) -> Vec<Change> {
    let mut changes = vec![memory(2 * n), memory(2 * n + 1)];
    if n > 1 {
        changes.push(Change::Close { id: id(2 * n - 2), at: Timestamp(9_999), kept: None });
    }
    changes
}

/// Not a test by itself: what the killed processes do. They are this program, started again.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let memories = mosaic_storage::open_memories(&url).await.unwrap();
    let mut n = memories.counts(&ann()).await.unwrap().memories / 2;
    loop {
        n += 1;
        memories.apply(&ann(), step(n)).await.unwrap();
        println!("\nacknowledged {n}");
    }
}

/// What is counted of a user beside the memories is what is there.
async fn counts_are_right(url: &str) {
    let mut db = PgConnection::connect(url).await.unwrap();
    let wrong: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM mosaic.memory_parts p WHERE (docs, open, words) IS DISTINCT FROM
             (SELECT (count(*), count(*) - count(closed_at), sum(length)::bigint) FROM mosaic.memories m WHERE m.part = p.id)
         OR words <> (SELECT sum(count) FROM mosaic.memory_words w WHERE w.part = p.id)",
    )
    .fetch_one(&mut db)
    .await
    .unwrap();
    assert_eq!(wrong, 0, "what is counted is not what is there");
}

#[tokio::test]
async fn memories_survive_the_death_of_the_process() {
    let Some(database) = database().await else { return };
    let mut before = 0;
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--nocapture"])
            .env(DATABASE, &database.url)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let awaited = format!("acknowledged {}", before + 2 + round % 5);
        assert!(lines.any(|line| line.unwrap() == awaited), "the child ended without saying `{awaited}`");
        child.kill().unwrap();
        child.wait().unwrap();
        let said =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
        let acknowledged: u64 = said.last().unwrap_or(before + 2 + round % 5);

        let memories = database.open().await;
        // Waits for what the server still does for the dead: it holds the user's lock until that is done.
        memories.apply(&ann(), vec![Change::Touch { ids: vec![id(1)], at: Timestamp(1) }]).await.unwrap();
        let counts = memories.counts(&ann()).await.unwrap();
        let last = counts.memories / 2;
        assert!(last >= acknowledged, "{acknowledged} was acknowledged, {last} is there");
        assert_eq!(
            (counts.memories, counts.open, counts.vectors.get("m").copied()),
            (2 * last, last + 1, Some(2 * last)),
            "a change was torn"
        );
        counts_are_right(&database.superuser).await;
        // What is in the tables is found.
        let query = SearchQuery::new(ann())
            .text(format!("memory{}", 2 * last + 1))
            .vector(Vector::new("m", vec![1.0, 0.0]));
        let found = memories.search(query).await.unwrap();
        assert!(
            found.candidates.iter().any(|one| one.memory.id == id(2 * last + 1) && one.lexical.is_some())
        );
        let filter = Filter { as_of: AsOf::then(Timestamp(9_998)), ..Filter::default() };
        let all = memories.list(&ann(), MemoryPage { filter, after: None, limit: 10_000 }).await.unwrap();
        assert_eq!(all.len() as u64, 2 * last);
        memories.close().await;
        before = last;
    }
}
