//! Erasing what is archived.

use super::*;

#[tokio::test]
async fn an_erased_session_does_not_come_back() {
    let w = world(rows(3, true)).await;
    w.cold.archive(&key()).await.unwrap();
    let (name, copy) = file(&w.archive).await;
    w.cold.restore(&key()).await.unwrap();
    // A copy that a crash left.
    w.archive.put(&name, copy).await.unwrap();
    w.cold.erase(&key()).await.unwrap();
    assert!(!w.cold.restore(&key()).await.unwrap());
    assert_eq!(read(&*w.store).await, None);
    assert!(w.archive.list("").await.unwrap().is_empty());
}

/// Sessions of Ann's and Bob's, and one of nobody's: all archived but `ann-hot`.
async fn of_users() -> World {
    let w = world(rows(2, true)).await;
    for (name, user) in [("ann-1", "ann"), ("ann-2", "ann"), ("ann-hot", "ann"), ("bob-1", "bob")] {
        w.store.create(&SessionKey::of("acme", name), rows_of(Some(user))).await.unwrap();
        if name != "ann-hot" {
            let done = w.cold.archive(&SessionKey::of("acme", name)).await.unwrap();
            assert!(matches!(done, Archived::Done { .. }));
        }
    }
    w.store.create(&SessionKey::of("globex", "ann-1"), rows_of(Some("ann"))).await.unwrap();
    w.cold.archive(&SessionKey::of("globex", "ann-1")).await.unwrap();
    w.cold.archive(&key()).await.unwrap();
    w
}

fn names(sessions: &[ArchivedSession]) -> Vec<&str> {
    sessions.iter().map(|session| &*session.info.key.name).collect()
}

#[tokio::test]
async fn a_users_sessions_are_found_in_the_archive_and_erased_there() {
    let w = of_users().await;
    let all = w.cold.list("acme").await.unwrap();
    assert_eq!(names(&all), ["ann-1", "ann-2", "bob-1", "s"]);
    let users: Vec<Option<&str>> = all.iter().map(|session| session.user.as_deref()).collect();
    assert_eq!(users, [Some("ann"), Some("ann"), Some("bob"), None]);
    assert_eq!(w.cold.of_user("acme", "ann").await.unwrap().len(), 2);

    assert_eq!(w.cold.erase_user("acme", "ann").await.unwrap(), 2);
    assert_eq!(names(&w.cold.list("acme").await.unwrap()), ["bob-1", "s"]);
    assert_eq!(names(&w.cold.list("globex").await.unwrap()), ["ann-1"], "another tenant's");
    assert!(!w.cold.restore(&SessionKey::of("acme", "ann-1")).await.unwrap());
    assert!(w.store.find(&SessionKey::of("acme", "ann-hot")).await.unwrap().is_some());
    assert_eq!(w.archive.list("").await.unwrap().len(), 3);
    assert_eq!(w.cold.erase_user("acme", "ann").await.unwrap(), 0, "again");
}

#[tokio::test]
async fn what_is_damaged_is_erased_too_and_hides_no_other() {
    let w = of_users().await;
    let files = w.archive.list("").await.unwrap();
    for name in &files {
        let bytes = w.archive.get(name).await.unwrap();
        w.archive.put(name, bytes.slice(..20)).await.unwrap();
    }
    // Nothing is known of them, as in a new process.
    let cold = SessionArchive::new(w.store.clone(), Arc::new(w.archive.clone()));
    assert!(cold.list("acme").await.unwrap().is_empty(), "with a warning");
    cold.erase_user("acme", "ann").await.unwrap();
    assert_eq!(w.archive.list("").await.unwrap().len(), files.len() - 2);
    cold.erase(&SessionKey::of("acme", "bob-1")).await.unwrap();
    assert_eq!(w.archive.list("").await.unwrap().len(), files.len() - 3);
}

#[tokio::test]
async fn another_users_session_of_the_name_stays_when_a_copy_is_erased() {
    let w = world(rows(2, true)).await;
    let one = SessionKey::of("acme", "ann-1");
    w.store.create(&one, rows_of(Some("ann"))).await.unwrap();
    w.cold.archive(&one).await.unwrap();
    // Behind the archive's back.
    w.store.create(&one, rows_of(Some("bob"))).await.unwrap();
    assert_eq!(w.cold.erase_user("acme", "ann").await.unwrap(), 0);
    assert!(!w.cold.has(&one).await.unwrap(), "the copy is gone");
    assert!(w.store.find(&one).await.unwrap().is_some());
}
