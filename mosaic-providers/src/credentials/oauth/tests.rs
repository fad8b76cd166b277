use std::sync::{Arc, Mutex};
use std::time::Duration;

use mosaic_core::testing::{Reply, ScriptedTransport, TestRuntime};
use mosaic_core::{ErrorKind, ModelError, TransportError};
use secrecy::ExposeSecret;

use super::*;

const URL: &str = "https://login.example/token";
const GRANTED: &str = r#"{"access_token":"at-1","token_type":"bearer","expires_in":3600}"#;

fn with(transport: &ScriptedTransport, runtime: &TestRuntime) -> Means {
    Means { transport: Arc::new(transport.clone()), runtime: Arc::new(runtime.clone()) }
}

async fn ask(source: &OAuth, reply: Reply) -> (Result<Token, ModelError>, ScriptedTransport) {
    let transport = ScriptedTransport::new([reply]);
    let token = source.token(&with(&transport, &TestRuntime::new(1))).await;
    (token, transport)
}

/// The form and the secret header of the only request.
fn sent(transport: &ScriptedTransport) -> (String, Vec<String>) {
    let request = transport.requests().remove(0);
    let secret = request.headers.iter().filter(|line| line.is_secret());
    let secret = secret.map(|line| format!("{}: {}", line.name, line.expose())).collect();
    (String::from_utf8(request.body_bytes().to_vec()).unwrap(), secret)
}

fn service() -> OAuth {
    OAuth::client_credentials(URL, "app 1", "s:ecret&more")
}

#[tokio::test]
async fn a_client_says_who_it_is_in_the_header_or_in_the_form() {
    let (token, transport) = ask(&service().scope("a b").param("audience", "x"), Reply::ok(GRANTED)).await;
    let token = token.unwrap();
    assert_eq!((token.secret.expose_secret(), token.lifetime), ("at-1", Some(Duration::from_secs(3600))));
    // base64 of `app%201:s%3Aecret%26more`
    let basic = "authorization: Basic YXBwJTIwMTpzJTNBZWNyZXQlMjZtb3Jl";
    assert_eq!(
        sent(&transport),
        ("grant_type=client_credentials&scope=a%20b&audience=x".into(), vec![basic.into()])
    );

    let (_, transport) = ask(&service().client_auth(ClientAuth::Body), Reply::ok(GRANTED)).await;
    let form = "grant_type=client_credentials&client_id=app%201&client_secret=s%3Aecret%26more";
    assert_eq!(sent(&transport), (form.into(), vec![]));

    let (_, transport) = ask(&OAuth::refresh_token(URL, "pub", "rt/1"), Reply::ok(GRANTED)).await;
    assert_eq!(
        sent(&transport),
        ("grant_type=refresh_token&refresh_token=rt%2F1&client_id=pub".into(), vec![])
    );
}

#[tokio::test]
async fn a_rotated_refresh_token_is_handed_out_and_used_from_then_on() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = {
        let told = told.clone();
        move |token: SecretString| {
            told.lock().unwrap().push(token.expose_secret().to_owned());
            std::future::ready(())
        }
    };
    let source = OAuth::refresh_token(URL, "app", "rt-1").on_rotated(hook);
    let rotated = |token: &str| Reply::ok(format!(r#"{{"access_token":"at","refresh_token":"{token}"}}"#));
    let transport = ScriptedTransport::new([rotated("rt-2"), rotated("rt-2"), Reply::ok(GRANTED)]);
    for _ in 0..3 {
        source.token(&with(&transport, &TestRuntime::new(1))).await.unwrap();
    }
    assert_eq!(*told.lock().unwrap(), ["rt-2"], "it is told once");
    let forms: Vec<_> = transport.requests().iter().map(|request| request.body_bytes()).collect();
    assert!(forms[0].ends_with(b"refresh_token=rt-1&client_id=app"), "{forms:?}");
    assert!(forms[1].ends_with(b"refresh_token=rt-2&client_id=app") && forms[1] == forms[2]);
}

#[tokio::test]
async fn a_host_that_does_not_come_back_with_a_refresh_token_delays_its_access_token_only() {
    let source = OAuth::refresh_token(URL, "app", "rt-1").on_rotated(|_| std::future::pending());
    let transport = ScriptedTransport::new([Reply::ok(r#"{"access_token":"at","refresh_token":"rt-2"}"#)]);
    let runtime = TestRuntime::new(1);
    let means = with(&transport, &runtime);
    let asked = tokio::spawn(async move { source.token(&means).await });
    runtime.advance(Duration::from_secs(10)).await;
    assert!(asked.is_finished());
    assert_eq!(asked.await.unwrap().unwrap().secret.expose_secret(), "at");
}

#[tokio::test]
async fn lifetimes_come_as_numbers_and_as_texts_and_may_be_missing() {
    for (member, expected) in [
        (r#","expires_in":"60""#, Some(60)),
        (r#","expires_in":60.0"#, Some(60)),
        (r#","expires_in":-1"#, None),
        (r#","expires_in":null"#, None),
        ("", None),
    ] {
        let (token, _) = ask(&service(), Reply::ok(format!(r#"{{"access_token":"a"{member}}}"#))).await;
        assert_eq!(token.unwrap().lifetime, expected.map(Duration::from_secs), "{member}");
    }
}

#[tokio::test]
async fn what_an_authority_refuses_has_a_kind_and_a_hint() {
    let error = |code: &str| format!(r#"{{"error":"{code}","error_description":"words"}}"#);
    for (status, body, kind, word) in [
        (400, error("invalid_grant"), ErrorKind::Auth, "sign in again"),
        (401, error("invalid_client"), ErrorKind::Auth, "id and secret"),
        (400, error("invalid_scope"), ErrorKind::Auth, "scope"),
        (200, error("bad_refresh_token"), ErrorKind::Auth, "bad_refresh_token: words"),
        (404, "<html>".to_owned(), ErrorKind::Auth, "address of the token endpoint"),
        (400, error("temporarily_unavailable"), ErrorKind::Overloaded, "later"),
        (429, String::new(), ErrorKind::RateLimited, "429"),
        (500, "<html>".to_owned(), ErrorKind::Server, "no reason"),
        (503, String::new(), ErrorKind::Overloaded, "503"),
        (504, String::new(), ErrorKind::Timeout, "504"),
        (200, "<html>".to_owned(), ErrorKind::Decode, "access_token"),
        (200, r#"{"access_token":7}"#.to_owned(), ErrorKind::Decode, "access_token"),
        (200, r#"{"access_token":"a","token_type":"mac"}"#.to_owned(), ErrorKind::Decode, "bearer"),
    ] {
        let reply = Reply::status(status).header("retry-after", "9").body(body.clone());
        let error = ask(&service(), reply).await.0.unwrap_err();
        assert_eq!((error.kind, error.retryable), (kind, kind.is_retryable()), "{status} {body}");
        assert!(error.message.contains(word) && error.message.contains("login.example"), "{error}");
        if kind.is_retryable() {
            assert_eq!(error.retry_after, Some(Duration::from_secs(9)));
        }
    }
}

#[tokio::test]
async fn no_error_repeats_a_secret() {
    const SECRETS: [&str; 3] = ["client-secret-0123456789", "refresh-token-0123456789", "Y2xpZW50LXNlY3JldC"];
    let source =
        |place| OAuth::refresh_token(URL, "", SECRETS[1]).client_secret(SECRETS[0]).client_auth(place);
    for place in [ClientAuth::Basic, ClientAuth::Body] {
        let (_, transport) = ask(&source(place), Reply::ok(GRANTED)).await;
        let (form, lines) = sent(&transport);
        let echo = format!("{form} {lines:?}");
        let broken = || TransportError::Host { class: "Boom".into(), message: echo.clone() };
        for reply in [
            Reply::status(400).body(serde_json::json!({"error": "e", "error_description": echo}).to_string()),
            Reply::status(500).body(serde_json::json!({"error": echo}).to_string()),
            Reply::error(broken()),
            Reply::ok("{").then_error(broken()),
        ] {
            let error = ask(&source(place), reply).await.0.unwrap_err();
            let shown = format!("{error} {error:?} {:?} {:?}", error.report(), source(place));
            assert!(!SECRETS.iter().any(|secret| shown.contains(secret)), "{shown}");
        }
    }
}

#[tokio::test]
async fn secrets_are_sent_to_https_or_to_this_machine() {
    for fine in ["https://a/token", "http://localhost:1/t", "http://127.0.0.1/t", "http://[::1]:9/t"] {
        assert!(Authority::at(fine).is_ok(), "{fine}");
    }
    for bad in
        ["http://login.example/token", "http://localhost.evil/t", "http://localhost@evil/t", "login", ""]
    {
        let error = Authority::at(bad).err().unwrap();
        assert_eq!(error.kind, ErrorKind::InvalidRequest, "{bad}");
    }
}
