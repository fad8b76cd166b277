//! How a request is paid for.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::transport::Headers;

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

    pub(super) fn apply(&self, headers: &mut Headers) {
        match self {
            Self::None => {}
            Self::Bearer(key) => {
                headers.push_secret("authorization", format!("Bearer {}", key.expose_secret()));
            }
            Self::Header { name, value } => headers.push_secret(name.clone(), value.clone()),
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bearer(_) => f.write_str("Bearer([secret])"),
            Self::Header { name, .. } => write!(f, "Header({name}: [secret])"),
        }
    }
}
