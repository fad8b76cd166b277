//! What no error may repeat.

use std::error::Error;

use crate::error::BoxError;
use crate::model::ModelError;
use crate::transport::record::{Scrub, Secrets};
use crate::transport::{Header, HttpRequest};

/// The keys that a request was sent with: in its headers, and in its address. Providers repeat a wrong key in their answers,
/// and a host's transport may print what it failed to send; both end in errors, which are logged and stored.
pub(crate) struct Keys {
    headers: Vec<Header>,
    /// Kept only where there may be a secret in it, because it is kept for every request.
    url: Option<String>,
}

impl Keys {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let headers = request.headers.iter().filter(|line| line.is_secret()).cloned().collect();
        let url = request.url.contains(['@', '?']).then(|| request.url.clone());
        Self { headers, url }
    }

    /// With those of another request to the same address.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.headers.extend(other.headers);
        self
    }

    /// The error without them.
    pub(crate) fn hide(&self, mut error: ModelError) -> ModelError {
        self.hide_in(&mut error.message, &mut error.request_id, &mut error.source);
        error
    }

    /// An error's texts and its cause without them. A cause that repeats one cannot be changed, so it is left out: the
    /// message says what happened.
    pub(crate) fn hide_in(
        &self,
        message: &mut String,
        request_id: &mut Option<String>,
        source: &mut Option<BoxError>,
    ) {
        let mut secrets = Secrets::default();
        self.headers.iter().for_each(|line| secrets.learn(line.expose()));
        if let Some(url) = &self.url {
            Scrub::default().learn_url(url, &mut secrets);
        }
        secrets.clean(message);
        request_id.iter_mut().for_each(|id| secrets.clean(id));
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
