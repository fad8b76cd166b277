//! A credential: a source, how long its tokens are kept, and where they are put.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::{Authenticator, BoxError, HttpTransport, Runtime};

use super::callback::Callback;
use super::kept::{Kept, Rules};
use super::pay::{Payer, Tokens};
use super::token::{Means, Token, TokenSource};
use crate::endpoint::AuthScheme;

/// How long asking for a token may take: as long as the providers' own clients wait, or less.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where a token is put.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// `authorization: Bearer <token>`.
    Bearer,
    /// In a header of that name.
    Header(Cow<'static, str>),
}

impl From<AuthScheme> for Place {
    fn from(scheme: AuthScheme) -> Self {
        match scheme {
            AuthScheme::Header(name) => Self::Header(name.into()),
            _ => Self::Bearer,
        }
    }
}

/// Pays for requests with a key or a token that is not always the same. See [the module](super).
#[derive(Clone)]
pub struct Credential {
    source: Arc<dyn TokenSource>,
    keep: Keep,
    deadline: Duration,
    place: Option<Place>,
}

#[derive(Debug, Clone, Copy)]
enum Keep {
    EachCall,
    /// As long as it says, else this long, else until it is refused.
    Kept(Option<Duration>),
}

impl Credential {
    /// From a source whose tokens are kept as long as they say, and renewed in time.
    pub fn new(source: impl TokenSource + 'static) -> Self {
        Self { source: Arc::new(source), keep: Keep::Kept(None), deadline: DEADLINE, place: None }
    }

    /// From an async function of the host's. It is asked for each request; with [`keep_for`](Self::keep_for) only as often.
    /// What it fails with is an `auth` error and not tried again, unless it is a [`ModelError`](mosaic_core::ModelError) that
    /// says otherwise.
    ///
    /// ```
    /// use mosaic_providers::credentials::Credential;
    /// use std::time::Duration;
    ///
    /// let credential = Credential::from_fn(|| async { std::fs::read_to_string("/run/secrets/openai") })
    ///     .keep_for(Duration::from_secs(300));
    /// # let _ = credential;
    /// ```
    pub fn from_fn<F, Fut, T, E>(function: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<Token> + 'static,
        E: Into<BoxError> + 'static,
    {
        Self { keep: Keep::EachCall, ..Self::new(Callback(function)) }
    }

    /// Keeps tokens that do not say how long they are good for that long. One that is refused is asked for anew, at most
    /// once in 30 seconds.
    #[must_use]
    pub fn keep_for(mut self, time: Duration) -> Self {
        self.keep = Keep::Kept(Some(time));
        self
    }

    /// With another limit for how long asking for a token may take; 30 s unless set.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// With another place than the one in which the provider wants its key.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    pub(crate) fn or_place(mut self, place: impl Into<Place>) -> Self {
        self.place.get_or_insert_with(|| place.into());
        self
    }

    /// What pays for requests, over a transport and a clock: for [`Auth::By`](mosaic_core::Auth::By). All that share the
    /// result share its token; each call of this has a token of its own.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use mosaic_core::Auth;
    /// # use mosaic_core::{HttpTransport, Runtime};
    /// use mosaic_providers::credentials::Credential;
    /// use mosaic_providers::endpoint::Endpoint;
    /// # fn example(credential: Credential, transport: Arc<dyn HttpTransport>, runtime: Arc<dyn Runtime>) {
    /// let pays = Auth::By(credential.over(transport, runtime));
    /// let endpoint = Endpoint::compatible("lab", "https://models.lab/v1").auth(pays);
    /// # let _ = endpoint;
    /// # }
    /// ```
    #[must_use]
    pub fn over(
        self,
        transport: Arc<dyn HttpTransport>,
        runtime: Arc<dyn Runtime>,
    ) -> Arc<dyn Authenticator> {
        let (means, deadline) = (Means { transport, runtime }, self.deadline);
        let tokens = match self.keep {
            Keep::EachCall => Tokens::EachCall { source: self.source, means, deadline },
            Keep::Kept(lifetime) => Tokens::Kept(Kept::new(self.source, means, Rules { lifetime, deadline })),
        };
        Arc::new(Payer { tokens, place: self.place.unwrap_or(Place::Bearer) })
    }
}

/// The source is not shown: a host's own may say its secrets.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("keep", &self.keep)
            .field("deadline", &self.deadline)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
