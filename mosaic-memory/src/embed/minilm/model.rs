//! The embedder: files of the host, work on a thread that may block.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, ErrorKind, Runtime};

use super::config::Config;
use super::encoder::Encoder;
use crate::embed::local::{Cutter, Encode, Rows, SentenceModel, blocking, read};

/// all-MiniLM-L6-v2 in pure Rust, on the processor. See [its module](crate::embed::minilm) for what it needs and gives.
///
/// Computing blocks a thread of [`Runtime::spawn_blocking`]; dropping the future ends it after the batch at hand. Matrix
/// products use as many threads as `RAYON_NUM_THREADS` says (all cores without it).
#[derive(Clone)]
pub struct MiniLm {
    info: EmbedderInfo,
    model: Arc<SentenceModel>,
    runtime: Arc<dyn Runtime>,
}

impl MiniLm {
    /// The model in a folder (`model.safetensors`, `tokenizer.json`, `config.json`).
    ///
    /// # Errors
    /// `not_found` for a file that is missing, `unsupported` for a model of another kind, `corrupt` for weights that are not
    /// those that `config.json` describes.
    pub async fn open(folder: impl AsRef<Path>, runtime: Arc<dyn Runtime>) -> Result<Self, EmbedError> {
        let folder = folder.as_ref().to_owned();
        let (model, name) = blocking(&*runtime, move |_| load(&folder)).await?;
        let mut info = EmbedderInfo::new("local", name);
        info.dimensions = Some(model.width);
        Ok(Self { info, model: Arc::new(model), runtime })
    }

    /// With another name than `all-MiniLM-L6-v2`: for weights of the same kind that are not those. Vectors are kept under
    /// this name, and those of different weights cannot be compared.
    #[must_use]
    pub fn named(mut self, model: impl Into<Arc<str>>) -> Self {
        self.info.model = model.into();
        self
    }
}

impl fmt::Debug for MiniLm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiniLm").field("info", &self.info).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl Embedder for MiniLm {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        self.model.embed(request, &self.info, &*self.runtime).await
    }
}

impl Encode for Encoder {
    fn vectors(&self, rows: Rows) -> Result<Vec<Vec<f32>>, EmbedError> {
        Encoder::vectors(self, rows).map_err(|error| {
            let mut failed = EmbedError::new(ErrorKind::Internal, format!("the encoder failed: {error}"));
            failed.source = Some(Box::new(error));
            failed
        })
    }
}

/// The model, and its name.
fn load(folder: &Path) -> Result<(SentenceModel, String), EmbedError> {
    let config = Config::of(&read(folder.join("config.json"))?)?;
    let cutter = Cutter::load(&read(folder.join("tokenizer.json"))?, config.positions)?;
    let (width, name) = (config.width, format!("all-MiniLM-L{}-v2", config.layers));
    let path = folder.join("model.safetensors");
    let encoder = Encoder::load(config, read(path.clone())?).map_err(|error| {
        let message =
            format!("{} does not hold the weights that `config.json` describes: {error}", path.display());
        let mut failed = EmbedError::new(ErrorKind::Corrupt, message);
        failed.source = Some(Box::new(error));
        failed
    })?;
    Ok((SentenceModel { cutter, encoder: Box::new(encoder), width }, name))
}
