use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, StreamExt};
use serde_json::json;

use super::*;
use crate::testing::{Reply, ScriptedTransport};
use crate::transport::{Headers, HttpRequest, HttpResponse, HttpTransport, TransportError};

const KEY: &str = "canary-1f0e/9a+77";

/// A file that a test can read.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn exchanges(&self) -> Vec<Exchange> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn replayer(&self) -> Replayer {
        Replayer::read(self.text().as_bytes()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn recorder(replies: impl IntoIterator<Item = Reply>, scrub: Scrub) -> (Recorder, Paper) {
    let paper = Paper::default();
    (Recorder::new(ScriptedTransport::new(replies), paper.clone(), scrub), paper)
}

fn request(path: &str, body: &str) -> HttpRequest {
    let mut headers = Headers::default();
    headers.push_secret("authorization", format!("Bearer {KEY}"));
    headers.push("content-type", "application/json");
    let (url, body) = (format!("https://host{path}"), vec![body.to_owned().into()]);
    HttpRequest { url, headers, body, ..HttpRequest::default() }
}

/// All that comes of a body, in its pieces.
async fn read(mut response: HttpResponse) -> (Vec<String>, Option<String>) {
    let mut pieces = Vec::new();
    while let Some(piece) = response.body.next().await {
        match piece {
            Ok(bytes) => pieces.push(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => return (pieces, Some(error.to_string())),
        }
    }
    (pieces, None)
}

#[tokio::test]
async fn an_answer_is_replayed_in_the_pieces_in_which_it_came() {
    let reply = Reply::status(201).header("X-Request-Id", "r1").body("día à jour").cut_every(2);
    let (recorder, paper) = recorder([reply], Scrub::default());
    let real = read(recorder.send(request("/v1", "{\"a\":1}")).await.unwrap()).await;

    let replayer = paper.replayer();
    let again = replayer.send(request("/v1", "{ \"a\": 1 }")).await.unwrap();
    assert_eq!((again.status, again.headers.get("x-request-id")), (201, Some("r1")));
    assert!(paper.text().contains("{\"hex\":"), "a piece ends within a letter");
    assert_eq!(read(again).await, real);
    assert_eq!(replayer.done(), Ok(()));
}

#[tokio::test]
async fn an_exchange_that_breaks_or_fails_does_so_again() {
    let broken = || TransportError::Broken { host: "host".into(), source: "reset".into() };
    let replies = [Reply::ok("half").then_error(broken()), Reply::error(TransportError::Gone)];
    let (recorder, paper) = recorder(replies, Scrub::default());
    let first = read(recorder.send(request("/v1", "")).await.unwrap()).await;
    recorder.send(request("/v1", "")).await.unwrap_err();

    let replayer = paper.replayer();
    assert_eq!(read(replayer.send(request("/v1", "")).await.unwrap()).await, first);
    assert_eq!(first.1.unwrap(), broken().to_string());
    assert!(matches!(replayer.send(request("/v1", "")).await, Err(TransportError::Gone)));
}

#[tokio::test]
async fn a_cancelled_exchange_stands_still_where_its_reader_went_away() {
    let (recorder, paper) = recorder([Reply::ok("one").then_never(), Reply::never()], Scrub::default());
    let mut response = recorder.send(request("/v1", "")).await.unwrap();
    response.body.next().await.unwrap().unwrap();
    drop(response);
    assert!(recorder.send(request("/v1", "")).now_or_never().is_none(), "and is dropped");

    let replayer = paper.replayer();
    let mut again = replayer.send(request("/v1", "")).await.unwrap();
    assert_eq!(again.body.next().await.unwrap().unwrap(), "one");
    assert!(again.body.next().now_or_never().is_none());
    assert!(replayer.send(request("/v1", "")).now_or_never().is_none());
    assert_eq!(replayer.done(), Ok(()));
}

#[tokio::test]
async fn no_key_is_in_the_file_wherever_it_was() {
    let echo = format!("{{\"error\":\"no such key: {KEY}\"}}");
    let scrub = Scrub::default().header("x-customer").member("ssn").value("registered-secret");
    let replies = [
        Reply::status(401).header("set-cookie", "sid=cookie-secret-1").body(echo.clone()).cut_every(3),
        Reply::ok("{\"access_token\": \"issued-secret-2\", \"ssn\": \"ssn-secret-33\"}"),
        Reply::error(TransportError::Host { class: "E".into(), message: format!("issued-secret-2 {KEY}") }),
    ];
    let (recorder, paper) = recorder(replies, scrub);
    let mut asked = request("/v1?key=query%2Fsecret-4&alt=sse", "{\"note\":\"registered-secret\"}");
    asked.url = asked.url.replace("host", "me:user-secret-5@host");
    asked.headers.push("x-customer", "customer-secret-6");
    asked.headers.push("x-echo", format!("it is {KEY}"));
    let (pieces, _) = read(recorder.send(asked).await.unwrap()).await;
    assert_eq!(pieces.concat(), echo, "only the file is scrubbed");
    let form = request("/token", "grant_type=x&client_secret=form-secret-7&refresh_token=form-secret-8");
    read(recorder.send(form).await.unwrap()).await;
    recorder.send(request("/v1", "")).await.unwrap_err();

    let text = paper.text();
    let joined: String = paper
        .exchanges()
        .iter()
        .flat_map(|exchange| match &exchange.answer {
            RecordedAnswer::Answered { pieces, .. } => pieces.clone(),
            _ => Vec::new(),
        })
        .map(|piece| String::from_utf8(piece.0.to_vec()).unwrap())
        .collect();
    for secret in [
        KEY,
        "cookie-secret-1",
        "issued-secret-2",
        "ssn-secret-33",
        "query%2Fsecret-4",
        "query/secret-4",
        "user-secret-5",
        "customer-secret-6",
        "form-secret-7",
        "form-secret-8",
        "registered-secret",
    ] {
        assert!(!text.contains(secret) && !joined.contains(secret), "{secret} is in {text}");
    }
    assert!(text.contains("alt=sse") && text.contains("grant_type=x") && joined.contains("no such key: ***"));
}

#[tokio::test]
async fn another_request_is_an_error_that_says_where_it_differs() {
    let (recorder, paper) = recorder([Reply::ok("a")], Scrub::default());
    let body = |text: &str| json!({"model": "m", "messages": [{"content": text}], "id": text}).to_string();
    read(recorder.send(request("/v1/chat", &body("Hello"))).await.unwrap()).await;

    let replayer = paper.replayer().ignore("/id");
    let error = replayer.send(request("/v1/chat", &body("Bye"))).await.unwrap_err();
    let words = "POST /v1/chat is not in the recording: exchange 1 has another body: \
                 at `/messages/0/content` \"Hello\" was recorded and \"Bye\" is there now";
    assert_eq!(error.to_string(), words);
    assert!(!error.is_retryable());
    let error = replayer.send(request("/v2", &body("Hello"))).await.unwrap_err();
    assert!(error.to_string().contains("was recorded for `/v1/chat`, not for `/v2`"), "{error}");
    replayer.send(request("/v1/chat", &body("Hello"))).await.unwrap();
    let error = replayer.send(request("/v1/chat", &body("Hello"))).await.unwrap_err();
    assert!(error.to_string().contains("all 1 recorded exchanges are used up"), "{error}");
    assert!(matches!(replayer.done(), Err(ReplayError::Unrecorded { .. })), "an agent may have swallowed it");
}

#[tokio::test]
async fn requests_may_come_in_another_order_where_that_is_said() {
    let (recorder, paper) = recorder([Reply::ok("a"), Reply::ok("b")], Scrub::default());
    for body in ["1", "2"] {
        read(recorder.send(request("/v1", body)).await.unwrap()).await;
    }
    assert!(paper.replayer().send(request("/v1", "2")).await.is_err());
    let replayer = paper.replayer().order(Order::ByMatch);
    let second = read(replayer.send(request("/v1", "2")).await.unwrap()).await;
    assert_eq!(second.0, ["b"]);
    assert_eq!(
        replayer.done().unwrap_err().to_string(),
        "1 recorded exchanges were not asked for: 1 (POST /v1)"
    );
}

#[tokio::test]
async fn lines_stand_in_the_order_of_the_ends_and_are_replayed_in_that_of_the_requests() {
    let (recorder, paper) = recorder([Reply::ok("a"), Reply::ok("b")], Scrub::default());
    let first = recorder.send(request("/v1", "1")).await.unwrap();
    read(recorder.send(request("/v1", "2")).await.unwrap()).await;
    read(first).await;
    assert_eq!(paper.exchanges().iter().map(|exchange| exchange.number).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(read(paper.replayer().send(request("/v1", "1")).await.unwrap()).await.0, ["a"]);
}

#[tokio::test]
async fn a_hook_takes_out_what_only_the_host_knows_on_both_sides() {
    let hook = |exchange: &mut Exchange| {
        if let RecordedBody::Json(body) = &mut exchange.request.body {
            body["user"] = json!("somebody");
        }
    };
    let (recorder, paper) = recorder([Reply::ok("a")], Scrub::default().hook(hook));
    read(recorder.send(request("/v1", "{\"user\":\"Ada\"}")).await.unwrap()).await;
    assert!(!paper.text().contains("Ada"));
    let replayer = paper.replayer().scrub(Scrub::default().hook(hook));
    assert!(replayer.send(request("/v1", "{\"user\":\"Bob\"}")).await.is_ok());
}

#[tokio::test]
async fn a_full_disk_harms_no_exchange() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let recorder = Recorder::new(ScriptedTransport::new([Reply::ok("a")]), Full, Scrub::default());
    assert_eq!(read(recorder.send(request("/v1", "")).await.unwrap()).await.0, ["a"]);
    assert_eq!(recorder.close().unwrap_err().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn a_recording_that_was_cut_off_is_read_and_a_damaged_one_is_not() {
    let request = RecordedRequest {
        method: "POST".into(),
        url: "https://host/".into(),
        headers: Vec::new(),
        body: RecordedBody::Json(json!({})),
    };
    let exchange = Exchange { v: 1, number: 1, request, answer: RecordedAnswer::Cancelled };
    let line = serde_json::to_string(&exchange).unwrap();
    let unused = |text: String| Replayer::read(text.as_bytes()).map(|replayer| replayer.done().is_err());
    assert!(unused(format!("{line}\n{}", &line[..40])).unwrap());
    assert!(unused(format!("{}\n{line}\n", &line[..40])).is_err());
    assert!(unused(line.replace("\"v\":1", "\"v\":9")).unwrap_err().to_string().contains("upgrade"));
}
