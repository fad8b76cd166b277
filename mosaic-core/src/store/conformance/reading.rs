//! What comes back, in which order, from which number.

use bytes::Bytes;

use super::Factory;
use super::help::{Check, append_once, ensure, ensure_fails, holds, read, row, rows, same, session};
use crate::id::{Seq, SessionKey};
use crate::runtime::Timestamp;
use crate::store::{Row, SessionInfo, StoreError};

/// Number, version, kind, time and bytes of a row come back as they were written.
///
/// # Errors
/// When the store breaks the rule; so with all rules.
pub async fn what_was_written_is_read(factory: &dyn Factory) -> Check {
    let store = factory.open("what_was_written").await?;
    let key = SessionKey::new("s");
    let first = Row { v: u16::MAX, kind: "kind".into(), at: Timestamp(0), ..row(1, "a") };
    let second = Row { v: 0, kind: "".into(), at: Timestamp(u64::MAX / 2), ..row(2, "b") };
    store.create(&key, vec![first.clone()]).await?;
    append_once(&*store, &key, vec![second.clone()]).await?;
    holds(&*store, &key, &[first, second]).await
}

/// Rows of several appends are read in the order of their numbers, without gaps.
pub async fn rows_come_in_order(factory: &dyn Factory) -> Check {
    let store = factory.open("rows_come_in_order").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 3).await?;
    append_once(&*store, &key, rows(4, 4, "first")).await?;
    append_once(&*store, &key, rows(5, 12, "first")).await?;
    holds(&*store, &key, &rows(1, 12, "first")).await
}

/// `read` begins at the number given: at the first row for 0 and 1, with nothing past the end.
pub async fn reading_starts_at_the_number_asked_for(factory: &dyn Factory) -> Check {
    let store = factory.open("reading_starts").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 5).await?;
    for (from, first) in [(0, 1), (1, 1), (2, 2), (4, 4), (5, 5), (6, 6), (u64::MAX, 6)] {
        let found = read(&*store, &key, from).await?;
        same(&found, &rows(first, 5, "first"), &format!("what is read from {from} on"))?;
    }
    Ok(())
}

/// `find` gives `None` and `read` fails with `NotFound` where there is no session.
pub async fn what_does_not_exist_is_not_found(factory: &dyn Factory) -> Check {
    let store = factory.open("does_not_exist").await?;
    let key = SessionKey::new("nobody");
    ensure!(store.find(&key).await?.is_none(), "`find` finds a session that was never made");
    ensure_fails!(read(&*store, &key, 0).await, StoreError::NotFound { .. }, "reading it");
    ensure!(store.find(&key).await?.is_none(), "reading a session made it");
    Ok(())
}

/// `create`, `find` and `list` tell the last number, and the times of the first and the last row.
pub async fn info_follows_the_log(factory: &dyn Factory) -> Check {
    let store = factory.open("info_follows").await?;
    let key = SessionKey::new("s");
    let info = |last: u64| SessionInfo {
        key: key.clone(),
        last: Seq(last),
        created: row(1, "").at,
        updated: row(last, "").at,
    };
    let made = store.create(&key, rows(1, 2, "first")).await?;
    ensure!(made == info(2), "`create` returns {made:?}, not {:?}", info(2));
    append_once(&*store, &key, rows(3, 6, "first")).await?;
    let found = store.find(&key).await?;
    ensure!(found.as_ref() == Some(&info(6)), "`find` returns {found:?}, not {:?}", info(6));
    let list = store.list(&key.tenant, Default::default()).await?;
    ensure!(list == [info(6)], "`list` returns {list:?}, not {:?}", info(6));
    Ok(())
}

/// Entries of some MiB are kept, alone and several in one append.
pub async fn large_entries_are_kept(factory: &dyn Factory) -> Check {
    let store = factory.open("large_entries").await?;
    let key = SessionKey::new("s");
    let large = |seq: u64, bytes: usize| Row {
        bytes: (0..bytes).map(|i| (i as u64 * seq % 251) as u8).collect(),
        ..row(seq, "")
    };
    let all = [large(1, 5 << 20), large(2, 3 << 20), large(3, (1 << 20) + 1), large(4, 1)];
    let [first, rest @ ..] = &all;
    store.create(&key, vec![first.clone()]).await?;
    append_once(&*store, &key, rest.to_vec()).await?;
    holds(&*store, &key, &all).await
}

/// One append takes 10,000 rows, and they are read from the start and from the middle.
pub async fn ten_thousand_rows_are_kept(factory: &dyn Factory) -> Check {
    let store = factory.open("ten_thousand").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 1).await?;
    append_once(&*store, &key, rows(2, 10_001, "first")).await?;
    holds(&*store, &key, &rows(1, 10_001, "first")).await?;
    same(&read(&*store, &key, 7_003).await?, &rows(7_003, 10_001, "first"), "what is read from 7003 on")
}

/// Bytes are bytes: none, zeros, invalid UTF-8, quotes; and a kind is any text.
pub async fn any_bytes_are_kept(factory: &dyn Factory) -> Check {
    let store = factory.open("any_bytes").await?;
    let key = SessionKey::new("s");
    let bodies: [Bytes; 6] = [
        Bytes::new(),
        (0..=255).collect(),
        Bytes::from_static(b"\0\0"),
        Bytes::from_static(&[0xff, 0xfe, 0xc3, 0x28]),
        Bytes::from_static(b"'; DROP TABLE rows; --"),
        Bytes::from_static("\u{feff}größe 🦀 e\u{301}".as_bytes()),
    ];
    let all: Vec<Row> = (1..)
        .zip(bodies)
        .map(|(seq, bytes)| Row { bytes, kind: "größe '\"\\%".into(), ..row(seq, "") })
        .collect();
    store.create(&key, all.clone()).await?;
    holds(&*store, &key, &all).await
}
