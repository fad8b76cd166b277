//! What searching and keeping memories costs.
//!
//! ```sh
//! cargo run --release -p mosaic-benches --bin memory [TURNS.json ...]
//! ```
//!
//! Without files the texts are made up: words by Zipf's law, 12 to 40 a turn, 2,000 words known. With files (a list `turns` of objects with
//! `speaker`, `text`, `caption`, and a list `questions` of objects with `question`) they are those of the files, over and over. Vectors
//! are random, of 384 numbers. The files of the stores lie in the folder for temporary files.
//!
//! | line | budget |
//! | --- | --- |
//! | scan of 100,000 x 384 | 2.5 ms, one core, no build flag |
//! | hybrid search over 700 | 1 ms (median), without embedding |
//! | hybrid search over 50,000 | 5 ms (median) |
//! | insert of 1,000, embedded already, durable | 1 s |
//! | RAM per 10,000 in the index | 8 MB |
//!
//! A line gives the minimum, the median and the 95th percentile.

#![allow(clippy::indexing_slicing)] // a bench that reaches beyond its own lists stops, and that is all

use std::time::{Duration, Instant};

use mosaic_benches::allocator::{self, Counting};
use mosaic_core::memory::{
    Change, Memory, MemoryBody, MemoryId, MemoryStore, Place, Scope, SearchQuery, Vector,
};
use mosaic_core::{SessionStore, Timestamp};
use mosaic_storage::{RamStore, SqliteOptions, SqliteStore};
use serde::Deserialize;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const WIDTH: usize = 384;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Deserialize)]
struct File {
    turns: Vec<Turn>,
    questions: Vec<Question>,
}

#[derive(Deserialize, Clone)]
struct Turn {
    #[serde(default)]
    speaker: String,
    text: String,
    #[serde(default)]
    caption: String,
}

#[derive(Deserialize)]
struct Question {
    question: String,
}

struct Texts {
    turns: Vec<Turn>,
    questions: Vec<String>,
}

/// Numbers that are alike in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn vector(&mut self) -> Vec<f32> {
        (0..WIDTH).map(|_| (self.below(2_001) as f32 - 1_000.0) / 1_000.0).collect()
    }
}

fn made_up(random: &mut Random) -> Texts {
    // Zipf: the rank is the exponential of a uniform number.
    let word = |random: &mut Random| {
        let rank = (random.below(1_000_000) as f64 / 1_000_000.0 * 2_000_f64.ln()).exp() as u64;
        format!("w{rank}ing")
    };
    let mut words = |least: u64, most: u64| {
        let count = least + random.below(most - least);
        (0..count).map(|_| word(random)).collect::<Vec<_>>().join(" ")
    };
    let turns = (0..2_000)
        .map(|n| Turn { speaker: ["Ann", "Bob"][n % 2].into(), text: words(12, 40), caption: String::new() })
        .collect();
    Texts { turns, questions: (0..200).map(|_| words(4, 9)).collect() }
}

fn texts(random: &mut Random) -> Result<Texts> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        return Ok(made_up(random));
    }
    let mut texts = Texts { turns: Vec::new(), questions: Vec::new() };
    for file in files {
        let file: File = serde_json::from_slice(&std::fs::read(file)?)?;
        texts.turns.extend(file.turns);
        texts.questions.extend(file.questions.into_iter().map(|question| question.question));
    }
    Ok(texts)
}

fn memories(texts: &Texts, random: &mut Random, scope: &Scope, from: usize, count: usize) -> Vec<Change> {
    (from..from + count)
        .map(|n| {
            let turn = &texts.turns[n % texts.turns.len()];
            let body = MemoryBody::Episode { text: turn.text.as_str().into(), span: None };
            let at = Timestamp(1_683_554_160_000 + n as u64 * 60_000);
            let mut memory = Memory::new(MemoryId(uuid(n)), scope.clone(), body, at);
            memory.place = Some(Place {
                speaker: Some(turn.speaker.as_str().into()),
                said_at: Some(at),
                caption: (!turn.caption.is_empty()).then(|| turn.caption.as_str().into()),
                ..Place::new(format!("c{}", n / 700), n as u64)
            });
            Change::add(memory, vec![Vector::new("bench", random.vector())])
        })
        .collect()
}

fn uuid(n: usize) -> uuid::Uuid {
    uuid::Uuid::from_u128((n as u128) << 80 | 0x7 << 76 | 0x8 << 60)
}

fn show(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let ms = |at: usize| times[at.min(times.len() - 1)].as_secs_f64() * 1_000.0;
    println!("| {name} | {:.2} | {:.2} | {:.2} |", ms(0), ms(times.len() / 2), ms(times.len() * 95 / 100));
}

async fn fill(
    store: &dyn MemoryStore,
    texts: &Texts,
    random: &mut Random,
    scope: &Scope,
    count: usize,
) -> Result<()> {
    for from in (0..count).step_by(1_000) {
        store.apply(scope, memories(texts, random, scope, from, 1_000.min(count - from))).await?;
    }
    Ok(())
}

async fn search(
    name: &str,
    store: &dyn MemoryStore,
    texts: &Texts,
    random: &mut Random,
    scope: &Scope,
    text: bool,
    repeats: usize,
) -> Result<()> {
    let mut times = Vec::new();
    for round in 0..repeats {
        let mut query = SearchQuery::new(scope.clone()).vector(Vector::new("bench", random.vector()));
        if text {
            query = query.text(texts.questions[round % texts.questions.len()].as_str());
            query.neighbours = 2;
        } else {
            query.limit = 10;
        }
        let start = Instant::now();
        let found = store.search(query).await?;
        times.push(start.elapsed());
        assert!(found.candidates.len() >= 10, "{} found", found.candidates.len());
    }
    show(name, times);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut random = Random(7);
    let texts = texts(&mut random)?;
    let folder = tempfile::tempdir()?;
    let open = async |name: &str| SqliteStore::open(SqliteOptions::new(folder.path().join(name))).await;
    println!("| what | min, ms | median, ms | p95, ms |\n| --- | ---: | ---: | ---: |");

    let mut times = Vec::new();
    for round in 0..7 {
        let store = open(&format!("insert{round}.db")).await?;
        let scope = Scope::of("bench").user("u");
        let changes = memories(&texts, &mut random, &scope, 0, 1_000);
        let start = Instant::now();
        store.memories().apply(&scope, changes).await?;
        times.push(start.elapsed());
        store.close().await?;
    }
    show("SQLite: insert 1,000 in one call, durable", times);
    let store = open("one.db").await?;
    let scope = Scope::of("bench").user("u");
    let mut times = Vec::new();
    for change in memories(&texts, &mut random, &scope, 0, 200) {
        let start = Instant::now();
        store.memories().apply(&scope, vec![change]).await?;
        times.push(start.elapsed());
    }
    show("SQLite: insert 1, durable", times);
    store.close().await?;

    for count in [700, 10_000, 50_000] {
        let store = open(&format!("{count}.db")).await?;
        let scope = Scope::of("bench").user("u");
        fill(&store.memories(), &texts, &mut random, &scope, count).await?;
        store.close().await?;
        let store = open(&format!("{count}.db")).await?;
        let memories = store.memories();
        let before = allocator::counts().live;
        search(
            &format!("SQLite: first search over {count} (loads the index)"),
            &memories,
            &texts,
            &mut random,
            &scope,
            true,
            1,
        )
        .await?;
        let live = allocator::counts().live - before;
        search(
            &format!("SQLite: hybrid search over {count}"),
            &memories,
            &texts,
            &mut random,
            &scope,
            true,
            300,
        )
        .await?;
        println!(
            "| index of {count} by its own count, and all that one search left allocated, MB | {:.2} | {:.2} | |",
            memories.index_bytes() as f64 / 1e6,
            live as f64 / 1e6
        );
        let size = std::fs::metadata(folder.path().join(format!("{count}.db")))?.len();
        println!("| file of {count}, MB | {:.1} | | |", size as f64 / 1e6);
        store.close().await?;
    }

    for count in [700, 50_000, 100_000] {
        let memories = RamStore::new().memories();
        let scope = Scope::of("bench").user("u");
        fill(&memories, &texts, &mut random, &scope, count).await?;
        search(
            &format!("RAM: search by vector alone over {count} x {WIDTH}, best 10"),
            &memories,
            &texts,
            &mut random,
            &scope,
            false,
            100,
        )
        .await?;
        search(
            &format!("RAM: hybrid search over {count}"),
            &memories,
            &texts,
            &mut random,
            &scope,
            true,
            100,
        )
        .await?;
    }
    Ok(())
}
