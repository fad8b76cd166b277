//! What a rule needs, and what it says when a store breaks it.

use std::fmt;
use std::sync::Arc;

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

/// A store broke a rule: what was seen, and what should have been.
#[derive(Clone, PartialEq, Eq)]
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// As text, because tests `unwrap`.
impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Broken {}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self(format!("a call that should succeed failed: {error}"))
    }
}

/// The rules that a store broke.
#[derive(Clone, PartialEq, Eq)]
pub struct Failures(pub Vec<(&'static str, Broken)>);

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store breaks {} rule(s):", self.0.len())?;
        for (rule, broken) in &self.0 {
            write!(f, "\n  {rule}: {broken}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failures {}
