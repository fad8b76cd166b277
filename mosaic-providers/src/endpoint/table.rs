//! The table.

use std::sync::Arc;

use mosaic_core::{Auth, Codec};

use super::{address, vertex};
use crate::anthropic::Anthropic;
use crate::bedrock::Bedrock;
use crate::cohere::Cohere;
use crate::gemini::{self, Gemini};
use crate::ollama::Ollama;
use crate::openai_chat::{OpenAiChat, Quirks};
use crate::openai_responses::{self, OpenAiResponses};

/// How a provider wants its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthScheme {
    /// It wants none.
    None,
    /// `authorization: Bearer <key>`.
    Bearer,
    /// The same where there is a key: a server of one's own, which may be guarded.
    BearerIfSet,
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
            Self::Bearer | Self::BearerIfSet | Self::Aws => Auth::bearer(key),
            Self::Header(name) => Auth::header(name, key),
        }
    }
}

/// What reads an environment variable.
pub type Variables<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// An environment variable that does not hold the base URL itself, but what it follows from.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct HostVariable {
    /// Its name.
    pub name: &'static str,
    /// The base URL of its value; other variables may have a part in it.
    pub base_url: fn(&str, &Variables<'_>) -> String,
}

/// A provider of the table.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Known {
    /// Its name, as in `name:model`.
    pub name: &'static str,
    /// Its address, without a slash at the end; empty where everyone has their own. `{region}` stands for a region of the host's.
    pub base_url: &'static str,
    /// The environment variable that overrides the address.
    pub base_url_variable: Option<&'static str>,
    /// Environment variables that the address follows from where the one above is not set; the first that is set counts.
    pub host_variables: &'static [HostVariable],
    /// The environment variable of its key.
    pub key_variable: Option<&'static str>,
    /// Another one, read where the first is not set.
    pub other_key_variable: Option<&'static str>,
    /// The environment variable that names a file with a key of Google's in it, read where neither is set: by
    /// [`Providers`](super::Providers), which have the transport that a token is asked for with.
    pub key_file_variable: Option<&'static str>,
    /// How it wants the key.
    pub auth: AuthScheme,
    /// Its codec, with its quirks.
    pub codec: fn() -> Arc<dyn Codec>,
}

fn chat(quirks: Quirks) -> Arc<dyn Codec> {
    Arc::new(OpenAiChat::new(quirks))
}

fn responses(quirks: openai_responses::Quirks) -> Arc<dyn Codec> {
    Arc::new(OpenAiResponses::new(quirks))
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
        host_variables: &[],
        key_variable: Some(key_variable),
        other_key_variable: None,
        key_file_variable: None,
        auth: AuthScheme::Bearer,
        codec,
    }
}

const fn local(
    name: &'static str,
    base_url: &'static str,
    variable: &'static str,
    key_variable: &'static str,
    codec: fn() -> Arc<dyn Codec>,
) -> Known {
    Known {
        name,
        base_url,
        base_url_variable: Some(variable),
        host_variables: &[],
        key_variable: Some(key_variable),
        other_key_variable: None,
        key_file_variable: None,
        auth: AuthScheme::BearerIfSet,
        codec,
    }
}

/// Addresses and variables as each provider documents them; the quirks' docs name the pages. In the order of the names.
const TABLE: &[Known] = &[
    Known {
        base_url_variable: Some("ANTHROPIC_BASE_URL"),
        auth: AuthScheme::Header("x-api-key"),
        ..hosted("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", || {
            Arc::new(Anthropic::default())
        })
    },
    Known {
        base_url_variable: Some("AZURE_OPENAI_BASE_URL"),
        host_variables: &[HostVariable {
            name: "AZURE_OPENAI_ENDPOINT",
            base_url: |value, _| address::azure(value),
        }],
        auth: AuthScheme::Header("api-key"),
        ..hosted("azure", "", "AZURE_OPENAI_API_KEY", || chat(Quirks::azure()))
    },
    Known {
        base_url_variable: Some("AZURE_OPENAI_BASE_URL"),
        host_variables: &[HostVariable {
            name: "AZURE_OPENAI_ENDPOINT",
            base_url: |value, _| address::azure(value),
        }],
        auth: AuthScheme::Header("api-key"),
        ..hosted("azure-responses", "", "AZURE_OPENAI_API_KEY", || {
            responses(openai_responses::Quirks::azure())
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
    Known {
        base_url_variable: Some("BEDROCK_MANTLE_BASE_URL"),
        ..hosted(
            "bedrock-mantle",
            "https://bedrock-mantle.us-east-1.api.aws/v1",
            "AWS_BEARER_TOKEN_BEDROCK",
            || responses(openai_responses::Quirks::openai()),
        )
    },
    hosted("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", || chat(Quirks::cerebras())),
    Known {
        other_key_variable: Some("COHERE_API_KEY"),
        ..hosted("cohere", "https://api.cohere.com", "CO_API_KEY", || Arc::new(Cohere))
    },
    hosted("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY", || chat(Quirks::deepseek())),
    hosted("deepseek-responses", "https://api.deepseek.com", "DEEPSEEK_API_KEY", || {
        responses(openai_responses::Quirks::deepseek())
    }),
    hosted("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", || {
        chat(Quirks::fireworks())
    }),
    Known {
        base_url_variable: Some("GEMINI_BASE_URL"),
        other_key_variable: Some("GOOGLE_API_KEY"),
        auth: AuthScheme::Header("x-goog-api-key"),
        ..hosted("gemini", "https://generativelanguage.googleapis.com/v1beta", "GEMINI_API_KEY", || {
            Arc::new(Gemini::default())
        })
    },
    hosted("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", || chat(Quirks::groq())),
    hosted("huggingface", "https://router.huggingface.co/v1", "HF_TOKEN", || chat(Quirks::huggingface())),
    local("llamacpp", "http://127.0.0.1:8080/v1", "LLAMACPP_BASE_URL", "LLAMA_API_KEY", || {
        chat(Quirks::llamacpp())
    }),
    local("llamacpp-responses", "http://127.0.0.1:8080/v1", "LLAMACPP_BASE_URL", "LLAMA_API_KEY", || {
        responses(openai_responses::Quirks::llamacpp())
    }),
    local("lmstudio", "http://127.0.0.1:1234/v1", "LMSTUDIO_BASE_URL", "LM_API_TOKEN", || {
        chat(Quirks::lmstudio())
    }),
    hosted("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", || Arc::new(OpenAiChat::mistral())),
    hosted("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", || chat(Quirks::moonshot())),
    hosted("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY", || chat(Quirks::nvidia())),
    Known {
        host_variables: &[HostVariable {
            name: "OLLAMA_HOST",
            base_url: |value, _| address::ollama_host(value),
        }],
        ..local("ollama", "http://127.0.0.1:11434", "OLLAMA_BASE_URL", "OLLAMA_API_KEY", || Arc::new(Ollama))
    },
    Known {
        base_url_variable: None,
        host_variables: &[
            HostVariable { name: "OLLAMA_BASE_URL", base_url: |value, _| address::ollama_chat(value) },
            HostVariable { name: "OLLAMA_HOST", base_url: |value, _| address::ollama_chat_host(value) },
        ],
        ..local("ollama-chat", "http://127.0.0.1:11434/v1", "", "OLLAMA_API_KEY", || chat(Quirks::ollama()))
    },
    Known {
        base_url_variable: Some("OPENAI_BASE_URL"),
        ..hosted("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", || chat(Quirks::openai()))
    },
    Known {
        base_url_variable: Some("OPENAI_BASE_URL"),
        ..hosted("openai-responses", "https://api.openai.com/v1", "OPENAI_API_KEY", || {
            responses(openai_responses::Quirks::openai())
        })
    },
    hosted("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", || chat(Quirks::openrouter())),
    hosted("perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY", || chat(Quirks::perplexity())),
    hosted("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY", || chat(Quirks::sambanova())),
    hosted("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY", || chat(Quirks::together())),
    Known {
        host_variables: &[HostVariable { name: "GOOGLE_CLOUD_PROJECT", base_url: vertex::address }],
        key_file_variable: Some("GOOGLE_APPLICATION_CREDENTIALS"),
        ..hosted("vertex", "", "GOOGLE_OAUTH_ACCESS_TOKEN", || {
            Arc::new(Gemini::new(gemini::Quirks::vertex()))
        })
    },
    local("vllm", "http://127.0.0.1:8000/v1", "VLLM_BASE_URL", "VLLM_API_KEY", || chat(Quirks::vllm())),
    hosted("xai", "https://api.x.ai/v1", "XAI_API_KEY", || chat(Quirks::xai())),
    hosted("xai-responses", "https://api.x.ai/v1", "XAI_API_KEY", || {
        responses(openai_responses::Quirks::xai())
    }),
    hosted("zai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY", || chat(Quirks::zai())),
];

/// The known providers, by name.
#[must_use]
pub fn known() -> &'static [Known] {
    TABLE
}
