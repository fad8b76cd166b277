//! What comes: chunks of a stream, and whole bodies. One shape serves both.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/object> and `.../chat/streaming`; the members beyond
//! those are other servers' (named beside them).

use std::borrow::Cow;
use std::fmt;

use mosaic_core::{Cost, Usage};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::quirks::{CostFigure, ReasoningTokens};
use crate::wire::lenient::{First, Int, List, Maybe, Str};

/// A chunk, or a whole body.
///
/// What is rare is boxed: a chunk is moved half a dozen times while it is read, and inline the usage and the second message
/// make it 1.4 kB, which is more copying than reading.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    #[serde(borrow)]
    pub(super) object: Str<'a>,
    #[serde(borrow)]
    pub(super) choices: First<Choice<'a>>,
    pub(super) usage: Maybe<Box<WireUsage>>,
    /// Present and not null: the answer failed.
    pub(super) error: Option<Value>,
    /// Groq, before it kept to the standard place.
    pub(super) x_groq: Maybe<Box<XGroq>>,
    /// Perplexity.
    #[serde(borrow)]
    pub(super) citations: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) search_results: Option<&'a RawValue>,
    /// OpenAI, where it is asked for.
    #[serde(borrow)]
    pub(super) moderation: Option<&'a RawValue>,
    /// Azure.
    #[serde(borrow)]
    pub(super) prompt_filter_results: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct XGroq {
    pub(super) usage: Maybe<Box<WireUsage>>,
    pub(super) error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice<'a> {
    pub(super) index: Int,
    #[serde(borrow)]
    pub(super) delta: Maybe<Message<'a>>,
    /// In whole bodies. Perplexity repeats the whole message beside each delta.
    #[serde(borrow)]
    pub(super) message: Maybe<Box<Message<'a>>>,
    #[serde(borrow)]
    pub(super) finish_reason: Str<'a>,
    /// OpenRouter: the upstream provider failed.
    pub(super) error: Option<Value>,
    /// Azure.
    #[serde(borrow)]
    pub(super) content_filter_results: Option<&'a RawValue>,
    /// Moonshot, in streams.
    pub(super) usage: Maybe<Box<WireUsage>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) content: Content<'a>,
    /// DeepSeek, vLLM, llama.cpp, xAI and others.
    #[serde(borrow)]
    pub(super) reasoning_content: Str<'a>,
    /// OpenRouter, Groq, Cerebras, Ollama.
    #[serde(borrow)]
    pub(super) reasoning: Str<'a>,
    /// OpenRouter, Snowflake: signed and encrypted blocks.
    pub(super) reasoning_details: List<Value>,
    #[serde(borrow)]
    pub(super) refusal: Str<'a>,
    #[serde(borrow)]
    pub(super) tool_calls: List<Maybe<ToolDelta<'a>>>,
    /// What the text refers to.
    pub(super) annotations: List<Value>,
    /// The form of 2023, still spoken by some servers.
    #[serde(borrow)]
    pub(super) function_call: Maybe<Box<FunctionDelta<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolDelta<'a> {
    pub(super) index: Int,
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    #[serde(borrow)]
    pub(super) function: Maybe<FunctionDelta<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FunctionDelta<'a> {
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    pub(super) arguments: Arguments<'a>,
}

/// Text, or a list of parts (Mistral's reasoning models).
#[derive(Debug, Default)]
pub(super) struct Content<'a> {
    pub(super) text: Str<'a>,
    pub(super) parts: Vec<Value>,
}

/// JSON text; some servers send the object itself.
#[derive(Debug, Default)]
pub(super) struct Arguments<'a>(pub(super) Option<Cow<'a, str>>);

macro_rules! other_scalars {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Content<'de>;
            other_scalars!();
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content { text: Str(Some(Cow::Borrowed(text))), parts: Vec::new() })
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content { text: Str(Some(Cow::Owned(text.to_owned()))), parts: Vec::new() })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                let parts = Vec::<Value>::deserialize(SeqAccessDeserializer::new(seq))?;
                Ok(Content { text: Str(None), parts })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let part = Value::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Content { text: Str(None), parts: vec![part] })
            }
        }
        deserializer.deserialize_any(Of)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Arguments<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Arguments<'de>;
            other_scalars!();
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Arguments(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Arguments(Some(Cow::Owned(text.to_owned()))))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                let values = Value::deserialize(SeqAccessDeserializer::new(seq))?;
                Ok(Arguments(Some(Cow::Owned(values.to_string()))))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let object = Value::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Arguments(Some(Cow::Owned(object.to_string()))))
            }
        }
        deserializer.deserialize_any(Of)
    }
}

/// Token counts under all names that servers use. Cached tokens are counted in `prompt_tokens` by all of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    prompt_tokens: Int,
    completion_tokens: Int,
    prompt_tokens_details: Maybe<PromptDetails>,
    completion_tokens_details: Maybe<CompletionDetails>,
    /// DeepSeek.
    prompt_cache_hit_tokens: Int,
    /// Moonshot.
    cached_tokens: Int,
    /// Mistral.
    num_cached_tokens: Int,
    /// Doubleword, Venice.
    cache_read_input_tokens: Int,
    cache_creation_input_tokens: Int,
    /// Perplexity.
    reasoning_tokens: Int,
    cost: Dollars,
    /// xAI.
    cost_in_usd_ticks: Int,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Int,
    /// OpenRouter.
    cache_write_tokens: Int,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Int,
}

/// A sum, or an object with its total; nothing for anything else.
#[derive(Debug, Default, Clone, Copy)]
struct Dollars(Option<f64>);

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let told = Value::deserialize(deserializer)?;
        Ok(Self(told.as_f64().or_else(|| told.get("total_cost")?.as_f64())))
    }
}

/// How many of xAI's ticks are a millionth of a dollar. <https://docs.x.ai/docs/api-reference#chat-completions>
const TICKS_A_MICRO: u64 = 10_000;

impl WireUsage {
    /// What the answer cost, if the server tells it.
    pub(super) fn cost(&self, figure: CostFigure) -> Option<Cost> {
        if figure == CostFigure::Untold {
            return None;
        }
        let ticks = self.cost_in_usd_ticks.0.map(|ticks| ticks.div_ceil(TICKS_A_MICRO));
        let dollars = self.cost.0.filter(|dollars| dollars.is_finite() && *dollars >= 0.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let micros = dollars.map(|dollars| (dollars * 1e6).round() as u64);
        micros.or(ticks).map(Cost)
    }

    /// In our words.
    pub(super) fn usage(self, counted: ReasoningTokens) -> Usage {
        let prompt = self.prompt_tokens_details.0.unwrap_or_default();
        let completion = self.completion_tokens_details.0.unwrap_or_default();
        let first =
            |counts: &[Int]| counts.iter().map(|count| count.or_zero()).find(|count| *count > 0).unwrap_or(0);
        let cached = [
            prompt.cached_tokens,
            self.cached_tokens,
            self.num_cached_tokens,
            self.prompt_cache_hit_tokens,
            self.cache_read_input_tokens,
        ];
        let reasoning = first(&[completion.reasoning_tokens, self.reasoning_tokens]);
        let output = self.completion_tokens.or_zero();
        Usage {
            input: self.prompt_tokens.or_zero(),
            output: match counted {
                ReasoningTokens::InOutput => output,
                ReasoningTokens::BesideOutput => output.saturating_add(reasoning),
            },
            cached_input: first(&cached),
            cache_write: first(&[prompt.cache_write_tokens, self.cache_creation_input_tokens]),
            reasoning,
            ..Usage::default()
        }
    }
}
