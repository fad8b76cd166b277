//! The library's own client, against a server on this machine that repeats what it is sent: what HTTP itself logs.

use std::path::Path;
use std::sync::Arc;

use mosaic::providers::endpoint::Endpoint;
use mosaic::providers::transport::ReqwestTransport;
use mosaic::transport::record::{Recorder, Scrub};
use mosaic::{Auth, ChatModel, ModelCall, TokioRuntime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::secrets::{API_KEY, HEADER_KEY};
use crate::sinks::Sinks;
use crate::{read, request};

pub(crate) async fn run(folder: &Path, sinks: &Sinks) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address =
        format!("http://{}/v1?key={}", listener.local_addr().unwrap(), HEADER_KEY.replace("/+", "%2F%2B"));
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head).await.unwrap();
        assert!(String::from_utf8_lossy(&head[..length]).contains(API_KEY), "the key was sent");
        let body = [b"you sent ", &head[..length]].concat();
        let answer = format!("HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[answer.as_bytes(), &body].concat()).await.unwrap();
        // The next one finds nobody.
    });
    let file = folder.join("recordings").join("socket.jsonl");
    let recorder = Recorder::create(ReqwestTransport::new().unwrap(), file, Scrub::default()).unwrap();
    let endpoint = Endpoint::compatible("socket", address).auth(Auth::bearer(API_KEY));
    let runtime = Arc::new(TokioRuntime::current().unwrap());
    let model = endpoint.model("m", Arc::new(recorder.clone()), runtime);
    sinks.shown("objects", &(&model, &recorder));
    read(model.stream(ModelCall::new(request())).await, sinks).await;
    server.await.unwrap();
    read(model.stream(ModelCall::new(request())).await, sinks).await;
    recorder.close().unwrap();
}
