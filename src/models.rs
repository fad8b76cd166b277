//! Names to models: what an agent's `"provider:model"` becomes when a session opens.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use mosaic_core::{
    ChatModel, EmbedError, Embedder, EmbedderSource, ErrorKind, HttpTransport, ModelError, ModelInfo,
    ModelRef, ModelSource, Runtime,
};
use mosaic_providers::catalogue::Catalogue;
use mosaic_providers::credentials::Credential;
use mosaic_providers::endpoint::{Endpoint, Providers, known};
use secrecy::{ExposeSecret, SecretString};

/// What the builder was given to find models with.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) sources: Vec<Arc<dyn ModelSource>>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) keys: HashMap<String, SecretString>,
    pub(crate) credentials: HashMap<String, Credential>,
    pub(crate) infos: Vec<ModelInfo>,
    pub(crate) variables: Option<Variables>,
    pub(crate) transport: Option<Arc<dyn HttpTransport>>,
}

type Variables = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl Settings {
    /// Whether the keys and credentials are for providers that there are.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        for provider in self.keys.keys().chain(self.credentials.keys()) {
            if !self.endpoints.iter().any(|endpoint| endpoint.provider() == provider) {
                // A missing key or address is no matter here.
                match Endpoint::known(provider, |_| None) {
                    Err(error) if error.kind == ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// The host's own sources first, then the table of providers. A name gives the same model each time, so that all sessions
/// share what was encoded for it.
pub(crate) struct Models {
    sources: Vec<Arc<dyn ModelSource>>,
    infos: Vec<ModelInfo>,
    providers: Option<Providers>,
    transport: Option<Arc<dyn HttpTransport>>,
    runtime: Arc<dyn Runtime>,
    made: Mutex<HashMap<ModelRef, Arc<dyn ChatModel>>>,
}

impl Models {
    pub(crate) fn new(settings: Settings, runtime: Arc<dyn Runtime>) -> Self {
        let Settings { sources, endpoints, keys, credentials, infos, variables, transport } = settings;
        let variables = variables.unwrap_or_else(|| Box::new(|name| std::env::var(name).ok()));
        // A key that was given stands for the variable that would hold it.
        let variable = move |name: &str| {
            let mut rows = known().iter().filter(|row| row.key_variable == Some(name));
            let given = rows.find_map(|row| keys.get(row.name)).map(|key| key.expose_secret().to_owned());
            given.or_else(|| variables(name))
        };
        let providers = transport.clone().map(|transport| {
            let table = Providers::new(variable, transport, runtime.clone());
            let table = endpoints.into_iter().fold(table, Providers::with);
            credentials.into_iter().fold(table, |table, (provider, by)| table.credential(provider, by))
        });
        Self { sources, infos, providers, transport, runtime, made: Mutex::default() }
    }

    /// The embedder of a name.
    pub(crate) fn embedder(&self, name: &ModelRef) -> Result<Arc<dyn Embedder>, EmbedError> {
        match &self.providers {
            Some(providers) => providers.embedder(name),
            None => Err(EmbedError::new(ErrorKind::Unsupported, no_client(name))),
        }
    }

    fn make(&self, name: &ModelRef) -> Result<Arc<dyn ChatModel>, ModelError> {
        for source in &self.sources {
            match source.resolve(name) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                decided => return decided,
            }
        }
        let (Some(providers), Some(transport)) = (&self.providers, &self.transport) else {
            return Err(ModelError::new(ErrorKind::Unsupported, no_client(name)));
        };
        let endpoint = providers.endpoint(name.provider())?;
        let fits = |info: &&ModelInfo| &*info.provider == name.provider() && &*info.model == name.model();
        let known = Catalogue::get().info(name.provider(), name.model());
        let info = match self.infos.iter().rev().find(fits) {
            Some(own) => own.clone().over(known),
            None => known,
        };
        Ok(Arc::new(endpoint.model_with(info, transport.clone(), self.runtime.clone())))
    }
}

fn no_client(name: &ModelRef) -> String {
    format!(
        "`{name}` is behind HTTP and this build has no HTTP client; give the builder a transport, or switch the feature \
         `reqwest` of `mosaic` on"
    )
}

impl ModelSource for Models {
    fn resolve(&self, name: &ModelRef) -> Result<Arc<dyn ChatModel>, ModelError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = made.get(name) {
            return Ok(model.clone());
        }
        let model = self.make(name)?;
        made.insert(name.clone(), model.clone());
        Ok(model)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("sources", &self.sources)
            .field("endpoints", &self.endpoints)
            .field("keys of", &self.keys.keys())
            .field("credentials", &self.credentials)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Models")
            .field("sources", &self.sources)
            .field("providers", &self.providers)
            .finish_non_exhaustive()
    }
}
