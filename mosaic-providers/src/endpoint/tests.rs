use std::sync::Arc;

use mosaic_core::testing::{ScriptedTransport, TestRuntime};
use mosaic_core::{ErrorKind, ModelSource};

use super::{AuthScheme, Endpoint, Providers, known};

#[test]
fn every_row_can_be_asked_and_names_are_in_order() {
    for row in known() {
        let endpoint = Endpoint::known(row.name, |_| Some("http://key".to_owned())).unwrap();
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
    assert!(error.message.contains("openai, openai-responses, openrouter"));
}

#[test]
fn an_address_of_the_environment_counts_more_than_the_tables() {
    let own = |name: &str| (name == "LLAMACPP_BASE_URL").then(|| "http://box:9/v1/".to_owned());
    assert_eq!(Endpoint::known("llamacpp", own).unwrap().base_url(), "http://box:9/v1");
}

#[test]
fn a_provider_with_an_address_for_each_customer_says_where_to_put_it() {
    let key = |name: &str| (name == "AZURE_OPENAI_API_KEY").then(|| "k".to_owned());
    let error = Endpoint::known("azure-responses", key).unwrap_err();
    assert!(error.message.contains("AZURE_OPENAI_ENDPOINT"), "{error}");
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
