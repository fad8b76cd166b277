//! `block_edit`.

use std::sync::Arc;

use mosaic_core::memory::{Change, MemoryBlock, MemoryError, Reach, Scope};
use mosaic_core::{Effect, ErrorKind, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shared::{Shared, failed, invalid, read, spec, stored};

/// How often an edit is made anew because somebody else wrote the block.
const TRIES: u32 = 4;

#[derive(Debug)]
pub(super) struct BlockEdit {
    shared: Arc<Shared>,
    spec: ToolSpec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    block: String,
    old: Option<String>,
    new: String,
}

impl BlockEdit {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let about = "Changes a block of the memory that is always in the prompt: puts `new` in the place of `old`, which must stand in it \
                     exactly once, or of the whole text if `old` is left out.";
        let input = json!({
            "block": {"type": "string", "description": "The name of the block."},
            "old": {"type": "string", "description": "The text to replace.", "minLength": 1},
            "new": {"type": "string", "description": "The text to put there; may be empty."},
        });
        // What was replaced cannot be replaced again.
        Self { shared, spec: spec("block_edit", about, input, &["block", "new"], Effect::Once) }
    }

    /// The block, of exactly the scope of these tools: a wider one is others' too.
    async fn block(&self, scope: &Scope, name: &str) -> Result<MemoryBlock, ToolError> {
        let mut blocks = self.shared.store.blocks(scope, Reach::Within).await.map_err(stored)?;
        blocks.retain(|block| block.scope == *scope);
        let names: Vec<String> = blocks.iter().map(|block| format!("`{}`", block.name)).collect();
        blocks.into_iter().find(|block| &*block.name == name).ok_or_else(|| {
            let names = if names.is_empty() { "there are none".into() } else { names.join(", ") };
            failed(
                ErrorKind::NotFound,
                format!("there is no block of that name to edit; those there are: {names}"),
            )
        })
    }
}

#[async_trait::async_trait]
impl Tool for BlockEdit {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, ctx: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let Input { block: name, old, new } = read(input)?;
        let (scope, new) = (self.shared.scope(ctx), self.shared.clean(new).await?);
        let mut tries = 0;
        loop {
            tries += 1;
            let mut block = self.block(&scope, &name).await?;
            block.text = match &old {
                Some(old) => replaced(&block, old, &new)?,
                None => new.clone(),
            };
            let (found, limit) = (block.text.chars().count(), block.limit);
            if found > limit as usize {
                return Err(invalid(format!(
                    "the block would have {found} characters, its limit is {limit}; shorten it"
                )));
            }
            block.updated_at = self.shared.runtime.now();
            let expected = Some(block.version);
            let change = Change::PutBlock { block, expected };
            match self.shared.store.apply(&scope, vec![change]).await {
                Ok(()) => {
                    return Ok(ToolOutput::text(format!(
                        "block `{name}` has {found} of {limit} characters now"
                    )));
                }
                // A part can be replaced in what the other wrote; a whole text would undo it unseen.
                Err(MemoryError::Changed { .. }) if old.is_some() && tries < TRIES => {}
                Err(error) => return Err(stored(error)),
            }
        }
    }
}

fn replaced(block: &MemoryBlock, old: &str, new: &str) -> Result<String, ToolError> {
    let name = &block.name;
    match (old.is_empty(), block.text.matches(old).count()) {
        (true, _) => Err(invalid("`old` is empty; leave it out to replace the whole text")),
        (_, 1) => Ok(block.text.replacen(old, new, 1)),
        (_, 0) => Err(invalid(format!(
            "`old` does not stand in block `{name}`; give it letter by letter as it stands there"
        ))),
        (_, found) => Err(invalid(format!(
            "`old` stands in block `{name}` {found} times; give more of the text around it"
        ))),
    }
}
