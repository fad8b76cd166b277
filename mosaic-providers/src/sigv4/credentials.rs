//! Who signs.

use std::fmt;

use mosaic_core::{ErrorKind, ModelError, Timestamp};
use secrecy::SecretString;

/// Credentials of AWS. Secrets do not show in `Debug`.
#[derive(Clone)]
pub struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: SecretString,
    pub(super) session_token: Option<SecretString>,
}

impl Credentials {
    /// Credentials that stay.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<SecretString>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
        }
    }

    /// Of a role that was taken for some time.
    #[must_use]
    pub fn session_token(mut self, token: impl Into<SecretString>) -> Self {
        self.session_token = Some(token.into());
        self
    }

    /// Out of `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where there is one, `AWS_SESSION_TOKEN`. `variable` reads
    /// an environment variable.
    ///
    /// # Errors
    /// `auth` when one of the first two is missing, saying which.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ModelError> {
        let set = |name: &str| {
            variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let needed = |name: &str| {
            set(name).ok_or_else(|| {
                ModelError::new(
                    ErrorKind::Auth,
                    format!("AWS needs credentials; set the environment variable {name}"),
                )
            })
        };
        let found = Self::new(needed("AWS_ACCESS_KEY_ID")?, needed("AWS_SECRET_ACCESS_KEY")?);
        Ok(match set("AWS_SESSION_TOKEN") {
            Some(token) => found.session_token(token),
            None => found,
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &"[secret]")
            .field("session_token", &self.session_token.as_ref().map(|_| "[secret]"))
            .finish()
    }
}

/// Where credentials are from. It is asked for every request, and keeps what it may keep itself.
///
/// ```
/// use mosaic_core::{ModelError, Timestamp};
/// use mosaic_providers::sigv4::{CredentialSource, Credentials};
///
/// /// A role, taken anew shortly before it ends.
/// struct Role;
///
/// #[async_trait::async_trait]
/// impl CredentialSource for Role {
///     async fn credentials(&self, now: Timestamp) -> Result<Credentials, ModelError> {
///         // Here the host asks its SDK.
///         Ok(Credentials::new("ASIA1", "secret").session_token(format!("token of {now}")))
///     }
/// }
/// ```
#[async_trait::async_trait]
pub trait CredentialSource: Send + Sync {
    /// The credentials to sign with now.
    ///
    /// # Errors
    /// `auth` when there are none, saying what to do.
    async fn credentials(&self, now: Timestamp) -> Result<Credentials, ModelError>;
}

#[async_trait::async_trait]
impl CredentialSource for Credentials {
    async fn credentials(&self, _: Timestamp) -> Result<Credentials, ModelError> {
        Ok(self.clone())
    }
}
