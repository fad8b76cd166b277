//! There and back, and what dies or is damaged in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use mosaic_core::archive::{Archive, ArchiveError, RamArchive};
use mosaic_core::{
    Body, Entry, Flush, InputDelivery, Lease, ListOptions, Part, Row, RowStream, RunEnd, RunId, Seq,
    SessionInfo, SessionKey, SessionStore, StoreError, Timestamp, Usage,
};
use mosaic_storage::RamStore;

use super::*;

mod dying;
mod erasing;
mod passes;
mod store;
mod there_and_back;

fn key() -> SessionKey {
    SessionKey::of("acme", "s")
}

/// The rows of a session of so many runs, of which the last has ended or not.
fn rows(runs: u64, ended: bool) -> Vec<Row> {
    let mut bodies = vec![(None, Body::Created { key: key(), forked_from: None })];
    for n in 1..=runs {
        let run = Some(RunId(uuid::Uuid::from_u128(u128::from(n))));
        let parts = vec![Part::text(format!("hello \u{1F40C} {n} {}", "words ".repeat(50)))];
        bodies.push((run, Body::Input { parts, delivery: InputDelivery::Start, output: None, limits: None }));
        bodies.push((run, Body::RunEnd { end: RunEnd::Done, usage: Usage::default(), cost: None }));
    }
    if !ended {
        bodies.pop();
    }
    let numbered = (1..).zip(bodies);
    let entries =
        numbered.map(|(n, (run, body))| Entry { seq: Seq(n), v: 1, at: Timestamp(n * 10), run, body });
    entries.map(|entry| entry.to_row().unwrap()).collect()
}

/// The rows of a session of a user's.
fn rows_of(user: Option<&str>) -> Vec<Row> {
    let mut all = rows(1, true);
    let body = Body::Bound {
        agent: "butler".into(),
        digest: String::new(),
        instructions: "".into(),
        model: "m".into(),
        user: user.map(Into::into),
        tools: Vec::new(),
    };
    let bound = Entry { seq: Seq(2), v: 1, at: Timestamp(10), run: None, body }.to_row().unwrap();
    all.iter_mut().skip(1).for_each(|row| row.seq = row.seq.next());
    all.insert(1, bound);
    all
}

async fn read(store: &dyn SessionStore) -> Option<Vec<Row>> {
    match store.read(&key(), Seq(1)).await {
        Ok(rows) => Some(rows.try_collect().await.unwrap()),
        Err(StoreError::NotFound { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

struct World {
    store: Arc<RamStore>,
    archive: RamArchive,
    cold: SessionArchive,
}

async fn world(rows: Vec<Row>) -> World {
    let (store, archive) = (Arc::new(RamStore::new()), RamArchive::new());
    store.create(&key(), rows).await.unwrap();
    let cold = SessionArchive::new(store.clone(), Arc::new(archive.clone()));
    World { store, archive, cold }
}

async fn file(archive: &RamArchive) -> (String, Bytes) {
    let name = archive.list("").await.unwrap().remove(0);
    let bytes = archive.get(&name).await.unwrap();
    (name, bytes)
}
