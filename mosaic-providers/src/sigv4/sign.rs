//! The string to sign, the key for it, and the signature.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::canonical::{Form, hex};
use super::credentials::Credentials;
use super::time::Stamp;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a signature is good for.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) time: &'a Stamp,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl Scope<'_> {
    fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.time.day(), self.region, self.service)
    }
}

/// The value of `authorization`.
pub(super) fn authorization(form: &Form, scope: &Scope<'_>, credentials: &Credentials) -> SecretString {
    let signature = signature(form, scope, credentials);
    let (id, names, scope) = (&credentials.access_key_id, &form.signed_headers, scope.text());
    format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}").into()
}

/// The signature alone.
pub(super) fn signature(form: &Form, scope: &Scope<'_>, credentials: &Credentials) -> String {
    let hash = hex(&Sha256::digest(form.text.as_bytes()));
    let text = format!("{ALGORITHM}\n{}\n{}\n{hash}", scope.time.full(), scope.text());
    hex(&hmac(&key(scope, credentials), &text))
}

/// The key of that day, region and service.
fn key(scope: &Scope<'_>, credentials: &Credentials) -> [u8; 32] {
    let secret: SecretString = format!("AWS4{}", credentials.secret_access_key.expose_secret()).into();
    let steps = [scope.time.day(), scope.region, scope.service, "aws4_request"];
    let [day, rest @ ..] = steps;
    rest.iter().fold(hmac(secret.expose_secret().as_bytes(), day), |key, step| hmac(&key, step))
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    // HMAC takes keys of any length; there is no other error.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return [0; 32] };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
pub(super) fn key_of(scope: &Scope<'_>, credentials: &Credentials) -> String {
    hex(&key(scope, credentials))
}
