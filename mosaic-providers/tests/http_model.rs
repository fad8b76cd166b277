//! All of it together: a model behind HTTP, over a real socket.
#![cfg(feature = "reqwest")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use futures_util::StreamExt;
use mosaic_core::{
    Auth, ChatModel, ErrorKind, Group, ModelCall, ModelEvent, ModelRequest, Part, TokioRuntime,
};
use mosaic_providers::endpoint::Endpoint;
use mosaic_providers::transport::ReqwestTransport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Answers the requests of one connection in turn; what was asked comes back when the server is done.
async fn server(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        for answer in answers {
            let mut seen = String::new();
            // The body of each request is one JSON object.
            while !seen.ends_with('}') {
                let mut piece = [0; 4096];
                let read = stream.read(&mut piece).await.unwrap();
                seen.push_str(std::str::from_utf8(&piece[..read]).unwrap());
            }
            asked.push(seen);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    });
    (url, asked)
}

fn call() -> ModelCall {
    let groups = Arc::new(vec![Group::user(vec![Part::text("Hi")])]);
    ModelCall::new(ModelRequest { groups, ..ModelRequest::default() })
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

#[tokio::test]
async fn a_model_on_this_machine_streams_and_fails_with_its_reasons() {
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n\
        data: {\"choices\":[{\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let busy = http("429 Too Many Requests", "retry-after: 3\r\n", "{\"error\":{\"message\":\"busy\"}}");
    let (url, asked) =
        server(vec![http("200 OK", "content-type: text/event-stream\r\n", stream), busy]).await;
    let transport = Arc::new(ReqwestTransport::new().unwrap());
    let runtime = Arc::new(TokioRuntime::current().unwrap());
    let model = Endpoint::compatible("lab", url).auth(Auth::bearer("k")).model("qwen", transport, runtime);

    let events: Vec<_> = model.stream(call()).await.unwrap().map(Result::unwrap).collect().await;
    assert!(matches!(&events[3], ModelEvent::End { content: Part::Text { text }, .. } if text == "Hello"));
    assert!(matches!(&events[4], ModelEvent::Done(end) if &*end.origin.provider == "lab"));

    let error = model.stream(call()).await.err().unwrap();
    assert_eq!(
        (error.kind, error.provider.as_deref(), error.status),
        (ErrorKind::RateLimited, Some("lab"), Some(429))
    );
    assert_eq!(error.retry_after.unwrap().as_secs(), 3);

    let asked = asked.await.unwrap();
    assert!(asked[0].starts_with("POST /v1/chat/completions "), "{}", asked[0]);
    assert!(asked[0].contains(r#""messages":[{"role":"user","content":"Hi"}]"#), "{}", asked[0]);
}
