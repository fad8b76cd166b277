//! Lists, unusual names, tenants.

use super::Factory;
use super::help::{Check, append_once, ensure, ensure_fails, holds, read, row, rows, session};
use crate::id::{Seq, SessionKey};
use crate::store::{Flush, Lease, ListOptions, SessionStore, StoreError};

/// Names that a careless store mixes up: empty, with separators, quotes and wild cards, alike but for case or form.
const NAMES: &[&str] = &[
    "",
    " ",
    "a",
    "A",
    "a ",
    "a/b",
    "/a/b/",
    "..",
    "a\\b",
    "a'b",
    "a\"b",
    "a;b--",
    "a%",
    "a_",
    "a*",
    "a?[b]",
    "a:b",
    "a\nb",
    "ä",
    "a\u{308}",
    "ß",
    "ss",
    "日本語",
    "🦀",
    "👨‍👩‍👧",
    "\u{202e}rtl",
    "\u{10ffff}",
];

/// Any text is the name of a session and of a tenant, and no two are the same but those equal byte by byte.
///
/// # Errors
/// When the store breaks the rule; so with all rules.
pub async fn any_text_is_a_name(factory: &dyn Factory) -> Check {
    let store = factory.open("any_text").await?;
    let long = "long ".repeat(200);
    let mut keys: Vec<SessionKey> = NAMES.iter().map(|name| SessionKey::new(*name)).collect();
    keys.extend(NAMES.iter().map(|name| SessionKey::of(*name, "in a tenant")));
    keys.extend([SessionKey::of("a", "b/c"), SessionKey::of("a/b", "c"), SessionKey::of("", "a/b/c")]);
    keys.extend([SessionKey::new(long.clone()), SessionKey::of(long, "x")]);
    for (n, key) in keys.iter().enumerate() {
        store.create(key, vec![row(1, &n.to_string())]).await?;
    }
    for (n, key) in keys.iter().enumerate() {
        append_once(&*store, key, vec![row(2, &n.to_string())]).await?;
    }
    for (n, key) in keys.iter().enumerate() {
        holds(&*store, key, &rows(1, 2, &n.to_string())).await?;
        let found = store.find(key).await?.map(|info| info.key);
        ensure!(found.as_ref() == Some(key), "`find` of {key:?} gives {found:?}");
    }
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    let all = ListOptions { limit: 1_000, ..ListOptions::default() };
    let listed = list(&*store, SessionKey::DEFAULT_TENANT, all).await?;
    let listed: Vec<&str> =
        listed.iter().map(String::as_str).filter(|name| !name.starts_with("long")).collect();
    ensure!(listed == names, "{names:?} are listed as {listed:?}");
    Ok(())
}

/// A list is in the order of the names, begins after the name given and ends at the limit.
pub async fn lists_are_sorted_and_paged(factory: &dyn Factory) -> Check {
    let store = factory.open("lists").await?;
    for name in ["c", "a", "b1", "b", "B", "b2", "é", "d"] {
        session(&*store, &SessionKey::new(name), 1).await?;
    }
    let cases: &[(&str, Option<&str>, u32, &[&str])] = &[
        ("", None, 100, &["B", "a", "b", "b1", "b2", "c", "d", "é"]),
        ("", None, 3, &["B", "a", "b"]),
        ("", Some("b"), 3, &["b1", "b2", "c"]),
        ("", Some("bb"), 1, &["c"]),
        ("", Some("é"), 3, &[]),
        ("", None, 0, &[]),
        ("b", None, 100, &["b", "b1", "b2"]),
        ("b", Some("b1"), 100, &["b2"]),
        ("b", Some("a"), 2, &["b", "b1"]),
        ("b", Some("c"), 2, &[]),
        ("x", None, 100, &[]),
    ];
    for (prefix, after, limit, expected) in cases {
        let options =
            ListOptions { prefix: (*prefix).to_owned(), after: after.map(str::to_owned), limit: *limit };
        let found = list(&*store, SessionKey::DEFAULT_TENANT, options).await?;
        ensure!(
            found == *expected,
            "with prefix {prefix:?}, after {after:?}, limit {limit} the list is {found:?}, not {expected:?}"
        );
    }
    Ok(())
}

/// A prefix is taken letter by letter: no wild cards, no folding of case.
pub async fn a_prefix_is_no_pattern(factory: &dyn Factory) -> Check {
    let store = factory.open("prefix").await?;
    for name in ["a%b", "a_b", "axb", "A%b", "a*b", "a\u{10ffff}b", "a"] {
        session(&*store, &SessionKey::new(name), 1).await?;
    }
    for prefix in ["a%", "a_", "a*", "a\u{10ffff}", "A"] {
        let options = ListOptions { prefix: prefix.to_owned(), ..ListOptions::default() };
        let found = list(&*store, SessionKey::DEFAULT_TENANT, options).await?;
        let whole = if prefix == "A" { "A%b".to_owned() } else { format!("{prefix}b") };
        ensure!(found == [whole], "with prefix {prefix:?} the list is {found:?}");
    }
    Ok(())
}

/// No call reaches a session of another tenant, and one of the same name in another tenant is another session.
pub async fn tenants_do_not_see_each_other(factory: &dyn Factory) -> Check {
    let store = factory.open("tenants").await?;
    let (ours, theirs) = (SessionKey::of("acme", "s"), SessionKey::of("globex", "s"));
    session(&*store, &ours, 3).await?;
    let lease = store.lease(&ours).await?;

    ensure!(store.find(&theirs).await?.is_none(), "`find` finds another tenant's session");
    ensure_fails!(
        read(&*store, &theirs, 0).await,
        StoreError::NotFound { .. },
        "reading another tenant's session"
    );
    ensure_fails!(
        store.lease(&theirs).await,
        StoreError::NotFound { .. },
        "leasing another tenant's session"
    );
    ensure_fails!(
        store.fork(&theirs, Seq(1), &SessionKey::of("globex", "fork")).await,
        StoreError::NotFound { .. },
        "forking another tenant's session"
    );
    let forged = Lease { key: theirs.clone(), epoch: lease.epoch, last: lease.last };
    ensure_fails!(
        store.append(&forged, Seq(3), vec![row(4, "x")], Flush::Durable).await,
        StoreError::NotFound { .. },
        "appending to another tenant's session"
    );
    store.release(&forged).await?;
    store.erase(&theirs).await?;
    ensure!(
        list(&*store, "globex", ListOptions::default()).await?.is_empty(),
        "`list` lists another tenant's session"
    );

    store.create(&theirs, rows(1, 2, "theirs")).await?;
    let other = store.lease(&theirs).await?;
    store.append(&other, Seq(2), vec![row(3, "theirs")], Flush::Durable).await?;
    store.append(&lease, Seq(3), vec![row(4, "first")], Flush::Durable).await?;
    store.release(&other).await?;
    store.erase(&theirs).await?;
    holds(&*store, &ours, &rows(1, 4, "first")).await?;
    let found = list(&*store, "acme", ListOptions::default()).await?;
    ensure!(found == ["s"], "after another tenant's session was erased the list is {found:?}");
    ensure_fails!(
        store.lease(&ours).await,
        StoreError::Leased { .. },
        "leasing what another tenant released"
    );
    Ok(())
}

/// A tenant is one as long as it has a session; they are told in order, each once.
pub async fn tenants_are_those_that_have_sessions(factory: &dyn Factory) -> Check {
    let store = factory.open("all_tenants").await?;
    let tenants = async || -> Result<Vec<String>, StoreError> {
        Ok(store.tenants().await?.iter().map(ToString::to_string).collect())
    };
    let found = tenants().await?;
    ensure!(found.is_empty(), "before there is a session there are tenants: {found:?}");
    for tenant in ["globex", "acme", "", "Acme", "é"] {
        for name in ["a", "b", "c"] {
            session(&*store, &SessionKey::of(tenant, name), 1).await?;
        }
    }
    let found = tenants().await?;
    ensure!(found == ["", "Acme", "acme", "globex", "é"], "the tenants are {found:?}");
    for name in ["a", "b", "c"] {
        store.erase(&SessionKey::of("acme", name)).await?;
    }
    let found = tenants().await?;
    ensure!(found == ["", "Acme", "globex", "é"], "after all of `acme` was erased the tenants are {found:?}");
    Ok(())
}

async fn list(
    store: &dyn SessionStore,
    tenant: &str,
    options: ListOptions,
) -> Result<Vec<String>, StoreError> {
    Ok(store.list(tenant, options).await?.into_iter().map(|info| info.key.name.to_string()).collect())
}
