//! Providers of AWS: an address for each region, and a signature where there is no key.
//!
//! ```text
//! AWS_BEARER_TOKEN_BEDROCK                      a key of Bedrock's; counts more than credentials
//! AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,     credentials; the token where they are of a role
//!   AWS_SESSION_TOKEN
//! AWS_REGION, AWS_DEFAULT_REGION                part of the address, and of the signature
//! AWS_ENDPOINT_URL_BEDROCK_RUNTIME              another address
//! ```
//!
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html>

use std::sync::Arc;

use mosaic_core::{Auth, Authenticator, ErrorKind, ModelError};

use super::{Endpoint, Known};
use crate::bedrock::Bedrock;
use crate::sigv4::{Credentials, Region, SigV4};

/// What is signed for, as AWS names it.
const SERVICE: &str = "bedrock";

impl Endpoint {
    /// Amazon Bedrock in that region, paid for with a signature. `credentials` are fixed ones, or a host's source of them.
    /// With a key of Bedrock's: `.auth(Auth::bearer(key))` behind it.
    ///
    /// ```
    /// use mosaic_providers::endpoint::Endpoint;
    /// use mosaic_providers::sigv4::{Credentials, Region};
    ///
    /// let bedrock = Endpoint::bedrock(Region::new("eu-central-1")?, Credentials::new("AKIDEXAMPLE", "secret"));
    /// assert_eq!(bedrock.base_url(), "https://bedrock-runtime.eu-central-1.amazonaws.com");
    /// # Ok::<(), mosaic_core::ModelError>(())
    /// ```
    pub fn bedrock(region: Region, credentials: impl crate::sigv4::CredentialSource + 'static) -> Self {
        let base_url = format!("https://bedrock-runtime.{region}.amazonaws.com");
        let signer: Arc<dyn Authenticator> = Arc::new(SigV4::new(SERVICE, region, credentials));
        Self::new("bedrock", base_url, Arc::new(Bedrock::default())).auth(Auth::By(signer))
    }
}

/// A row of the table, with what the environment says.
pub(super) fn endpoint(
    row: &Known,
    variable: &dyn Fn(&str) -> Option<String>,
    given: Option<Auth>,
) -> Result<Endpoint, ModelError> {
    let named = |mut error: ModelError| {
        error.provider = Some(row.name.to_owned());
        error
    };
    let set =
        |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let key = given.or_else(|| row.key_variable.and_then(set).map(|key| row.auth.with(key)));
    let address = row.base_url_variable.and_then(set);
    // A key at another address needs no region.
    let region = match (&key, &address) {
        (Some(_), Some(_)) => None,
        _ => Some(Region::from_env(variable).map_err(named)?),
    };
    let base_url = match (address, &region) {
        (Some(address), _) => address,
        (None, Some(region)) => row.base_url.replace("{region}", region.as_str()),
        (None, None) => row.base_url.to_owned(),
    };
    let auth = match (key, region) {
        (Some(key), _) => key,
        (None, Some(region)) => {
            let credentials = Credentials::from_env(variable).map_err(|error| {
                let hint = row.key_variable.map(|key| format!(", or a key in {key}")).unwrap_or_default();
                named(ModelError::new(ErrorKind::Auth, format!("{}{hint}", error.message)))
            })?;
            Auth::By(Arc::new(SigV4::new(SERVICE, region, credentials)))
        }
        (None, None) => Auth::None,
    };
    let endpoint = Endpoint::new(row.name, base_url, (row.codec)()).auth(auth);
    endpoint.check().map(|()| endpoint)
}
