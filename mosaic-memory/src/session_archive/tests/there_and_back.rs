//! There and back, and what is damaged in between.

use super::*;

#[tokio::test]
async fn a_session_goes_and_comes_back_as_it_was_and_goes_on() {
    let world = world(rows(30, true)).await;
    let Archived::Done { rows: 61, bytes } = world.cold.archive(&key()).await.unwrap() else { panic!() };
    let size: usize = rows(30, true).iter().map(|row| row.bytes.len()).sum();
    assert!(bytes * 4 < size as u64, "{bytes} of {size}");
    assert_eq!(read(&*world.store).await, None);
    assert!(world.cold.has(&key()).await.unwrap());
    let (name, _) = file(&world.archive).await;
    assert!(!name.contains("acme"), "{name}");
    assert_eq!(world.cold.archive(&key()).await.unwrap(), Archived::Missing);

    assert!(world.cold.restore(&key()).await.unwrap());
    assert_eq!(read(&*world.store).await, Some(rows(30, true)));
    assert!(!world.cold.has(&key()).await.unwrap(), "the copy is gone");
    assert!(!world.cold.restore(&key()).await.unwrap(), "it is there");
    let lease = world.store.lease(&key()).await.unwrap();
    let more = rows(31, true).split_off(61);
    world.store.append(&lease, Seq(61), more, Flush::Durable).await.unwrap();
    world.store.release(&lease).await.unwrap();
    world.cold.archive(&key()).await.unwrap();
    world.cold.restore(&key()).await.unwrap();
    assert_eq!(read(&*world.store).await, Some(rows(31, true)));
    assert!(!world.cold.restore(&SessionKey::new("never")).await.unwrap());
}

fn packed(rows: &[Row]) -> Bytes {
    pack::pack(&key(), None, rows).unwrap().bytes
}

#[tokio::test]
async fn rows_of_any_bytes_come_back() {
    let mut odd = rows(2, true);
    let bytes = packed(&odd);
    assert_eq!(pack::unpack(&key(), &bytes).unwrap(), odd);
    odd[1].bytes = Bytes::from_static(&[0xff, 0, 0xfe, b'"']);
    odd[2].bytes = Bytes::new();
    odd[3].kind = "\"\\\n".into();
    let bytes = packed(&odd);
    assert_eq!(pack::unpack(&key(), &bytes).unwrap(), odd);
    assert!(pack::unpack(&SessionKey::new("s"), &bytes).is_err(), "it is another tenant's");
}

#[tokio::test]
async fn what_is_written_or_goes_on_stays() {
    let w = world(rows(3, false)).await;
    assert_eq!(w.cold.archive(&key()).await.unwrap(), Archived::Running);
    w.store.lease(&key()).await.expect("the lease was given back");
    let w = world(rows(3, true)).await;
    let lease = w.store.lease(&key()).await.unwrap();
    assert_eq!(w.cold.archive(&key()).await.unwrap(), Archived::Leased);
    w.store.release(&lease).await.unwrap();
    assert_eq!(read(&*w.store).await, Some(rows(3, true)));
    assert!(w.archive.list("").await.unwrap().is_empty());
}

#[tokio::test]
async fn damage_is_told_and_the_file_stays() {
    let w = world(rows(3, true)).await;
    w.cold.archive(&key()).await.unwrap();
    let (name, whole) = file(&w.archive).await;
    for at in (0..whole.len()).step_by(7) {
        let mut bad = whole.to_vec();
        bad[at] ^= 0x10;
        w.archive.put(&name, bad.clone().into()).await.unwrap();
        match w.cold.restore(&key()).await {
            Err(SessionArchiveError::Damaged { .. }) => assert_eq!(read(&*w.store).await, None),
            // Some bytes of a gzip header mean nothing.
            Ok(true) => {
                assert_eq!(read(&*w.store).await, Some(rows(3, true)), "byte {at}");
                w.store.erase(&key()).await.unwrap();
                continue;
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(w.archive.get(&name).await.unwrap(), bad);
    }
    w.archive.put(&name, whole.slice(..whole.len() - 1)).await.unwrap();
    assert!(w.cold.restore(&key()).await.is_err());
    w.archive.put(&name, whole).await.unwrap();
    assert!(w.cold.restore(&key()).await.unwrap());
}

#[tokio::test]
async fn a_session_made_under_an_archived_name_does_not_overwrite_the_log() {
    let w = world(rows(3, true)).await;
    w.cold.archive(&key()).await.unwrap();
    let (name, whole) = file(&w.archive).await;
    let mut other = rows(1, true);
    other[0].at = Timestamp(99);
    w.store.create(&key(), other.clone()).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(w.cold.restore(&key()).await, Err(SessionArchiveError::Clash { .. })));
        assert!(matches!(w.cold.archive(&key()).await, Err(SessionArchiveError::Clash { .. })));
    }
    assert_eq!(w.archive.get(&name).await.unwrap(), whole);
    assert_eq!(read(&*w.store).await, Some(other));
    w.store.erase(&key()).await.unwrap();
    assert!(w.cold.restore(&key()).await.unwrap());
    assert_eq!(read(&*w.store).await, Some(rows(3, true)));
}

/// Adds to the session as soon as its lease is free: between the look and the removal there must be no such moment.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_meanwhile_is_not_lost() {
    for _ in 0..50 {
        let w = world(rows(2, true)).await;
        let (writer, archiver) = (w.store.sibling(), w.cold.clone());
        let writing = tokio::spawn(async move {
            for _ in 0..1_000 {
                let Ok(lease) = writer.lease(&key()).await else { continue };
                let more = rows(3, true).split_off(5);
                let written = writer.append(&lease, Seq(5), more, Flush::Durable).await.is_ok();
                writer.release(&lease).await.unwrap();
                return written;
            }
            false
        });
        let archiving = tokio::spawn(async move { archiver.archive(&key()).await.unwrap() });
        let (written, _) = (writing.await.unwrap(), archiving.await.unwrap());
        w.cold.restore(&key()).await.unwrap();
        assert_eq!(read(&*w.store).await, Some(rows(if written { 3 } else { 2 }, true)));
    }
}
