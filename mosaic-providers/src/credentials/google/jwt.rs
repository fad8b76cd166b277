//! A JSON Web Token, signed with RS256.
//!
//! Sources: <https://www.rfc-editor.org/rfc/rfc7515> section 3.1, <https://www.rfc-editor.org/rfc/rfc7518> section 3.3

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use secrecy::SecretString;
use serde::Serialize;

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

/// The claims, signed. `None` where the key cannot sign.
pub(super) fn sign(claims: &impl Serialize, key_id: Option<&str>, key: &RsaKeyPair) -> Option<SecretString> {
    let header = Header { alg: "RS256", typ: "JWT", kid: key_id };
    let mut token = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).ok()?);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims).ok()?, &mut token);
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature).ok()?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Some(token.into())
}
