//! Core blocks.

use super::Factory;
use super::help::{Check, ann, at, bob, ensure, ensure_fails};
use crate::memory::{Change, MemoryBlock, MemoryError, MemoryStore, Reach, Scope};

fn block(scope: &Scope, name: &str, text: &str) -> MemoryBlock {
    MemoryBlock {
        scope: scope.clone(),
        name: name.into(),
        purpose: "what the user is like".into(),
        text: text.into(),
        limit: 20,
        version: 99,
        updated_at: at(1),
    }
}

async fn put(store: &dyn MemoryStore, block: MemoryBlock, expected: Option<u64>) -> Result<(), MemoryError> {
    let scope = block.scope.clone();
    store.apply(&scope, vec![Change::PutBlock { block, expected }]).await
}

async fn texts(store: &dyn MemoryStore, scope: &Scope) -> Result<Vec<(String, u64)>, super::Broken> {
    let blocks = store.blocks(scope, Reach::Within).await?;
    Ok(blocks.into_iter().map(|block| (block.text, block.version)).collect())
}

/// A block is what was written last, and counts how often it was.
pub async fn a_block_is_what_was_written_last(factory: &dyn Factory) -> Check {
    let store = factory.open("blocks").await?;
    put(&*store, block(&ann(), "human", "Ann"), None).await?;
    put(&*store, block(&ann(), "human", "Ann, 34"), None).await?;
    put(&*store, block(&bob(), "human", "Bob"), None).await?;
    let found = store.blocks(&ann(), Reach::Within).await?;
    let expected = MemoryBlock { version: 2, ..block(&ann(), "human", "Ann, 34") };
    ensure!(found == [expected.clone()], "the blocks are {found:?}, not {expected:?}");
    store.apply(&ann(), vec![Change::RemoveBlock { name: "human".into() }]).await?;
    store.apply(&ann(), vec![Change::RemoveBlock { name: "human".into() }]).await?;
    ensure!(texts(&*store, &ann()).await?.is_empty(), "a block that was removed is there");
    ensure!(texts(&*store, &bob()).await?.len() == 1, "another's block was removed too");
    Ok(())
}

/// Of two who edit the same version, one does.
pub async fn no_edit_is_lost(factory: &dyn Factory) -> Check {
    let store = factory.open("block_versions").await?;
    put(&*store, block(&ann(), "human", "one"), Some(0)).await?;
    ensure_fails!(
        put(&*store, block(&ann(), "human", "again"), Some(0)).await,
        MemoryError::Changed { expected: 0, found: 1, .. },
        "making a block that there is"
    );
    put(&*store, block(&ann(), "human", "two"), Some(1)).await?;
    ensure_fails!(
        put(&*store, block(&ann(), "human", "late"), Some(1)).await,
        MemoryError::Changed { expected: 1, found: 2, .. },
        "writing an old version"
    );
    ensure_fails!(
        put(&*store, block(&ann(), "other", "x"), Some(3)).await,
        MemoryError::Changed { expected: 3, found: 0, .. },
        "writing a version of what is not there"
    );
    let found = texts(&*store, &ann()).await?;
    ensure!(found == [("two".into(), 2)], "the blocks are {found:?}");
    Ok(())
}

/// A block is no longer than its limit, in characters.
pub async fn a_block_keeps_its_limit(factory: &dyn Factory) -> Check {
    let store = factory.open("block_limits").await?;
    put(&*store, block(&ann(), "human", &"ä".repeat(20)), None).await?;
    put(&*store, block(&ann(), "empty", ""), None).await?;
    let long = put(&*store, block(&ann(), "human", &"a".repeat(21)), None).await;
    ensure_fails!(long, MemoryError::Invalid { .. }, "a text over its limit");
    ensure_fails!(
        put(&*store, block(&ann(), "", "x"), None).await,
        MemoryError::Invalid { .. },
        "a block without a name"
    );
    Ok(())
}

/// Wider scopes come first, then names.
pub async fn blocks_come_in_order(factory: &dyn Factory) -> Check {
    let store = factory.open("block_order").await?;
    let acme = Scope::of("acme");
    for scope in [ann().agent("cook"), ann(), acme.clone()] {
        for name in ["b", "a"] {
            put(&*store, block(&scope, name, "x"), None).await?;
        }
    }
    let found = store.blocks(&ann().agent("cook"), Reach::Inherited).await?;
    let found: Vec<_> = found.iter().map(|block| (block.scope.clone(), &*block.name)).collect();
    let expected: Vec<_> = [acme, ann(), ann().agent("cook")]
        .into_iter()
        .flat_map(|scope| [(scope.clone(), "a"), (scope, "b")])
        .collect();
    ensure!(found == expected, "the order is {found:?}");
    Ok(())
}
