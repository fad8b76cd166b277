//! What a host, or a tool, writes one at a time.

use std::sync::Arc;

use mosaic_core::memory::{Change, MemoryBlock, MemoryError, MemoryId, Reach, Scope};

use super::tools::Forgetting;
use super::{Decision, Draft, Reason, Redacted, WriteError, Writer};

/// How often a block is written anew because somebody else wrote it.
const TRIES: u32 = 4;
/// Characters of a new block, where nobody says how many.
const LIMIT: u32 = 2_000;

/// A core block as somebody wants it.
///
/// ```
/// use mosaic_memory::write::BlockPut;
///
/// let put = BlockPut::new("persona", "Speaks like a sailor.").expected(3);
/// assert_eq!((put.expected, put.limit), (Some(3), None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockPut {
    /// Its name.
    pub name: Arc<str>,
    /// What it says.
    pub text: String,
    /// What it is for, in words for the model. As it is, if nothing is said; of a new block nothing.
    pub purpose: Option<String>,
    /// At most so many characters. As it is, if nothing is said; of a new block 2,000.
    pub limit: Option<u32>,
    /// Only if the block has this version; 0 stands for "there is none". Whatever it is, if nothing is said.
    pub expected: Option<u64>,
}

impl BlockPut {
    /// A text for a block, whatever it says now.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), purpose: None, limit: None, expected: None }
    }

    /// Only if the block has this version.
    #[must_use]
    pub fn expected(mut self, version: u64) -> Self {
        self.expected = Some(version);
        self
    }
}

impl Writer {
    /// Writes one draft, and says what became of it. Unlike [`write_drafts`](Self::write_drafts), which tells of it in the decision, it fails
    /// when the draft cannot or must not be stored.
    ///
    /// # Errors
    /// [`WriteError::Refused`]; as [`write`](Self::write). Nothing has been written then.
    pub async fn save(&self, scope: &Scope, draft: Draft) -> Result<Decision, WriteError> {
        let report = self.write_drafts(scope, vec![draft]).await?;
        let nothing = || WriteError::Refused { reason: Reason::Invalid { why: "there is nothing".into() } };
        let decision = report.decisions.into_iter().next().ok_or_else(nothing)?;
        match decision.reason {
            reason @ (Reason::Invalid { .. } | Reason::Redacted { .. }) => {
                Err(WriteError::Refused { reason })
            }
            _ => Ok(decision),
        }
    }

    /// Believes a memory no longer, or removes it. Doing it again is no error.
    ///
    /// # Errors
    /// [`MemoryError::NotFound`] of a memory to be closed that is not in the scope; what the store says.
    pub async fn forget(
        &self,
        scope: &Scope,
        id: MemoryId,
        forgetting: Forgetting,
    ) -> Result<(), MemoryError> {
        let change = match forgetting {
            Forgetting::Remove => Change::Remove { id },
            Forgetting::Close => {
                let found = self.store.get(scope, &[id]).await?.into_iter().flatten().next();
                let found = found.ok_or_else(|| MemoryError::NotFound { id, scope: scope.to_string() })?;
                if found.closed_at.is_some() {
                    return Ok(());
                }
                Change::Close { id, at: self.runtime.now(), kept: None }
            }
        };
        match self.store.apply(scope, vec![change]).await {
            // Somebody else was faster.
            Err(MemoryError::Closed { .. }) => Ok(()),
            done => done,
        }
    }

    /// Writes a core block of exactly the scope, without what must not be stored, and gives it as it is now.
    ///
    /// # Errors
    /// [`MemoryError::Changed`] when it has another version than was expected; [`WriteError::Refused`]; what the store says. Nothing has been
    /// written then.
    pub async fn put_block(&self, scope: &Scope, put: BlockPut) -> Result<MemoryBlock, WriteError> {
        let BlockPut { name, text, purpose, limit, expected } = put;
        let text = self.clean_text(text).await?;
        let purpose = match purpose {
            Some(purpose) => Some(self.clean_text(purpose).await?),
            None => None,
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let mut blocks = self.store.blocks(scope, Reach::Within).await?.into_iter();
            let found = blocks.find(|block| block.scope == *scope && block.name == name);
            let version = found.as_ref().map_or(0, |block| block.version);
            let (old_purpose, old_limit) =
                found.map_or((String::new(), LIMIT), |block| (block.purpose, block.limit));
            let block = MemoryBlock {
                scope: scope.clone(),
                name: name.clone(),
                purpose: purpose.clone().unwrap_or(old_purpose),
                text: text.clone(),
                limit: limit.unwrap_or(old_limit),
                version: expected.unwrap_or(version).saturating_add(1),
                updated_at: self.runtime.now(),
            };
            let change =
                Change::PutBlock { block: block.clone(), expected: Some(expected.unwrap_or(version)) };
            match self.store.apply(scope, vec![change]).await {
                Ok(()) => return Ok(block),
                Err(MemoryError::Changed { .. }) if expected.is_none() && tries < TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A text without what must not be stored.
    pub(super) async fn clean_text(&self, text: String) -> Result<String, WriteError> {
        match self.redact(&text).await? {
            Redacted::Clean => Ok(text),
            Redacted::Changed { text } => Ok(text),
            Redacted::Refused { why } => Err(WriteError::Refused { reason: Reason::Redacted { why } }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mosaic_core::ErrorKind;
    use mosaic_core::memory::{MemoryPage, MemoryStore};
    use mosaic_core::testing::TestRuntime;
    use mosaic_storage::{RamMemories, RamStore};

    use super::*;
    use crate::embed::HashingEmbedder;
    use crate::write::{Action, WriterOptions};

    fn bench() -> (Writer, Arc<RamMemories>, TestRuntime, Scope) {
        let (store, runtime) = (Arc::new(RamStore::new().memories()), TestRuntime::new(3));
        let embedder = Arc::new(HashingEmbedder::new(64));
        let writer =
            Writer::new(store.clone(), embedder, Arc::new(runtime.clone()), WriterOptions::default());
        (writer, store, runtime, Scope::of("acme").user("ann"))
    }

    #[tokio::test]
    async fn what_is_saved_takes_the_place_of_what_was_there_and_what_cannot_be_is_an_error() {
        let (writer, store, runtime, ann) = bench();
        let tea = writer.save(&ann, Draft::preference("drink", "tea", 1.0)).await.unwrap();
        runtime.advance(Duration::from_secs(1)).await;
        let coffee = writer.save(&ann, Draft::preference("Drink", "coffee", 1.0)).await.unwrap();
        assert_eq!((tea.action, coffee.action), (Action::Add, Action::Supersede));
        assert_eq!(coffee.closed, [tea.memory.unwrap()]);
        for (draft, says) in [
            (Draft::insight(" "), "its text says nothing"),
            (Draft::insight("Ann").importance(f32::NAN), "importance"),
            (Draft::preference("password: hunter2hunter2", "x", 1.0), "must not be stored"),
        ] {
            let error = writer.save(&ann, draft).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(error.to_string().contains(says), "{error}");
        }
        let token = "The token is ghp_0123456789abcdefghijABCDEFGHIJ012345.";
        let kept = writer.save(&ann, Draft::insight(token)).await.unwrap();
        let kept = store.get(&ann, &[kept.memory.unwrap()]).await.unwrap();
        assert!(!kept[0].as_ref().unwrap().text().contains("ghp_"), "{kept:?}");
    }

    #[tokio::test]
    async fn a_block_keeps_what_nobody_spoke_of_and_a_stale_version_writes_nothing() {
        let (writer, store, _, ann) = bench();
        let first = BlockPut {
            purpose: Some("Who it is.".into()),
            limit: Some(40),
            ..BlockPut::new("persona", "A butler.").expected(0)
        };
        assert_eq!(writer.put_block(&ann, first.clone()).await.unwrap().version, 1);
        let second = writer.put_block(&ann, BlockPut::new("persona", "A sailor.")).await.unwrap();
        assert_eq!((second.version, &*second.purpose, second.limit), (2, "Who it is.", 40));
        assert_eq!(store.blocks(&ann, Reach::Within).await.unwrap(), [second]);
        for stale in [first, BlockPut::new("persona", "A cook.").expected(1)] {
            let error = writer.put_block(&ann, stale).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        }
        let long = writer.put_block(&ann, BlockPut::new("persona", "A".repeat(41))).await.unwrap_err();
        assert_eq!(long.kind(), ErrorKind::InvalidRequest);
        let secret = BlockPut::new("notes", "key ghp_0123456789abcdefghijABCDEFGHIJ012345");
        let secret = writer.put_block(&ann, secret).await.unwrap();
        assert!(!secret.text.contains("ghp_"), "{secret:?}");
        assert_eq!((secret.version, secret.limit), (1, 2_000));
    }

    #[tokio::test]
    async fn forgetting_is_done_once_and_may_be_said_twice() {
        let (writer, store, _, ann) = bench();
        let id = writer.save(&ann, Draft::insight("Ann is ill")).await.unwrap().memory.unwrap();
        let bob = Scope::of("acme").user("bob");
        let elsewhere = writer.forget(&bob, id, Forgetting::Close).await.unwrap_err();
        assert_eq!(elsewhere.kind(), ErrorKind::NotFound);
        writer.forget(&bob, id, Forgetting::Remove).await.unwrap();
        assert_eq!(store.list(&ann, MemoryPage::default()).await.unwrap().len(), 1);
        for forgetting in [Forgetting::Close, Forgetting::Close, Forgetting::Remove, Forgetting::Remove] {
            writer.forget(&ann, id, forgetting).await.unwrap();
            assert!(store.list(&ann, MemoryPage::default()).await.unwrap().is_empty());
        }
        assert_eq!(store.counts(&ann).await.unwrap().memories, 0);
    }
}
