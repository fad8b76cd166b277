//! The transport against a server of its own on this machine.
#![cfg(feature = "reqwest")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use mosaic_core::{HttpRequest, HttpTransport, TransportError};
use mosaic_providers::transport::ReqwestTransport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Reads one request, head and body.
async fn request(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&seen);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse().unwrap());
            if body.len() >= length {
                return text.into_owned();
            }
        }
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        if read == 0 {
            return String::from_utf8_lossy(&seen).into_owned();
        }
        seen.extend_from_slice(&piece[..read]);
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/chat", listener.local_addr().unwrap());
    (listener, url)
}

fn post(url: &str) -> HttpRequest {
    let mut request = HttpRequest { url: url.to_owned(), ..HttpRequest::default() };
    request.headers.push("content-type", "application/json");
    request.headers.push_secret("authorization", "Bearer very-secret");
    request.body = vec![Bytes::from_static(b"{\"a\":"), Bytes::from_static(b"1}")];
    request
}

const CHUNKED: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn the_body_comes_as_it_is_sent_and_the_connection_is_used_again() {
    let (listener, url) = listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut requests = Vec::new();
        for _ in 0..2 {
            requests.push(request(&mut stream).await);
            stream.write_all(CHUNKED).await.unwrap();
            stream.write_all(b"5\r\nhello\r\n").await.unwrap();
            stream.write_all(b"0\r\n\r\n").await.unwrap();
        }
        requests
    });
    let transport = ReqwestTransport::new().unwrap();
    for _ in 0..2 {
        let response = transport.send(post(&url)).await.unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.headers.get("Content-Type"), Some("text/event-stream"));
        let body: Vec<_> = response.body.map(Result::unwrap).collect().await;
        assert_eq!(body.concat(), b"hello");
    }
    // One connection was accepted, so both came over it.
    let requests = server.await.unwrap();
    assert!(requests[0].starts_with("POST /v1/chat HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(requests[0].ends_with("\r\n\r\n{\"a\":1}"));
    assert!(requests[0].to_ascii_lowercase().contains("authorization: bearer very-secret"));
}

#[tokio::test]
async fn a_piece_is_handed_on_before_the_next_is_sent() {
    let (listener, url) = listener().await;
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        stream.write_all(CHUNKED).await.unwrap();
        stream.write_all(b"3\r\none\r\n").await.unwrap();
        // Only when the first has arrived is the second sent.
        wait.await.unwrap();
        stream.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
    });
    let mut response = ReqwestTransport::new().unwrap().send(post(&url)).await.unwrap();
    assert_eq!(response.body.next().await.unwrap().unwrap(), "one");
    go.send(()).unwrap();
    assert_eq!(response.body.next().await.unwrap().unwrap(), "two");
    assert!(response.body.next().await.is_none());
}

#[tokio::test]
async fn a_connection_that_closes_in_the_middle_is_broken() {
    let (listener, url) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        stream.write_all(CHUNKED).await.unwrap();
        stream.write_all(b"3\r\none\r\n").await.unwrap();
    });
    let mut response = ReqwestTransport::new().unwrap().send(post(&url)).await.unwrap();
    let mut last = response.body.next().await;
    while let Some(Ok(_)) = last {
        last = response.body.next().await;
    }
    let error = last.expect("an error, not an end").unwrap_err();
    assert!(matches!(error, TransportError::Broken { ref host, .. } if host == "127.0.0.1"), "{error}");
    assert!(error.is_retryable() && !error.to_string().contains("secret"));
}

#[tokio::test]
async fn a_refused_connection_names_the_host() {
    let (listener, url) = listener().await;
    drop(listener);
    let error = ReqwestTransport::new().unwrap().send(post(&url)).await.unwrap_err();
    assert!(matches!(error, TransportError::Connect { ref host, .. } if host == "127.0.0.1"), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_status_that_is_not_2xx_and_a_redirect_are_answers() {
    let (listener, url) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        let head = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 2\r\ncontent-length: 2\r\n\r\n{}";
        stream.write_all(head.as_bytes()).await.unwrap();
        request(&mut stream).await;
        let head = "HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
    });
    let transport = ReqwestTransport::new().unwrap();
    let response = transport.send(post(&url)).await.unwrap();
    assert_eq!((response.status, response.headers.get("retry-after")), (429, Some("2")));
    let body: Vec<_> = response.body.map(Result::unwrap).collect().await;
    assert_eq!(body.concat(), b"{}");
    assert_eq!(transport.send(post(&url)).await.unwrap().status, 307);
}

#[tokio::test]
async fn dropping_the_body_closes_the_connection() {
    let (listener, url) = listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        stream.write_all(CHUNKED).await.unwrap();
        stream.write_all(b"3\r\none\r\n").await.unwrap();
        // The end of the stream is the client's goodbye.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    });
    let mut response = ReqwestTransport::new().unwrap().send(post(&url)).await.unwrap();
    response.body.next().await.unwrap().unwrap();
    drop(response);
    server.await.unwrap();
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_its_secrets() {
    let transport = ReqwestTransport::new().unwrap();
    let error = transport.send(post("not a url")).await.unwrap_err();
    assert!(matches!(error, TransportError::Request { .. }));
    let mut request = post("http://127.0.0.1:1/");
    request.headers.push_secret("x-api-key", "secret\nline");
    request.connect_timeout = Some(Duration::from_secs(1));
    let error = transport.send(request).await.unwrap_err();
    assert!(error.to_string().contains("x-api-key") && !error.to_string().contains("secret"), "{error}");
}
