//! The host port, with a host written in Rust: what crosses, and what must not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod port {
    mod embed;
    pub(crate) mod host;
}

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use mosaic_core::port::{CANCEL_GRACE, HostFailure, Receipt, RequestId, RequestKind, Response, WINDOW};
use mosaic_core::{
    ErrorKind, FatalToken, Header, HttpRequest, HttpTransport, Method, Part, Tool, TransportError,
};
use port::host::{Host, call, context, input};
use tokio::time::Instant;

#[tokio::test]
async fn a_call_of_a_tool_crosses_to_the_host_and_its_result_comes_back() {
    let host = Host::new();
    let ended = tokio::spawn(call(host.tool("weather", 7), input()));

    let request = host.next().await;
    let RequestKind::ToolCall { handle, tool, attempt, input: arguments, .. } = &request.kind else {
        panic!("{request:?}")
    };
    assert_eq!((*handle, tool.as_str(), *attempt), (7, "weather", 1));
    assert_eq!(*arguments, input());
    let receipt = host.port.respond(request.id, Response::End { content: vec![Part::text("rain")] });

    assert_eq!(receipt, Receipt::Taken);
    assert_eq!(ended.await.unwrap().unwrap().content, vec![Part::text("rain")]);
    assert_eq!(host.port.stats().open, 0);
}

#[tokio::test]
async fn many_calls_cross_in_one_batch_oldest_first_and_are_answered_in_any_order() {
    let host = Host::new();
    let start = |n| tokio::spawn(call(host.tool(&format!("t{n}"), n), input()));
    let calls: Vec<_> = (0..5).map(start).collect();
    tokio::task::yield_now().await;

    let first = host.port.poll(3).await;
    let second = host.port.poll(64).await;
    assert_eq!((first.requests.len(), second.requests.len()), (3, 2));
    for request in first.requests.iter().chain(&second.requests).rev() {
        let RequestKind::ToolCall { tool, .. } = &request.kind else { panic!("{request:?}") };
        host.port.respond(request.id, Response::End { content: vec![Part::text(tool.clone())] });
    }
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap().content, vec![Part::text(format!("t{n}"))]);
    }
}

#[tokio::test]
async fn an_exception_keeps_its_class_and_a_fatal_one_keeps_the_object_itself() {
    let host = Host::new();
    let plain = tokio::spawn(call(host.tool("a", 1), input()));
    host.port.respond(host.next().await.id, Response::error("LookupError", "no such city"));
    let error = plain.await.unwrap().unwrap_err();
    assert_eq!((error.class.as_deref(), error.message.as_str()), (Some("LookupError"), "no such city"));
    assert!(error.fatal.is_none());

    let original: Arc<dyn std::any::Any + Send + Sync> = Arc::new("the exception");
    for token in [Some(FatalToken(original.clone())), None] {
        let handed_over = token.is_some();
        let fatal = tokio::spawn(call(host.tool("a", 1), input()));
        let id = host.next_call().await.id;
        let response = Response::Error { class: "Halt".into(), message: "stop".into(), fatal: true, token };
        host.port.respond(id, response);
        let kept = fatal.await.unwrap().unwrap_err().fatal.unwrap().0;
        if handed_over {
            assert!(Arc::ptr_eq(&kept, &original));
        } else {
            assert_eq!(kept.downcast_ref(), Some(&HostFailure { id }));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_tells_the_host_and_waits_for_it_to_let_go() {
    let host = Host::new();
    let (ctx, cancel) = context();
    let tool = host.tool("slow", 1);
    let ended = tokio::spawn(async move { tool.call(&ctx, input()).await });
    let id = host.next().await.id;

    cancel.cancel();
    let told = host.next().await;
    assert_eq!((told.id, told.kind), (id, RequestKind::Cancel {}));
    assert!(!ended.is_finished(), "the host has not let go yet");
    host.port.respond(id, Response::error("CancelledError", "cancelled"));
    assert_eq!(ended.await.unwrap().unwrap_err().class.as_deref(), Some("CancelledError"));
    assert_eq!(host.port.stats().abandoned, 0);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_ignores_a_cancel_for_five_seconds_is_abandoned_and_its_late_answer_dropped() {
    let host = Host::new();
    let (ctx, cancel) = context();
    let tool = host.tool("deaf", 1);
    let ended = tokio::spawn(async move { tool.call(&ctx, input()).await });
    let id = host.next().await.id;

    let start = Instant::now();
    cancel.cancel();
    let error = ended.await.unwrap().unwrap_err();
    // Half a second late: the driver's own five seconds come first.
    assert!((CANCEL_GRACE..CANCEL_GRACE + Duration::from_secs(1)).contains(&start.elapsed()));
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert!(error.message.contains("`deaf` did not stop within 5 s"), "{}", error.message);
    assert_eq!(host.port.respond(id, Response::end()), Receipt::Unknown);
    assert_eq!(host.port.close().await.first().unwrap().what, "tool `deaf`");
}

#[tokio::test]
async fn dropping_a_call_cancels_it_and_one_that_the_host_never_saw_does_not_cross_at_all() {
    let host = Host::new();
    let seen = tokio::spawn(call(host.tool("seen", 1), input()));
    let id = host.next().await.id;
    let unseen = tokio::spawn(call(host.tool("unseen", 2), input()));
    tokio::task::yield_now().await;
    unseen.abort();
    seen.abort();
    let _ = (unseen.await, seen.await);

    let requests = host.all().await;
    assert!(requests.contains(&(id, RequestKind::Cancel {})), "{requests:?}");
    assert!(requests.contains(&(RequestId(2), RequestKind::ToolRelease {})), "{requests:?}");
    assert!(!requests.iter().any(|(_, kind)| matches!(kind, RequestKind::ToolCall { .. })), "{requests:?}");
    assert_eq!(host.port.respond(id, Response::end()), Receipt::Unknown);
    assert_eq!(host.port.respond(RequestId(999), Response::end()), Receipt::Unknown);
}

#[tokio::test(start_paused = true)]
async fn closing_while_calls_wait_ends_them_at_once_and_reports_who_never_let_go() {
    let host = Host::new();
    let good = tokio::spawn(call(host.tool("good", 1), input()));
    let good_id = host.next().await.id;
    let bad = tokio::spawn(call(host.tool("bad", 2), input()));
    host.next_call().await;
    let transport = host.port.transport();
    let request = HttpRequest { url: "https://u:p@models.test/v1?key=s".into(), ..HttpRequest::default() };
    let http = tokio::spawn(async move { transport.send(request).await });
    host.next_call().await;

    let port = host.port.clone();
    let closing = tokio::spawn(async move { port.close().await });
    assert_eq!(good.await.unwrap().unwrap_err().kind, ErrorKind::Cancelled);
    assert_eq!(bad.await.unwrap().unwrap_err().kind, ErrorKind::Cancelled);
    assert!(matches!(http.await.unwrap(), Err(TransportError::Gone)));
    host.port.respond(good_id, Response::end());
    let mut left: Vec<_> = closing.await.unwrap().into_iter().map(|left| left.what).collect();
    left.sort();
    assert_eq!(left, ["the HTTP exchange with models.test", "tool `bad`"]);

    let refused = call(host.tool("late", 3), input()).await.unwrap_err();
    assert!(refused.message.contains("the host port is closed"), "{refused}");
    let _ = host.all().await;
    assert!(host.port.poll(64).await.is_empty());
}

#[tokio::test]
async fn a_request_body_travels_beside_the_json_and_a_secret_does_not_show() {
    let host = Host::new();
    let url = "https://models.test/v1".to_owned();
    let mut request = HttpRequest { method: Method::Post, url, ..HttpRequest::default() };
    request.headers.push("accept", "text/event-stream");
    request.headers.push_secret("authorization", "Bearer hidden");
    request.body = vec![Bytes::from_static(b"{\"a\""), Bytes::from_static(b":1}")];
    request.connect_timeout = Some(Duration::from_secs(3));
    let transport = host.port.transport();
    let sent = tokio::spawn(async move { transport.send(request).await });

    let batch = host.port.poll(64).await;
    assert_eq!(batch.buffers, vec![Bytes::from_static(b"{\"a\":1}")]);
    assert!(!format!("{batch:?}").contains("hidden"));
    let json: serde_json::Value = serde_json::from_str(&batch.to_json().unwrap()).unwrap();
    let expected = serde_json::json!([{
        "id": 1, "kind": "http.open", "method": "POST", "url": "https://models.test/v1", "body": 0,
        "headers": [{"name": "accept", "value": "text/event-stream"},
                    {"name": "authorization", "value": "Bearer hidden", "secret": true}],
        "connect_timeout_ms": 3000, "window": WINDOW,
    }]);
    assert_eq!(json, expected);

    let id = batch.requests[0].id;
    let head = r#"{"type":"http.head","status":429,"headers":[{"name":"Retry-After","value":"7"}]}"#;
    host.port.respond(id, serde_json::from_str(head).unwrap());
    host.port.respond(id, Response::chunk("slow "));
    host.port.respond(id, Response::chunk("down"));
    host.port.respond(id, Response::end());
    let answer = sent.await.unwrap().unwrap();
    assert_eq!((answer.status, answer.headers.get("retry-after")), (429, Some("7")));
    assert_eq!(answer.headers.iter().map(Header::expose).collect::<Vec<_>>(), ["7"]);
    let body: Vec<_> = answer.body.map(Result::unwrap).collect().await;
    assert_eq!(body.concat(), b"slow down");
    assert_eq!(host.port.stats().open, 0);
}

#[tokio::test]
async fn a_slow_reader_slows_the_host_down_and_memory_stays_within_the_window() {
    let host = Host::new();
    let transport = host.port.transport();
    let sent = tokio::spawn(async move { transport.send(HttpRequest::default()).await });
    let total = 20 * WINDOW;
    let server = tokio::spawn(host.clone().serve_body(total, 10_000));
    let mut body = sent.await.unwrap().unwrap().body;

    let mut read = 0;
    while let Some(chunk) = body.next().await {
        read += chunk.unwrap().len();
        // A reader as slow as can be: the host does all that it is allowed to do before each read.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    let served = server.await.unwrap();
    let (stats, peak) = (host.port.stats(), host.port.stats().buffered_peak);
    println!(
        "{read} bytes read, {peak} under way at most (window {WINDOW}); the host waited {} times",
        served.waits
    );
    assert_eq!(read, total);
    assert!(peak <= WINDOW, "{stats:?}");
    assert!(peak > WINDOW / 2, "the window is used: {stats:?}");
    assert_eq!(stats.buffered, 0);
    assert!(served.credits <= total / (WINDOW / 2), "not a credit for every chunk: {}", served.credits);
}

#[tokio::test]
async fn a_host_that_sends_more_than_it_was_granted_breaks_the_exchange() {
    let host = Host::new();
    let (id, mut body) = host.exchange().await;
    assert_eq!(host.port.respond(id, Response::chunk(vec![0; WINDOW])), Receipt::Taken);
    assert_eq!(host.port.respond(id, Response::chunk("!")), Receipt::Refused);
    assert_eq!(host.next().await.kind, RequestKind::Cancel {});

    assert_eq!(body.next().await.unwrap().unwrap().len(), WINDOW);
    let error = body.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("more bytes than it was granted"), "{error}");
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn dropping_a_body_cancels_the_exchange_and_forgets_what_was_not_read() {
    let host = Host::new();
    let (id, body) = host.exchange().await;
    host.port.respond(id, Response::chunk(vec![0; 1000]));
    assert_eq!(host.port.stats().buffered, 1000);
    drop(body);
    assert_eq!(host.next().await.kind, RequestKind::Cancel {});
    assert_eq!(host.port.stats().buffered, 0);
    assert_eq!(host.port.respond(id, Response::chunk("late")), Receipt::Unknown);
    assert_eq!(host.port.stats().open, 1, "until the host lets go");
    host.port.respond(id, Response::error("CancelledError", ""));
    assert_eq!(host.port.stats().open, 0);
}

#[tokio::test]
async fn a_host_transport_that_fails_is_an_error_before_the_head_and_within_the_body() {
    let host = Host::new();
    let transport = host.port.transport();
    let sent = tokio::spawn(async move { transport.send(HttpRequest::default()).await });
    host.port.respond(host.next().await.id, Response::error("ConnectError", "refused"));
    let error = sent.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the host's transport failed: ConnectError: refused");
    assert_eq!(error.kind(), ErrorKind::Transport);

    let (id, mut body) = host.exchange().await;
    host.port.respond(id, Response::chunk("half"));
    host.port.respond(id, Response::error("ReadError", "reset"));
    assert_eq!(body.next().await.unwrap().unwrap(), "half");
    assert!(body.next().await.unwrap().unwrap_err().to_string().contains("ReadError: reset"));
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn a_response_that_does_not_fit_its_request_fails_the_call() {
    let host = Host::new();
    let ended = tokio::spawn(call(host.tool("a", 1), input()));
    let id = host.next().await.id;
    let head = Response::HttpHead { status: 200, headers: vec![] };
    assert_eq!(host.port.respond(id, head), Receipt::Refused);
    assert_eq!(ended.await.unwrap().unwrap_err().class.as_deref(), Some("PortError"));
}

#[test]
fn the_schema_names_every_request_and_response() {
    let schema = mosaic_core::port::schema().to_string();
    let requests = ["tool.call", "tool.release", "http.open", "http.credit", "cancel"];
    let responses = ["progress", "http.head", "http.chunk", "end", "error"];
    for name in requests.iter().chain(&responses) {
        assert!(schema.contains(&format!("\"{name}\"")), "{name} is missing in {schema}");
    }
}
