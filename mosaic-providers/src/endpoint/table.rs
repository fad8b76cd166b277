//! The table.

use std::sync::Arc;

use mosaic_core::{Auth, Codec};

use crate::anthropic::Anthropic;
use crate::bedrock::Bedrock;
use crate::openai_chat::{OpenAiChat, Quirks};

/// How a provider wants its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthScheme {
    /// It wants none.
    None,
    /// `authorization: Bearer <key>`.
    Bearer,
    /// In a header of that name.
    Header(&'static str),
    /// As AWS has it: a key as a bearer token, else a signature with the credentials of the environment. The address has
    /// the region in it.
    Aws,
}

impl AuthScheme {
    /// A key in that scheme.
    #[must_use]
    pub fn with(self, key: String) -> Auth {
        match self {
            Self::None => Auth::None,
            Self::Bearer | Self::Aws => Auth::bearer(key),
            Self::Header(name) => Auth::header(name, key),
        }
    }
}

/// A provider of the table.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Known {
    /// Its name, as in `name:model`.
    pub name: &'static str,
    /// Its address, without a slash at the end. `{region}` stands for a region of the host's.
    pub base_url: &'static str,
    /// The environment variable that overrides the address.
    pub base_url_variable: Option<&'static str>,
    /// The environment variable of its key.
    pub key_variable: Option<&'static str>,
    /// How it wants the key.
    pub auth: AuthScheme,
    /// Its codec, with its quirks.
    pub codec: fn() -> Arc<dyn Codec>,
}

fn chat(quirks: Quirks) -> Arc<dyn Codec> {
    Arc::new(OpenAiChat::new(quirks))
}

const fn hosted(
    name: &'static str,
    base_url: &'static str,
    key_variable: &'static str,
    codec: fn() -> Arc<dyn Codec>,
) -> Known {
    Known {
        name,
        base_url,
        base_url_variable: None,
        key_variable: Some(key_variable),
        auth: AuthScheme::Bearer,
        codec,
    }
}

const fn local(
    name: &'static str,
    base_url: &'static str,
    variable: &'static str,
    codec: fn() -> Arc<dyn Codec>,
) -> Known {
    Known {
        name,
        base_url,
        base_url_variable: Some(variable),
        key_variable: None,
        auth: AuthScheme::None,
        codec,
    }
}

/// Addresses and variables as each provider documents them; the quirks' docs name the pages.
const TABLE: &[Known] = &[
    Known {
        base_url_variable: Some("ANTHROPIC_BASE_URL"),
        auth: AuthScheme::Header("x-api-key"),
        ..hosted("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", || {
            Arc::new(Anthropic::default())
        })
    },
    Known {
        base_url_variable: Some("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
        auth: AuthScheme::Aws,
        ..hosted(
            "bedrock",
            "https://bedrock-runtime.{region}.amazonaws.com",
            "AWS_BEARER_TOKEN_BEDROCK",
            || Arc::new(Bedrock::default()),
        )
    },
    hosted("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY", || chat(Quirks::deepseek())),
    hosted("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", || chat(Quirks::groq())),
    local("llamacpp", "http://127.0.0.1:8080/v1", "LLAMACPP_BASE_URL", || chat(Quirks::llamacpp())),
    hosted("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", || chat(Quirks::mistral())),
    local("ollama", "http://127.0.0.1:11434/v1", "OLLAMA_BASE_URL", || chat(Quirks::ollama())),
    Known {
        base_url_variable: Some("OPENAI_BASE_URL"),
        ..hosted("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", || chat(Quirks::openai()))
    },
    hosted("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", || chat(Quirks::openrouter())),
    hosted("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY", || chat(Quirks::default())),
    hosted("xai", "https://api.x.ai/v1", "XAI_API_KEY", || chat(Quirks::xai())),
];

/// The known providers, by name.
#[must_use]
pub fn known() -> &'static [Known] {
    TABLE
}
