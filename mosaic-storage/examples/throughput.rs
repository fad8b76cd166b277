//! How fast SQLite keeps sessions here: `cargo run --release -p mosaic-storage --example throughput [folder]`.
//!
//! The figures depend on the disk of the folder (a temporary one by default) more than on anything else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use mosaic_core::{Flush, Row, Seq, SessionKey, SessionStore, StoreError, Timestamp};
use mosaic_storage::{Durability, SqliteOptions, SqliteStore};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => tempfile::tempdir_in(PathBuf::from(folder))?,
        None => tempfile::tempdir()?,
    };
    for durability in [Durability::Full, Durability::Process] {
        println!("{durability:?}");
        for (sessions, bytes) in [(1_000, 300), (1_000, 1_000), (100, 300)] {
            let path = folder.path().join(format!("{durability:?}-{sessions}-{bytes}.db"));
            many(&path, durability, sessions, bytes).await?;
        }
        one(&folder.path().join(format!("{durability:?}-one.db")), durability).await?;
    }
    read(&folder.path().join("read.db")).await
}

/// Many sessions at once, ten rows each; every row is safe before the next one of its session is sent.
async fn many(path: &Path, durability: Durability, sessions: usize, bytes: usize) -> Result<(), Failure> {
    const ROWS: u64 = 10;
    let store = Arc::new(SqliteStore::open(SqliteOptions::new(path).durability(durability)).await?);
    let mut leases = Vec::new();
    for n in 0..sessions {
        let key = SessionKey::new(format!("session {n}"));
        store.create(&key, vec![row(1, bytes)]).await?;
        leases.push(store.lease(&key).await?);
    }
    let (start, cpu) = (Instant::now(), cpu_time());
    let tasks = leases.into_iter().map(|lease| {
        let store = store.clone();
        tokio::spawn(async move {
            for seq in 2..2 + ROWS {
                store.append(&lease, Seq(seq - 1), vec![row(seq, bytes)], Flush::Durable).await?;
            }
            Ok::<(), StoreError>(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    let (took, cpu, rows) = (start.elapsed(), spent(cpu), sessions as f64 * ROWS as f64);
    store.close().await?;
    let stored = std::fs::metadata(path)?.len() as f64;
    println!(
        "  {sessions} sessions x {ROWS} rows of {bytes} bytes: {:.0} rows/s, CPU {} per row, file {:.2}x of the bytes",
        rows / took.as_secs_f64(),
        micros(cpu, rows),
        stored / ((rows + sessions as f64) * bytes as f64),
    );
    Ok(())
}

/// One session, one row after the other.
async fn one(path: &Path, durability: Durability) -> Result<(), Failure> {
    const ROWS: u64 = 2_000;
    let store = SqliteStore::open(SqliteOptions::new(path).durability(durability)).await?;
    let key = SessionKey::new("one");
    store.create(&key, vec![row(1, 300)]).await?;
    let lease = store.lease(&key).await?;
    let mut next = 2;
    for flush in [Flush::Durable, Flush::Ordered] {
        let (start, cpu) = (Instant::now(), cpu_time());
        for seq in next..next + ROWS {
            store.append(&lease, Seq(seq - 1), vec![row(seq, 300)], flush).await?;
        }
        next += ROWS;
        let (took, cpu) = (start.elapsed(), spent(cpu));
        println!(
            "  one session, {flush:?}: {} per row, CPU {}",
            micros(Some(took), ROWS as f64),
            micros(cpu, ROWS as f64)
        );
    }
    let (start, cpu) = (Instant::now(), cpu_time());
    store.release(&lease).await?;
    for _ in 0..ROWS {
        let lease = store.lease(&key).await?;
        store.release(&lease).await?;
    }
    let (took, cpu) = (start.elapsed(), spent(cpu));
    println!(
        "  one session, lease and release: {}, CPU {}",
        micros(Some(took), ROWS as f64),
        micros(cpu, ROWS as f64)
    );
    store.close().await?;
    let stored = std::fs::metadata(path)?.len() as f64;
    println!("  one session: file {:.2}x of the bytes", stored / (2.0 * ROWS as f64 * 300.0));
    Ok(())
}

/// A long session is read.
async fn read(path: &Path) -> Result<(), Failure> {
    const ROWS: u64 = 10_000;
    let store = SqliteStore::open(SqliteOptions::new(path)).await?;
    let key = SessionKey::new("long");
    store.create(&key, (1..=ROWS).map(|seq| row(seq, 300)).collect()).await?;
    for pass in ["first", "second", "third"] {
        let start = Instant::now();
        let rows: Vec<Row> = store.read(&key, Seq(1)).await?.try_collect().await?;
        println!(
            "read {} rows of 300 bytes, {pass} pass: {:.1} ms",
            rows.len(),
            start.elapsed().as_secs_f64() * 1e3
        );
    }
    store.close().await?;
    Ok(())
}

fn row(seq: u64, bytes: usize) -> Row {
    Row {
        seq: Seq(seq),
        v: 1,
        kind: "assistant".into(),
        at: Timestamp(1_790_000_000_000 + seq),
        bytes: vec![b'x'; bytes].into(),
    }
}

/// The CPU time of this process so far, where the system tells.
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    // A tick is 10 ms on every Linux that matters.
    Some(Duration::from_millis(ticks * 10))
}

fn spent(before: Option<Duration>) -> Option<Duration> {
    Some(cpu_time()?.saturating_sub(before?))
}

fn micros(time: Option<Duration>, times: f64) -> String {
    time.map_or("unknown".into(), |time| format!("{:.0} us", time.as_secs_f64() * 1e6 / times))
}
