//! What the codecs share: a vector as it comes, and the frame of a request and of an answer.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use mosaic_core::{
    EmbedError, EmbedderInfo, Embeddings, ErrorKind, Headers, HttpRequest, Method, ModelError, Usage,
};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::wire::error;
use crate::wire::write::Writer;

/// Some servers leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A vector as it comes: a list of numbers, or the base64 of 32-bit floats, low byte first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Vector {
    Numbers(Vec<f32>),
    /// A list of lists: a server without pooling gives a vector a token.
    PerToken,
    /// Something else.
    #[default]
    Absent,
}

impl Vector {
    /// The numbers.
    pub(super) fn numbers(self) -> Result<Vec<f32>, EmbedError> {
        match self {
            Self::Numbers(numbers) => Ok(numbers),
            Self::PerToken => Err(EmbedError::new(
                ErrorKind::Unsupported,
                "the server answered with a vector for each token instead of one for the text; \
                 start it with a pooling (llama.cpp: `--pooling mean`)",
            )),
            Self::Absent => Err(EmbedError::new(
                ErrorKind::Decode,
                "the provider's answer holds something else where a vector belongs",
            )),
        }
    }

    fn of_base64(text: &str) -> Self {
        match BASE64.decode(text.trim()) {
            Ok(bytes) if bytes.len() % 4 == 0 => {
                let (words, _) = bytes.as_chunks::<4>();
                Self::Numbers(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
            }
            _ => Self::Absent,
        }
    }
}

/// An element of a list: a number, or what stands in its place.
enum Element {
    Number(f32),
    List,
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;
        // JSON has no word for what is not a number; servers write `null`.
        const NONE: Element = Element::Number(f32::NAN);
        impl<'de> Visitor<'de> for Of {
            type Value = Element;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            // Vectors are 32-bit floats in every model that we know; JSON shows them with more digits than they have.
            #[allow(clippy::cast_possible_truncation)]
            fn visit_f64<E>(self, value: f64) -> Result<Element, E> {
                Ok(Element::Number(value as f32))
            }
            #[allow(clippy::cast_precision_loss)]
            fn visit_i64<E>(self, value: i64) -> Result<Element, E> {
                Ok(Element::Number(value as f32))
            }
            #[allow(clippy::cast_precision_loss)]
            fn visit_u64<E>(self, value: u64) -> Result<Element, E> {
                Ok(Element::Number(value as f32))
            }
            fn visit_unit<E>(self) -> Result<Element, E> {
                Ok(NONE)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Element, E> {
                Ok(NONE)
            }
            fn visit_str<E>(self, _: &str) -> Result<Element, E> {
                Ok(NONE)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Element, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Element::List)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(NONE)
            }
        }
        deserializer.deserialize_any(Of)
    }
}

impl<'de> Deserialize<'de> for Vector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Vector;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a vector")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vector, A::Error> {
                let (mut numbers, mut per_token) = (Vec::new(), false);
                while let Some(element) = seq.next_element()? {
                    match element {
                        Element::Number(number) => numbers.push(number),
                        Element::List => per_token = true,
                    }
                }
                Ok(if per_token { Vector::PerToken } else { Vector::Numbers(numbers) })
            }
            fn visit_str<E>(self, text: &str) -> Result<Vector, E> {
                Ok(Vector::of_base64(text))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vector, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Vector::Absent)
            }
            fn visit_unit<E>(self) -> Result<Vector, E> {
                Ok(Vector::Absent)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Vector, E> {
                Ok(Vector::Absent)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Vector, E> {
                Ok(Vector::Absent)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Vector, E> {
                Ok(Vector::Absent)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Vector, E> {
                Ok(Vector::Absent)
            }
        }
        deserializer.deserialize_any(Of)
    }
}

/// A body as JSON. An error object that came with status 200 is that error.
pub(super) fn parsed<'a, T: Deserialize<'a>>(
    body: &'a [u8],
    is_answer: impl FnOnce(&T) -> bool,
) -> Result<T, EmbedError> {
    let unreadable = |source| {
        let text = String::from_utf8_lossy(body);
        error::unreadable("embeddings", &text, source).into()
    };
    let answer: T = serde_json::from_slice(body).map_err(|source| unreadable(Some(source)))?;
    if is_answer(&answer) {
        return Ok(answer);
    }
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let tells = ["error", "message", "detail"].iter().any(|member| json.get(member).is_some());
    Err(if tells { spoken(error::from_object(&json)) } else { unreadable(None) })
}

/// The error that a status means.
pub(super) fn refused(status: u16, headers: &Headers, body: &[u8]) -> EmbedError {
    spoken(error::from_response(status, headers, body))
}

/// The hint for a text that is too long is another one than for a conversation.
fn spoken(mut error: ModelError) -> EmbedError {
    error.message = error.message.replace(error::COMPACT, "split the text");
    error.into()
}

/// An answer of these vectors. `model` is the provider's word for who answered, where it gave one.
pub(super) fn answer(
    vectors: impl IntoIterator<Item = Vector>,
    tokens: u64,
    model: Option<&str>,
    info: &EmbedderInfo,
) -> Result<Embeddings, EmbedError> {
    let vectors = vectors.into_iter().map(Vector::numbers).collect::<Result<_, _>>()?;
    let usage = Usage { input: tokens, ..Usage::default() };
    let model = model.map_or_else(|| Arc::clone(&info.model), Arc::from);
    Ok(Embeddings { vectors, usage, cost: None, model })
}

/// A JSON body on its way.
pub(super) fn post(url: String, body: Writer) -> HttpRequest {
    let mut headers = Headers::default();
    headers.push("content-type", "application/json");
    headers.push("accept", "application/json");
    HttpRequest { method: Method::Post, url, headers, body: vec![body.into_bytes()], connect_timeout: None }
}

/// A body with room for the texts.
pub(super) fn writer(inputs: &[Arc<str>]) -> Writer {
    Writer::with_capacity(inputs.iter().map(|input| input.len() + input.len() / 8 + 64).sum::<usize>() + 256)
}

/// The texts as a list of strings.
pub(super) fn list(out: &mut Writer, inputs: &[Arc<str>]) {
    out.raw("[");
    for input in inputs {
        out.comma().string(input);
    }
    out.raw("]");
}
