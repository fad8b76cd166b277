//! Who embeds, and what is known of the models.

use std::sync::Arc;

use mosaic_core::{EmbedCodec, EmbedderInfo};

use super::{
    CohereEmbeddings, EmbeddingQuirks, GeminiEmbeddings, OllamaEmbeddings, OpenAiEmbeddings, TaskType,
};

/// A provider that embeds. Its address and its key are those of [`endpoint::known`](crate::endpoint::known).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct KnownEmbedder {
    /// Its name, as in `name:model`.
    pub name: &'static str,
    /// Texts that a request may hold.
    pub max_inputs: Option<usize>,
    /// Tokens that all texts of a request may have together.
    pub max_request_tokens: Option<u64>,
    /// Models of which more is known.
    pub models: &'static [KnownEmbeddingModel],
    /// Its codec, for a model that is known or not.
    pub codec: fn(Option<&KnownEmbeddingModel>) -> Arc<dyn EmbedCodec>,
}

/// A model that embeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownEmbeddingModel {
    /// Its name; tags behind a colon are not part of it.
    pub name: &'static str,
    /// How long its vectors are when nobody asks for a length.
    pub dimensions: usize,
    /// Tokens that one text may have.
    pub max_input_tokens: u64,
    /// What it was taught to see before a query and before a document, where its API has no other way to say so.
    pub prefixes: Option<(&'static str, &'static str)>,
}

impl KnownEmbedder {
    /// What is known of a model by its name.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&'static KnownEmbeddingModel> {
        let bare = name.split(':').next().unwrap_or(name);
        self.models.iter().find(|model| model.name == bare)
    }

    pub(super) fn info(&self, model: &str) -> EmbedderInfo {
        let known = self.model(model);
        EmbedderInfo {
            dimensions: known.map(|known| known.dimensions),
            max_inputs: self.max_inputs,
            max_input_tokens: known.map(|known| known.max_input_tokens),
            max_request_tokens: self.max_request_tokens,
            ..EmbedderInfo::new(self.name, model)
        }
    }
}

const fn model(name: &'static str, dimensions: usize, max_input_tokens: u64) -> KnownEmbeddingModel {
    KnownEmbeddingModel { name, dimensions, max_input_tokens, prefixes: None }
}

const fn taught(of: KnownEmbeddingModel, query: &'static str, document: &'static str) -> KnownEmbeddingModel {
    KnownEmbeddingModel { prefixes: Some((query, document)), ..of }
}

const fn row(
    name: &'static str,
    models: &'static [KnownEmbeddingModel],
    codec: fn(Option<&KnownEmbeddingModel>) -> Arc<dyn EmbedCodec>,
) -> KnownEmbedder {
    KnownEmbedder { name, max_inputs: None, max_request_tokens: None, models, codec }
}

fn openai(quirks: EmbeddingQuirks) -> Arc<dyn EmbedCodec> {
    Arc::new(OpenAiEmbeddings::new(quirks))
}

/// Limits as the providers document them, else as their servers were seen to refuse more.
const TABLE: &[KnownEmbedder] = &[
    KnownEmbedder {
        // <https://docs.cohere.com/reference/embed>
        max_inputs: Some(96),
        ..row("cohere", COHERE, |_| Arc::new(CohereEmbeddings))
    },
    KnownEmbedder {
        // "at most 100 requests can be in one batch": langchain-ai/langchainjs#4491, vercel/ai#16575
        max_inputs: Some(100),
        ..row("gemini", GEMINI, |model| {
            let in_words = model.is_some_and(|model| model.prefixes.is_some());
            Arc::new(GeminiEmbeddings::new(if in_words { TaskType::Unsupported } else { TaskType::Sent }))
        })
    },
    row("llamacpp", &[], |_| openai(EmbeddingQuirks::openai())),
    KnownEmbedder {
        // 257 are "Too many inputs in request", and 16,384 tokens the most together.
        max_inputs: Some(256),
        max_request_tokens: Some(16_384),
        ..row("mistral", MISTRAL, |_| openai(EmbeddingQuirks::mistral()))
    },
    row("ollama", OLLAMA, |_| Arc::new(OllamaEmbeddings)),
    KnownEmbedder {
        // <https://platform.openai.com/docs/api-reference/embeddings/create>
        max_inputs: Some(2048),
        max_request_tokens: Some(300_000),
        ..row("openai", OPENAI, |_| openai(EmbeddingQuirks::openai()))
    },
    row("openrouter", &[], |_| openai(EmbeddingQuirks::default())),
    row("together", &[], |_| openai(EmbeddingQuirks::default())),
];

/// <https://docs.cohere.com/docs/cohere-embed>
const COHERE: &[KnownEmbeddingModel] = &[
    model("embed-english-light-v3.0", 384, 512),
    model("embed-english-v3.0", 1024, 512),
    model("embed-multilingual-light-v3.0", 384, 512),
    model("embed-multilingual-v3.0", 1024, 512),
    model("embed-v4.0", 1536, 128_000),
];

/// <https://ai.google.dev/gemini-api/docs/embeddings>
const GEMINI: &[KnownEmbeddingModel] = &[
    model("gemini-embedding-001", 3072, 2048),
    taught(model("gemini-embedding-2", 3072, 8192), "task: search result | query: ", "title: none | text: "),
    taught(
        model("gemini-embedding-2-preview", 3072, 8192),
        "task: search result | query: ",
        "title: none | text: ",
    ),
];

/// <https://docs.mistral.ai/capabilities/embeddings>
const MISTRAL: &[KnownEmbeddingModel] =
    &[model("codestral-embed", 1536, 8192), model("mistral-embed", 1024, 8192)];

/// As the models' own cards say.
const OLLAMA: &[KnownEmbeddingModel] = &[
    model("all-minilm", 384, 256),
    taught(model("embeddinggemma", 768, 2048), "task: search result | query: ", "title: none | text: "),
    taught(
        model("mxbai-embed-large", 1024, 512),
        "Represent this sentence for searching relevant passages: ",
        "",
    ),
    taught(model("nomic-embed-text", 768, 2048), "search_query: ", "search_document: "),
];

/// <https://platform.openai.com/docs/guides/embeddings>
const OPENAI: &[KnownEmbeddingModel] = &[
    model("text-embedding-3-large", 3072, 8192),
    model("text-embedding-3-small", 1536, 8192),
    model("text-embedding-ada-002", 1536, 8192),
];

/// The providers that embed, by name.
#[must_use]
pub fn known() -> &'static [KnownEmbedder] {
    TABLE
}
