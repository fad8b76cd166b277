//! Texts that the host embeds.

use mosaic_core::memory::{EmbedRequest, Embedder, EmbedderInfo};
use mosaic_core::port::{PortEmbedder, Receipt, RequestKind, Response};
use mosaic_core::{EmbedError, Embeddings, ErrorKind, Purpose, Timestamp};
use tokio::task::JoinHandle;

use super::host::{Host, call, input};

fn embedder(host: &Host) -> PortEmbedder {
    host.port.embedder(EmbedderInfo::new("host", "mine"), 4)
}

fn embed(host: &Host, request: EmbedRequest) -> JoinHandle<Result<Embeddings, EmbedError>> {
    let embedder = embedder(host);
    tokio::spawn(async move { embedder.embed(request).await })
}

fn rain() -> EmbedRequest {
    EmbedRequest::new(["It rains.", "It snows."], Purpose::Query)
}

#[tokio::test]
async fn texts_cross_to_the_host_and_vectors_come_back() {
    let host = Host::new();
    let answer = embed(&host, rain());
    let request = host.next().await;
    let RequestKind::Embed { handle, model, purpose, texts, dimensions } = &request.kind else {
        panic!("{request:?}")
    };
    assert_eq!((*handle, model.as_str(), *purpose, *dimensions), (4, "mine", Purpose::Query, None));
    assert_eq!(texts, &["It rains.", "It snows."]);
    assert!(!format!("{request:?}").contains("rains"), "what users said is not for logs");

    let vectors = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
    assert_eq!(host.port.respond(request.id, Response::Vectors { vectors: vectors.clone() }), Receipt::Taken);
    let answer = answer.await.unwrap().unwrap();
    assert_eq!((answer.vectors, &*answer.model), (vectors, "mine"));
    assert_eq!(host.next().await.kind, RequestKind::EmbedRelease {});
    assert_eq!(host.port.stats().open, 0);
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error_that_says_so() {
    let host = Host::new();
    for (response, kind, says) in [
        (Response::error("ValueError", "no such model"), ErrorKind::Server, "ValueError: no such model"),
        (Response::end(), ErrorKind::Server, "without `vectors`"),
        (Response::Vectors { vectors: vec![vec![1.0]] }, ErrorKind::Decode, "2 texts"),
        (Response::Vectors { vectors: vec![vec![1.0], vec![1.0, 2.0]] }, ErrorKind::Decode, "dimensions"),
        (Response::Vectors { vectors: vec![vec![1.0], vec![f32::NAN]] }, ErrorKind::Decode, "not finite"),
        (Response::HttpHead { status: 200, headers: vec![] }, ErrorKind::Server, "does not fit"),
    ] {
        let answer = embed(&host, rain());
        let request = loop {
            let request = host.next().await;
            if matches!(request.kind, RequestKind::Embed { .. }) {
                break request;
            }
        };
        host.port.respond(request.id, response);
        let error = answer.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn vectors_that_nobody_asked_for_fail_the_call() {
    let host = Host::new();
    let ended = tokio::spawn(call(host.tool("weather", 7), input()));
    let request = host.next().await;
    host.port.respond(request.id, Response::Vectors { vectors: vec![] });
    let error = ended.await.unwrap().unwrap_err();
    assert!(error.message.contains("`vectors`"), "{error:?}");
}

#[tokio::test]
async fn a_request_that_is_dropped_late_or_met_by_a_closed_port_ends() {
    let host = Host::new();
    let answer = embed(&host, rain());
    let request = host.next().await;
    answer.abort();
    assert!(answer.await.unwrap_err().is_cancelled());
    let told: Vec<_> = host.all().await;
    assert!(told.contains(&(request.id, RequestKind::Cancel {})), "{told:?}");
    host.port.respond(request.id, Response::error("CancelledError", "cancelled"));

    let late = EmbedRequest { deadline: Some(Timestamp(1)), ..rain() };
    assert_eq!(embed(&host, late).await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    let empty = EmbedRequest::documents([""]);
    assert_eq!(embed(&host, empty).await.unwrap().unwrap_err().kind(), ErrorKind::InvalidRequest);

    let port = host.port.clone();
    let (open, closed) = (embed(&host, rain()), tokio::spawn(async move { port.close().await }));
    loop {
        for (id, kind) in host.all().await {
            if kind == (RequestKind::Cancel {}) {
                host.port.respond(id, Response::error("CancelledError", "cancelled"));
            }
        }
        if open.is_finished() {
            break;
        }
    }
    open.await.unwrap().unwrap_err();
    closed.await.unwrap();
    assert_eq!(embed(&host, rain()).await.unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
}
