//! Recall on conversations of LoCoMo (Maharana et al., 2024), beside words alone, vectors alone and rank fusion.
//!
//! ```sh
//! cargo run --release -p mosaic-memory --features minilm --example locomo -- FOLDER [--fit] [--export FILE]
//! ```
//!
//! The folder (or `MOSAIC_LOCOMO`) holds a file a conversation: `{id, turns: [{id, session, n, speaker, text, caption, date}],
//! questions: [{question, category, evidence}]}`. The data are CC BY-NC and not in this repository.
//!
//! Each turn becomes a memory in a store; each question is recalled, end to end. recall@k is the share of the evidence
//! among the first k, averaged over the questions. Nothing that ranks sees category, evidence or the name of the data.
//! `--fit` fits the weights anew: on all conversations, and for each on the others only, which is the honest figure.
//! `--export` writes turns, questions and their vectors as JSON lines, for stores of others (`benches/python/memory_peers.py`).
//! MiniLM's weights are looked for in `MOSAIC_MINILM`, or where `cargo xtask` leaves them; vectors are kept in
//! `.cache/recall`.

mod data;
mod fit;
mod score;
mod vectors;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mosaic_core::memory::{Change, MemoryStore};
use mosaic_core::{Embedder, TokioRuntime};
use mosaic_memory::embed::{CachedEmbedder, MiniLm};
use mosaic_memory::recall::{
    Ranking, Recall, RecallOptions, RecallRequest, ReciprocalRank, Signal, Signals, Strategy, embed_memories,
};
use mosaic_storage::RamStore;

use data::Conversation;
use score::Score;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let fit = args.iter().position(|arg| arg == "--fit").map(|at| args.remove(at)).is_some();
    let export = match args.iter().position(|arg| arg == "--export") {
        Some(at) => {
            args.remove(at);
            Some(if at < args.len() { args.remove(at) } else { return Err("--export wants a file".into()) })
        }
        None => None,
    };
    let folder = args.into_iter().next().or_else(|| std::env::var("MOSAIC_LOCOMO").ok());
    let folder = folder.ok_or("say where the conversations are: a folder, or MOSAIC_LOCOMO")?;
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let weights = std::env::var_os("MOSAIC_MINILM")
        .map_or_else(|| PathBuf::from(format!("{root}/.cache/models/all-minilm-l6-v2")), PathBuf::from);

    let conversations = data::read(folder.as_ref())?;
    let model = MiniLm::open(weights, Arc::new(TokioRuntime::current()?)).await?;
    let kept = Arc::new(vectors::FileCache::open(format!("{root}/.cache/recall/minilm.bin"))?);
    let embedder: Arc<dyn Embedder> = Arc::new(CachedEmbedder::new(Arc::new(model), kept));
    let store: Arc<dyn MemoryStore> = Arc::new(RamStore::new().memories());
    let start = Instant::now();
    let mut exported = Vec::new();
    for conversation in &conversations {
        let memories = conversation.memories();
        let vectors = embed_memories(&*embedder, &memories).await?;
        if export.is_some() {
            exported.extend(conversation.lines(&memories, &vectors, &*embedder).await?);
        }
        let changes =
            memories.into_iter().zip(vectors).map(|(memory, vector)| Change::add(memory, vec![vector]));
        store.apply(&conversation.scope(), changes.collect()).await?;
    }
    let turns: usize = conversations.iter().map(|conversation| conversation.turns.len()).sum();
    let questions: usize = conversations.iter().map(|conversation| conversation.questions.len()).sum();
    println!("{turns} turns are in the store after {:.1?}; {questions} questions\n", start.elapsed());

    if let Some(path) = export {
        std::fs::write(path, exported.concat())?;
    }
    if fit {
        return fit::run(&store, &embedder, &conversations).await;
    }
    score::head(&conversations);
    for (name, strategy) in strategies() {
        let ranking = Ranking { strategy, ..Ranking::default() };
        let options = RecallOptions { ranking, ..RecallOptions::default() };
        let recall = Recall::new(Arc::clone(&store), Arc::clone(&embedder), options);
        let (scores, times) = ask(&recall, &conversations).await?;
        score::row(name, &scores, conversations.len(), &times);
    }
    Ok(())
}

fn strategies() -> Vec<(&'static str, Strategy)> {
    let equal = ReciprocalRank { k: 60.0, words: 1.0, window: 0.0, meaning: 1.0 };
    let hand = Signals::NONE.with(Signal::Words, 1.0).with(Signal::Window, 1.0).with(Signal::Meaning, 0.8);
    vec![
        ("BM25 alone", Strategy::words()),
        ("dense alone", Strategy::meaning()),
        ("equal RRF, k = 60", Strategy::ReciprocalRank(equal)),
        ("weighted RRF", Strategy::ReciprocalRank(ReciprocalRank::default())),
        ("min-max, half and half", Strategy::half_and_half()),
        ("words, window, meaning", Strategy::Weighted(hand)),
        ("default", Strategy::default()),
    ]
}

/// Asks everything, and times each answer; the vectors of the questions are in the cache by then.
async fn ask(
    recall: &Recall,
    conversations: &[Conversation],
) -> Result<(Vec<Score>, Vec<Duration>), Box<dyn Error>> {
    let (mut scores, mut times) = (Vec::new(), Vec::new());
    for (number, conversation) in conversations.iter().enumerate() {
        for question in &conversation.questions {
            let request = RecallRequest::new(conversation.scope(), question.text.as_str()).limit(20);
            let start = Instant::now();
            let recalled = recall.recall(&request).await?;
            times.push(start.elapsed());
            let ids: Vec<_> = recalled.hits.iter().map(|hit| hit.memory.id).collect();
            scores.push(Score::of(number, question, &ids));
        }
    }
    Ok((scores, times))
}
