//! A function of the host's as a source.

use mosaic_core::{BoxError, ErrorKind, ModelError};

use super::token::{Means, Token, TokenSource};

/// An async function that gives a key.
pub(super) struct Callback<F>(pub(super) F);

#[async_trait::async_trait]
impl<F, Fut, T, E> TokenSource for Callback<F>
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Result<T, E>> + Send,
    T: Into<Token>,
    E: Into<BoxError>,
{
    async fn token(&self, _: &Means) -> Result<Token, ModelError> {
        match (self.0)().await {
            Ok(token) => Ok(token.into()),
            Err(error) => Err(failed(error.into())),
        }
    }
}

/// A host that knows better what went wrong says so with a [`ModelError`] of its own.
fn failed(error: BoxError) -> ModelError {
    match error.downcast::<ModelError>() {
        Ok(own) => *own,
        Err(error) => ModelError::new(
            ErrorKind::Auth,
            format!("the host's function gives no key for this provider: {error}"),
        ),
    }
}
