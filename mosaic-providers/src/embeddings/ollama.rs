//! Ollama's own embeddings.
//!
//! Source: <https://docs.ollama.com/api/embed>

use mosaic_core::{
    EmbedCodec, EmbedError, EmbedRequest, EmbedderInfo, Embeddings, EncodeError, Headers, HttpRequest,
};
use serde::Deserialize;

use super::vector::{self, Vector};
use crate::wire::lenient::{Int, List, Str};

/// The codec.
#[derive(Debug, Clone, Copy, Default)]
pub struct OllamaEmbeddings;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    embeddings: Option<List<Vector>>,
    #[serde(default, borrow)]
    model: Str<'a>,
    #[serde(default)]
    prompt_eval_count: Int,
}

impl EmbedCodec for OllamaEmbeddings {
    fn api(&self) -> &'static str {
        "ollama-embed"
    }

    fn encode(
        &self,
        base_url: &str,
        info: &EmbedderInfo,
        request: &EmbedRequest,
    ) -> Result<HttpRequest, EncodeError> {
        let mut out = vector::writer(&request.inputs);
        out.raw("{").key("model").string(&info.model);
        // Unless told so it cuts the end of a long text away.
        out.key("truncate").raw("false");
        if let Some(dimensions) = request.dimensions {
            out.key("dimensions").value("dimensions", &dimensions)?;
        }
        out.key("input");
        vector::list(&mut out, &request.inputs);
        out.raw("}");
        // The address that people have is the one of the compatible API, one level deeper.
        let root = base_url.strip_suffix("/v1").unwrap_or(base_url);
        Ok(vector::post(format!("{root}/api/embed"), out))
    }

    fn decode(&self, info: &EmbedderInfo, body: &[u8]) -> Result<Embeddings, EmbedError> {
        let body: Body<'_> = vector::parsed(body, |body: &Body<'_>| body.embeddings.is_some())?;
        let vectors = body.embeddings.map(|list| list.0).unwrap_or_default();
        vector::answer(vectors, body.prompt_eval_count.or_zero(), body.model.get(), info)
    }

    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> EmbedError {
        vector::refused(status, headers, body)
    }
}
