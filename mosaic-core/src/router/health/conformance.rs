//! The contract of a store of health as checks: for everybody who writes one.
//!
//! A store is good when [`check_all`] says so. Each rule is also a function of its own, and [`RULES`] lists them by name,
//! to make one test of each. The rules read no clock and never sleep; they run in a tokio runtime, best one with several
//! threads, because some of them let tasks race.
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::StoreError;
//! use mosaic_core::router::health::{HealthStore, RamHealthStore, conformance};
//!
//! #[derive(Default)]
//! struct MyStores(std::sync::Mutex<std::collections::HashMap<String, Arc<RamHealthStore>>>);
//!
//! #[async_trait::async_trait]
//! impl conformance::Factory for MyStores {
//!     async fn open(&self, place: &str) -> Result<Arc<dyn HealthStore>, StoreError> {
//!         Ok(self.0.lock().unwrap().entry(place.to_owned()).or_default().clone())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! conformance::check_all(&MyStores::default()).await.unwrap();
//! # }
//! ```

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::join_all;

use super::{HealthPage, HealthStore, Swap};
pub use crate::conformance::{Broken, Failures};
use crate::conformance::{Check, ensure, suite};
use crate::store::StoreError;

/// Opens stores for the rules. Make a new one for every run: a rule finds its places empty.
#[async_trait::async_trait]
pub trait Factory: Send + Sync {
    /// Opens the store at a place (letters, digits and `_`). A place never named before must be empty; the same place named
    /// again is another handle on the same states, as another process would have it.
    async fn open(&self, place: &str) -> Result<Arc<dyn HealthStore>, StoreError>;
}

suite! {
    self:
        an_empty_name_space_has_nothing,
        what_was_written_is_loaded,
        a_swap_with_another_version_changes_nothing_and_tells_what_is_there,
        versions_grow_over_all_candidates,
        a_load_gives_what_is_newer,
        any_text_is_a_name,
        name_spaces_do_not_see_each_other,
        two_handles_see_the_same,
        one_racing_swap_wins,
        who_follows_the_versions_misses_nothing,
        a_dropped_swap_leaves_all_or_nothing;
}

/// Writes, which must succeed.
async fn write(
    store: &dyn HealthStore,
    space: &str,
    candidate: &str,
    expected: u64,
    state: &str,
) -> Result<u64, Broken> {
    match store.swap(space, candidate, expected, state.to_owned()).await? {
        Swap::Done { version } => Ok(version),
        Swap::Conflict { row } => Err(Broken(format!(
            "a swap of {candidate:?} in {space:?} from version {expected} should be done; it found {row:?}"
        ))),
    }
}

fn states(page: HealthPage) -> BTreeMap<String, (u64, String)> {
    page.rows.into_iter().map(|row| (row.candidate.to_string(), (row.version, row.state))).collect()
}

/// Nothing is loaded where nothing was written, and 0 is its version.
///
/// # Errors
/// When the store breaks the rule; so with all rules.
pub async fn an_empty_name_space_has_nothing(factory: &dyn Factory) -> Check {
    let page = factory.open("empty").await?.load("s", 0).await?;
    ensure!(page == HealthPage::default(), "a new store has {page:?}");
    Ok(())
}

/// A state comes back as it was written, and a later one in its place.
pub async fn what_was_written_is_loaded(factory: &dyn Factory) -> Check {
    let store = factory.open("written").await?;
    let mut version = 0;
    for state in ["{\"at\":1}", "", "quote ' and \" and \u{1F980}", &"long".repeat(10_000)] {
        version = write(&*store, "s", "a", version, state).await?;
        let page = store.load("s", 0).await?;
        ensure!(page.version == version, "{} is the newest version, not {version}", page.version);
        let found = states(page);
        let expected = BTreeMap::from([("a".to_owned(), (version, state.to_owned()))]);
        ensure!(found == expected, "after a swap the store has {found:?}");
    }
    Ok(())
}

/// Only who knows the version that is there writes.
pub async fn a_swap_with_another_version_changes_nothing_and_tells_what_is_there(
    factory: &dyn Factory,
) -> Check {
    let store = factory.open("conflict").await?;
    let none = store.swap("s", "a", 7, "seven".into()).await?;
    ensure!(none == Swap::Conflict { row: None }, "a swap from 7 where there is nothing gives {none:?}");
    let first = write(&*store, "s", "a", 0, "first").await?;
    let second = write(&*store, "s", "a", first, "second").await?;
    let before = store.load("s", 0).await?;
    for expected in [0, first, second + 1, u64::MAX >> 1] {
        match store.swap("s", "a", expected, "wrong".into()).await? {
            Swap::Conflict { row: Some(row) } => {
                ensure!(
                    (&*row.candidate, row.version, &*row.state) == ("a", second, "second"),
                    "a swap from {expected} where there is {second} tells {row:?}"
                );
            }
            other => {
                return Err(Broken(format!(
                    "a swap from {expected} where there is {second} gives {other:?}"
                )));
            }
        }
    }
    let after = store.load("s", 0).await?;
    ensure!(after == before, "after swaps that found another version the store has {after:?}");
    Ok(())
}

/// Each version is greater than all before it in its name-space.
pub async fn versions_grow_over_all_candidates(factory: &dyn Factory) -> Check {
    let store = factory.open("versions").await?;
    let (mut known, mut newest) = (BTreeMap::new(), 0);
    for (round, candidate) in ["a", "b", "b", "c", "a", "c"].into_iter().cycle().take(30).enumerate() {
        let expected = known.get(candidate).copied().unwrap_or(0);
        let version = write(&*store, "s", candidate, expected, &round.to_string()).await?;
        ensure!(version > newest, "version {version} comes after {newest}");
        newest = version;
        known.insert(candidate, version);
    }
    Ok(())
}

/// A load gives what has a greater version, and the newest version also where nothing is newer.
pub async fn a_load_gives_what_is_newer(factory: &dyn Factory) -> Check {
    let store = factory.open("newer").await?;
    let a = write(&*store, "s", "a", 0, "one").await?;
    let b = write(&*store, "s", "b", 0, "two").await?;
    let c = write(&*store, "s", "c", 0, "three").await?;
    let again = write(&*store, "s", "a", a, "four").await?;
    for (since, expected) in
        [(0, "abc"), (a, "abc"), (b, "ac"), (c, "a"), (again, ""), (again + 1, ""), (u64::MAX >> 1, "")]
    {
        let page = store.load("s", since).await?;
        ensure!(page.version == again, "{} is the newest version, not {again}", page.version);
        let found: String = states(page).into_keys().collect();
        ensure!(found == expected, "newer than {since} is {expected:?}, not {found:?}");
    }
    Ok(())
}

/// Names are any text, and no two are the same.
pub async fn any_text_is_a_name(factory: &dyn Factory) -> Check {
    let store = factory.open("names").await?;
    let names =
        ["", " ", "a", "A", "a ", "%", "_", "'", "\"", "a\nb", "a\0b", "\u{e9}", "e\u{301}", "\u{1F980}"];
    let mut expected = BTreeMap::new();
    for name in names {
        let version = write(&*store, "s", name, 0, name).await?;
        expected.insert(name.to_owned(), (version, name.to_owned()));
        write(&*store, name, "a", 0, name).await?;
    }
    let found = states(store.load("s", 0).await?);
    ensure!(found == expected, "of {expected:?} the store has {found:?}");
    for name in names {
        let found = states(store.load(name, 0).await?);
        let text = found.get("a").map(|(_, state)| state.as_str());
        ensure!(text == Some(name), "in the name-space {name:?} there is {found:?}");
    }
    Ok(())
}

/// What is written in one name-space is not in another.
pub async fn name_spaces_do_not_see_each_other(factory: &dyn Factory) -> Check {
    let store = factory.open("spaces").await?;
    write(&*store, "one", "a", 0, "1").await?;
    write(&*store, "one", "b", 0, "1").await?;
    write(&*store, "two", "a", 0, "2").await?;
    let (one, two) = (store.load("one", 0).await?, store.load("two", 0).await?);
    let (one, two) = (states(one), states(two));
    ensure!(one.len() == 2 && two.len() == 1, "the name-spaces have {one:?} and {two:?}");
    ensure!(one.values().all(|(_, state)| state == "1"), "the first name-space has {one:?}");
    Ok(())
}

/// What one handle writes, another has, and may not write over unseen.
pub async fn two_handles_see_the_same(factory: &dyn Factory) -> Check {
    let (one, two) = (factory.open("handles").await?, factory.open("handles").await?);
    let first = write(&*one, "s", "a", 0, "one").await?;
    let found = states(two.load("s", 0).await?);
    ensure!(found == [("a".to_owned(), (first, "one".to_owned()))].into(), "the other handle has {found:?}");
    ensure!(
        matches!(two.swap("s", "a", 0, "two".into()).await?, Swap::Conflict { row: Some(_) }),
        "the other handle wrote over what it had not seen"
    );
    let second = write(&*two, "s", "a", first, "two").await?;
    ensure!(second > first, "version {second} comes after {first}");
    let found = states(one.load("s", first).await?);
    ensure!(found == [("a".to_owned(), (second, "two".to_owned()))].into(), "the first handle has {found:?}");
    Ok(())
}

/// Of several swaps from one version, on two handles, exactly one is done.
pub async fn one_racing_swap_wins(factory: &dyn Factory) -> Check {
    let (one, two) = (factory.open("racing").await?, factory.open("racing").await?);
    let mut expected = 0;
    for _ in 0..20 {
        let swaps = (0..8_usize).map(|n| {
            let store = if n % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move { store.swap("s", "a", expected, n.to_string()).await })
        });
        let mut done = Vec::new();
        for (n, result) in join_all(swaps).await.into_iter().enumerate() {
            let result = result.map_err(|error| Broken(format!("a swap died: {error}")))?;
            if let Swap::Done { version } = result? {
                done.push((version, n.to_string()));
            }
        }
        ensure!(done.len() == 1, "{} of 8 swaps from version {expected} were done", done.len());
        let found = states(one.load("s", 0).await?);
        ensure!(found.get("a") == done.first(), "the winner wrote {done:?}; there is {found:?}");
        expected = done.first().map_or(0, |(version, _)| *version);
    }
    Ok(())
}

/// Who loads what is newer than what it has seen, again and again, has everything in the end.
pub async fn who_follows_the_versions_misses_nothing(factory: &dyn Factory) -> Check {
    let writers = (0..4).map(|n: u32| async move {
        let store = factory.open("following").await?;
        Ok::<_, Broken>(tokio::spawn(async move {
            let mut version = 0;
            for round in 0..50 {
                version = write(&*store, "s", &n.to_string(), version, &round.to_string()).await?;
                tokio::task::yield_now().await;
            }
            Ok::<(), Broken>(())
        }))
    });
    let reader = factory.open("following").await?;
    let writers = join_all(writers).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let (mut seen, mut since) = (BTreeMap::new(), 0);
    loop {
        // One load more than the writers need, so that it has seen their last.
        let last = writers.iter().all(|writer| writer.is_finished());
        let page = reader.load("s", since).await?;
        ensure!(page.version >= since, "the newest version went from {since} back to {}", page.version);
        ensure!(page.rows.iter().all(|row| row.version > since), "since {since} comes {page:?}");
        since = page.version;
        seen.extend(states(page));
        if last {
            break;
        }
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.map_err(|error| Broken(format!("a writer died: {error}")))??;
    }
    let all = states(reader.load("s", 0).await?);
    ensure!(seen == all && all.len() == 4, "who followed has {seen:?}; there is {all:?}");
    Ok(())
}

/// A swap whose future is dropped, however far it got, has written all or nothing, and the store goes on.
pub async fn a_dropped_swap_leaves_all_or_nothing(factory: &dyn Factory) -> Check {
    let store = factory.open("dropped").await?;
    let mut expected = 0;
    for polls in 0..30 {
        {
            let mut swap = store.swap("s", "a", expected, format!("dropped {polls}"));
            for _ in 0..polls {
                if poll_fn(|cx| Poll::Ready(swap.as_mut().poll(cx).is_ready())).await {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let there = match store.swap("s", "a", expected, format!("whole {polls}")).await? {
            Swap::Done { version } => (version, format!("whole {polls}")),
            Swap::Conflict { row: Some(row) } if row.state == format!("dropped {polls}") => {
                (row.version, row.state)
            }
            other => return Err(Broken(format!("after a swap was dropped at poll {polls}: {other:?}"))),
        };
        let found = states(store.load("s", 0).await?);
        ensure!(found.get("a") == Some(&there), "it has {found:?}, not {there:?}");
        expected = there.0;
    }
    Ok(())
}
