//! The embedder: files of the host, work on a thread that may block.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, Runtime};

use super::encoder::OnnxEncoder;
use crate::embed::local::{Cutter, SentenceModel, blocking, read};

/// The name under which its vectors are kept.
const NAME: &str = "all-MiniLM-L6-v2-int8";
/// Places of a piece in the encoder; the format does not say how many its model has.
const POSITIONS: usize = 512;

/// all-MiniLM-L6-v2 in 8-bit weights, by ONNX Runtime on the processor. See [its module](crate::embed::onnx) for what it
/// needs and gives.
///
/// Computing blocks a thread of [`Runtime::spawn_blocking`]; dropping the future ends it after the batch at hand. One batch
/// runs at a time, on as many threads as there are cores; batches of several callers wait for each other.
#[derive(Clone)]
pub struct OnnxMiniLm {
    info: EmbedderInfo,
    model: Arc<SentenceModel>,
    runtime: Arc<dyn Runtime>,
}

impl OnnxMiniLm {
    /// The model in a folder (`model.onnx`, `tokenizer.json`), run by the library of ONNX Runtime at a path.
    ///
    /// # Errors
    /// `not_found` for a library or a file that is missing, `unsupported` for a file that is not such a library, for a
    /// library older than 1.17 and for a model of another kind, `corrupt` for a model that is not whole, `conflict` for
    /// another library than the one that this process has loaded. A panic of the code that loads them is an error too.
    pub async fn open(
        library: impl AsRef<Path>,
        folder: impl AsRef<Path>,
        runtime: Arc<dyn Runtime>,
    ) -> Result<Self, EmbedError> {
        let (library, folder) = (library.as_ref().to_owned(), folder.as_ref().to_owned());
        let model = blocking(&*runtime, move |_| load(&library, &folder)).await?;
        let mut info = EmbedderInfo::new("local", NAME);
        info.dimensions = Some(model.width);
        Ok(Self { info, model: Arc::new(model), runtime })
    }

    /// With another name than `all-MiniLM-L6-v2-int8`: for weights of the same kind that are not those. Vectors are kept
    /// under this name, and those of different weights cannot be compared.
    ///
    /// Of models whose *activations* are quantised as they run, the vector of a text depends a little on the texts that
    /// are embedded with it; of this one it does not.
    #[must_use]
    pub fn named(mut self, model: impl Into<Arc<str>>) -> Self {
        self.info.model = model.into();
        self
    }
}

impl fmt::Debug for OnnxMiniLm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnnxMiniLm").field("info", &self.info).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl Embedder for OnnxMiniLm {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        self.model.embed(request, &self.info, &*self.runtime).await
    }
}

fn load(library: &Path, folder: &Path) -> Result<SentenceModel, EmbedError> {
    // First what costs little: a folder that is wrong need not load a library for good.
    let cutter = Cutter::load(&read(folder.join("tokenizer.json"))?, POSITIONS)?;
    let encoder = OnnxEncoder::load(library, &folder.join("model.onnx"))?;
    let width = encoder.width;
    Ok(SentenceModel { cutter, encoder: Box::new(encoder), width })
}
