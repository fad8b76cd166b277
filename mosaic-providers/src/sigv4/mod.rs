//! Signature Version 4 of AWS: a request is paid for with a signature over itself.
//!
//! ```text
//! request ─ canonical form ─ SHA-256 ┐
//! time, region, service ─────────────┴ string to sign ┐
//! secret ─ key of the day, region and service ────────┴ HMAC ─ `authorization`
//! ```
//!
//! | file | what |
//! | --- | --- |
//! | `canonical` | the canonical form: pure text |
//! | `sign` | the string to sign, the key, the signature |
//! | `credentials` | who signs, and where that is from: fixed, the environment, a host's function |
//! | `region` | a region's name, checked: it becomes part of a host name |
//! | `time` | a time as the signature writes it |
//!
//! ```
//! use mosaic_core::Auth;
//! use mosaic_providers::sigv4::{Credentials, Region, SigV4};
//!
//! let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI");
//! let auth = Auth::By(std::sync::Arc::new(SigV4::new("bedrock", Region::new("eu-central-1")?, credentials)));
//! assert!(!format!("{auth:?}").contains("wJalrXUtnFEMI"));
//! # Ok::<(), mosaic_core::ModelError>(())
//! ```
//!
//! Signed are `host`, `content-type`, all `x-amz-` headers and the body. Other headers may be changed on the way by a
//! proxy without breaking the signature. The signature is good for minutes around the time of the [`Runtime`], so a
//! machine whose clock is wrong is refused.
//!
//! [`Runtime`]: mosaic_core::Runtime
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

mod canonical;
mod credentials;
mod region;
mod sign;
#[cfg(test)]
mod tests;
mod time;

pub(crate) use canonical::encode;
pub use credentials::{CredentialSource, Credentials};
pub use region::Region;

use std::fmt;
use std::sync::Arc;

use mosaic_core::{Authenticator, ErrorKind, HttpRequest, ModelError, Timestamp};
use secrecy::ExposeSecret;

use self::canonical::Target;

/// Signs requests to one service in one region.
pub struct SigV4 {
    service: &'static str,
    region: Region,
    source: Arc<dyn CredentialSource>,
}

impl SigV4 {
    /// With credentials that stay, or with a source of credentials.
    pub fn new(service: &'static str, region: Region, source: impl CredentialSource + 'static) -> Self {
        Self { service, region, source: Arc::new(source) }
    }
}

#[async_trait::async_trait]
impl Authenticator for SigV4 {
    async fn authenticate(&self, request: &mut HttpRequest, now: Timestamp) -> Result<(), ModelError> {
        let credentials = self.source.credentials(now).await?;
        let target = Target::of(&request.url).ok_or_else(|| {
            ModelError::new(
                ErrorKind::InvalidRequest,
                "a request to AWS cannot be signed: its address is no `https://host/path`",
            )
        })?;
        let time = time::Stamp::of(now);
        request.headers.push("x-amz-date", time.full());
        if let Some(token) = &credentials.session_token {
            request.headers.push_secret("x-amz-security-token", token.clone());
        }
        let mut headers = vec![("host".to_owned(), target.host.clone())];
        for header in request.headers.iter() {
            let name = header.name.to_ascii_lowercase();
            if name == "content-type" || name.starts_with("x-amz-") {
                headers.push((name, header.expose().to_owned()));
            }
        }
        let form = canonical::form(request.method.as_str(), &target, headers, &request.body);
        let scope = sign::Scope { time: &time, region: self.region.as_str(), service: self.service };
        let line = sign::authorization(&form, &scope, &credentials);
        request.headers.push_secret("authorization", line.expose_secret());
        Ok(())
    }
}

/// The source is not shown: a host's own may say its secrets.
impl fmt::Debug for SigV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigV4")
            .field("service", &self.service)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
