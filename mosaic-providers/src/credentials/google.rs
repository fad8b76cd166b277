//! Key files of Google: what `GOOGLE_APPLICATION_CREDENTIALS` names.
//!
//! | `type` | what it holds | how it pays |
//! | --- | --- | --- |
//! | `service_account` | a private key | an assertion signed with it is exchanged for a token (feature `service-account`) |
//! | `authorized_user` | a refresh token, of `gcloud auth application-default login` | [`OAuth::refresh_token`] |
//! | others | | are refused, with what to do |
//!
//! Source: <https://cloud.google.com/docs/authentication/application-default-credentials>

#[cfg(feature = "service-account")]
mod account;
#[cfg(feature = "service-account")]
mod jwt;
#[cfg(test)]
mod tests;

#[cfg(feature = "service-account")]
pub use account::ServiceAccount;

use mosaic_core::{ErrorKind, ModelError};
use serde::Deserialize;

use super::credential::Credential;
use super::oauth::{ClientAuth, OAuth};

/// Where a refresh token of a user is exchanged; files of users do not name it.
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

/// The members of a key file that are of use here.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct KeyFile {
    r#type: String,
    client_id: String,
    client_secret: String,
    refresh_token: String,
    #[cfg(feature = "service-account")]
    #[serde(flatten)]
    account: account::Members,
}

impl Credential {
    /// Pays with a key file of Google's, given as its text: of a service account, or of a user who signed in with `gcloud`.
    ///
    /// # Errors
    /// `auth` for a file that cannot be used, `unsupported` for one of another type; both say what to do, and neither repeats
    /// what is in it.
    pub fn google(key_file: &str) -> Result<Self, ModelError> {
        let file: KeyFile = serde_json::from_str(key_file).map_err(|error| {
            // The place, never the text.
            let (line, column) = (error.line(), error.column());
            unusable(&format!("it is not the JSON that Google hands out (line {line}, column {column})"))
        })?;
        match file.r#type.as_str() {
            "authorized_user" => {
                if file.client_id.is_empty() || file.refresh_token.is_empty() {
                    return Err(unusable("it has no `client_id` or no `refresh_token`"));
                }
                let user = OAuth::refresh_token(TOKEN_URL, file.client_id, file.refresh_token);
                // Google documents it in the form.
                Ok(Self::new(user.client_secret(file.client_secret).client_auth(ClientAuth::Body)))
            }
            #[cfg(feature = "service-account")]
            "service_account" => Ok(Self::new(ServiceAccount::of(file.account)?)),
            #[cfg(not(feature = "service-account"))]
            "service_account" => Err(ModelError::new(
                ErrorKind::Unsupported,
                "keys of service accounts need the feature `service-account` of `mosaic-providers`",
            )),
            _ => Err(ModelError::new(
                ErrorKind::Unsupported,
                "of Google's key files those of type `service_account` and `authorized_user` can be used; for any other give \
                 the provider a credential of your own (`Credential::from_fn`)",
            )),
        }
    }

    /// The same out of a file.
    ///
    /// # Errors
    /// `auth` for a file that cannot be read, and as [`google`](Self::google).
    pub(crate) fn google_file(path: &str) -> Result<Self, ModelError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            ModelError::new(ErrorKind::Auth, format!("the key file `{path}` cannot be read: {error}"))
        })?;
        Self::google(&text)
    }
}

fn unusable(why: &str) -> ModelError {
    ModelError::new(ErrorKind::Auth, format!("the key file cannot be used: {why}; have a new one made"))
}
