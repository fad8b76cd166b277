//! What no error may repeat.

use std::error::Error;

use crate::error::BoxError;
use crate::model::ModelError;
use crate::transport::record::Secrets;
use crate::transport::{Header, Headers};

/// The keys that a request was sent with. Providers repeat a wrong key in their answers, and a host's transport may print
/// the headers that it failed with; both end in errors, which are logged and stored.
pub(crate) struct Keys(Vec<Header>);

impl Keys {
    pub(crate) fn of(headers: &Headers) -> Self {
        Self(headers.iter().filter(|line| line.is_secret()).cloned().collect())
    }

    /// The error without them.
    pub(crate) fn hide(&self, mut error: ModelError) -> ModelError {
        self.hide_in(&mut error.message, &mut error.source);
        error
    }

    /// A message and a cause without them. A cause that repeats one cannot be changed, so it is left out: the message says
    /// what happened.
    pub(crate) fn hide_in(&self, message: &mut String, source: &mut Option<BoxError>) {
        let mut secrets = Secrets::default();
        self.0.iter().for_each(|line| secrets.learn(line.expose()));
        secrets.clean(message);
        let mut cause = source.as_deref().map(|source| source as &(dyn Error + 'static));
        while let Some(error) = cause {
            if secrets.is_in(&format!("{error} {error:?}")) {
                *source = None;
                return;
            }
            cause = error.source();
        }
    }
}
