//! What is erased leaves no trace in the files.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::panic)] // clippy knows `#[test]` functions only, not their helpers

mod common;

use std::fs;
use std::path::Path;

use common::{append, execute, open, raw, row};
use mosaic_core::{Row, SessionKey, SessionStore};

const NAME: &str = "the secret name";
const BODY: &str = "the secret body";

fn secret(seq: u64) -> Row {
    Row { bytes: format!("{seq} {BODY} {}", "x".repeat(seq as usize % 7 * 900)).into(), ..row(seq) }
}

/// Which files beside the database hold the secret.
fn traces(folder: &Path) -> Vec<String> {
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap_or_default();
        if holds(&bytes, NAME) || holds(&bytes, BODY) {
            found.push(path.extension().unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn an_erased_session_is_in_no_file_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = open(&path).await;
    let (key, other) = (SessionKey::of("tenant", NAME), SessionKey::new("other"));
    store.create(&other, vec![row(1)]).await.unwrap();
    store.create(&key, (1..=300).map(secret).collect()).await.unwrap();
    let lease = store.lease(&other).await.unwrap();
    for seq in 2..200 {
        append(&store, &lease, row(seq)).await.unwrap();
    }
    assert!(!traces(folder.path()).is_empty());
    store.erase(&key).await.unwrap();
    // `erase` has returned, and has emptied the WAL before.
    store.release(&lease).await.unwrap();
    assert_eq!(traces(folder.path()), [""; 0]);
}

#[tokio::test]
async fn what_a_reader_still_sees_is_gone_after_the_next_change_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = open(&path).await;
    let (key, other) = (SessionKey::new(NAME), SessionKey::new("other"));
    store.create(&other, vec![row(1)]).await.unwrap();
    store.create(&key, vec![secret(1), secret(2)]).await.unwrap();
    let mut reader = raw(&path).await;
    execute(&mut reader, "BEGIN; SELECT count(*) FROM entries").await;
    store.erase(&key).await.unwrap();
    let lease = store.lease(&other).await.unwrap();
    assert!(!traces(folder.path()).is_empty(), "the reader's view is kept");
    execute(&mut reader, "COMMIT").await;
    store.release(&lease).await.unwrap();
    store.find(&other).await.unwrap();
    let lease = store.lease(&other).await.unwrap();
    store.release(&lease).await.unwrap();
    assert_eq!(traces(folder.path()), [""; 0]);
}
