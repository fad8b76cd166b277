//! What comes: one chunk of a stream, or a whole body; both have the same shape.
//!
//! Source: <https://ai.google.dev/api/generate-content#GenerateContentResponse>

use std::borrow::Cow;
use std::fmt;

use mosaic_core::Usage;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::wire::lenient::{First, Int, List, Maybe, Str};

/// The parts that only the provider understands, as requests may hold them.
pub(super) const BLOCKS: [&str; 6] =
    ["executableCode", "codeExecutionResult", "inlineData", "fileData", "toolCall", "toolResponse"];

/// A chunk.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) candidates: First<Candidate<'a>>,
    #[serde(borrow)]
    pub(super) prompt_feedback: Maybe<Feedback<'a>>,
    pub(super) usage_metadata: Maybe<WireUsage>,
    #[serde(borrow)]
    pub(super) response_id: Str<'a>,
    pub(super) error: Option<Value>,
}

/// One answer. Only one is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    #[serde(borrow)]
    pub(super) content: Maybe<Content<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Str<'a>,
    pub(super) grounding_metadata: Maybe<Map<String, Value>>,
    pub(super) url_context_metadata: Maybe<Map<String, Value>>,
    pub(super) citation_metadata: Maybe<Map<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub(super) parts: List<Maybe<Piece<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Feedback<'a> {
    #[serde(borrow)]
    pub(super) block_reason: Str<'a>,
    #[serde(borrow)]
    pub(super) block_reason_message: Str<'a>,
}

/// A part of a content, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Piece<'a> {
    pub(super) text: Str<'a>,
    pub(super) thought: bool,
    pub(super) signature: Str<'a>,
    pub(super) call: Maybe<Call<'a>>,
    /// What is not known here: code that the provider runs, its results, pictures.
    pub(super) rest: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Call<'a> {
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    pub(super) args: Option<&'a RawValue>,
}

impl Piece<'_> {
    /// The name of what only the provider understands, where the part is that.
    pub(super) fn block(&self) -> Option<&str> {
        let known = BLOCKS.into_iter().find(|name| self.rest.contains_key(*name));
        known.or_else(|| self.rest.keys().next().map(String::as_str)).filter(|_| self.text.get().is_none())
    }
}

/// Written by hand: `flatten` would buffer the members of every chunk to find the few that have others.
impl<'de: 'a, 'a> Deserialize<'de> for Piece<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Piece<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a part")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut piece = Piece::default();
                while let Some(Str(name)) = map.next_key()? {
                    match name.as_deref().unwrap_or_default() {
                        "text" => piece.text = map.next_value()?,
                        "thought" => piece.thought = map.next_value::<Value>()? == Value::Bool(true),
                        "thoughtSignature" => piece.signature = map.next_value()?,
                        "functionCall" => piece.call = map.next_value()?,
                        _ => {
                            let name = name.map(Cow::into_owned).unwrap_or_default();
                            piece.rest.insert(name, map.next_value()?);
                        }
                    }
                }
                Ok(piece)
            }
        }
        deserializer.deserialize_map(Of)
    }
}

/// Token counts. In a stream they are cumulative, and each chunk may tell some of them.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WireUsage {
    prompt_token_count: Int,
    tool_use_prompt_token_count: Int,
    candidates_token_count: Int,
    thoughts_token_count: Int,
    cached_content_token_count: Int,
}

impl WireUsage {
    /// Takes newer figures.
    pub(super) fn update(&mut self, newer: Self) {
        let set = |old: &mut Int, new: Int| {
            if new.0.is_some() {
                *old = new;
            }
        };
        set(&mut self.prompt_token_count, newer.prompt_token_count);
        set(&mut self.tool_use_prompt_token_count, newer.tool_use_prompt_token_count);
        set(&mut self.candidates_token_count, newer.candidates_token_count);
        set(&mut self.thoughts_token_count, newer.thoughts_token_count);
        set(&mut self.cached_content_token_count, newer.cached_content_token_count);
    }

    /// In our words: what server-side tools read is counted beside the prompt, and thoughts beside the answer.
    pub(super) fn usage(self) -> Usage {
        let reasoning = self.thoughts_token_count.or_zero();
        Usage {
            input: self
                .prompt_token_count
                .or_zero()
                .saturating_add(self.tool_use_prompt_token_count.or_zero()),
            output: self.candidates_token_count.or_zero().saturating_add(reasoning),
            cached_input: self.cached_content_token_count.or_zero(),
            reasoning,
            ..Usage::default()
        }
    }
}
