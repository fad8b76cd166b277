use std::sync::Arc;

use mosaic_core::testing::{ScriptedTransport, TestRuntime};
use mosaic_core::{ErrorKind, ModelSource};

use super::{AuthScheme, Endpoint, Providers, known};

#[test]
fn every_row_can_be_asked_and_names_are_in_order() {
    for row in known() {
        let endpoint = Endpoint::known(row.name, |name| {
            Some(if name.ends_with("REGION") { "eu-central-1" } else { "http://key" }.to_owned())
        })
        .unwrap();
        assert!(!endpoint.base_url().ends_with('/'));
        assert_eq!(row.key_variable.is_none(), row.auth == AuthScheme::None, "{}", row.name);
    }
    assert!(known().is_sorted_by_key(|row| row.name));
}

#[test]
fn a_blank_key_is_a_missing_key() {
    let error = Endpoint::known("anthropic", |_| Some(" ".to_owned())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.contains("ANTHROPIC_API_KEY"));
}

#[test]
fn an_unknown_provider_is_told_the_known_ones() {
    let error = Endpoint::known("opnai", |_| None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.contains("openai, openrouter"));
}

#[test]
fn an_address_of_the_environment_counts_more_than_the_tables() {
    let own = |name: &str| (name == "LLAMACPP_BASE_URL").then(|| "http://box:9/v1/".to_owned());
    assert_eq!(Endpoint::known("llamacpp", own).unwrap().base_url(), "http://box:9/v1");
}

#[test]
fn the_hosts_own_endpoint_goes_before_the_tables() {
    let transport = Arc::new(ScriptedTransport::new([]));
    let providers = Providers::new(|_| None, transport, Arc::new(TestRuntime::new(1)))
        .with(Endpoint::compatible("openai", "http://127.0.0.1:1"));
    let model = providers.resolve(&"openai:m".parse().unwrap()).unwrap();
    assert_eq!(&*model.info().model, "m");
    assert_eq!(providers.resolve(&"xai:m".parse().unwrap()).unwrap_err().kind, ErrorKind::Auth);
}

#[test]
fn a_key_does_not_show() {
    let key = |name: &str| (name == "OPENAI_API_KEY").then(|| "sk-secret".to_owned());
    let endpoint = Endpoint::known("openai", key).unwrap();
    assert!(!format!("{endpoint:?}").contains("sk-secret"));
}

#[test]
fn bedrock_is_paid_for_with_a_key_or_a_signature_in_a_region() {
    let of = |set: &'static [(&str, &str)]| {
        Endpoint::known("bedrock", |name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    };
    let signed = of(&[
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "hidden"),
    ])
    .unwrap();
    assert_eq!(signed.base_url(), "https://bedrock-runtime.eu-central-1.amazonaws.com");
    let shown = format!("{signed:?}");
    assert!(shown.contains("SigV4") && !shown.contains("hidden"), "{shown}");
    let key = of(&[("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_BEARER_TOKEN_BEDROCK", "hidden")]).unwrap();
    assert_eq!(key.base_url(), "https://bedrock-runtime.us-east-1.amazonaws.com");
    assert!(format!("{key:?}").contains("Bearer([secret])"));
    let proxy = of(&[("AWS_BEARER_TOKEN_BEDROCK", "k"), ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://box/")])
        .unwrap();
    assert_eq!(proxy.base_url(), "http://box");

    let failed = |set| {
        let error = of(set).unwrap_err();
        assert_eq!(error.provider.as_deref(), Some("bedrock"));
        (error.kind, error.message)
    };
    let (kind, says) = failed(&[("AWS_BEARER_TOKEN_BEDROCK", "k")]);
    assert!(kind == ErrorKind::InvalidRequest && says.contains("AWS_REGION"), "{says}");
    let (kind, says) = failed(&[("AWS_REGION", "evil.example/"), ("AWS_BEARER_TOKEN_BEDROCK", "k")]);
    assert!(kind == ErrorKind::InvalidRequest && says.contains("is no AWS region"), "{says}");
    let (kind, says) = failed(&[("AWS_REGION", "eu-central-1")]);
    assert!(
        kind == ErrorKind::Auth
            && says.contains("AWS_ACCESS_KEY_ID")
            && says.contains("AWS_BEARER_TOKEN_BEDROCK"),
        "{says}"
    );
}
