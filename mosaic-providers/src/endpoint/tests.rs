use std::sync::Arc;

use mosaic_core::testing::{Reply, ScriptedTransport, TestRuntime};
use mosaic_core::{
    Auth, ChatModel, Delivery, Encodable, ErrorKind, Group, ModelCall, ModelInfo, ModelParams,
};
use mosaic_core::{ModelRequest, ModelSource, Origin, Part, Profile, ToolChoice};

use crate::credentials::{Credential, OAuth, Place};

use super::{AuthScheme, Endpoint, Providers, address, known};

#[test]
fn every_row_can_be_asked_and_names_are_in_order() {
    for row in known() {
        // Addresses are set where they are asked for, and projects and regions are words.
        let variable = |name: &str| {
            Some(
                match name {
                    _ if name.starts_with("GOOGLE_CLOUD") => "p",
                    _ if name.ends_with("REGION") => "eu-central-1",
                    _ => "http://key",
                }
                .to_owned(),
            )
        };
        let endpoint = Endpoint::known(row.name, variable).unwrap();
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
fn gemini_takes_its_key_from_either_variable_and_the_first_counts() {
    let auth = |set: &'static [(&'static str, &'static str)]| {
        let variable =
            move |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Endpoint::known("gemini", variable)
    };
    assert!(auth(&[("GOOGLE_API_KEY", "k")]).is_ok() && auth(&[("GEMINI_API_KEY", "k")]).is_ok());
    assert!(auth(&[]).unwrap_err().message.contains("GEMINI_API_KEY"));
}

#[test]
fn vertex_is_addressed_by_project_and_location() {
    let with = |location: Option<&'static str>| {
        let variable = move |name: &str| match name {
            "GOOGLE_CLOUD_PROJECT" => Some("p".to_owned()),
            "GOOGLE_CLOUD_LOCATION" => location.map(str::to_owned),
            "GOOGLE_OAUTH_ACCESS_TOKEN" => Some("t".to_owned()),
            _ => None,
        };
        Endpoint::known("vertex", variable).unwrap().base_url().to_owned()
    };
    let path = |location: &str| format!("/v1beta1/projects/p/locations/{location}/publishers/google");
    assert_eq!(with(None), format!("https://aiplatform.googleapis.com{}", path("global")));
    assert_eq!(
        with(Some("us-central1")),
        format!("https://us-central1-aiplatform.googleapis.com{}", path("us-central1"))
    );
    assert_eq!(with(Some("eu")), format!("https://aiplatform.eu.rep.googleapis.com{}", path("eu")));
    assert_eq!(Endpoint::vertex("p", "us-central1").base_url(), with(Some("us-central1")));
    let token = |name: &str| (name == "GOOGLE_OAUTH_ACCESS_TOKEN").then(|| "t".to_owned());
    let error = Endpoint::known("vertex", token).unwrap_err();
    assert!(error.message.contains("GOOGLE_CLOUD_PROJECT"), "{error}");
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

/// Where a request of that endpoint goes.
fn url(endpoint: &Endpoint) -> String {
    let codec = &endpoint.codec;
    let origin = Origin { api: codec.api().into(), provider: "p".into(), model: "m".into() };
    let request = Encodable {
        base_url: endpoint.base_url(),
        profile: &Profile { origin, info: ModelInfo::new("p", "m") },
        instructions: "",
        fragments: &[],
        tools: None,
        tool_choice: &ToolChoice::Auto,
        output: None,
        params: &ModelParams::default(),
        delivery: Delivery::Streamed,
    };
    codec.encode(&request).unwrap().url
}

#[test]
fn addresses_that_can_be_asked_have_no_problem() {
    for fine in [
        "http://127.0.0.1:8080/v1",
        "https://host",
        "HTTPS://user:pass@host:1/x",
        "http://[::1]:8080/v1",
        "http://[::1]",
        "https://a.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
        "http://köln.example/v1",
    ] {
        assert_eq!(address::problem(fine), None, "{fine}");
    }
    for row in known().iter().filter(|row| !row.base_url.is_empty()) {
        assert_eq!(address::problem(row.base_url), None, "{}", row.name);
    }
}

#[test]
fn what_is_wrong_with_an_address_is_told() {
    for (wrong, says) in [
        ("", "it is empty"),
        ("127.0.0.1:8080/v1", "does not begin with `http://`"),
        ("host/v1", "does not begin with `http://`"),
        ("ftp://host/v1", "its scheme is `ftp`"),
        ("htp://host/v1", "its scheme is `htp`"),
        ("http://a host/v1", "a blank"),
        ("http://host/v1\n/x", "a blank"),
        ("http:///v1", "names no host"),
        ("http://:8080", "names no host"),
        ("http://user@/v1", "names no host"),
        ("http://host:port/v1", "its port"),
        ("http://host:99999", "its port"),
        ("http://host:0", "its port"),
        ("http://host/v1#x", "no address has"),
    ] {
        let error = Endpoint::compatible("lab", wrong).check().unwrap_err();
        assert_eq!(
            (error.kind, error.provider.as_deref()),
            (ErrorKind::InvalidRequest, Some("lab")),
            "{wrong}"
        );
        assert!(error.message.contains(says) && error.message.contains("https://host/v1"), "{error}");
        assert!(!error.retryable);
    }
    // Blanks around it are no part of it.
    assert_eq!(Endpoint::compatible("lab", " http://host/v1/ \n").base_url(), "http://host/v1");
}

#[tokio::test]
async fn a_model_at_a_wrong_address_fails_before_anything_is_sent() {
    let transport = Arc::new(ScriptedTransport::new([]));
    let model = Endpoint::compatible("lab", "http://host/v1").at("localhost:8080").model(
        "m",
        transport,
        Arc::new(TestRuntime::new(1)),
    );
    let groups = Arc::new(vec![Group::user(vec![Part::text("Hi")])]);
    let call = ModelCall::new(ModelRequest { groups, ..ModelRequest::default() });
    let error = model.stream(call).await.err().unwrap();
    assert_eq!((error.kind, error.provider.as_deref()), (ErrorKind::InvalidRequest, Some("lab")));
    assert!(error.message.contains("does not begin with `http://`"), "{error}");
}

#[test]
fn a_wrong_address_is_told_when_a_model_is_resolved() {
    let providers = |value: &'static str| {
        let transport = Arc::new(ScriptedTransport::new([]));
        let variable = move |name: &str| (name == "VLLM_BASE_URL").then(|| value.to_owned());
        Providers::new(variable, transport, Arc::new(TestRuntime::new(1)))
            .with(Endpoint::compatible("lab", "nowhere"))
    };
    let error = providers("sk-secret").resolve(&"vllm:m".parse().unwrap()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    assert!(error.message.contains("VLLM_BASE_URL") && !error.message.contains("sk-secret"), "{error}");
    assert!(providers("http://gpu:8000/v1").resolve(&"vllm:m".parse().unwrap()).is_ok());
    let own = providers("").resolve(&"lab:m".parse().unwrap()).unwrap_err();
    assert_eq!(own.kind, ErrorKind::InvalidRequest);
}

#[test]
fn what_an_address_holds_of_secrets_does_not_show() {
    let endpoint = Endpoint::compatible("lab", "https://me:secret@host/v1?key=secret");
    let shown = format!("{endpoint:?}");
    assert!(shown.contains("https://host/v1") && !shown.contains("secret"), "{shown}");
    assert!(!format!("{:?}", Endpoint::compatible("lab", "secret")).contains("secret"));
}

#[test]
fn a_query_stays_behind_the_path() {
    let base = "https://r.openai.azure.com/openai/deployments/gpt?api-version=2024-10-21";
    let expected =
        "https://r.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21";
    assert_eq!(url(&Endpoint::compatible("azure", base)), expected);
    let anthropic = Endpoint::known("anthropic", |_| Some("http://key".to_owned())).unwrap();
    assert_eq!(url(&anthropic.at("https://proxy/a?x=1")), "https://proxy/a/v1/messages?x=1");
}

#[test]
fn azure_is_found_by_its_resource() {
    let variables = |endpoint: &'static str| {
        move |name: &str| match name {
            "AZURE_OPENAI_API_KEY" => Some("k".to_owned()),
            "AZURE_OPENAI_ENDPOINT" => Some(endpoint.to_owned()),
            _ => None,
        }
    };
    let azure = Endpoint::known("azure", variables("https://r.openai.azure.com/")).unwrap();
    assert_eq!(url(&azure), "https://r.openai.azure.com/openai/v1/chat/completions");
    assert!(matches!(&azure.auth, Auth::Header { name, .. } if name == "api-key"));
    let older = "https://r.openai.azure.com/openai/deployments/gpt?api-version=2024-10-21";
    assert_eq!(Endpoint::known("azure", variables(older)).unwrap().base_url(), older);
    // It has no address of its own.
    let error = Endpoint::known("azure", variables(" ")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    assert!(error.message.contains("AZURE_OPENAI_ENDPOINT"), "{error}");
}

#[test]
fn ollama_is_found_as_its_own_client_finds_it() {
    for (host, base_url) in [
        ("127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("[::]:8080", "http://127.0.0.1:8080"),
        ("[::1]", "http://[::1]:11434"),
        (":8080", "http://127.0.0.1:8080"),
        ("box", "http://box:11434"),
        ("https://box/ollama/", "https://box/ollama"),
        ("http://box:1", "http://box:1"),
    ] {
        let variable = move |name: &str| (name == "OLLAMA_HOST").then(|| host.to_owned());
        let native = Endpoint::known("ollama", variable).unwrap();
        assert_eq!((native.base_url(), native.codec.api()), (base_url, "ollama"));
        let compatible = Endpoint::known("ollama-chat", variable).unwrap();
        assert_eq!(
            (compatible.base_url(), compatible.codec.api()),
            (&*format!("{base_url}/v1"), "openai-chat")
        );
    }
    // The variable of the compatible API serves both.
    let variable = |name: &str| (name == "OLLAMA_BASE_URL").then(|| "http://box:1/v1".to_owned());
    assert_eq!(url(&Endpoint::known("ollama", variable).unwrap()), "http://box:1/api/chat");
    assert_eq!(url(&Endpoint::known("ollama-chat", variable).unwrap()), "http://box:1/v1/chat/completions");
    assert_eq!(url(&Endpoint::known("ollama", |_| None).unwrap()), "http://127.0.0.1:11434/api/chat");
}

#[test]
fn a_server_of_ones_own_takes_a_key_if_there_is_one() {
    let key = |name: &str| (name == "VLLM_API_KEY").then(|| "k".to_owned());
    assert!(matches!(Endpoint::known("vllm", |_| None).unwrap().auth, Auth::None));
    assert!(matches!(Endpoint::known("vllm", key).unwrap().auth, Auth::Bearer(_)));
}

#[test]
fn the_apis_of_the_table_are_those_of_the_codecs() {
    let api = |name: &str| Endpoint::known(name, |_| Some("http://key".to_owned())).unwrap().codec.api();
    assert_eq!(
        ["anthropic", "azure", "cohere", "mistral", "ollama"].map(api),
        ["anthropic-messages", "openai-chat", "cohere", "mistral", "ollama"]
    );
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

/// What the requests of some models are paid with, by the host of their address.
async fn paid(providers: &Providers, transport: &ScriptedTransport, models: &[&str]) -> Vec<String> {
    for name in models {
        let model = providers.resolve(&name.parse().unwrap()).unwrap();
        drop(model.stream(ModelCall::new(ModelRequest::default())).await.unwrap());
    }
    let line = |request: mosaic_core::HttpRequest| {
        let secret = request.headers.iter().find(|line| line.is_secret());
        let secret = secret.map(|line| format!("{}: {}", line.name, line.expose())).unwrap_or_default();
        format!("{} {secret}", request.url.split('/').nth(2).unwrap_or_default())
    };
    transport.requests().into_iter().map(line).collect()
}

fn providers(variables: &'static [(&'static str, &'static str)], transport: &ScriptedTransport) -> Providers {
    let variable =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Providers::new(variable, Arc::new(transport.clone()), Arc::new(TestRuntime::new(1)))
}

#[tokio::test]
async fn a_credential_pays_for_a_row_in_its_scheme_and_for_the_hosts_own() {
    let key = || Credential::from_fn(|| async { Ok::<_, mosaic_core::ModelError>("k") });
    let transport = ScriptedTransport::from_fn(|_| Reply::ok(""));
    let providers = providers(&[("AWS_REGION", "eu-central-1"), ("OPENAI_API_KEY", "no")], &transport)
        .with(Endpoint::compatible("lab", "http://lab/v1"))
        .credential("anthropic", key())
        .credential("bedrock", key())
        .credential("lab", key())
        .credential("openai", key().place(Place::Header("api-key".into())));
    assert_eq!(
        paid(&providers, &transport, &["anthropic:m", "bedrock:m", "lab:m", "openai:m"]).await,
        [
            "api.anthropic.com x-api-key: k",
            "bedrock-runtime.eu-central-1.amazonaws.com authorization: Bearer k",
            "lab authorization: Bearer k",
            "api.openai.com api-key: k",
        ]
    );
}

#[tokio::test]
async fn models_of_a_provider_share_a_token() {
    let transport = ScriptedTransport::from_fn(|_| Reply::ok(r#"{"access_token":"at"}"#));
    let token = OAuth::client_credentials("https://login/token", "app", "secret");
    let providers = providers(&[], &transport).credential("openai", Credential::new(token));
    assert_eq!(
        paid(&providers, &transport, &["openai:a", "openai:b"]).await,
        [
            "login authorization: Basic YXBwOnNlY3JldA==",
            "api.openai.com authorization: Bearer at",
            "api.openai.com authorization: Bearer at",
        ]
    );
}

#[tokio::test]
async fn vertex_pays_by_a_key_file_where_there_is_no_token() {
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/credentials/google/testdata/user.json");
    const PROJECT: (&str, &str) = ("GOOGLE_CLOUD_PROJECT", "p");
    let transport = ScriptedTransport::from_fn(|_| Reply::ok(r#"{"access_token":"at"}"#));
    let by_file = providers(&[PROJECT, ("GOOGLE_APPLICATION_CREDENTIALS", FILE)], &transport);
    assert_eq!(
        paid(&by_file, &transport, &["vertex:a", "vertex:b"]).await,
        [
            "oauth2.googleapis.com ",
            "aiplatform.googleapis.com authorization: Bearer at",
            "aiplatform.googleapis.com authorization: Bearer at",
        ]
    );
    let transport = ScriptedTransport::from_fn(|_| Reply::ok(""));
    let by_token = providers(
        &[PROJECT, ("GOOGLE_APPLICATION_CREDENTIALS", FILE), ("GOOGLE_OAUTH_ACCESS_TOKEN", "mine")],
        &transport,
    );
    let expected = ["aiplatform.googleapis.com authorization: Bearer mine"];
    assert_eq!(paid(&by_token, &transport, &["vertex:a"]).await, expected);

    let name = "vertex:a".parse().unwrap();
    let error = providers(&[PROJECT], &transport).resolve(&name).unwrap_err();
    assert!(error.message.contains("GOOGLE_APPLICATION_CREDENTIALS"), "{error}");
    let missing = providers(&[PROJECT, ("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file")], &transport);
    let error = missing.resolve(&name).unwrap_err();
    assert_eq!((error.kind, error.provider.as_deref()), (ErrorKind::Auth, Some("vertex")));
    assert!(error.message.contains("/no/such/file"), "{error}");
}

#[tokio::test]
async fn embedders_are_paid_for_as_models_are() {
    use mosaic_core::{EmbedderExt, EmbedderSource, Purpose};
    let transport = ScriptedTransport::new([
        Reply::ok(r#"{"access_token":"at"}"#),
        Reply::status(401),
        Reply::ok(r#"{"access_token":"at-2"}"#),
        Reply::ok(r#"{"data":[{"index":0,"embedding":[0.6,0.8]}]}"#),
    ]);
    let token = || OAuth::client_credentials("https://login/token", "app", "secret");
    let providers = providers(&[], &transport).credential("mistral", Credential::new(token()));
    let embedder = providers.embedder(&"mistral:mistral-embed".parse().unwrap()).unwrap();
    embedder.embed_one("rain", Purpose::Query).await.unwrap();
    let last = transport.requests().pop().unwrap();
    assert!(last.headers.iter().any(|line| line.expose() == "Bearer at-2"));
}
