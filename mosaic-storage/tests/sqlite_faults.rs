//! What goes wrong with the file has a name, and loses nothing that was stored.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::panic)] // clippy knows `#[test]` functions only, not their helpers

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{
    append, back_to_the_first_format, error, execute, filled, key, open, raw, read, row, rows, with_rows,
};
use mosaic_core::{ErrorKind, Row, Seq, SessionKey, SessionStore, StoreError};
use mosaic_storage::{SqliteOptions, SqliteStore};

/// Appends until the store is full; gives what was acknowledged.
async fn fill(store: &SqliteStore) -> Vec<Row> {
    let lease = store.lease(&key()).await.unwrap();
    let mut stored = rows(1, 1);
    for seq in 2..100_000 {
        match append(store, &lease, filled(seq, 4_000)).await {
            Ok(_) => stored.push(filled(seq, 4_000)),
            Err(full) => {
                assert!(matches!(full, StoreError::Full { .. }), "{full:?}");
                assert!(full.is_retryable() && full.kind() == ErrorKind::Storage);
                store.release(&lease).await.ok();
                return stored;
            }
        }
    }
    panic!("the disk does not get full");
}

/// After some room was made everything is there, and the log goes on.
async fn goes_on(store: &SqliteStore, stored: Vec<Row>) {
    assert_eq!(read(store, &key()).await.unwrap(), stored);
    let next = stored.len() as u64 + 1;
    let lease = match store.lease(&key()).await {
        Ok(lease) => lease,
        Err(error) => panic!("{error}"),
    };
    append(store, &lease, filled(next, 4_000)).await.unwrap();
    assert_eq!(read(store, &key()).await.unwrap().len() as u64, next);
}

#[tokio::test]
async fn a_full_store_says_so_keeps_everything_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("app.db")).max_bytes(1 << 20);
    let store = SqliteStore::open(options).await.unwrap();
    let ballast = SessionKey::new("ballast");
    store.create(&ballast, (1..100).map(|seq| filled(seq, 4_000)).collect()).await.unwrap();
    store.create(&key(), rows(1, 1)).await.unwrap();
    let stored = fill(&store).await;
    assert!(stored.len() > 10);
    assert_eq!(read(&store, &key()).await.unwrap(), stored, "reading a full store");
    store.erase(&ballast).await.unwrap();
    goes_on(&store, stored).await;
}

/// A file system of 4 MiB, unmounted at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(folder.path()).output();
        done.is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.path()).status().ok();
    }
}

#[tokio::test]
async fn a_full_disk_says_so_keeps_everything_and_goes_on_when_there_is_room() {
    // In some of these the lease that is given back does not fit any more.
    for pages in 0..6 {
        let Some(disk) = SmallDisk::mount() else {
            println!("skipped: a small file system cannot be mounted here (that takes root)");
            return;
        };
        let ballast = disk.0.path().join("ballast");
        fs::write(&ballast, vec![1; (1 << 20) + pages * 4096]).unwrap();
        let path = disk.0.path().join("app.db");
        let store = with_rows(&path, 1).await;
        let stored = fill(&store).await;
        assert!(stored.len() > 10);
        assert_eq!(read(&store, &key()).await.unwrap(), stored, "reading on a full disk");
        fs::remove_file(&ballast).unwrap();
        goes_on(&store, stored).await;
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_that_another_program_has_locked_is_locked_until_it_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let patience = SqliteOptions::new(&path).busy_timeout(Duration::from_millis(20));
    let store = SqliteStore::open(patience.clone()).await.unwrap();
    store.create(&key(), rows(1, 1)).await.unwrap();
    let lease = store.lease(&key()).await.unwrap();

    let mut other = raw(&path).await;
    execute(&mut other, "BEGIN IMMEDIATE").await;
    let locked = error(append(&store, &lease, row(2)).await);
    assert!(matches!(locked, StoreError::Locked { .. }) && locked.is_retryable(), "{locked}");
    assert_eq!(read(&store, &key()).await.unwrap(), rows(1, 1), "reading goes on");
    let locked = error(SqliteStore::open(patience).await);
    assert!(matches!(locked, StoreError::Locked { .. }), "{locked}");

    execute(&mut other, "COMMIT").await;
    append(&store, &lease, row(2)).await.unwrap();
    assert_eq!(read(&store, &key()).await.unwrap(), rows(1, 2));
}

/// Run as another user, because root may write what is read-only.
#[tokio::test]
async fn child() {
    let Some(path) = std::env::var_os("MOSAIC_STORAGE_TEST_READ_ONLY") else { return };
    match SqliteStore::open(SqliteOptions::new(path)).await {
        Ok(_) => println!("\nopened"),
        Err(error) => println!("\n{error:?}\n{error}"),
    }
}

/// What a user without special rights sees when it opens a database.
#[cfg(unix)]
fn opened_by_nobody(path: &Path) -> std::io::Result<String> {
    use std::os::unix::{fs::MetadataExt, process::CommandExt};
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["--exact", "child", "--nocapture"]).env("MOSAIC_STORAGE_TEST_READ_ONLY", path);
    // Who makes a file owns it: so we know whether we are root.
    if fs::metadata(path)?.uid() == 0 {
        child.uid(65_534);
    }
    Ok(String::from_utf8_lossy(&child.output()?.stdout).into_owned())
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_or_a_folder_that_cannot_be_written_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    with_rows(&path, 1).await.close().await.unwrap();

    for (file, around) in [(0o444, 0o777), (0o444, 0o555), (0o666, 0o555)] {
        mode(&path, file);
        mode(folder.path(), around);
        let said = opened_by_nobody(&path);
        mode(folder.path(), 0o755);
        match said {
            Ok(said) if said.contains("running 1 test") => {
                assert!(said.contains("\nReadOnly {"), "file {file:o} in folder {around:o}: {said}");
                assert!(said.contains("check the file's and the folder's permissions"), "{said}");
            }
            _ => println!("skipped: the test cannot be run as another user here"),
        }
    }
    mode(&path, 0o644);
    assert_eq!(read(&open(&path).await, &key()).await.unwrap(), rows(1, 1));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_corrupt_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    fs::write(&path, "Dear diary, ".repeat(1_000)).unwrap();
    let corrupt = error(SqliteStore::open(SqliteOptions::new(&path)).await);
    assert!(
        matches!(corrupt, StoreError::Corrupt { .. }) && corrupt.kind() == ErrorKind::Corrupt,
        "{corrupt}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "Dear diary, ".repeat(1_000));
}

#[tokio::test]
async fn the_database_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    execute(&mut raw(&path).await, "CREATE TABLE accounts (id); INSERT INTO accounts VALUES (1)").await;
    let before = fs::read(&path).unwrap();
    let refused = error(SqliteStore::open(SqliteOptions::new(&path)).await);
    assert!(refused.to_string().contains("another program"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_truncated_database_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    with_rows(&path, 1_000).await.close().await.unwrap();
    let whole = fs::metadata(&path).unwrap().len();
    for part in [whole / 2, whole - 4096, 5_000, 50] {
        let copy = folder.path().join(format!("{part}.db"));
        fs::copy(&path, &copy).unwrap();
        fs::File::options().write(true).open(&copy).unwrap().set_len(part).unwrap();
        let found = match SqliteStore::open(SqliteOptions::new(&copy)).await {
            Ok(store) => read(&store, &key()).await.map(|rows| rows.len()),
            Err(error) => Err(error),
        };
        assert!(matches!(found, Err(StoreError::Corrupt { .. })), "cut to {part} of {whole}: {found:?}");
    }
}

#[tokio::test]
async fn a_damaged_page_ends_the_reading_with_the_entry_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    with_rows(&path, 2_000).await.close().await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // The page that holds row 1,500.
    let body = row(1_500).bytes;
    let at = bytes.windows(body.len()).position(|window| window == body).unwrap();
    let page = at / 4096 * 4096;
    bytes[page..page + 4096].fill(0xa5);
    fs::write(&path, bytes).unwrap();

    let store = open(&path).await;
    let corrupt = error(read(&store, &key()).await);
    let StoreError::Corrupt { at: Some(at), .. } = corrupt else { panic!("{corrupt:?}") };
    assert!((1_300..=1_500).contains(&at.0), "{at}");
    let mut before = store.read(&key(), Seq(1)).await.unwrap();
    for seq in 1..at.0 {
        let next = futures_util::StreamExt::next(&mut before).await.unwrap().unwrap();
        assert_eq!(next, row(seq), "what lies before is read");
    }
}

#[tokio::test]
async fn a_row_that_is_gone_is_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = with_rows(&path, 10).await;
    for gone in ["DELETE FROM entries WHERE seq = 4", "DELETE FROM entries WHERE seq = 1"] {
        execute(&mut raw(&path).await, gone).await;
        let corrupt = error(read(&store, &key()).await);
        assert!(matches!(corrupt, StoreError::Corrupt { .. }), "{corrupt:?}");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    with_rows(&path, 1).await.close().await.unwrap();
    let mut db = raw(&path).await;
    execute(&mut db, "PRAGMA user_version = 99").await;
    sqlx::Connection::close(db).await.unwrap();
    let before = fs::read(&path).unwrap();
    let newer = error(SqliteStore::open(SqliteOptions::new(&path)).await);
    assert!(matches!(newer, StoreError::NewerFormat { found: 99, .. }), "{newer}");
    assert_eq!(newer.kind(), ErrorKind::NewerFormat);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_database_of_the_first_format_gets_what_came_since_and_keeps_its_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    with_rows(&path, 3).await.close().await.unwrap();
    let mut db = raw(&path).await;
    back_to_the_first_format(&mut db).await;
    sqlx::Connection::close(db).await.unwrap();
    let store = open(&path).await;
    assert_eq!(read(&store, &key()).await.unwrap().len(), 3);
    assert_eq!(mosaic_core::queue::JobStore::counts(&store, None).await.unwrap(), Default::default());
    store.close().await.unwrap();
}

#[tokio::test]
async fn an_address_where_no_database_can_be_is_told_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = error(SqliteStore::open(SqliteOptions::new(folder.path())).await);
    assert!(wrong.to_string().contains("it is a folder"), "{wrong}");
    let wrong = error(SqliteStore::open(SqliteOptions::new(folder.path().join("a/b.db"))).await);
    assert!(wrong.to_string().contains("there is no folder"), "{wrong}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
