use std::io::Write;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;

use super::{Order, Recorder, Replayer, Scrub};
use crate::error::ErrorKind;
use crate::testing::{Reply, ScriptedTransport};
use crate::transport::{HttpRequest, HttpTransport, TransportError};

const KEY: &str = "sk-canary-0123456789";

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn request(body: &str) -> HttpRequest {
    let mut request = HttpRequest {
        url: format!("https://host/v1/chat?key={KEY}"),
        body: vec![body.to_owned().into()],
        ..HttpRequest::default()
    };
    request.headers.push_secret("authorization", format!("Bearer {KEY}"));
    request
}

/// What a transport answers: the pieces of the body, and how it ended.
async fn ask(transport: &impl HttpTransport, body: &str) -> Result<(u16, Vec<String>, bool), TransportError> {
    let mut response = transport.send(request(body)).await?;
    let (mut pieces, mut broke) = (Vec::new(), false);
    while let Some(piece) = response.body.next().await {
        match piece {
            Ok(bytes) => pieces.push(String::from_utf8_lossy(&bytes).into_owned()),
            Err(_) => broke = true,
        }
    }
    Ok((response.status, pieces, broke))
}

async fn recorded(replies: Vec<Reply>, bodies: &[&str]) -> (Vec<(u16, Vec<String>, bool)>, Buffer) {
    let buffer = Buffer::default();
    let recorder = Recorder::new(ScriptedTransport::new(replies), buffer.clone(), Scrub::default());
    let mut said = Vec::new();
    for body in bodies {
        said.push(ask(&recorder, body).await.unwrap());
    }
    recorder.close().unwrap();
    (said, buffer)
}

fn replies() -> Vec<Reply> {
    let broken = TransportError::Broken { host: "host".to_owned(), source: "reset".into() };
    vec![
        Reply::ok("data: one\n\ndata: two\n\n").cut_every(7),
        Reply::status(401).body(format!("{{\"error\":\"no key {KEY}\"}}")),
        Reply::ok("half").then_error(broken),
    ]
}

#[tokio::test]
async fn a_replay_answers_as_the_provider_did_piece_by_piece() {
    let bodies = ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"];
    let (said, buffer) = recorded(replies(), &bodies).await;
    let replayer = Replayer::read(std::io::Cursor::new(buffer.text())).unwrap();
    assert!(replayer.done().is_err(), "nothing was asked for yet");
    for (body, said) in bodies.iter().zip(said) {
        let (status, pieces, broke) = ask(&replayer, body).await.unwrap();
        let lengths = |pieces: &[String]| pieces.iter().map(String::len).collect::<Vec<_>>();
        assert_eq!((status, broke, lengths(&pieces)), (said.0, said.2, lengths(&said.1)));
    }
    assert_eq!(replayer.done(), Ok(()));
}

#[tokio::test]
async fn no_key_reaches_the_file_however_it_is_repeated() {
    let (said, buffer) = recorded(replies(), &["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]).await;
    assert!(said[1].1.concat().contains(KEY), "the provider did repeat it");
    assert!(!buffer.text().contains("canary"), "{}", buffer.text());
}

#[tokio::test]
async fn another_request_says_where_it_differs_and_is_not_tried_again() {
    let (_, buffer) = recorded(replies(), &["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]).await;
    let replayer = Replayer::read(std::io::Cursor::new(buffer.text())).unwrap();
    let error = replayer.send(request("{\"n\":9}")).await.unwrap_err();
    assert!(error.to_string().contains("`/n`"), "{error}");
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::InvalidRequest, false));
    assert!(replayer.done().unwrap_err().to_string().contains("`/n`"), "an agent may have swallowed it");
}

#[tokio::test]
async fn in_any_order_each_request_finds_its_own_answer() {
    let (_, buffer) = recorded(replies(), &["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]).await;
    let replayer = Replayer::read(std::io::Cursor::new(buffer.text())).unwrap().order(Order::ByMatch);
    assert_eq!(ask(&replayer, "{\"n\":2}").await.unwrap().0, 401);
    assert_eq!(ask(&replayer, "{\"n\":1}").await.unwrap().1.concat(), "data: one\n\ndata: two\n\n");
}

#[test]
fn what_is_no_recording_is_told_with_its_line() {
    let error = Replayer::read(std::io::Cursor::new("{\"x\":1}\n{}\n")).unwrap_err();
    assert!(error.to_string().contains("line 1"), "{error}");
}
