//! What comes: objects of a stream, and whole bodies. One shape serves both.
//!
//! Source: <https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion>

use mosaic_core::Usage;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::wire::lenient::{Int, List, Maybe, Str};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) message: Maybe<Message<'a>>,
    /// A boolean; written out by [`Str`].
    #[serde(borrow)]
    pub(super) done: Str<'a>,
    #[serde(borrow)]
    pub(super) done_reason: Str<'a>,
    prompt_eval_count: Int,
    eval_count: Int,
    /// Present and not null: the answer failed.
    pub(super) error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) content: Str<'a>,
    #[serde(borrow)]
    pub(super) thinking: Str<'a>,
    #[serde(borrow)]
    pub(super) tool_calls: List<Maybe<Call<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Call<'a> {
    /// Newer servers only.
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    #[serde(borrow)]
    pub(super) function: Maybe<Function<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    /// An object; other servers of this API send it as JSON text.
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
}

impl Function<'_> {
    /// The arguments as JSON text.
    pub(super) fn arguments(&self) -> String {
        let raw = self.arguments.map(RawValue::get).unwrap_or_default();
        if raw.starts_with('"') { serde_json::from_str(raw).unwrap_or_default() } else { raw.to_owned() }
    }
}

impl Chunk<'_> {
    /// The figures, which come with the end. A prompt that was in the cache whole is not counted by older servers.
    pub(super) fn usage(&self) -> Usage {
        Usage {
            input: self.prompt_eval_count.or_zero(),
            output: self.eval_count.or_zero(),
            ..Usage::default()
        }
    }
}
