//! What reaches the disk before an append returns: seen from outside, in the system calls.

#![cfg(all(feature = "sqlite", target_os = "linux"))]
#![allow(clippy::unwrap_used)] // clippy knows `#[test]` functions only, not their helpers

mod common;

use std::path::Path;
use std::process::{Command, Stdio};

use common::{key, row, with_rows};
use mosaic_core::{Flush, Seq, SessionStore};
use mosaic_storage::{Durability, SqliteOptions, SqliteStore};

const TASK: &str = "MOSAIC_STORAGE_TEST_TASK";
const DATABASE: &str = "MOSAIC_STORAGE_TEST_DATABASE";

/// Not a test by itself: what the traced processes do. They are this program, started again.
#[tokio::test]
async fn child() {
    let (Ok(task), Some(path)) = (std::env::var(TASK), std::env::var_os(DATABASE)) else { return };
    let [durability, flush, appends] = task.split(' ').collect::<Vec<_>>()[..] else { return };
    let durability = if durability == "full" { Durability::Full } else { Durability::Process };
    let flush = if flush == "durable" { Flush::Durable } else { Flush::Ordered };
    let store = SqliteStore::open(SqliteOptions::new(path).durability(durability)).await.unwrap();
    let lease = store.lease(&key()).await.unwrap();
    for seq in 2..2 + appends.parse::<u64>().unwrap() {
        store.append(&lease, Seq(seq - 1), vec![row(seq)], flush).await.unwrap();
    }
    if task.contains("then") {
        store.append(&lease, Seq(2), vec![], Flush::Durable).await.unwrap();
    }
    // No `close`, which syncs too.
    std::process::exit(0);
}

/// How often a process that does so many appends syncs a file.
fn syncs(task: &str, path: &Path) -> Option<usize> {
    let log = path.with_extension("trace");
    let status = Command::new("strace")
        .args(["-f", "-e", "trace=fsync,fdatasync", "-o"])
        .arg(&log)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(TASK, task)
        .env(DATABASE, path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !status.is_ok_and(|status| status.success()) {
        println!("skipped: `strace` cannot be run here");
        return None;
    }
    let lines = std::fs::read_to_string(&log).unwrap();
    Some(lines.lines().filter(|line| line.contains("sync(")).count())
}

/// How many syncs 40 appends more bring.
async fn syncs_of_40(durability: &str, flush: &str) -> Option<usize> {
    let folder = tempfile::tempdir().unwrap();
    let mut counts =
        [10, 50].into_iter().map(|appends| (appends, folder.path().join(format!("{appends}.db"))));
    let (mut few, mut many) = (0, 0);
    for count in [&mut few, &mut many] {
        let (appends, path) = counts.next()?;
        with_rows(&path, 1).await.close().await.unwrap();
        *count = syncs(&format!("{durability} {flush} {appends}"), &path)?;
    }
    Some(many - few)
}

#[tokio::test]
async fn in_full_durability_every_durable_append_is_synced_and_no_ordered_one() {
    let Some(durable) = syncs_of_40("full", "durable").await else { return };
    assert_eq!(durable, 40);
    assert_eq!(syncs_of_40("full", "ordered").await, Some(0));
}

#[tokio::test]
async fn in_process_durability_no_append_is_synced() {
    let Some(durable) = syncs_of_40("process", "durable").await else { return };
    assert_eq!(durable, 0);
}

#[tokio::test]
async fn a_durable_append_of_nothing_syncs_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let [without, with] = ["without", "with"].map(|name| folder.path().join(name).with_extension("db"));
    for path in [&without, &with] {
        with_rows(path, 1).await.close().await.unwrap();
    }
    let Some(without) = syncs("full ordered 1", &without) else { return };
    // The task's last word is its number of appends and what comes after.
    let with = syncs("full ordered-then 1", &with).unwrap();
    assert_eq!(with, without + 1);
}
