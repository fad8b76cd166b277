//! A token, and what gives one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::{ErrorKind, HttpTransport, ModelError, Runtime};
use secrecy::{ExposeSecret, SecretString};

/// What pays for a request: a key, or a token that is good for some time. It does not show in `Debug`.
#[derive(Clone)]
pub struct Token {
    pub(super) secret: SecretString,
    pub(super) lifetime: Option<Duration>,
}

impl Token {
    /// A token of which nobody says how long it is good.
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self { secret: secret.into(), lifetime: None }
    }

    /// Good for that long from now.
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// The token as a header can carry it: keys out of files end in a line break.
    ///
    /// # Errors
    /// `auth` for one that is empty or holds what no header may hold.
    pub(super) fn checked(self) -> Result<Self, ModelError> {
        let bare = self.secret.expose_secret().trim();
        let problem = match bare {
            "" => "is empty",
            _ if !bare.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => {
                "holds characters that no header may hold"
            }
            _ => return Ok(Self { secret: bare.to_owned().into(), ..self }),
        };
        Err(ModelError::new(
            ErrorKind::Auth,
            format!("the key that was given for this provider {problem}; look at where it comes from"),
        ))
    }
}

impl From<SecretString> for Token {
    fn from(secret: SecretString) -> Self {
        Self::new(secret)
    }
}

impl From<String> for Token {
    fn from(secret: String) -> Self {
        Self::new(secret)
    }
}

impl From<&str> for Token {
    fn from(secret: &str) -> Self {
        Self::new(secret)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("secret", &"[secret]").field("lifetime", &self.lifetime).finish()
    }
}

/// What a source may use: the host's own transport and clock, never others.
#[derive(Debug, Clone)]
pub struct Means {
    /// Carries requests for tokens.
    pub transport: Arc<dyn HttpTransport>,
    /// Keeps the time.
    pub runtime: Arc<dyn Runtime>,
}

/// Gives tokens: an authority that is asked, a vault, a file.
///
/// # Contract
/// * It keeps nothing: whoever asks it keeps what it may keep, and does not ask again while an answer is under way.
/// * No error repeats a secret.
/// * Where asking again helps, the error says so ([`ModelError::retryable`]); all else is taken for final, for a while.
///
/// ```
/// use mosaic_core::ModelError;
/// use mosaic_providers::credentials::{Credential, Means, Token, TokenSource};
///
/// /// Asks the daemon that every machine of ours runs.
/// struct Daemon;
///
/// #[async_trait::async_trait]
/// impl TokenSource for Daemon {
///     async fn token(&self, with: &Means) -> Result<Token, ModelError> {
///         // Here it is asked, with `with.transport`.
///         Ok(Token::new("a token").expires_in(std::time::Duration::from_secs(600)))
///     }
/// }
///
/// let credential = Credential::new(Daemon);
/// # let _ = credential;
/// ```
#[async_trait::async_trait]
pub trait TokenSource: Send + Sync {
    /// A new token.
    ///
    /// # Errors
    /// `auth` when there is none to be had, saying what to do; else what asking for it failed with.
    async fn token(&self, with: &Means) -> Result<Token, ModelError>;
}
