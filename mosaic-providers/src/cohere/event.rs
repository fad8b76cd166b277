//! What comes: events of a stream, and whole bodies.
//!
//! The message of an event has the members of a whole one, with one thing where that has a list.
//!
//! Source: <https://docs.cohere.com/docs/streaming>, <https://docs.cohere.com/reference/chat>

use std::fmt;
use std::marker::PhantomData;

use mosaic_core::Usage;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::wire::lenient::{Int, Maybe, Str};

/// One event. All types share it: what an event does not have is absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    pub(super) index: Int,
    #[serde(borrow)]
    pub(super) delta: Maybe<Delta<'a>>,
    /// Text in an error, which has no type.
    #[serde(borrow)]
    pub(super) message: Str<'a>,
    pub(super) error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    pub(super) message: Maybe<Message<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Str<'a>,
    pub(super) usage: Maybe<Box<WireUsage>>,
    /// Why the answer failed.
    #[serde(borrow)]
    pub(super) error: Str<'a>,
}

/// A whole body.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Body<'a> {
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    #[serde(borrow)]
    pub(super) message: Maybe<Message<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Str<'a>,
    pub(super) usage: Maybe<Box<WireUsage>>,
    pub(super) error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) content: Several<Block<'a>>,
    #[serde(borrow)]
    pub(super) tool_plan: Str<'a>,
    #[serde(borrow)]
    pub(super) tool_calls: Several<Call<'a>>,
    pub(super) citations: Several<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Block<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) text: Str<'a>,
    #[serde(borrow)]
    pub(super) thinking: Str<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Call<'a> {
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
    #[serde(borrow)]
    pub(super) arguments: Str<'a>,
}

/// One object or a list of them; nothing for anything else.
#[derive(Debug)]
pub(super) struct Several<T>(pub(super) Vec<T>);

impl<T> Default for Several<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Of<T> {
            type Value = Several<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Several::default())
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Several::default())
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Several::default())
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Several::default())
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Several::default())
            }
            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Several::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Ok(Several(vec![T::deserialize(MapAccessDeserializer::new(map))?]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = seq.next_element::<Maybe<T>>()? {
                    all.extend(one.0);
                }
                Ok(Several(all))
            }
        }
        deserializer.deserialize_any(Of(PhantomData))
    }
}

/// Token counts: what the model read and wrote, and what of it is paid for (which leaves the API's own prompt out).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    tokens: Maybe<Counts>,
    billed_units: Maybe<Counts>,
    cached_tokens: Int,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counts {
    input_tokens: Int,
    output_tokens: Int,
    reasoning_tokens: Int,
}

impl WireUsage {
    /// In our words: cached tokens and reasoning are counted in by Cohere too.
    pub(super) fn usage(self) -> Usage {
        let counts = self.tokens.0.or(self.billed_units.0).unwrap_or_default();
        Usage {
            input: counts.input_tokens.or_zero(),
            output: counts.output_tokens.or_zero(),
            cached_input: self.cached_tokens.or_zero(),
            reasoning: counts.reasoning_tokens.or_zero(),
            ..Usage::default()
        }
    }
}
