//! Files of the host, and work on a thread that may block.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use mosaic_core::{EmbedError, ErrorKind, Runtime};
use tokio::sync::oneshot;

/// A file of a model.
pub(crate) fn read(path: PathBuf) -> Result<Vec<u8>, EmbedError> {
    std::fs::read(&path).map_err(|error| unreadable(&path, error, "all-MiniLM-L6-v2 has it on the model hub"))
}

/// A file that is not there (then the hint says whence to get it), or that may not be read.
pub(crate) fn unreadable(path: &Path, error: std::io::Error, hint: &str) -> EmbedError {
    let path = path.display();
    let (kind, message) = match error.kind() {
        std::io::ErrorKind::NotFound => {
            (ErrorKind::NotFound, format!("{path} cannot be read: {error}; {hint}"))
        }
        _ => (ErrorKind::Storage, format!("{path} cannot be read: {error}")),
    };
    let mut failed = EmbedError::new(kind, message);
    failed.source = Some(Box::new(error));
    failed
}

/// Runs work on a thread that may block. The work can ask whether anybody still waits for it; a panic in it is an error.
pub(crate) async fn blocking<T: Send + 'static>(
    runtime: &dyn Runtime,
    work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, EmbedError> + Send + 'static,
) -> Result<T, EmbedError> {
    let (sender, done) = oneshot::channel();
    runtime.spawn_blocking(Box::new(move || {
        let result = guarded(|| work(&|| !sender.is_closed())).unwrap_or_else(|panic| {
            let message = format!("the model's code panicked: {panic}");
            Err(EmbedError::new(ErrorKind::Internal, message))
        });
        // Nobody listens when the future was dropped.
        let _ = sender.send(result);
    }));
    let ended = |_| EmbedError::new(ErrorKind::Internal, "the thread that embeds ended without an answer");
    done.await.map_err(ended)?
}

/// What the work gives, or what it said when it panicked. What it works on must bear to be left half done.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| said(&*panic))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it did not say why".to_owned())
}

#[cfg(test)]
mod tests {
    use mosaic_core::testing::TestRuntime;

    use super::*;

    #[tokio::test]
    async fn a_panic_of_a_models_code_is_an_error_that_says_what_it_said() {
        let runtime = TestRuntime::default();
        let number = 7;
        let failed = blocking::<()>(&runtime, move |_| panic!("no tensor {number}")).await.unwrap_err();
        assert_eq!(failed.kind, ErrorKind::Internal);
        assert!(failed.message.contains("no tensor 7"), "{failed}");
        assert_eq!(guarded(|| 7), Ok(7));
    }
}
