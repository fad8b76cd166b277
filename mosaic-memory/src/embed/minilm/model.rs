//! The embedder: files of the host, work on a thread that may block.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, ErrorKind, Runtime, Usage};
use tokio::sync::oneshot;

use super::config::Config;
use super::encoder::Encoder;
use super::pieces::{self, Cutter};

/// all-MiniLM-L6-v2 in pure Rust, on the processor. See [its module](crate::embed::minilm) for what it needs and gives.
///
/// Computing blocks a thread of [`Runtime::spawn_blocking`]; dropping the future ends it after the batch at hand. Matrix
/// products use as many threads as `RAYON_NUM_THREADS` says (all cores without it).
#[derive(Clone)]
pub struct MiniLm {
    info: EmbedderInfo,
    inner: Arc<Inner>,
    runtime: Arc<dyn Runtime>,
}

struct Inner {
    cutter: Cutter,
    encoder: Encoder,
    width: usize,
}

impl MiniLm {
    /// The model in a folder (`model.safetensors`, `tokenizer.json`, `config.json`).
    ///
    /// # Errors
    /// `not_found` for a file that is missing, `unsupported` for a model of another kind, `corrupt` for weights that are not
    /// those that `config.json` describes.
    pub async fn open(folder: impl AsRef<Path>, runtime: Arc<dyn Runtime>) -> Result<Self, EmbedError> {
        let folder = folder.as_ref().to_owned();
        let inner = blocking(&*runtime, move |_| load(&folder)).await?;
        let mut info = EmbedderInfo::new("local", inner.name.as_str());
        info.dimensions = Some(inner.inner.width);
        Ok(Self { info, inner: Arc::new(inner.inner), runtime })
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
        request.check(&self.info)?;
        if let Some(asked) = request.dimensions.filter(|asked| *asked != self.inner.width) {
            let width = self.inner.width;
            let message = format!("`{}` has {width} dimensions, not {asked}; ask for none", self.info.model);
            return Err(EmbedError::new(ErrorKind::Unsupported, message));
        }
        let (inner, texts) = (Arc::clone(&self.inner), Arc::clone(&request.inputs));
        let (vectors, tokens) = blocking(&*self.runtime, move |wanted| inner.vectors(&texts, wanted)).await?;
        let usage = Usage { input: u64::try_from(tokens).unwrap_or(u64::MAX), ..Usage::default() };
        let model = Arc::clone(&self.info.model);
        Embeddings { vectors, usage, cost: None, model }.check(&request, &self.info)
    }
}

impl Inner {
    /// One vector a text, and how many tokens that took. Ends early when nobody wants them any more.
    fn vectors(
        &self,
        texts: &[Arc<str>],
        wanted: &dyn Fn() -> bool,
    ) -> Result<(Vec<Vec<f32>>, usize), EmbedError> {
        let (mut all, mut tokens) = (Vec::with_capacity(texts.len()), 0);
        for (number, text) in texts.iter().enumerate() {
            let (pieces, more) = self.cutter.pieces(number, text)?;
            all.extend(pieces);
            tokens += more;
        }
        let mut sums = vec![vec![0.0_f32; self.width]; texts.len()];
        for batch in pieces::batches(all) {
            if !wanted() {
                return Err(EmbedError::new(ErrorKind::Cancelled, "nobody waits for the vectors any more"));
            }
            let vectors = self.encoder.vectors(pieces::rows(&batch)).map_err(|error| {
                let mut failed = EmbedError::new(ErrorKind::Internal, format!("the encoder failed: {error}"));
                failed.source = Some(Box::new(error));
                failed
            })?;
            for (piece, vector) in batch.iter().zip(vectors) {
                #[allow(clippy::cast_precision_loss)] // at most 256
                let weight = piece.tokens.len() as f32;
                if let Some(sum) = sums.get_mut(piece.text) {
                    sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += weight * x);
                }
            }
        }
        for sum in &mut sums {
            let length = sum.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            #[allow(clippy::cast_possible_truncation)]
            sum.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
        }
        Ok((sums, tokens))
    }
}

struct Loaded {
    inner: Inner,
    name: String,
}

fn load(folder: &Path) -> Result<Loaded, EmbedError> {
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
    Ok(Loaded { inner: Inner { cutter, encoder, width }, name })
}

fn read(path: PathBuf) -> Result<Vec<u8>, EmbedError> {
    std::fs::read(&path).map_err(|error| {
        let (kind, hint) = match error.kind() {
            std::io::ErrorKind::NotFound => {
                (ErrorKind::NotFound, "; all-MiniLM-L6-v2 has it on the model hub")
            }
            _ => (ErrorKind::Storage, ""),
        };
        let mut failed = EmbedError::new(kind, format!("{} cannot be read: {error}{hint}", path.display()));
        failed.source = Some(Box::new(error));
        failed
    })
}

/// Runs work on a thread that may block. The work can ask whether anybody still waits for it.
async fn blocking<T: Send + 'static>(
    runtime: &dyn Runtime,
    work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, EmbedError> + Send + 'static,
) -> Result<T, EmbedError> {
    let (sender, done) = oneshot::channel();
    runtime.spawn_blocking(Box::new(move || {
        let result = work(&|| !sender.is_closed());
        // Nobody listens when the future was dropped.
        let _ = sender.send(result);
    }));
    let ended = |_| EmbedError::new(ErrorKind::Internal, "the thread that embeds ended without an answer");
    done.await.map_err(ended)?
}
