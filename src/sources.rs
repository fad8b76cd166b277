//! Several sources of models as one.

use std::sync::Arc;

use mosaic_core::{ChatModel, ErrorKind, ModelError, ModelRef, ModelSource};

/// Asks one source after the other; the first that knows the name decides.
#[derive(Debug)]
pub(crate) struct Sources(pub(crate) Vec<Arc<dyn ModelSource>>);

impl ModelSource for Sources {
    fn resolve(&self, name: &ModelRef) -> Result<Arc<dyn ChatModel>, ModelError> {
        let mut unknown = None;
        for source in &self.0 {
            match source.resolve(name) {
                // The last one to say so is the table of known providers, whose message lists them.
                Err(error) if error.kind() == ErrorKind::NotFound => unknown = Some(error),
                decided => return decided,
            }
        }
        Err(unknown.unwrap_or_else(|| {
            ModelError::new(ErrorKind::NotFound, format!("no source of models was given that knows `{name}`"))
        }))
    }
}
