//! How a request is paid for.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::model::ModelError;
use crate::runtime::Timestamp;
use crate::transport::{Headers, HttpRequest};

/// Pays for requests in a way that takes more than a fixed header: a token that is refreshed, a signature over the whole
/// request, a key that the host looks up for each call.
#[async_trait::async_trait]
pub trait Authenticator: fmt::Debug + Send + Sync {
    /// Adds what pays for the request. Called last, with everything else in place, so that a signature can cover it.
    ///
    /// # Errors
    /// `auth` when nothing can pay for it, saying what to set; what fetching a token failed with.
    async fn authenticate(&self, request: &mut HttpRequest, now: Timestamp) -> Result<(), ModelError>;

    /// The provider answered 401 to this request, which is as [`authenticate`](Self::authenticate) left it. Says whether it
    /// is worth asking once more, with something new. What was added to the request tells which token it was: where many
    /// requests are refused at once, the first one's answer is a new token, and the others need only see that it is there.
    async fn refused(&self, _request: &HttpRequest, _now: Timestamp) -> bool {
        false
    }
}

/// How a request is paid for. Secrets do not show in `Debug`.
///
/// ```
/// use mosaic_core::Auth;
/// assert_eq!(format!("{:?}", Auth::bearer("sk-123")), "Bearer([secret])");
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// Not at all: a server of one's own.
    #[default]
    None,
    /// `authorization: Bearer <key>`.
    Bearer(SecretString),
    /// A header of another name, `x-api-key` for one.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: SecretString,
    },
    /// By what the host, or a provider's own scheme, does with each request.
    By(Arc<dyn Authenticator>),
}

impl Auth {
    /// `authorization: Bearer <key>`.
    pub fn bearer(key: impl Into<SecretString>) -> Self {
        Self::Bearer(key.into())
    }

    /// A header of another name.
    pub fn header(name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        Self::Header { name: name.into(), value: value.into() }
    }

    pub(crate) fn apply(&self, headers: &mut Headers) {
        match self {
            Self::None => {}
            Self::Bearer(key) => {
                headers.push_secret("authorization", format!("Bearer {}", key.expose_secret()));
            }
            Self::Header { name, value } => headers.push_secret(name.clone(), value.clone()),
            // It goes last: see `authenticate`.
            Self::By(_) => {}
        }
    }

    /// What only a finished request can be paid with.
    pub(crate) async fn authenticate(
        &self,
        request: &mut HttpRequest,
        now: Timestamp,
    ) -> Result<(), ModelError> {
        match self {
            Self::By(by) => by.authenticate(request, now).await,
            _ => Ok(()),
        }
    }

    /// Whether a request that was answered with 401 is worth sending once more.
    pub(crate) async fn refused(&self, request: &HttpRequest, now: Timestamp) -> bool {
        match self {
            Self::By(by) => by.refused(request, now).await,
            _ => false,
        }
    }

    /// Whether something new may pay where this was refused. A fixed key that was refused is refused again.
    pub(crate) fn may_change(&self) -> bool {
        matches!(self, Self::By(_))
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bearer(_) => f.write_str("Bearer([secret])"),
            Self::Header { name, .. } => write!(f, "Header({name}: [secret])"),
            Self::By(by) => write!(f, "By({by:?})"),
        }
    }
}
