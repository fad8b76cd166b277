use super::*;

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default()
}

#[test]
fn an_owner_lives_until_it_is_dropped_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let (one, two) = (Owner::new(&path).unwrap(), Owner::new(&path).unwrap());
    let pid = std::process::id();
    assert_eq!(one.alive(two.id(), 1).unwrap(), format!("process {pid}"));
    assert_eq!(one.alive(one.id(), 1).unwrap(), format!("another run of this process ({pid})"));
    let dead = two.id().clone();
    drop(two);
    assert_eq!(one.alive(&dead, 1), None);
    drop(one);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn files_of_dead_owners_are_removed_and_count_as_dead() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let one = Owner::new(&path).unwrap();
    for dead in ["1-dead", "2-dead"] {
        File::create(one.folder.join(dead)).unwrap();
    }
    assert_eq!(one.alive("1-dead", 1), None);
    assert_eq!(one.alive("3-never", 1), None);
    let two = Owner::new(&path).unwrap();
    let mut expected = [one.id().to_string(), two.id().to_string()];
    let mut found = names(&one.folder);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn an_owner_that_is_no_file_name_is_dead_and_nothing_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    fs::write(&path, "data").unwrap();
    let one = Owner::new(&path).unwrap();
    for id in ["", "../app.db", "/etc/passwd", "."] {
        assert_eq!(one.alive(id, 1), None, "{id}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "data");
}

#[test]
fn an_abandoned_lease_is_held_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let one = Owner::new(&folder.path().join("app.db")).unwrap();
    one.abandoned().add(2);
    assert!(one.alive(one.id(), 1).is_some());
    assert!(one.alive(one.id(), 2).is_none());
    one.abandoned().remove(2);
    assert!(one.alive(one.id(), 2).is_some());
}
