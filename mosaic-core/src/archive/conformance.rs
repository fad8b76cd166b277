//! The contract of [`Archive`] as a suite of rules, for everybody who writes one. What a crash does, only its own tests can show.

use std::sync::Arc;

use bytes::Bytes;

pub use crate::conformance::{Broken, Failures};

use super::{Archive, ArchiveError, MAX_NAME};
use crate::conformance::suite;

/// Opens archives for the rules. Make a new one for every run: a rule finds its places empty.
#[async_trait::async_trait]
pub trait Factory: Send + Sync {
    /// Opens the archive at a place. Every rule uses a place of its own (letters, digits and `_`), so a place never named before must be
    /// empty. The same place named again is another handle on the same data, as another process would have it.
    async fn open(&self, place: &str) -> Result<Arc<dyn Archive>, ArchiveError>;
}

impl From<ArchiveError> for Broken {
    fn from(error: ArchiveError) -> Self {
        Self(format!("a call that should succeed failed: {error}"))
    }
}

suite! {
    rules:
        what_was_put_is_got,
        a_part_is_got,
        what_does_not_exist_is_missing,
        what_is_put_again_is_replaced,
        removed_is_gone,
        names_are_listed_in_order,
        names_that_are_none_are_refused;
}

/// The rules.
pub mod rules {
    use super::{ArchiveError, Bytes, Factory, MAX_NAME};
    use crate::conformance::{Check, ensure, ensure_fails};

    /// Any bytes, none and many, under short and long names; another handle sees them.
    pub async fn what_was_put_is_got(factory: &dyn Factory) -> Check {
        let (one, two) = (factory.open("put").await?, factory.open("put").await?);
        let many: Bytes = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        let long = format!("a/{}", "b".repeat(MAX_NAME - 2));
        for (name, bytes) in [("a/b/c-1_2.x", many), ("empty", Bytes::new()), (&*long, "\0\u{1F40C}".into())]
        {
            one.put(name, bytes.clone()).await?;
            ensure!(two.get(name).await? == bytes, "`{name}` came back changed");
        }
        Ok(())
    }

    /// A part of the bytes, the empty one too, and no more than there is.
    pub async fn a_part_is_got(factory: &dyn Factory) -> Check {
        let archive = factory.open("range").await?;
        archive.put("x", "0123456789".into()).await?;
        for (offset, length, due) in
            [(0, 10, "0123456789"), (3, 4, "3456"), (9, 1, "9"), (10, 0, ""), (0, 0, "")]
        {
            let found = archive.get_range("x", offset, length).await?;
            ensure!(found == due, "{length} bytes from {offset} on are {found:?}, not {due:?}");
        }
        for (offset, length) in [(0, 11), (10, 1), (u64::MAX, 1), (1, u64::MAX)] {
            let read = archive.get_range("x", offset, length).await;
            ensure_fails!(read, ArchiveError::Short { .. }, "reading {length} bytes from {offset} on");
        }
        Ok(())
    }

    /// Nothing is found where nothing was put, also not a part of a name.
    pub async fn what_does_not_exist_is_missing(factory: &dyn Factory) -> Check {
        let archive = factory.open("missing").await?;
        archive.put("a/b", "x".into()).await?;
        for name in ["b", "a/c", "ab", "A/b"] {
            ensure_fails!(archive.get(name).await, ArchiveError::Missing { .. }, "getting `{name}`");
            let range = archive.get_range(name, 0, 0).await;
            ensure_fails!(range, ArchiveError::Missing { .. }, "getting a part of `{name}`");
        }
        Ok(())
    }

    /// The new bytes stand for the old ones, however long each.
    pub async fn what_is_put_again_is_replaced(factory: &dyn Factory) -> Check {
        let archive = factory.open("replace").await?;
        for bytes in ["long and longer", "short", ""] {
            archive.put("x", bytes.into()).await?;
            let found = archive.get("x").await?;
            ensure!(found == bytes, "after putting {bytes:?} there is {found:?}");
        }
        Ok(())
    }

    /// What is removed is gone, as often as one likes, and nothing else is.
    pub async fn removed_is_gone(factory: &dyn Factory) -> Check {
        let archive = factory.open("remove").await?;
        archive.put("a/b", "x".into()).await?;
        archive.put("a/c", "y".into()).await?;
        for _ in 0..2 {
            archive.remove("a/b").await?;
            ensure_fails!(archive.get("a/b").await, ArchiveError::Missing { .. }, "getting what was removed");
        }
        archive.remove("never/there").await?;
        ensure!(archive.get("a/c").await? == "y", "removing one removed another");
        let names = archive.list("").await?;
        ensure!(names == ["a/c"], "after removing {names:?} are listed");
        Ok(())
    }

    /// All that begin with a text, wherever it ends.
    pub async fn names_are_listed_in_order(factory: &dyn Factory) -> Check {
        let archive = factory.open("list").await?;
        for name in ["b/2", "b/10", "a", "b/1/x", "bb", "c"] {
            archive.put(name, "x".into()).await?;
        }
        for (prefix, due) in [
            ("", &["a", "b/1/x", "b/10", "b/2", "bb", "c"][..]),
            ("b", &["b/1/x", "b/10", "b/2", "bb"]),
            ("b/", &["b/1/x", "b/10", "b/2"]),
            ("b/1", &["b/1/x", "b/10"]),
            ("d", &[]),
        ] {
            let found = archive.list(prefix).await?;
            ensure!(found == due, "beginning with `{prefix}` there are {found:?}, not {due:?}");
        }
        Ok(())
    }

    /// No name leads out of the archive.
    pub async fn names_that_are_none_are_refused(factory: &dyn Factory) -> Check {
        let archive = factory.open("names").await?;
        let long = "x".repeat(MAX_NAME + 1);
        for name in [
            "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/.b", "a b", "a\\b", "a\0", "ä",
            &*long,
        ] {
            ensure_fails!(archive.put(name, "x".into()).await, ArchiveError::Name { .. }, "putting `{name}`");
            ensure_fails!(archive.get(name).await, ArchiveError::Name { .. }, "getting `{name}`");
            ensure_fails!(
                archive.get_range(name, 0, 0).await,
                ArchiveError::Name { .. },
                "getting of `{name}`"
            );
            ensure_fails!(archive.remove(name).await, ArchiveError::Name { .. }, "removing `{name}`");
        }
        let names = archive.list("").await?;
        ensure!(names.is_empty(), "after refusing there are {names:?}");
        Ok(())
    }
}
