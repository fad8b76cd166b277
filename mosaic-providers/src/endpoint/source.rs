//! Names to models.

use std::fmt;
use std::sync::Arc;

use mosaic_core::{ChatModel, HttpTransport, ModelError, ModelRef, ModelSource, Runtime};

use super::Endpoint;
use crate::catalogue::Catalogue;

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
        Self { endpoints: Vec::new(), variable: Box::new(variable), transport, runtime }
    }

    /// With one more provider; it goes before one of the same name.
    #[must_use]
    pub fn with(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.insert(0, endpoint);
        self
    }

    /// The provider of that name.
    ///
    /// # Errors
    /// As [`Endpoint::known`] and [`Endpoint::check`].
    pub fn endpoint(&self, name: &str) -> Result<Endpoint, ModelError> {
        match self.own(name) {
            Some(endpoint) => endpoint.check().map(|()| endpoint.clone()),
            None => Endpoint::known(name, &self.variable),
        }
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
        f.debug_struct("Providers").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}
