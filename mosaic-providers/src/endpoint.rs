//! Known providers, as a table: where they are, what pays for them, which API they speak and how they differ.
//!
//! ```
//! use mosaic_providers::endpoint::Endpoint;
//!
//! // The key comes from the environment (here: from a function that stands for it).
//! let groq = Endpoint::known("groq", |name| (name == "GROQ_API_KEY").then(|| "gsk-1".to_owned()))?;
//! assert_eq!(groq.base_url(), "https://api.groq.com/openai/v1");
//!
//! // Any server that speaks OpenAI's API needs no row.
//! let own = Endpoint::compatible("lab", "http://127.0.0.1:8080/v1");
//! assert_eq!(own.provider(), "lab");
//!
//! // A missing key says what to set.
//! let error = Endpoint::known("openai", |_| None).unwrap_err();
//! assert!(error.to_string().contains("OPENAI_API_KEY"));
//! # Ok::<(), mosaic_core::ModelError>(())
//! ```

mod aws;
mod source;
mod table;
#[cfg(test)]
mod tests;

pub use source::Providers;
pub use table::{AuthScheme, Known, known};

use std::fmt;
use std::sync::Arc;

use mosaic_core::{
    Auth, Codec, ErrorKind, HttpModel, HttpTransport, ModelError, ModelInfo, Origin, Profile, Runtime,
};

use crate::openai_chat::{OpenAiChat, Quirks};

/// A provider that can be asked: address, key and codec.
#[derive(Clone)]
pub struct Endpoint {
    provider: Arc<str>,
    base_url: String,
    auth: Auth,
    codec: Arc<dyn Codec>,
}

impl Endpoint {
    /// A provider of the table, with its key out of the environment. `variable` reads an environment variable; hosts pass
    /// `|name| std::env::var(name).ok()`.
    ///
    /// # Errors
    /// `not_found` for a name that is not in the table, `auth` for a missing key; both say what to do.
    pub fn known(name: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ModelError> {
        let Some(row) = known().iter().find(|row| row.name == name) else {
            let names: Vec<&str> = known().iter().map(|row| row.name).collect();
            return Err(ModelError::new(
                ErrorKind::NotFound,
                format!(
                    "no provider is named `{name}`; known are {}, and any other is given by its base URL",
                    names.join(", ")
                ),
            ));
        };
        if row.auth == AuthScheme::Aws {
            return aws::endpoint(row, &variable);
        }
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let auth = match (row.auth, row.key_variable) {
            (AuthScheme::None, _) => Auth::None,
            (scheme, Some(variable)) => match set(variable) {
                Some(key) => scheme.with(key.trim().to_owned()),
                None => {
                    let mut error = ModelError::new(
                        ErrorKind::Auth,
                        format!(
                            "provider `{name}` needs an API key; set the environment variable {variable}"
                        ),
                    );
                    error.provider = Some(name.to_owned());
                    return Err(error);
                }
            },
            (_, None) => Auth::None,
        };
        let base_url = row.base_url_variable.and_then(set).unwrap_or_else(|| row.base_url.to_owned());
        Ok(Self { provider: name.into(), base_url: trimmed(base_url), auth, codec: (row.codec)() })
    }

    /// Any server that speaks OpenAI's Chat Completions, without a key.
    pub fn compatible(provider: impl Into<Arc<str>>, base_url: impl Into<String>) -> Self {
        Self::new(provider, base_url, Arc::new(OpenAiChat::new(Quirks::default())))
    }

    /// Any server, of any wire API, without a key.
    pub fn new(provider: impl Into<Arc<str>>, base_url: impl Into<String>, codec: Arc<dyn Codec>) -> Self {
        Self { provider: provider.into(), base_url: trimmed(base_url.into()), auth: Auth::None, codec }
    }

    /// With a key.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// At another address: a proxy, a server on this machine.
    #[must_use]
    pub fn at(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = trimmed(base_url.into());
        self
    }

    /// The provider's name.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Its address, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// One of its models, of which only the name is known.
    pub fn model(
        &self,
        name: &str,
        transport: Arc<dyn HttpTransport>,
        runtime: Arc<dyn Runtime>,
    ) -> HttpModel {
        self.model_with(ModelInfo::new(Arc::clone(&self.provider), name), transport, runtime)
    }

    /// One of its models, with what the host knows of it: window, tool mode, price.
    pub fn model_with(
        &self,
        info: ModelInfo,
        transport: Arc<dyn HttpTransport>,
        runtime: Arc<dyn Runtime>,
    ) -> HttpModel {
        let origin = Origin {
            api: self.codec.api().into(),
            provider: Arc::clone(&self.provider),
            model: Arc::clone(&info.model),
        };
        let profile = Profile { origin, info };
        HttpModel::new(Arc::clone(&self.codec), profile, self.base_url.clone(), transport, runtime)
            .auth(self.auth.clone())
    }
}

fn trimmed(mut base_url: String) -> String {
    base_url.truncate(base_url.trim_end_matches('/').len());
    base_url
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("provider", &self.provider)
            .field("base_url", &self.base_url)
            .field("auth", &self.auth)
            .field("codec", &self.codec)
            .finish()
    }
}
