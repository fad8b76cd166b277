//! A `Mosaic` in the making.

use std::sync::Arc;

use mosaic_core::{ModelSource, Runtime, SessionStore, TokioRuntime};

use crate::sources::Sources;
use crate::{Error, Mosaic};

/// A [`Mosaic`] in the making.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `open`"]
pub struct MosaicBuilder {
    sources: Vec<Arc<dyn ModelSource>>,
    runtime: Option<Arc<dyn Runtime>>,
}

impl MosaicBuilder {
    /// Another source of models. Sources are asked in the order in which they were added.
    pub fn models(mut self, source: Arc<dyn ModelSource>) -> Self {
        self.sources.push(source);
        self
    }

    /// Another clock and executor than tokio's.
    pub fn runtime(mut self, runtime: Arc<dyn Runtime>) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Opens the store at an address: see [`Mosaic::open`].
    ///
    /// # Errors
    /// As [`Mosaic::open`].
    pub async fn open(self, url: impl AsRef<str>) -> Result<Mosaic, Error> {
        let store = mosaic_storage::open(url.as_ref()).await?;
        self.open_store(store)
    }

    /// Over a store of the host's.
    ///
    /// # Errors
    /// [`Error::NoRuntime`] outside of tokio.
    pub fn open_store(self, store: Arc<dyn SessionStore>) -> Result<Mosaic, Error> {
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => Arc::new(TokioRuntime::current().map_err(|_| Error::NoRuntime)?),
        };
        Ok(Mosaic::new(store, runtime, Arc::new(Sources(self.sources))))
    }
}
