//! Gemini's embeddings.
//!
//! Every text is a request of its own within one batch: the newer models melt the parts of one content into one vector.
//!
//! Sources: <https://ai.google.dev/api/embeddings>, <https://ai.google.dev/gemini-api/docs/embeddings>

use mosaic_core::{
    EmbedCodec, EmbedError, EmbedRequest, EmbedderInfo, Embeddings, EncodeError, Headers, HttpRequest,
    Purpose,
};
use serde::Deserialize;

use super::vector::{self, Vector};
use crate::wire::lenient::{Int, List, Maybe};

/// Whether a model takes `taskType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum TaskType {
    /// It does.
    #[default]
    Sent,
    /// It does not, and wants the task in words before the text: `gemini-embedding-2`.
    Unsupported,
}

/// The codec.
#[derive(Debug, Clone, Copy, Default)]
pub struct GeminiEmbeddings {
    task_type: TaskType,
}

impl GeminiEmbeddings {
    /// For models that take `taskType`, or do not.
    #[must_use]
    pub fn new(task_type: TaskType) -> Self {
        Self { task_type }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    embeddings: Option<List<Item>>,
    #[serde(default)]
    usage_metadata: Maybe<Spent>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    values: Vector,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spent {
    #[serde(default)]
    prompt_token_count: Int,
}

impl EmbedCodec for GeminiEmbeddings {
    fn api(&self) -> &'static str {
        "gemini-embeddings"
    }

    fn encode(
        &self,
        base_url: &str,
        info: &EmbedderInfo,
        request: &EmbedRequest,
    ) -> Result<HttpRequest, EncodeError> {
        let model = info.model.strip_prefix("models/").unwrap_or(&info.model);
        let task = match (self.task_type, request.purpose) {
            (TaskType::Unsupported, _) => None,
            (TaskType::Sent, Purpose::Query) => Some("RETRIEVAL_QUERY"),
            (TaskType::Sent, Purpose::Document) => Some("RETRIEVAL_DOCUMENT"),
            // A purpose of a newer core: the model's own default.
            (TaskType::Sent, _) => None,
        };
        let mut out = vector::writer(&request.inputs);
        out.raw("{").key("requests").raw("[");
        for input in request.inputs.iter() {
            out.comma().raw("{").key("model").string(&format!("models/{model}"));
            out.key("content").raw(r#"{"parts":[{"text":"#).string(input).raw("}]}");
            if let Some(task) = task {
                out.key("taskType").string(task);
            }
            if let Some(dimensions) = request.dimensions {
                out.key("outputDimensionality").value("outputDimensionality", &dimensions)?;
            }
            out.raw("}");
        }
        out.raw("]}");
        Ok(vector::post(
            crate::wire::url::join(base_url, &format!("/models/{model}:batchEmbedContents")),
            out,
        ))
    }

    fn decode(&self, info: &EmbedderInfo, body: &[u8]) -> Result<Embeddings, EmbedError> {
        let body: Body = vector::parsed(body, |body: &Body| body.embeddings.is_some())?;
        let items = body.embeddings.map(|items| items.0).unwrap_or_default();
        let tokens = body.usage_metadata.0.map_or(0, |spent| spent.prompt_token_count.or_zero());
        let mut answer = vector::answer(items.into_iter().map(|item| item.values), tokens, None, info)?;
        // `gemini-embedding-001` cuts a vector to the length that is asked for and leaves it shorter than 1.
        answer.vectors.iter_mut().for_each(|vector| to_unit(vector));
        Ok(answer)
    }

    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> EmbedError {
        vector::refused(status, headers, body)
    }
}

/// Makes a vector one long. One without a direction, or with what is no number, stays as it is.
fn to_unit(vector: &mut [f32]) {
    let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    // A vector that is one long already keeps its bits.
    if length.is_finite() && length > 0.0 && (length - 1.0).abs() > 1e-4 {
        #[allow(clippy::cast_possible_truncation)]
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
}
