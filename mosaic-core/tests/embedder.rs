//! Embedders: the contract, batches, and an embedder behind HTTP with its deadlines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mosaic_core::testing::{Gate, Reply, ScriptedTransport, TestRuntime};
use mosaic_core::{
    Auth, Cost, EmbedCodec, EmbedError, EmbedRequest, Embedder, EmbedderExt, EmbedderInfo, Embeddings,
    EncodeError, ErrorKind, Headers, HttpEmbedder, HttpRequest, Price, Purpose, Rates, Runtime, Timeouts,
    TransportError, Usage,
};
use proptest::prelude::*;

/// A wire format of lines: a text a line there, a vector a line back.
#[derive(Debug)]
struct Lines;

impl EmbedCodec for Lines {
    fn api(&self) -> &'static str {
        "lines"
    }

    fn encode(
        &self,
        base_url: &str,
        _: &EmbedderInfo,
        request: &EmbedRequest,
    ) -> Result<HttpRequest, EncodeError> {
        let body = vec![request.inputs.join("\n").into()];
        Ok(HttpRequest { url: format!("{base_url}/lines"), body, ..HttpRequest::default() })
    }

    fn decode(&self, info: &EmbedderInfo, body: &[u8]) -> Result<Embeddings, EmbedError> {
        let text = String::from_utf8_lossy(body);
        let number = |word: &str| word.parse().unwrap_or(f32::NAN);
        let vectors = text.lines().map(|line| line.split_whitespace().map(number).collect()).collect();
        // A server that tells no figures ends in a blank.
        let input = if text.ends_with(" \n") { 0 } else { 1_000_000 };
        let usage = Usage { input, ..Usage::default() };
        Ok(Embeddings { vectors, usage, cost: None, model: Arc::clone(&info.model) })
    }

    fn error(&self, status: u16, _: &Headers, body: &[u8]) -> EmbedError {
        let kind = if status == 501 { ErrorKind::Unsupported } else { ErrorKind::Server };
        EmbedError::new(kind, String::from_utf8_lossy(body))
    }
}

fn over(transport: &ScriptedTransport, runtime: &TestRuntime) -> HttpEmbedder {
    let info =
        EmbedderInfo { price: Some(Price::new(Rates::new(20_000, 0))), ..EmbedderInfo::new("acme", "e1") };
    let (transport, runtime) = (Arc::new(transport.clone()), Arc::new(runtime.clone()));
    HttpEmbedder::new(Arc::new(Lines), info, "http://host/", transport, runtime)
}

fn answering(body: &'static str) -> HttpEmbedder {
    over(&ScriptedTransport::from_fn(move |_| Reply::ok(body)), &TestRuntime::default())
}

fn documents(texts: &[&str]) -> EmbedRequest {
    EmbedRequest::documents(texts.iter().copied())
}

async fn refusal(embedder: &HttpEmbedder, request: EmbedRequest) -> EmbedError {
    embedder.embed(request).await.expect_err("this fails")
}

#[tokio::test]
async fn an_answer_holds_a_vector_a_text_and_says_what_it_cost() {
    let answer = answering("1 0\n0 1\n").embed(documents(&["a", "b"])).await.unwrap();
    assert_eq!(answer.vectors, [[1.0, 0.0], [0.0, 1.0]]);
    assert_eq!((answer.dimensions(), answer.cost, &*answer.model), (2, Some(Cost(20_000)), "e1"));
    assert_eq!(answering("1 0 \n").embed(documents(&["a"])).await.unwrap().cost, None);
    assert_eq!(answering("1 0\n").embed_one("a", Purpose::Query).await.unwrap(), [1.0, 0.0]);
}

#[tokio::test]
async fn what_has_no_meaning_is_refused_before_anything_is_sent() {
    let transport = ScriptedTransport::new([]);
    let embedder = over(&transport, &TestRuntime::default());
    for (request, word) in [
        (documents(&[]), "no text"),
        (documents(&["a", ""]), "text 1 of 2 is empty"),
        (documents(&["a"]).dimensions(0), "0 dimensions"),
    ] {
        let error = refusal(&embedder, request).await;
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::InvalidRequest, false));
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(transport.requests().is_empty());
}

#[tokio::test]
async fn an_answer_that_breaks_the_contract_is_an_error_that_says_how() {
    for (body, kind, word) in [
        ("1 0\n", ErrorKind::Decode, "2 texts and answered with 1 vectors"),
        ("1 0\n0 1\n1 1\n", ErrorKind::Decode, "3 vectors"),
        ("\n\n", ErrorKind::Decode, "empty vector"),
        ("1 0\n1\n", ErrorKind::Decode, "2 and of 1 dimensions (text 1)"),
        ("1 0\n1 inf\n", ErrorKind::Decode, "not finite (text 1)"),
        ("1 0\n1 NaN\n", ErrorKind::Decode, "not finite"),
    ] {
        let error = refusal(&answering(body), documents(&["a", "b"])).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(error.report().provider.as_deref(), Some("acme"));
    }
    // What llama.cpp does: it takes the wish and ignores it.
    let error = refusal(&answering("1 0\n"), documents(&["a"]).dimensions(256)).await;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("asked for 256 dimensions and answered with 2"), "{error}");
}

#[tokio::test]
async fn prefixes_go_before_each_text_by_its_purpose() {
    let transport = ScriptedTransport::from_fn(|_| Reply::ok("1\n"));
    let embedder =
        over(&transport, &TestRuntime::default()).prefixes("q: ", "d: ").auth(Auth::bearer("sk-1"));
    embedder.embed_one("a", Purpose::Query).await.unwrap();
    embedder.embed_one("a", Purpose::Document).await.unwrap();
    let bodies: Vec<_> = transport.requests().iter().map(HttpRequest::body_bytes).collect();
    assert_eq!(bodies, ["q: a", "d: a"]);
    assert!(!format!("{embedder:?} {:?}", transport.requests()).contains("sk-1"));
}

#[tokio::test]
async fn a_refused_request_has_its_status_and_its_provider() {
    let transport = ScriptedTransport::new([Reply::status(501).body("embeddings are off")]);
    let error = refusal(&over(&transport, &TestRuntime::default()), documents(&["a"])).await;
    assert_eq!(
        (error.kind(), error.status, error.is_retryable()),
        (ErrorKind::Unsupported, Some(501), false)
    );
    assert_eq!(error.provider.as_deref(), Some("acme"));
    let transport = ScriptedTransport::new([Reply::ok("1 ").then_error(TransportError::Gone)]);
    let error = refusal(&over(&transport, &TestRuntime::default()), documents(&["a"])).await;
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[tokio::test]
async fn an_answer_longer_than_the_limit_is_an_error() {
    let embedder = answering("1 0\n").max_answer_bytes(3);
    let error = refusal(&embedder, documents(&["a"])).await;
    assert!(error.to_string().contains("longer than 3 bytes"), "{error}");
}

#[tokio::test]
async fn every_wait_has_a_deadline() {
    let second = Duration::from_secs(1);
    let timeouts = Timeouts { connect: second, first_byte: 10 * second, between: 3 * second };
    for (reply, deadline, expected) in [
        (Reply::never(), None, 11),
        (Reply::status(200).then_never(), None, 10),
        (Reply::ok("1 ").then_never(), None, 3),
        (Reply::ok("1 ").then_never(), Some(2), 2),
        (Reply::never(), Some(5), 5),
    ] {
        let runtime = TestRuntime::default();
        let embedder = over(&ScriptedTransport::new([reply]), &runtime).timeouts(timeouts);
        let mut request = documents(&["a"]);
        request.deadline = deadline.map(|seconds| TestRuntime::START.after(seconds * second));
        let asked = tokio::spawn(async move { refusal(&embedder, request).await });
        while !asked.is_finished() && runtime.advance_to_next().await {}
        assert_eq!(asked.await.unwrap().kind(), ErrorKind::Timeout);
        assert_eq!(runtime.now(), TestRuntime::START.after(expected * second));
    }
}

#[tokio::test]
async fn dropping_the_future_cancels_the_request() {
    let gate = Gate::default();
    let transport = ScriptedTransport::new([Reply::ok("1\n").hold_head(&gate)]);
    let embedder = over(&transport, &TestRuntime::default());
    let asked = tokio::spawn(async move { embedder.embed(documents(&["a"])).await });
    while transport.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    assert_eq!(transport.cancelled(), 1);
}

/// Tells each text by its own number, and remembers how it was asked.
#[derive(Debug)]
struct Numbers {
    info: EmbedderInfo,
    running: AtomicUsize,
    most: AtomicUsize,
    batches: Mutex<Vec<Vec<String>>>,
    /// Fails at this text.
    bad: Option<&'static str>,
}

impl Numbers {
    fn new(max_inputs: Option<usize>, max_request_tokens: Option<u64>) -> Self {
        let info = EmbedderInfo { max_inputs, max_request_tokens, ..EmbedderInfo::new("acme", "n") };
        let (running, most, batches) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::default());
        Self { info, running, most, batches, bad: None }
    }
}

#[async_trait::async_trait]
impl Embedder for Numbers {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        request.check(&self.info)?;
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        self.batches.lock().unwrap().push(request.inputs.iter().map(ToString::to_string).collect());
        // The later a batch was sent, the sooner it is answered.
        for _ in 0..50 / running {
            tokio::task::yield_now().await;
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        if let Some(bad) = self.bad.filter(|bad| request.inputs.iter().any(|input| **input == **bad)) {
            return Err(EmbedError::new(ErrorKind::Overloaded, bad));
        }
        let vectors = request.inputs.iter().map(|input| vec![input.parse().unwrap(), 1.0]).collect();
        let usage = Usage { input: request.inputs.len() as u64, ..Usage::default() };
        let model = Arc::clone(&self.info.model);
        Embeddings { vectors, usage, cost: Some(Cost(1)), model }.check(&request, &self.info)
    }
}

#[tokio::test]
async fn no_text_at_all_is_no_request_and_an_empty_one_is_still_refused() {
    let embedder = Numbers::new(Some(2), None);
    assert!(embedder.embed_all(documents(&[]), 2).await.unwrap().vectors.is_empty());
    let error = embedder.embed_all(documents(&["1", "2", ""]), 2).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(embedder.batches.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_first_failure_counts() {
    let embedder = Numbers { bad: Some("3"), ..Numbers::new(Some(1), None) };
    let error = embedder.embed_all(documents(&["1", "2", "3", "4", "5"]), 2).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Overloaded, "3"));
    assert!(embedder.batches.lock().unwrap().len() < 5, "nothing more is sent after a failure");
}

/// A deployment that was changed in the middle.
#[derive(Debug)]
struct Changed(Numbers);

#[async_trait::async_trait]
impl Embedder for Changed {
    fn info(&self) -> &EmbedderInfo {
        &self.0.info
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        let mut answer = self.0.embed(request).await?;
        if self.0.batches.lock().unwrap().len() > 1 {
            answer.model = "other".into();
        }
        Ok(answer)
    }
}

#[tokio::test]
async fn vectors_of_two_models_do_not_come_in_one_answer() {
    let embedder = Changed(Numbers::new(Some(1), None));
    let error = embedder.embed_all(documents(&["1", "2"]), 1).await.unwrap_err();
    assert!(error.to_string().contains("cannot be compared"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_number_of_texts_comes_back_in_order_within_every_limit(
        texts in prop::collection::vec(0_u32..100_000, 1..60),
        max_inputs in prop::option::of(1_usize..8),
        max_tokens in prop::option::of(1_u64..20),
        at_once in 0_usize..5,
    ) {
        let embedder = Numbers::new(max_inputs, max_tokens);
        let inputs: Vec<String> = texts.iter().map(ToString::to_string).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let request = EmbedRequest::documents(inputs.clone());
        let answer = runtime.block_on(embedder.embed_all(request, at_once)).unwrap();
        let expected: Vec<Vec<f32>> = texts.iter().map(|text| vec![*text as f32, 1.0]).collect();
        prop_assert_eq!(answer.vectors, expected);
        prop_assert_eq!(answer.usage.input, texts.len() as u64);
        let batches = embedder.batches.lock().unwrap();
        prop_assert_eq!(answer.cost, Some(Cost(batches.len() as u64)));
        prop_assert!(embedder.most.load(Ordering::SeqCst) <= at_once.max(1));
        prop_assert_eq!(batches.concat(), inputs);
        for batch in batches.iter() {
            let bytes: usize = batch.iter().map(String::len).sum();
            prop_assert!(batch.len() <= max_inputs.unwrap_or(usize::MAX));
            prop_assert!(batch.len() == 1 || bytes as u64 <= max_tokens.unwrap_or(u64::MAX));
        }
    }
}
