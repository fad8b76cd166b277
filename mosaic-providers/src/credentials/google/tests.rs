use std::sync::Arc;

use mosaic_core::ErrorKind;
use mosaic_core::testing::{Reply, ScriptedTransport, TestRuntime};
use serde_json::{Value, json};

use super::*;

/// Made for these tests.
const KEY: &str = include_str!("testdata/key.pem");

fn service_account() -> Value {
    json!({
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "kid-1",
        "private_key": KEY,
        "client_email": "robot@p.iam.example",
        "token_uri": "https://oauth2.example/token",
    })
}

/// The form of the request that a credential makes.
async fn form(credential: Credential) -> (String, String) {
    let transport = ScriptedTransport::new([Reply::ok(r#"{"access_token":"a","expires_in":3599}"#)]);
    let by = credential.over(Arc::new(transport.clone()), Arc::new(TestRuntime::new(1)));
    by.authenticate(&mut mosaic_core::HttpRequest::default(), TestRuntime::START).await.unwrap();
    let request = transport.requests().remove(0);
    (request.url.clone(), String::from_utf8(request.body_bytes().to_vec()).unwrap())
}

#[cfg(feature = "service-account")]
#[tokio::test]
async fn a_service_account_sends_an_assertion_that_its_public_key_confirms() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
    use rustls_pki_types::pem::PemObject;

    let (url, form) = form(Credential::google(&service_account().to_string()).unwrap()).await;
    assert_eq!(url, "https://oauth2.example/token");
    let assertion = form
        .strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=")
        .unwrap();
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let json = |text: &str| serde_json::from_slice::<Value>(&decode(text)).unwrap();
    assert_eq!(json(header), json!({"alg": "RS256", "typ": "JWT", "kid": "kid-1"}));
    let iat = TestRuntime::START.0 / 1000;
    assert_eq!(
        json(claims),
        json!({
            "iss": "robot@p.iam.example",
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "aud": "https://oauth2.example/token",
            "iat": iat,
            "exp": iat + 3600,
        })
    );
    let der = rustls_pki_types::PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key())
        .verify(signed.as_bytes(), &decode(signature))
        .unwrap();
}

#[tokio::test]
async fn a_user_of_gcloud_pays_with_a_refresh_token() {
    let file = json!({
        "type": "authorized_user",
        "client_id": "app",
        "client_secret": "cs",
        "refresh_token": "1//rt",
    });
    let (url, form) = form(Credential::google(&file.to_string()).unwrap()).await;
    assert_eq!(url, "https://oauth2.googleapis.com/token");
    assert_eq!(form, "grant_type=refresh_token&refresh_token=1%2F%2Frt&client_id=app&client_secret=cs");
}

#[cfg(feature = "service-account")]
#[test]
fn a_file_that_cannot_be_used_is_refused_and_not_repeated() {
    let with = |name: &str, value: &str| {
        let mut file = service_account();
        file[name] = value.into();
        file.to_string()
    };
    let secret = KEY.lines().nth(1).unwrap();
    let cut = KEY.replacen(secret, &format!("!{secret}"), 1);
    for (file, kind) in [
        (format!("{{ {secret}"), ErrorKind::Auth),
        (json!({"type": "authorized_user", "refresh_token": secret}).to_string(), ErrorKind::Auth),
        (json!({"type": {"a": secret}}).to_string(), ErrorKind::Auth),
        (with("type", "external_account"), ErrorKind::Unsupported),
        (with("client_email", ""), ErrorKind::Auth),
        (with("private_key", &cut), ErrorKind::Auth),
        (with("private_key", &KEY.replace("PRIVATE KEY", "RSA PRIVATE KEY")), ErrorKind::Auth),
        (with("private_key", secret), ErrorKind::Auth),
    ] {
        let error = Credential::google(&file).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
}

#[cfg(feature = "service-account")]
#[test]
fn a_service_account_does_not_show_its_key() {
    let account = ServiceAccount::from_json(&service_account().to_string()).unwrap();
    let shown = format!("{account:?}");
    assert!(
        shown.contains("robot@p.iam.example") && !KEY.lines().any(|line| shown.contains(line)),
        "{shown}"
    );
}

#[cfg(not(feature = "service-account"))]
#[test]
fn a_build_without_signatures_says_which_feature_a_service_account_needs() {
    let error = Credential::google(&service_account().to_string()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("`service-account`"), "{error}");
}
