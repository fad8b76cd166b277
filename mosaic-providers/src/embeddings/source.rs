//! Names to embedders.

use std::sync::Arc;

use mosaic_core::{
    EmbedError, Embedder, EmbedderInfo, EmbedderSource, ErrorKind, HttpEmbedder, HttpTransport, ModelRef,
    Runtime,
};

use super::table::known;
use super::{EmbeddingQuirks, OpenAiEmbeddings};
use crate::endpoint::{Endpoint, Providers};

impl Endpoint {
    /// An embedder of it, with what the host knows of it. A provider of the [table](known) is asked in its own API, any other
    /// in OpenAI's. A model of the table gets the prefixes that it was taught.
    pub fn embedder_with(
        &self,
        info: EmbedderInfo,
        transport: Arc<dyn HttpTransport>,
        runtime: Arc<dyn Runtime>,
    ) -> HttpEmbedder {
        let row = known().iter().find(|row| row.name == self.provider());
        let model = row.and_then(|row| row.model(&info.model));
        let codec = match row {
            Some(row) => (row.codec)(model),
            None => Arc::new(OpenAiEmbeddings::new(EmbeddingQuirks::default())),
        };
        let embedder = HttpEmbedder::new(codec, info, self.base_url(), transport, runtime).auth(self.key());
        match model.and_then(|model| model.prefixes) {
            Some((query, document)) => embedder.prefixes(query, document),
            None => embedder,
        }
    }

    /// An embedder of it, with what the [table](known) knows of it.
    pub fn embedder(
        &self,
        model: &str,
        transport: Arc<dyn HttpTransport>,
        runtime: Arc<dyn Runtime>,
    ) -> HttpEmbedder {
        let row = known().iter().find(|row| row.name == self.provider());
        let info = row.map_or_else(|| EmbedderInfo::new(self.provider(), model), |row| row.info(model));
        self.embedder_with(info, transport, runtime)
    }
}

/// Makes embedders of names such as `openai:text-embedding-3-small`. Endpoints that the host added go first; one that is not
/// in the table speaks OpenAI's API.
impl EmbedderSource for Providers {
    fn embedder(&self, name: &ModelRef) -> Result<Arc<dyn Embedder>, EmbedError> {
        let provider = name.provider();
        let row = known().iter().find(|row| row.name == provider);
        if self.own(provider).is_none() && row.is_none() {
            return Err(unknown(provider));
        }
        let endpoint = self.endpoint(provider)?;
        let (transport, runtime) = self.parts();
        Ok(Arc::new(endpoint.embedder(name.model(), transport, runtime)))
    }
}

fn unknown(provider: &str) -> EmbedError {
    let names: Vec<&str> = known().iter().map(|row| row.name).collect();
    let names = names.join(", ");
    let chats = crate::endpoint::known().iter().any(|row| row.name == provider);
    if chats {
        let message = format!("provider `{provider}` has no embeddings; those that have are {names}");
        return EmbedError::new(ErrorKind::Unsupported, message).with_provider(provider);
    }
    EmbedError::new(
        ErrorKind::NotFound,
        format!(
            "no provider is named `{provider}`; known are {names}, and any other is given by its base URL"
        ),
    )
}
