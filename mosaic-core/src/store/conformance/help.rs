//! Small words that the rules are written in.

use bytes::Bytes;
use futures_util::TryStreamExt;

use super::Broken;
use crate::id::{Seq, SessionKey};
use crate::runtime::Timestamp;
use crate::store::{Flush, Row, SessionStore, StoreError};

pub(super) use crate::conformance::{Check, ensure, ensure_fails};

/// A row whose parts all depend on its number.
pub(super) fn row(seq: u64, text: &str) -> Row {
    Row {
        seq: Seq(seq),
        v: u16::try_from(seq % 7).unwrap_or_default() + 1,
        kind: ["input", "assistant", "tool_end"]
            .into_iter()
            .cycle()
            .nth((seq % 3) as usize)
            .unwrap_or("x")
            .into(),
        at: Timestamp(1_700_000_000_000 + seq),
        bytes: Bytes::from(format!("{{\"{text}\":{seq}}}")),
    }
}

/// Rows numbered `from..=to`.
pub(super) fn rows(from: u64, to: u64, text: &str) -> Vec<Row> {
    (from..=to).map(|seq| row(seq, text)).collect()
}

/// Makes a session of `n` rows.
pub(super) async fn session(store: &dyn SessionStore, key: &SessionKey, n: u64) -> Result<(), Broken> {
    store.create(key, rows(1, n, "first")).await?;
    Ok(())
}

/// All rows from a number on.
pub(super) async fn read(
    store: &dyn SessionStore,
    key: &SessionKey,
    from: u64,
) -> Result<Vec<Row>, StoreError> {
    store.read(key, Seq(from)).await?.try_collect().await
}

/// Breaks the rule unless a session holds exactly these rows.
pub(super) async fn holds(store: &dyn SessionStore, key: &SessionKey, expected: &[Row]) -> Check {
    same(&read(store, key, 0).await?, expected, &format!("the log of `{key}`"))
}

/// Appends under a fresh lease and gives it back.
pub(super) async fn append_once(store: &dyn SessionStore, key: &SessionKey, new: Vec<Row>) -> Check {
    let expected = Seq(new.first().map_or(0, |row| row.seq.0.saturating_sub(1)));
    let lease = store.lease(key).await?;
    store.append(&lease, expected, new, Flush::Durable).await?;
    Ok(store.release(&lease).await?)
}

/// Compares rows; says where they begin to differ, and not more than a reader can take in.
pub(super) fn same(found: &[Row], expected: &[Row], what: &str) -> Check {
    for (found, expected) in found.iter().zip(expected) {
        ensure!(
            found == expected,
            "{what} has at {} {}, not {}",
            expected.seq,
            sketch(found),
            sketch(expected)
        );
    }
    ensure!(found.len() == expected.len(), "{what} has {} rows, not {}", found.len(), expected.len());
    Ok(())
}

fn sketch(row: &Row) -> String {
    let Row { seq, v, kind, at, bytes } = row;
    let head = bytes.get(..64).unwrap_or(bytes).escape_ascii();
    format!("{{seq {seq}, v {v}, kind {kind:?}, at {at}, {} bytes: {head}}}", bytes.len())
}
