//! A process that is killed loses nothing that was acknowledged, and holds nothing.

#![cfg(all(feature = "sqlite", unix))]
#![allow(clippy::unwrap_used, clippy::panic)] // clippy knows `#[test]` functions only, not their helpers

mod common;

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use common::{append, key, open, read, row, rows, with_rows};
use mosaic_core::{Flush, Seq, SessionStore, StoreError};

const TASK: &str = "MOSAIC_STORAGE_TEST_TASK";
const DATABASE: &str = "MOSAIC_STORAGE_TEST_DATABASE";

/// Not a test by itself: what the killed processes do. They are this program, started again.
#[tokio::test]
async fn child() {
    let (Ok(task), Some(path)) = (std::env::var(TASK), std::env::var_os(DATABASE)) else { return };
    let store = open(path.as_ref()).await;
    let lease = store.lease(&key()).await.unwrap();
    println!("\nleased");
    if task == "hold" {
        std::future::pending::<()>().await;
    }
    let mut last = store.find(&key()).await.unwrap().unwrap().last;
    loop {
        let batch = rows(last.0 + 1, last.0 + 3);
        let flush = if task == "durable" { Flush::Durable } else { Flush::Ordered };
        last = store.append(&lease, last, batch, flush).await.unwrap();
        println!("\nacknowledged {last}");
    }
}

fn start(task: &str, path: &Path) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(TASK, task)
        .env(DATABASE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// Waits for a line.
fn await_line(lines: &mut Lines<BufReader<ChildStdout>>, wanted: &str) {
    assert!(lines.any(|line| line.unwrap() == wanted), "the child ended without saying `{wanted}`");
}

async fn kill_while_it_appends(task: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    with_rows(&path, 1).await.close().await.unwrap();
    let mut before = 1;
    for round in 0..10 {
        let (mut child, mut lines) = start(task, &path);
        await_line(&mut lines, &format!("acknowledged {}", before + 3 * (1 + round % 4)));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died counts too.
        let said =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
        let acknowledged: u64 = said.last().unwrap_or(before + 3 * (1 + round % 4));

        let store = open(&path).await;
        let found = read(&store, &key()).await.unwrap();
        let last = found.len() as u64;
        assert!(last >= acknowledged, "{acknowledged} was acknowledged, the log ends at {last}");
        assert_eq!((last - 1) % 3, 0, "an append was torn at {last}");
        assert_eq!(found, rows(1, last));
        // The dead writer is replaced at once.
        let lease = store.lease(&key()).await.unwrap();
        store.release(&lease).await.unwrap();
        store.close().await.unwrap();
        before = last;
    }
}

#[tokio::test]
async fn durable_rows_survive_the_death_of_the_process() {
    kill_while_it_appends("durable").await;
}

#[tokio::test]
async fn ordered_rows_survive_the_death_of_the_process_too() {
    kill_while_it_appends("ordered").await;
}

#[tokio::test]
async fn a_living_process_keeps_its_lease_and_a_killed_one_is_replaced_at_once_and_fenced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = with_rows(&path, 1).await;
    let ours = store.lease(&key()).await.unwrap();
    store.release(&ours).await.unwrap();

    let (mut child, mut lines) = start("hold", &path);
    await_line(&mut lines, "leased");
    match store.lease(&key()).await {
        Err(StoreError::Leased { holder, .. }) => assert_eq!(holder, format!("process {}", child.id())),
        other => panic!("{other:?}"),
    }
    assert!(matches!(append(&store, &ours, row(2)).await, Err(StoreError::Fenced { .. })));
    assert!(matches!(store.erase(&key()).await, Err(StoreError::Leased { .. })));

    child.kill().unwrap();
    child.wait().unwrap();
    let lease = store.lease(&key()).await.unwrap();
    assert!(lease.epoch > ours.epoch + 1);
    append(&store, &lease, row(2)).await.unwrap();
    assert_eq!(store.find(&key()).await.unwrap().unwrap().last, Seq(2));
    store.close().await.unwrap();
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["app.db"], "only the database stays");
}
