//! Names to models.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use mosaic_core::{Auth, ChatModel, HttpTransport, ModelError, ModelRef, ModelSource, Runtime};

use super::{AuthScheme, Endpoint, known};
use crate::catalogue::Catalogue;
use crate::credentials::Credential;

type Variable = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Makes models of names such as `groq:llama-3.3-70b-versatile`: from endpoints that the host added, else from the table,
/// with what the [`Catalogue`] knows of them.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use mosaic_core::*;
/// # use mosaic_providers::endpoint::{Endpoint, Providers};
/// # fn example(transport: Arc<dyn HttpTransport>, runtime: Arc<dyn Runtime>) -> Result<(), Box<dyn std::error::Error>> {
/// let providers = Providers::from_env(transport, runtime)
///     .with(Endpoint::compatible("lab", "http://127.0.0.1:8080/v1"));
/// let model = providers.resolve(&"lab:qwen".parse()?)?;
/// # let _ = model;
/// # Ok(())
/// # }
/// ```
pub struct Providers {
    endpoints: Vec<Endpoint>,
    /// One a provider, so that all its models share a token.
    credentials: HashMap<String, Auth>,
    /// Of key files that the environment names, made when they are first needed.
    key_files: Mutex<HashMap<&'static str, Auth>>,
    variable: Box<Variable>,
    transport: Arc<dyn HttpTransport>,
    runtime: Arc<dyn Runtime>,
}

impl Providers {
    /// With keys out of the process's environment, read when a model is resolved.
    pub fn from_env(transport: Arc<dyn HttpTransport>, runtime: Arc<dyn Runtime>) -> Self {
        Self::new(|name: &str| std::env::var(name).ok(), transport, runtime)
    }

    /// With keys from anywhere: `variable` stands for the environment.
    pub fn new(
        variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        transport: Arc<dyn HttpTransport>,
        runtime: Arc<dyn Runtime>,
    ) -> Self {
        Self {
            endpoints: Vec::new(),
            credentials: HashMap::new(),
            key_files: Mutex::default(),
            variable: Box::new(variable),
            transport,
            runtime,
        }
    }

    /// With one more provider; it goes before one of the same name.
    #[must_use]
    pub fn with(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.insert(0, endpoint);
        self
    }

    /// With what pays for a provider, in place of a key: one of the table, or one that the host added.
    #[must_use]
    pub fn credential(mut self, provider: impl Into<String>, credential: Credential) -> Self {
        let provider = provider.into();
        let row = known().iter().find(|row| row.name == provider);
        let scheme = row.map_or(AuthScheme::Bearer, |row| row.auth);
        let auth = self.bound(credential.or_place(scheme));
        self.credentials.insert(provider, auth);
        self
    }

    /// The provider of that name. What was given to [`credential`](Self::credential) pays for it, else its key, else a key
    /// file that the environment names.
    ///
    /// # Errors
    /// As [`Endpoint::known`] and [`Endpoint::check`]; `auth` for a key file that cannot be used.
    pub fn endpoint(&self, name: &str) -> Result<Endpoint, ModelError> {
        let given = self.credentials.get(name).cloned();
        if let Some(own) = self.own(name) {
            own.check()?;
            return Ok(given.into_iter().fold(own.clone(), Endpoint::auth));
        }
        let given = match given {
            Some(given) => Some(given),
            None => self.key_file(name)?,
        };
        match given {
            Some(auth) => Endpoint::known_with(name, auth, &self.variable),
            None => Endpoint::known(name, &self.variable),
        }
    }

    /// What pays by a key file, where the environment names one and no key.
    fn key_file(&self, name: &str) -> Result<Option<Auth>, ModelError> {
        let Some(row) = known().iter().find(|row| row.name == name) else { return Ok(None) };
        let set = |name: &str| (self.variable)(name).filter(|value| !value.trim().is_empty());
        let key = [row.key_variable, row.other_key_variable].into_iter().flatten().find_map(set);
        let (None, Some(path)) = (key, row.key_file_variable.and_then(set)) else { return Ok(None) };
        let mut files = self.key_files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(auth) = files.get(row.name) {
            return Ok(Some(auth.clone()));
        }
        let credential = Credential::google_file(path.trim()).map_err(|mut error| {
            error.provider = Some(row.name.to_owned());
            error
        })?;
        let auth = self.bound(credential.or_place(row.auth));
        files.insert(row.name, auth.clone());
        Ok(Some(auth))
    }

    fn bound(&self, credential: Credential) -> Auth {
        Auth::By(credential.over(Arc::clone(&self.transport), Arc::clone(&self.runtime)))
    }

    /// The host's own of that name.
    pub(crate) fn own(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.provider() == name)
    }

    /// What carries requests, and keeps the time.
    pub(crate) fn parts(&self) -> (Arc<dyn HttpTransport>, Arc<dyn Runtime>) {
        (Arc::clone(&self.transport), Arc::clone(&self.runtime))
    }
}

impl ModelSource for Providers {
    fn resolve(&self, name: &ModelRef) -> Result<Arc<dyn ChatModel>, ModelError> {
        let endpoint = self.endpoint(name.provider())?;
        let info = Catalogue::get().info(name.provider(), name.model());
        Ok(Arc::new(endpoint.model_with(info, Arc::clone(&self.transport), Arc::clone(&self.runtime))))
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers")
            .field("endpoints", &self.endpoints)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}
