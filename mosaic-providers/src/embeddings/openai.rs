//! OpenAI's embeddings, as spoken by OpenAI and most servers of one's own.
//!
//! Sources: <https://platform.openai.com/docs/api-reference/embeddings>, <https://docs.mistral.ai/api/endpoint/embeddings>

use mosaic_core::{
    EmbedCodec, EmbedError, EmbedRequest, EmbedderInfo, Embeddings, EncodeError, Headers, HttpRequest,
};
use serde::Deserialize;

use super::vector::{self, Vector};
use crate::wire::lenient::{Int, List, Maybe, Str};

/// In which form vectors are asked for. Both are read, whatever was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// As numbers: every server can.
    #[default]
    Numbers,
    /// As base64 of the bytes: a third of the size, and exact.
    Base64,
    /// As the server likes: some refuse the member.
    Unsaid,
}

/// How a length is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Dimensions {
    /// `dimensions`. llama.cpp takes the member and ignores it; the answer is checked.
    #[default]
    Dimensions,
    /// `output_dimension`.
    OutputDimension,
}

/// Where servers of this API differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct EmbeddingQuirks {
    /// In which form vectors are asked for.
    pub encoding: Encoding,
    /// How a length is asked for.
    pub dimensions: Dimensions,
}

impl EmbeddingQuirks {
    /// OpenAI itself, and llama.cpp.
    #[must_use]
    pub fn openai() -> Self {
        Self { encoding: Encoding::Base64, ..Self::default() }
    }

    /// Mistral: <https://docs.mistral.ai/api/endpoint/embeddings>.
    #[must_use]
    pub fn mistral() -> Self {
        Self { dimensions: Dimensions::OutputDimension, ..Self::default() }
    }
}

/// The codec.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenAiEmbeddings {
    quirks: EmbeddingQuirks,
}

impl OpenAiEmbeddings {
    /// For a server with those differences.
    #[must_use]
    pub fn new(quirks: EmbeddingQuirks) -> Self {
        Self { quirks }
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    data: Option<List<Item>>,
    #[serde(default, borrow)]
    model: Str<'a>,
    #[serde(default)]
    usage: Maybe<Spent>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    index: Int,
    #[serde(default)]
    embedding: Vector,
}

#[derive(Deserialize)]
struct Spent {
    #[serde(default)]
    prompt_tokens: Int,
    #[serde(default)]
    total_tokens: Int,
}

impl EmbedCodec for OpenAiEmbeddings {
    fn api(&self) -> &'static str {
        "openai-embeddings"
    }

    fn encode(
        &self,
        base_url: &str,
        info: &EmbedderInfo,
        request: &EmbedRequest,
    ) -> Result<HttpRequest, EncodeError> {
        let mut out = vector::writer(&request.inputs);
        out.raw("{").key("model").string(&info.model);
        match self.quirks.encoding {
            Encoding::Numbers => drop(out.key("encoding_format").string("float")),
            Encoding::Base64 => drop(out.key("encoding_format").string("base64")),
            Encoding::Unsaid => {}
        }
        if let Some(dimensions) = request.dimensions {
            let name = match self.quirks.dimensions {
                Dimensions::Dimensions => "dimensions",
                Dimensions::OutputDimension => "output_dimension",
            };
            out.key(name).value(name, &dimensions)?;
        }
        out.key("input");
        vector::list(&mut out, &request.inputs);
        out.raw("}");
        Ok(vector::post(crate::wire::url::join(base_url, "/embeddings"), out))
    }

    fn decode(&self, info: &EmbedderInfo, body: &[u8]) -> Result<Embeddings, EmbedError> {
        let body: Body<'_> = vector::parsed(body, |body: &Body<'_>| body.data.is_some())?;
        let items = ordered(body.data.map(|data| data.0).unwrap_or_default());
        let tokens = body.usage.0.map_or(0, |spent| match spent.prompt_tokens.0 {
            Some(tokens) if tokens > 0 => tokens,
            // Gateways that fill in the sum only.
            _ => spent.total_tokens.or_zero(),
        });
        vector::answer(items.into_iter().map(|item| item.embedding), tokens, body.model.get(), info)
    }

    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> EmbedError {
        vector::refused(status, headers, body)
    }
}

/// By `index`, where the indices say an order. Gateways that write 0 everywhere, or nothing, give them in order.
fn ordered(mut items: Vec<Item>) -> Vec<Item> {
    let mut indices: Vec<Option<u64>> = items.iter().map(|item| item.index.0).collect();
    indices.sort_unstable();
    let is_order = indices.iter().zip(0_u64..).all(|(index, place)| *index == Some(place));
    if is_order {
        items.sort_by_key(|item| item.index.0);
    }
    items
}
