//! Vectors without a model: words counted in hashed places.

use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, Usage};

use crate::text::{Words, split};

/// An embedder that knows words and no meanings.
///
/// Each stem of a word, and each run of three letters in it, adds to or takes from one place of the vector that its
/// hash chooses; words that tell nothing are left out. So texts that share words are alike, also when the words are
/// bent or misspelt a little, and texts that say the same in other words are not. It needs no weights, gives the same
/// vector on every machine, and is what tests and offline examples want. For recall that understands, take a model.
///
/// ```
/// use mosaic_core::memory::cosine;
/// use mosaic_core::{EmbedError, EmbedderExt, Purpose};
/// use mosaic_memory::embed::HashingEmbedder;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), EmbedError> {
/// let embedder = HashingEmbedder::new(256);
/// let [tea, teas, rain] = ["She likes green tea", "Green teas are liked", "It rains"];
/// let tea = embedder.embed_one(tea, Purpose::Query).await?;
/// assert!(cosine(&tea, &embedder.embed_one(teas, Purpose::Document).await?) > 0.6);
/// assert!(cosine(&tea, &embedder.embed_one(rain, Purpose::Document).await?) < 0.3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HashingEmbedder {
    info: EmbedderInfo,
    dimensions: usize,
    words: Words,
}

impl HashingEmbedder {
    /// An embedder of vectors of that length; 256 is a good one. 0 counts as 1.
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        let dimensions = dimensions.max(1);
        let mut info = EmbedderInfo::new("mosaic", format!("hashing-{dimensions}"));
        info.dimensions = Some(dimensions);
        Self { info, dimensions, words: Words::english() }
    }

    fn vector(&self, text: &str, dimensions: usize) -> Vec<f32> {
        let mut vector = vec![0.0; dimensions];
        let mut told = false;
        for word in split(text).filter(|word| !self.words.is_stop(word)) {
            told = true;
            let stem = self.words.stem(&word);
            add(&mut vector, &[b"w", stem.as_bytes()], 1.0);
            let letters: Vec<char> = stem.chars().collect();
            for three in letters.windows(3) {
                let three: String = three.iter().collect();
                // A word of eight letters has six of these: together they weigh about as much as the word itself.
                add(&mut vector, &[b"3", three.as_bytes()], 0.4);
            }
        }
        if !told {
            // A vector needs a direction: texts of stop words or signs alone are like texts that are the same.
            add(&mut vector, &[b"t", text.trim().as_bytes()], 1.0);
        }
        normalise(&mut vector);
        if vector.iter().all(|x| *x == 0.0) {
            // All that was added has been taken away again; any fixed direction will do.
            if let Some(first) = vector.first_mut() {
                *first = 1.0;
            }
        }
        vector
    }
}

#[async_trait::async_trait]
impl Embedder for HashingEmbedder {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        request.check(&self.info)?;
        let dimensions = request.dimensions.unwrap_or(self.dimensions);
        let vectors = request.inputs.iter().map(|text| self.vector(text, dimensions)).collect();
        let model = self.info.model.clone();
        Embeddings { vectors, usage: Usage::default(), cost: None, model }.check(&request, &self.info)
    }
}

/// Adds to the place that a hash chooses, or takes from it: so what falls together by chance cancels out on average.
fn add(vector: &mut [f32], of: &[&[u8]], weight: f32) {
    let hash = fnv(of);
    let places = u64::try_from(vector.len()).unwrap_or(u64::MAX).max(1);
    let place = usize::try_from((hash >> 1) % places).unwrap_or(0);
    if let Some(value) = vector.get_mut(place) {
        *value += if hash & 1 == 0 { weight } else { -weight };
    }
}

/// FNV-1a, and a mix at the end, because its low bits are weak. Written out here: vectors are stored, so the hash must
/// be the same in every version and on every machine.
fn fnv(of: &[&[u8]]) -> u64 {
    let bytes = of.iter().flat_map(|part| part.iter());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}

#[cfg(test)]
mod tests {
    use mosaic_core::memory::cosine;
    use mosaic_core::{EmbedderExt, ErrorKind, Purpose};
    use proptest::prelude::*;

    use super::*;

    #[tokio::test]
    async fn the_vector_of_a_text_is_the_same_in_every_version() {
        let vector = HashingEmbedder::new(4).embed_one("green tea", Purpose::Query).await.unwrap();
        let shown: Vec<String> = vector.iter().map(|x| format!("{x:.4}")).collect();
        assert_eq!(shown, GREEN_TEA, "stored vectors would no longer fit");
    }
    const GREEN_TEA: [&str; 4] = ["0.4867", "0.3244", "-0.8111", "0.0000"];

    #[tokio::test]
    async fn a_length_that_is_asked_for_is_honoured() {
        let request = EmbedRequest::documents(["a", "b"]).dimensions(8);
        assert_eq!(HashingEmbedder::new(256).embed(request).await.unwrap().dimensions(), 8);
        let none = EmbedRequest::documents([""]);
        assert_eq!(HashingEmbedder::new(256).embed(none).await.unwrap_err().kind, ErrorKind::InvalidRequest);
    }

    proptest! {
        #[test]
        fn every_text_has_a_direction(text in "\\PC+", dimensions in 1_usize..40) {
            let vector = HashingEmbedder::new(dimensions).vector(&text, dimensions);
            prop_assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-5, "{vector:?}");
        }
    }
}
