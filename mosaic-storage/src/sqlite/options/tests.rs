use super::*;

fn reason(url: &str) -> String {
    match SqliteOptions::from_url(url) {
        Err(StoreError::Address { reason, .. }) => reason,
        other => panic!("{url} gives {other:?}"),
    }
}

#[test]
fn one_and_two_slashes_are_relative_and_three_absolute() {
    for (url, path) in [
        ("sqlite:app.db", "app.db"),
        ("sqlite://app.db", "app.db"),
        ("sqlite://data/app.db", "data/app.db"),
        ("sqlite:///var/app.db", "/var/app.db"),
        ("sqlite:/var/app.db", "/var/app.db"),
        ("sqlite://my%20app%3f.db", "my app?.db"),
        ("sqlite://größe.db", "größe.db"),
    ] {
        assert_eq!(SqliteOptions::from_url(url).unwrap(), SqliteOptions::new(path), "{url}");
    }
}

#[test]
fn options_are_read_from_the_query() {
    let options =
        SqliteOptions::from_url("sqlite://a.db?durability=process&busy_timeout_ms=20&max_bytes=1000")
            .unwrap();
    let expected = SqliteOptions::new("a.db")
        .durability(Durability::Process)
        .busy_timeout(Duration::from_millis(20))
        .max_bytes(1000);
    assert_eq!(options, expected);
    assert_eq!(SqliteOptions::from_url("sqlite://a.db?durability=full").unwrap(), SqliteOptions::new("a.db"));
}

#[test]
fn a_wrong_address_is_refused_with_the_way_out() {
    assert_eq!(reason("sqlite:"), "it names no file; write `sqlite://app.db`");
    assert_eq!(reason("sqlite://?durability=full"), "it names no file; write `sqlite://app.db`");
    assert_eq!(reason("sqlite::memory:"), "a store that keeps nothing is `memory:`");
    assert_eq!(reason("sqlite://a.db?durability=much"), "`durability` is `full` or `process`, not `much`");
    assert_eq!(
        reason("sqlite://a.db?busy_timeout_ms=soon"),
        "`busy_timeout_ms` is a whole number, not `soon`"
    );
    assert!(reason("sqlite://a.db?mode=ro").starts_with("there is no option `mode`"));
    assert!(reason("sqlite://a%2.db").contains('%'));
    assert!(reason("sqlite://a%ff.db").contains('%'));
}
