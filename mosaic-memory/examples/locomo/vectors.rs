//! Vectors in a file: a cache that survives the run.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use mosaic_core::BoxError;
use mosaic_core::memory::{CacheKey, CachedVector, Scope, VectorCache};

const MODEL: &str = "all-MiniLM-L6-v2";
const WIDTH: usize = 384;

/// A record a vector: its key, and its numbers, low byte first.
#[derive(Debug)]
pub(crate) struct FileCache(Mutex<State>);

#[derive(Debug)]
struct State {
    known: HashMap<CacheKey, Arc<[f32]>>,
    file: File,
}

impl FileCache {
    pub(crate) fn open(path: String) -> std::io::Result<Self> {
        let path = PathBuf::from(path);
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let (mut bytes, mut known) = (Vec::new(), HashMap::new());
        file.read_to_end(&mut bytes)?;
        for record in bytes.chunks_exact(32 + 4 * WIDTH) {
            let (key, values) = record.split_at(32);
            let values = values.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
            known.insert(CacheKey(key.try_into().unwrap_or_default()), values);
        }
        Ok(Self(Mutex::new(State { known, file })))
    }
}

#[async_trait::async_trait]
impl VectorCache for FileCache {
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<CachedVector>>, BoxError> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let vector = |values: &Arc<[f32]>| CachedVector { model: MODEL.into(), values: Arc::clone(values) };
        Ok(keys.iter().map(|key| state.known.get(key).map(vector)).collect())
    }

    async fn put(&self, _: Option<&Scope>, vectors: Vec<(CacheKey, CachedVector)>) -> Result<(), BoxError> {
        let state = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, vector) in vectors {
            let mut record = key.0.to_vec();
            record.extend(vector.values.iter().flat_map(|x| x.to_le_bytes()));
            state.file.write_all(&record)?;
            state.known.insert(key, vector.values);
        }
        Ok(())
    }

    async fn forget(&self, _: &Scope) -> Result<u64, BoxError> {
        Err("delete the file: this cache is of public data, and knows nobody".into())
    }
}
