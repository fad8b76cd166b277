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
//! // An address that cannot be asked says what is wrong with it.
//! let error = Endpoint::compatible("lab", "127.0.0.1:8080").check().unwrap_err();
//! assert!(error.to_string().contains("does not begin with `http://`"));
//!
//! // A missing key says what to set.
//! let error = Endpoint::known("openai", |_| None).unwrap_err();
//! assert!(error.to_string().contains("OPENAI_API_KEY"));
//! # Ok::<(), mosaic_core::ModelError>(())
//! ```

mod address;
mod aws;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod unreachable;
mod vertex;

pub(crate) use address::problem as address_problem;
pub use source::Providers;
pub use table::{AuthScheme, HostVariable, Known, Variables, known};

use std::fmt;
use std::sync::Arc;

use mosaic_core::{
    Auth, Codec, ErrorKind, HttpModel, HttpTransport, ModelError, ModelInfo, Origin, Profile, Runtime,
};

use self::unreachable::Unreachable;
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
    /// `not_found` for a name that is not in the table, `auth` for a missing key, `invalid_request` for a missing or wrong
    /// address; all say what to do.
    pub fn known(name: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ModelError> {
        Self::of_table(name, &variable, None)
    }

    /// A provider of the table, paid for with that and not with a key out of the environment; its address comes from there.
    ///
    /// # Errors
    /// As [`known`](Self::known), but for the key.
    pub fn known_with(
        name: &str,
        auth: Auth,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ModelError> {
        Self::of_table(name, &variable, Some(auth))
    }

    fn of_table(name: &str, variable: &Variables<'_>, given: Option<Auth>) -> Result<Self, ModelError> {
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
            return aws::endpoint(row, variable, given);
        }
        let failed = |kind: ErrorKind, message: String| {
            let mut error = ModelError::new(kind, message);
            error.provider = Some(name.to_owned());
            error
        };
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let key = row.key_variable.and_then(set).or_else(|| row.other_key_variable.and_then(set));
        let key = key.map(|key| key.trim().to_owned());
        let auth = match (row.auth, row.key_variable, key) {
            _ if given.is_some() => given.unwrap_or_default(),
            (AuthScheme::None, _, _) | (AuthScheme::BearerIfSet, _, None) | (_, None, _) => Auth::None,
            (scheme, _, Some(key)) => scheme.with(key),
            (_, Some(variable), None) => {
                let file = row.key_file_variable.map(|file| format!(", or name a key file in {file}"));
                let file = file.unwrap_or_default();
                return Err(failed(
                    ErrorKind::Auth,
                    format!(
                        "provider `{name}` needs an API key; set the environment variable {variable}{file}"
                    ),
                ));
            }
        };
        let own = row.base_url_variable.and_then(|variable| Some((variable, set(variable)?)));
        let (from, base_url) = own
            .or_else(|| {
                let mut hosts = row.host_variables.iter();
                hosts.find_map(|host| Some((host.name, (host.base_url)(&set(host.name)?, &set))))
            })
            .unwrap_or(("", row.base_url.to_owned()));
        if base_url.is_empty() {
            let hosts = row.host_variables.iter().map(|host| host.name);
            let names: Vec<&str> = hosts.chain(row.base_url_variable).collect();
            return Err(failed(
                ErrorKind::InvalidRequest,
                format!(
                    "provider `{name}` has a different address for everyone; set the environment variable {}",
                    names.join(" or ")
                ),
            ));
        }
        let endpoint = Self::new(name, base_url, (row.codec)()).auth(auth);
        match endpoint.problem() {
            Some(problem) => Err(failed(
                ErrorKind::InvalidRequest,
                format!("{problem} (it comes from the environment variable {from})"),
            )),
            None => Ok(endpoint),
        }
    }

    /// Any server that speaks OpenAI's Chat Completions, without a key. A base URL may end in a query: the path of a
    /// request goes before it.
    pub fn compatible(provider: impl Into<Arc<str>>, base_url: impl Into<String>) -> Self {
        Self::new(provider, base_url, Arc::new(OpenAiChat::new(Quirks::default())))
    }

    /// Any server, of any wire API, without a key.
    pub fn new(provider: impl Into<Arc<str>>, base_url: impl Into<String>, codec: Arc<dyn Codec>) -> Self {
        let base_url = address::trimmed(&base_url.into());
        Self { provider: provider.into(), base_url, auth: Auth::None, codec }
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
        self.base_url = address::trimmed(&base_url.into());
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

    /// How it is paid.
    pub(crate) fn key(&self) -> Auth {
        self.auth.clone()
    }

    /// Whether its address is one that can be asked. [`Providers`] asks this when a model is resolved; a model that was
    /// made of a wrong address fails so when it is first asked.
    ///
    /// # Errors
    /// `invalid_request`, with what is wrong and how it should look.
    pub fn check(&self) -> Result<(), ModelError> {
        let Some(problem) = self.problem() else { return Ok(()) };
        let mut error = ModelError::new(ErrorKind::InvalidRequest, problem);
        error.provider = Some(self.provider.to_string());
        Err(error)
    }

    fn problem(&self) -> Option<String> {
        let problem = address::problem(&self.base_url)?;
        let (provider, example) = (&self.provider, address::EXAMPLE);
        Some(format!(
            "the base URL of provider `{provider}` cannot be asked: {problem}; write it as in `{example}`"
        ))
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
        let codec = Arc::clone(&self.codec);
        let codec = match self.problem() {
            Some(message) => Arc::new(Unreachable { codec, message }),
            None => codec,
        };
        HttpModel::new(codec, profile, self.base_url.clone(), transport, runtime).auth(self.auth.clone())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("provider", &self.provider)
            .field("base_url", &address::shown(&self.base_url))
            .field("auth", &self.auth)
            .field("codec", &self.codec)
            .finish()
    }
}
