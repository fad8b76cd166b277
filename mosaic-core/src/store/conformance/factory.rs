//! What a rule needs.

use std::sync::Arc;

use super::Broken;
use crate::store::{SessionStore, StoreError};

/// Opens stores for the rules. Make a new one for every run: a rule finds its places empty.
#[async_trait::async_trait]
pub trait Factory: Send + Sync {
    /// Opens the store at a place. Every rule uses places of its own (letters, digits and `_`), so a place never named
    /// before must be empty. The same place named again is another handle on the same data, as another process would
    /// have it; a store whose data live in one handle only says so in [`is_shared`](Self::is_shared).
    async fn open(&self, place: &str) -> Result<Arc<dyn SessionStore>, StoreError>;

    /// Whether two handles on one place see the same data. Rules about two handles pass unseen where this is false.
    fn is_shared(&self) -> bool {
        true
    }
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self(format!("a call that should succeed failed: {error}"))
    }
}
