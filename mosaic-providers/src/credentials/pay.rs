//! Puts a token into a request, and finds it there again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::{Authenticator, HttpRequest, ModelError, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::credential::Place;
use super::kept::{Kept, asked};
use super::token::{Means, TokenSource};

/// Pays with tokens.
pub(super) struct Payer {
    pub(super) tokens: Tokens,
    pub(super) place: Place,
}

/// Where tokens are from.
pub(super) enum Tokens {
    EachCall { source: Arc<dyn TokenSource>, means: Means, deadline: Duration },
    Kept(Kept),
}

impl Tokens {
    async fn token(&self) -> Result<SecretString, ModelError> {
        match self {
            // In the caller's own task: a host may tell its tenants apart by what the task carries.
            Self::EachCall { source, means, deadline } => {
                Ok(asked(&**source, means, *deadline).await?.secret)
            }
            Self::Kept(kept) => kept.token().await,
        }
    }
}

const BEARER: &str = "Bearer ";

impl Payer {
    fn put(&self, request: &mut HttpRequest, token: SecretString) {
        match &self.place {
            Place::Bearer => {
                let value = format!("{BEARER}{}", token.expose_secret());
                request.headers.push_secret("authorization", value);
            }
            Place::Header(name) => request.headers.push_secret(name.clone(), token),
        }
    }

    fn find<'a>(&self, request: &'a HttpRequest) -> Option<&'a str> {
        let (name, prefix) = match &self.place {
            Place::Bearer => ("authorization", BEARER),
            Place::Header(name) => (&**name, ""),
        };
        let lines = request.headers.iter().filter(|line| line.name.eq_ignore_ascii_case(name));
        lines.last()?.expose().strip_prefix(prefix)
    }
}

#[async_trait::async_trait]
impl Authenticator for Payer {
    async fn authenticate(&self, request: &mut HttpRequest, _: Timestamp) -> Result<(), ModelError> {
        let token = self.tokens.token().await?;
        self.put(request, token);
        Ok(())
    }

    async fn refused(&self, request: &HttpRequest, _: Timestamp) -> bool {
        let Some(sent) = self.find(request) else { return false };
        match &self.tokens {
            // The same key is refused again.
            Tokens::EachCall { .. } => {
                self.tokens.token().await.is_ok_and(|token| token.expose_secret() != sent)
            }
            Tokens::Kept(kept) => kept.refused(sent).await,
        }
    }
}

impl fmt::Debug for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payer").field("place", &self.place).finish_non_exhaustive()
    }
}
