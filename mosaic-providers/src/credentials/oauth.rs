//! Tokens of an OAuth 2.0 authority, for a client that acts for itself or for a user who agreed once.
//!
//! | grant | who | RFC 6749 |
//! | --- | --- | --- |
//! | client credentials | a service that acts for itself | 4.4 |
//! | refresh token | a user signed in once; the host keeps what came of it | 6 |
//!
//! An authority may answer a refresh token with another one that takes its place. It is used from then on, and handed to
//! [`OAuth::on_rotated`]: a host that does not keep it cannot get in again after a restart.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc6749>

mod authority;
#[cfg(test)]
mod tests;

pub(super) use authority::{Authority, Form};

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::select;
use mosaic_core::{BoxFuture, ModelError, RuntimeExt};
use secrecy::{ExposeSecret, SecretString};

use super::token::{Means, Token, TokenSource};

/// How long a host may take to keep a refresh token, before the access token that came with it is used.
const KEEPING: Duration = Duration::from_secs(10);

/// Where the client's secret is put in a request for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientAuth {
    /// In an `authorization: Basic` header, which every authority must take (RFC 6749 section 2.3.1).
    #[default]
    Basic,
    /// In the form, for authorities that want it there.
    Body,
}

type Hook = dyn Fn(SecretString) -> BoxFuture<()> + Send + Sync;

/// Tokens of an OAuth 2.0 authority.
///
/// ```
/// use mosaic_providers::credentials::{Credential, OAuth};
///
/// let service = OAuth::client_credentials("https://login.example/token", "my-service", "its secret").scope("models");
///
/// let user = OAuth::refresh_token("https://login.example/token", "my-app", "what signing in gave")
///     .on_rotated(|token| async move {
///         // Here it is written to where the first one came from.
///         drop(token);
///     });
/// assert!(!format!("{service:?} {user:?}").contains("secret\""));
/// let credential = Credential::new(user);
/// # let _ = credential;
/// ```
pub struct OAuth {
    url: String,
    client_id: String,
    client_secret: Option<SecretString>,
    client_auth: ClientAuth,
    grant: Grant,
    scope: Option<String>,
    params: Vec<(String, String)>,
    on_rotated: Option<Arc<Hook>>,
}

enum Grant {
    ClientCredentials,
    /// The newest one.
    RefreshToken(Mutex<SecretString>),
}

impl OAuth {
    /// A client that acts for itself.
    pub fn client_credentials(
        token_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
    ) -> Self {
        Self::new(token_url.into(), client_id.into(), Grant::ClientCredentials).client_secret(client_secret)
    }

    /// A client that acts for a user who signed in, with what signing in gave.
    pub fn refresh_token(
        token_url: impl Into<String>,
        client_id: impl Into<String>,
        refresh_token: impl Into<SecretString>,
    ) -> Self {
        let grant = Grant::RefreshToken(Mutex::new(refresh_token.into()));
        Self::new(token_url.into(), client_id.into(), grant)
    }

    fn new(url: String, client_id: String, grant: Grant) -> Self {
        Self {
            url,
            client_id,
            client_secret: None,
            client_auth: ClientAuth::default(),
            grant,
            scope: None,
            params: Vec::new(),
            on_rotated: None,
        }
    }

    /// With the client's secret; public clients have none.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// With the client's secret in another place.
    #[must_use]
    pub fn client_auth(mut self, place: ClientAuth) -> Self {
        self.client_auth = place;
        self
    }

    /// For these scopes, with blanks between them. Unless set, the authority decides.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// With one more parameter that the authority wants: `audience` or `resource`, say. It is no secret.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Told each refresh token that takes the place of the one before, so that the host can keep it. It is awaited before
    /// the access token that came with it is used, for 10 s at most; a host that fails to keep it sees to that itself.
    #[must_use]
    pub fn on_rotated<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn(SecretString) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.on_rotated = Some(Arc::new(move |token| Box::pin(hook(token))));
        self
    }

    fn form(&self) -> Form {
        let mut form = Form::default();
        match &self.grant {
            Grant::ClientCredentials => form.add("grant_type", "client_credentials"),
            Grant::RefreshToken(token) => {
                form.add("grant_type", "refresh_token");
                form.secret("refresh_token", &token.lock().unwrap_or_else(PoisonError::into_inner));
            }
        }
        match (&self.client_secret, self.client_auth) {
            (Some(secret), ClientAuth::Basic) => form.basic(&self.client_id, secret),
            (Some(secret), ClientAuth::Body) => {
                form.add("client_id", &self.client_id);
                form.secret("client_secret", secret);
            }
            // Section 3.2.1: a client without a secret says who it is.
            (None, _) => form.add("client_id", &self.client_id),
        }
        self.scope.iter().for_each(|scope| form.add("scope", scope));
        self.params.iter().for_each(|(name, value)| form.add(name, value));
        form
    }

    /// Takes another refresh token in the place of the one before (section 6), and tells the host.
    async fn rotated(&self, new: SecretString, with: &Means) {
        let Grant::RefreshToken(kept) = &self.grant else { return };
        {
            let kept = &mut *kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.expose_secret() == new.expose_secret() {
                return;
            }
            *kept = new.clone();
        }
        if let Some(hook) = &self.on_rotated {
            select(hook(new), with.runtime.sleep(KEEPING)).await;
        }
    }
}

#[async_trait::async_trait]
impl TokenSource for OAuth {
    async fn token(&self, with: &Means) -> Result<Token, ModelError> {
        let granted = Authority::at(&self.url)?.ask(self.form(), with).await?;
        if let Some(refresh_token) = granted.refresh_token {
            self.rotated(refresh_token, with).await;
        }
        Ok(granted.token)
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grant = match self.grant {
            Grant::ClientCredentials => "client_credentials",
            Grant::RefreshToken(_) => "refresh_token",
        };
        f.debug_struct("OAuth")
            .field("client_id", &self.client_id)
            .field("grant", &grant)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
