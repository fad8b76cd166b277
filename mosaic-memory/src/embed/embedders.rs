//! The embedder of today, and those of before.

use std::sync::Arc;

use futures_util::future::join_all;
use mosaic_core::memory::Vector;
use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderExt};

/// The embedder that memories are written with, and older ones that still serve.
///
/// While memories are embedded anew (see [`upkeep`](crate::upkeep)), some have a vector of the new model only, some of the old one
/// only. Questions are asked with all of them then, the newest first: each memory is compared by the first model that it has a
/// vector of. What is written gets vectors of the newest alone.
///
/// One embedder is one of these by itself:
///
/// ```
/// use std::sync::Arc;
/// use mosaic_memory::embed::{Embedders, HashingEmbedder};
/// use mosaic_memory::recall::{Recall, RecallOptions};
/// # let store = Arc::new(mosaic_storage::RamStore::new().memories());
///
/// let (new, old) = (Arc::new(HashingEmbedder::new(512)), Arc::new(HashingEmbedder::new(256)));
/// let today = Recall::new(store.clone(), old.clone(), RecallOptions::default());
/// let while_it_changes = Recall::new(store, Embedders::from(new).older(old), RecallOptions::default());
/// ```
#[derive(Debug, Clone)]
pub struct Embedders {
    newest: Arc<dyn Embedder>,
    older: Vec<Arc<dyn Embedder>>,
}

impl Embedders {
    /// With one that came before, newer ones first.
    #[must_use]
    pub fn older(mut self, older: Arc<dyn Embedder>) -> Self {
        self.older.push(older);
        self
    }

    /// The one that memories are written with.
    #[must_use]
    pub fn newest(&self) -> &Arc<dyn Embedder> {
        &self.newest
    }

    /// Asks all of them at once: the vectors of each text, the newest model's first; and why some could not be asked. Models that
    /// two embedders have in common are there once.
    pub(crate) async fn vectors(
        &self,
        request: &EmbedRequest,
        at_once: usize,
    ) -> (Vec<Vec<Vector>>, Vec<Missed>) {
        let all = std::iter::once(&self.newest).chain(&self.older);
        let answers = join_all(all.map(|embedder| embedder.embed_all(request.clone(), at_once))).await;
        let (mut vectors, mut missed) = (vec![Vec::<Vector>::new(); request.inputs.len()], Vec::new());
        for (place, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(answer) => {
                    for (vectors, values) in vectors.iter_mut().zip(answer.vectors) {
                        if !vectors.iter().any(|vector| vector.model == answer.model) {
                            vectors.push(Vector { model: answer.model.clone(), values });
                        }
                    }
                }
                Err(error) if place == 0 => missed.push(Missed::Newest(error)),
                Err(error) => missed.push(Missed::Older(error)),
            }
        }
        (vectors, missed)
    }
}

/// Why an embedder's vectors are missing.
#[derive(Debug)]
pub(crate) enum Missed {
    /// The one that memories are written with.
    Newest(EmbedError),
    /// One of before.
    Older(EmbedError),
}

impl From<Missed> for EmbedError {
    fn from(missed: Missed) -> Self {
        match missed {
            Missed::Newest(error) | Missed::Older(error) => error,
        }
    }
}

impl From<Arc<dyn Embedder>> for Embedders {
    fn from(newest: Arc<dyn Embedder>) -> Self {
        Self { newest, older: Vec::new() }
    }
}

impl<E: Embedder + 'static> From<Arc<E>> for Embedders {
    fn from(newest: Arc<E>) -> Self {
        let newest: Arc<dyn Embedder> = newest;
        newest.into()
    }
}
