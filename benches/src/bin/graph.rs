//! What a graph of neighbours saves in a search among very many vectors, and what it misses.
//!
//! ```sh
//! cargo run --release -p mosaic-benches --bin graph [VECTORS]
//! ```
//!
//! Vectors (1,000,000, or as many as said) of 384 numbers lie in heaps of about 500 around centres at random, as those of texts lie by topic;
//! questions are drawn the same way. Each search is one of `SqliteMemories`, by vector alone, best 10, with the rows read from the file. The
//! file lies in the folder for temporary files and takes 3 kB a vector.
//!
//! A line gives the minimum, the median and the 95th percentile of 200 questions, in milliseconds.

#![allow(clippy::indexing_slicing)] // a bench that reaches beyond its own lists stops, and that is all

use std::time::{Duration, Instant};

use mosaic_core::memory::{Change, Memory, MemoryBody, MemoryId, MemoryStore, Scope, SearchQuery, Vector};
use mosaic_core::{SessionStore, Timestamp};
use mosaic_storage::{Durability, SqliteMemories, SqliteOptions, SqliteStore};

const WIDTH: usize = 384;
const HEAP: usize = 500;
const QUESTIONS: usize = 200;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Numbers that are alike in every run, from -1 to 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    /// A vector of a heap.
    fn of(&mut self, heap: usize) -> Vec<f32> {
        let mut centre = Random(heap as u64 + 1);
        (0..WIDTH).map(|_| centre.next() + self.next()).collect()
    }
}

fn scope() -> Scope {
    Scope::of("bench").user("u")
}

async fn fill(path: &std::path::Path, count: usize) -> Result<()> {
    let store = SqliteStore::open(SqliteOptions::new(path).durability(Durability::Process)).await?;
    let mut random = Random(7);
    for from in (0..count).step_by(1_000) {
        let changes = (from..count.min(from + 1_000)).map(|n| {
            let id = MemoryId(uuid::Uuid::from_u128((n as u128) << 80 | 0x7 << 76 | 0x8 << 60));
            let body = MemoryBody::Insight { text: format!("fact {n}").into() };
            let memory = Memory::new(id, scope(), body, Timestamp(1_700_000_000_000 + n as u64));
            Change::add(memory, vec![Vector::new("bench", random.of(n % (count / HEAP).max(1)))])
        });
        store.memories().apply(&scope(), changes.collect()).await?;
    }
    Ok(store.close().await?)
}

async fn ask(memories: &SqliteMemories, name: &str, count: usize) -> Result<Vec<Vec<MemoryId>>> {
    let (mut random, mut times, mut found) = (Random(99), Vec::new(), Vec::new());
    for question in 0..QUESTIONS {
        let vector = random.of(question * 31 % (count / HEAP).max(1));
        let mut query = SearchQuery::new(scope()).vector(Vector::new("bench", vector));
        query.limit = 10;
        let start = Instant::now();
        let candidates = memories.search(query).await?.candidates;
        times.push(start.elapsed());
        found.push(candidates.into_iter().map(|candidate| candidate.memory.id).collect());
    }
    times.sort_unstable();
    let ms = |at: usize| times[at].as_secs_f64() * 1_000.0;
    println!("| {name} | {:.2} | {:.2} | {:.2} |", ms(0), ms(QUESTIONS / 2), ms(QUESTIONS * 95 / 100));
    Ok(found)
}

#[tokio::main]
async fn main() -> Result<()> {
    let count = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("graph.db");
    let start = Instant::now();
    fill(&path, count).await?;
    println!("| {count} x {WIDTH} | min, ms | median, ms | p95, ms |\n| --- | ---: | ---: | ---: |");
    println!("| filling the file, s | {:.0} | | |", start.elapsed().as_secs_f64());

    let options = SqliteOptions::new(&path).memory_index_bytes(usize::MAX);
    let store = SqliteStore::open(options.clone().memory_graph_from(None)).await?;
    let memories = store.memories();
    let start = Instant::now();
    memories.search(SearchQuery::new(scope()).text("fact")).await?;
    println!("| loading the index, s | {:.1} | | |", start.elapsed().as_secs_f64());
    let exact = ask(&memories, "search, all looked at", count).await?;
    println!("| index, MB | {:.0} | | |", memories.index_bytes() as f64 / 1e6);
    store.close().await?;

    let store = SqliteStore::open(options.memory_graph_from(1)).await?;
    let memories = store.memories();
    memories.search(SearchQuery::new(scope()).text("fact")).await?;
    let (start, before) = (Instant::now(), memories.index_bytes());
    ask(&memories, "search, while the graph is made", count).await?;
    while memories.index_bytes() == before {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("| making the graph, s | {:.0} | | |", start.elapsed().as_secs_f64());
    let found = ask(&memories, "search, by the graph", count).await?;
    println!("| index, MB | {:.0} | | |", memories.index_bytes() as f64 / 1e6);
    let hits: usize = found
        .iter()
        .zip(&exact)
        .map(|(found, exact)| exact.iter().filter(|id| found.contains(id)).count())
        .sum();
    println!(
        "| of the best 10, found | {:.3} | | |",
        hits as f64 / exact.iter().map(Vec::len).sum::<usize>() as f64
    );
    store.close().await?;
    Ok(())
}
