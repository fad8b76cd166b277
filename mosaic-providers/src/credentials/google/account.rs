//! A service account: a private key whose signature is exchanged for a token.
//!
//! Sources: <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>,
//! <https://www.rfc-editor.org/rfc/rfc7523>

use std::fmt;

use mosaic_core::{ErrorKind, ModelError, Runtime};
use ring::signature::RsaKeyPair;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

use super::jwt::sign;
use super::{TOKEN_URL, unusable};
use crate::credentials::oauth::{Authority, Form};
use crate::credentials::token::{Means, Token, TokenSource};

/// RFC 7523 section 2.1.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// All of Google Cloud; what the account may do is said by its roles.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// The longest that Google takes.
const LIFETIME: u64 = 3600;

/// A service account of Google's. Its key does not show in `Debug`.
///
/// ```no_run
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use mosaic_providers::credentials::{Credential, ServiceAccount};
///
/// let account = ServiceAccount::from_json(&std::fs::read_to_string("key.json")?)?;
/// let credential = Credential::new(account);
/// # let _ = credential;
/// # Ok(())
/// # }
/// ```
pub struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    key: RsaKeyPair,
    token_url: String,
    scope: String,
}

/// What its key file holds.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Members {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

impl ServiceAccount {
    /// Out of a key file's text.
    ///
    /// # Errors
    /// `auth` for a text that is no such file. It is not repeated.
    pub fn from_json(key_file: &str) -> Result<Self, ModelError> {
        let members = serde_json::from_str(key_file);
        Self::of(members.map_err(|_| unusable("it is not the JSON that Google hands out"))?)
    }

    pub(super) fn of(members: Members) -> Result<Self, ModelError> {
        let Members { client_email, private_key, private_key_id, token_uri } = members;
        if client_email.is_empty() {
            return Err(unusable("it has no `client_email`"));
        }
        // Neither says why: the reasons of a PEM reader repeat the line that it does not like.
        let der = PrivatePkcs8KeyDer::from_pem_slice(private_key.as_bytes())
            .map_err(|_| unusable("its `private_key` is no PKCS #8 key in PEM"))?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|_| unusable("its `private_key` is no RSA key of 2048 bits or more"))?;
        Ok(Self {
            email: client_email,
            key_id: private_key_id,
            key,
            token_url: token_uri.unwrap_or_else(|| TOKEN_URL.to_owned()),
            scope: SCOPE.to_owned(),
        })
    }

    /// For other scopes than all of Google Cloud, with blanks between them.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    fn form(&self, runtime: &dyn Runtime) -> Result<Form, ModelError> {
        let iat = runtime.now().0 / 1000;
        let claims = Claims {
            iss: &self.email,
            scope: &self.scope,
            aud: &self.token_url,
            iat,
            exp: iat.saturating_add(LIFETIME),
        };
        let assertion = sign(&claims, self.key_id.as_deref(), &self.key).ok_or_else(|| {
            ModelError::new(ErrorKind::Internal, "an assertion for a service account cannot be signed")
        })?;
        let mut form = Form::default();
        form.add("grant_type", GRANT);
        form.secret("assertion", &assertion);
        Ok(form)
    }
}

#[async_trait::async_trait]
impl TokenSource for ServiceAccount {
    async fn token(&self, with: &Means) -> Result<Token, ModelError> {
        let form = self.form(&*with.runtime)?;
        Ok(Authority::at(&self.token_url)?.ask(form, with).await?.token)
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("email", &self.email)
            .field("key_id", &self.key_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
