//! Embeddings: what each API is asked, what servers answer in practice, and who is asked for a name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use base64::Engine as _;
use mosaic_core::testing::{Reply, ScriptedTransport, TestRuntime};
use mosaic_core::{
    Auth, EmbedCodec, EmbedError, EmbedRequest, Embedder, EmbedderExt, EmbedderInfo, EmbedderSource,
    Embeddings, ErrorKind, Headers, HttpEmbedder, Purpose,
};
use mosaic_providers::embeddings::{
    CohereEmbeddings, Dimensions, EmbeddingQuirks, Encoding, GeminiEmbeddings, OllamaEmbeddings,
    OpenAiEmbeddings, TaskType, known,
};
use mosaic_providers::endpoint::{Endpoint, Providers};
use proptest::prelude::*;
use serde_json::{Value, json};

fn openai() -> Arc<dyn EmbedCodec> {
    Arc::new(OpenAiEmbeddings::new(EmbeddingQuirks::openai()))
}

fn mistral() -> Arc<dyn EmbedCodec> {
    Arc::new(OpenAiEmbeddings::new(EmbeddingQuirks::mistral()))
}

fn gemini() -> Arc<dyn EmbedCodec> {
    Arc::new(GeminiEmbeddings::default())
}

fn cohere() -> Arc<dyn EmbedCodec> {
    Arc::new(CohereEmbeddings)
}

fn ollama() -> Arc<dyn EmbedCodec> {
    Arc::new(OllamaEmbeddings)
}

fn codecs() -> [Arc<dyn EmbedCodec>; 5] {
    [openai(), mistral(), gemini(), cohere(), ollama()]
}

fn embedder(codec: &Arc<dyn EmbedCodec>, transport: &ScriptedTransport) -> HttpEmbedder {
    let info = EmbedderInfo::new("test", "model");
    let (transport, runtime) = (Arc::new(transport.clone()), Arc::new(TestRuntime::default()));
    HttpEmbedder::new(Arc::clone(codec), info, "http://host/v1", transport, runtime)
}

/// What comes of an answer to a request for the vectors of `a` and `b`.
async fn read(codec: &Arc<dyn EmbedCodec>, status: u16, body: &str) -> Result<Embeddings, EmbedError> {
    let reply = Reply::status(status).body(body.to_owned()).cut_every(7);
    embedder(codec, &ScriptedTransport::new([reply])).embed(EmbedRequest::documents(["a", "b"])).await
}

fn body(codec: &Arc<dyn EmbedCodec>, request: &EmbedRequest) -> (String, Value) {
    let info = EmbedderInfo::new("test", "model");
    let http = codec.encode("http://host/v1", &info, request).unwrap();
    assert_eq!(http.headers.get("content-type"), Some("application/json"));
    (http.url.clone(), serde_json::from_slice(&http.body_bytes()).unwrap())
}

#[test]
fn each_api_is_asked_in_its_own_words() {
    let query = EmbedRequest::new(["rain \"or\"\nsnow"], Purpose::Query).dimensions(256);
    let text = "rain \"or\"\nsnow";
    let documents = EmbedRequest::documents(["a", "b"]);
    for (codec, url, asked, told) in [
        (
            openai(),
            "http://host/v1/embeddings",
            json!({"model": "model", "encoding_format": "base64", "dimensions": 256, "input": [text]}),
            json!({"model": "model", "encoding_format": "base64", "input": ["a", "b"]}),
        ),
        (
            mistral(),
            "http://host/v1/embeddings",
            json!({"model": "model", "encoding_format": "float", "output_dimension": 256, "input": [text]}),
            json!({"model": "model", "encoding_format": "float", "input": ["a", "b"]}),
        ),
        (
            gemini(),
            "http://host/v1/models/model:batchEmbedContents",
            json!({"requests": [{
                "model": "models/model", "content": {"parts": [{"text": text}]},
                "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 256,
            }]}),
            json!({"requests": [
                {"model": "models/model", "content": {"parts": [{"text": "a"}]}, "taskType": "RETRIEVAL_DOCUMENT"},
                {"model": "models/model", "content": {"parts": [{"text": "b"}]}, "taskType": "RETRIEVAL_DOCUMENT"},
            ]}),
        ),
        (
            cohere(),
            "http://host/v1/v2/embed",
            json!({
                "model": "model", "input_type": "search_query", "embedding_types": ["float"], "truncate": "NONE",
                "output_dimension": 256, "texts": [text],
            }),
            json!({
                "model": "model", "input_type": "search_document", "embedding_types": ["float"],
                "truncate": "NONE", "texts": ["a", "b"],
            }),
        ),
        (
            ollama(),
            "http://host/api/embed",
            json!({"model": "model", "truncate": false, "dimensions": 256, "input": [text]}),
            json!({"model": "model", "truncate": false, "input": ["a", "b"]}),
        ),
    ] {
        assert_eq!(body(&codec, &query), (url.to_owned(), asked));
        assert_eq!(body(&codec, &documents), (url.to_owned(), told));
    }
    let in_words: Arc<dyn EmbedCodec> = Arc::new(GeminiEmbeddings::new(TaskType::Unsupported));
    assert_eq!(body(&in_words, &documents).1["requests"][0].get("taskType"), None);
    let mut unsaid = EmbeddingQuirks::default();
    (unsaid.encoding, unsaid.dimensions) = (Encoding::Unsaid, Dimensions::OutputDimension);
    let unsaid: Arc<dyn EmbedCodec> = Arc::new(OpenAiEmbeddings::new(unsaid));
    assert_eq!(body(&unsaid, &documents).1.get("encoding_format"), None);
}

/// [1, 0] and [0, 1] as base64.
const ONE: &str = "AACAPwAAAAA=";
const TWO: &str = "AAAAAAAAgD8=";

#[tokio::test]
async fn an_answer_is_read_in_every_form_in_which_servers_give_it() {
    let of_openai = |data: Value| json!({"object": "list", "data": data, "model": "m2"}).to_string();
    let item = |index: Value, embedding: Value| json!({"object": "embedding", "index": index, "embedding": embedding});
    let (one, two) = (json!([1, 0]), json!([0.0, 1.0]));
    for (what, codec, body) in [
        ("in order", openai(), of_openai(json!([item(json!(0), one.clone()), item(json!(1), two.clone())]))),
        ("by index", openai(), of_openai(json!([item(json!(1), two.clone()), item(json!(0), one.clone())]))),
        (
            "index 0 everywhere",
            openai(),
            of_openai(json!([item(json!(0), one.clone()), item(json!(0), two.clone())])),
        ),
        ("no index", openai(), of_openai(json!([{"embedding": one}, {"embedding": two}]))),
        (
            "index as text",
            openai(),
            of_openai(json!([item(json!("1"), two.clone()), item(json!("0"), one.clone())])),
        ),
        (
            "indices from 1",
            openai(),
            of_openai(json!([item(json!(1), one.clone()), item(json!(2), two.clone())])),
        ),
        ("base64", openai(), of_openai(json!([item(json!(0), json!(ONE)), item(json!(1), json!(TWO))]))),
        (
            "base64 without padding",
            openai(),
            of_openai(json!([item(json!(0), json!("AACAPwAAAAA")), item(json!(1), json!("AAAAAAAAgD8"))])),
        ),
        (
            "base64 and numbers",
            openai(),
            of_openai(json!([item(json!(0), json!(ONE)), item(json!(1), two.clone())])),
        ),
        (
            "numbers where base64 was asked",
            mistral(),
            of_openai(json!([item(json!(0), one.clone()), item(json!(1), two.clone())])),
        ),
        ("gemini", gemini(), json!({"embeddings": [{"values": one}, {"values": two}]}).to_string()),
        (
            "gemini, cut vectors",
            gemini(),
            json!({"embeddings": [{"values": [0.5, 0]}, {"values": [0, 0.25]}]}).to_string(),
        ),
        (
            "cohere",
            cohere(),
            json!({"id": "x", "embeddings": {"float": [one, two]}, "texts": ["a", "b"]}).to_string(),
        ),
        (
            "cohere, other forms null",
            cohere(),
            json!({"embeddings": {"float": [one, two], "int8": null}}).to_string(),
        ),
        ("cohere, base64", cohere(), json!({"embeddings": {"base64": [ONE, TWO]}}).to_string()),
        ("cohere, older", cohere(), json!({"embeddings": [one, two]}).to_string()),
        (
            "ollama",
            ollama(),
            json!({"model": "m2", "embeddings": [one, two], "total_duration": 1}).to_string(),
        ),
    ] {
        let answer = read(&codec, 200, &body).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(answer.vectors, [[1.0, 0.0], [0.0, 1.0]], "{what}");
    }
}

#[tokio::test]
async fn what_it_took_and_who_answered_is_told() {
    let vectors = json!([[1, 0], [0, 1]]);
    let data = json!([{"embedding": [1, 0]}, {"embedding": [0, 1]}]);
    for (codec, body, tokens, model) in [
        (
            openai(),
            json!({"data": data, "model": "m2", "usage": {"prompt_tokens": 8, "total_tokens": 8}}),
            8,
            "m2",
        ),
        (openai(), json!({"data": data, "model": "", "usage": {"total_tokens": 7}}), 7, "model"),
        (openai(), json!({"data": data, "usage": {"prompt_tokens": 0, "total_tokens": 6}}), 6, "model"),
        (openai(), json!({"data": data, "usage": null, "model": null}), 0, "model"),
        (
            gemini(),
            json!({"embeddings": [{"values": [1, 0]}, {"values": [0, 1]}], "usageMetadata": {"promptTokenCount": 4}}),
            4,
            "model",
        ),
        (
            cohere(),
            json!({"embeddings": {"float": vectors}, "meta": {"billed_units": {"input_tokens": 2.0}}}),
            2,
            "model",
        ),
        (
            cohere(),
            json!({"embeddings": {"float": vectors}, "meta": {"billed_units": {"input_tokens": null}}}),
            0,
            "model",
        ),
        (ollama(), json!({"model": "m2", "embeddings": vectors, "prompt_eval_count": 5}), 5, "m2"),
    ] {
        let answer = read(&codec, 200, &body.to_string()).await.unwrap();
        assert_eq!((answer.usage.input, answer.usage.output, &*answer.model), (tokens, 0, model), "{body}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_that_says_what_it_is() {
    let html = "<html><title>Bad gateway</title></html>";
    for codec in codecs() {
        for (body, kind, word) in [
            ("", ErrorKind::Decode, "empty"),
            (html, ErrorKind::Decode, "HTML"),
            ("{\"data\":[{\"embedding\":[1,", ErrorKind::Decode, "line 1"),
            ("{}", ErrorKind::Decode, "not the JSON"),
            ("[]", ErrorKind::Decode, "cannot be read"),
            ("null", ErrorKind::Decode, "cannot be read"),
            (r#"{"error":{"message":"slow down","code":429}}"#, ErrorKind::RateLimited, "slow down"),
            (r#"{"message":"no such model"}"#, ErrorKind::Server, "no such model"),
        ] {
            let error = read(&codec, 200, body).await.expect_err(body);
            assert_eq!(error.kind(), kind, "{} {body}: {error}", codec.api());
            assert!(error.to_string().contains(word), "{} {body}: {error}", codec.api());
            assert_eq!(error.provider.as_deref(), Some("test"));
        }
    }
}

#[tokio::test]
async fn vectors_that_are_none_are_never_an_answer() {
    let item = |embedding: &str| format!(r#"{{"data":[{{"embedding":[1,0]}},{{"embedding":{embedding}}}]}}"#);
    for (body, kind, word) in [
        (item("[1,null]"), ErrorKind::Decode, "not finite (text 1)"),
        (item("[1,1e300]"), ErrorKind::Decode, "not finite"),
        (item("[1,\"x\"]"), ErrorKind::Decode, "not finite"),
        (item("\"AADAfwAAAAA=\""), ErrorKind::Decode, "not finite"),
        (item("[1]"), ErrorKind::Decode, "2 and of 1 dimensions"),
        (item("[]"), ErrorKind::Decode, "2 and of 0 dimensions"),
        (item("null"), ErrorKind::Decode, "where a vector belongs"),
        (item("{}"), ErrorKind::Decode, "where a vector belongs"),
        (item("\"AAA\""), ErrorKind::Decode, "where a vector belongs"),
        (item("\"not base64!\""), ErrorKind::Decode, "where a vector belongs"),
        // llama.cpp with `--pooling none`.
        (item("[[1,0],[0,1]]"), ErrorKind::Unsupported, "--pooling"),
        (r#"{"data":[]}"#.to_owned(), ErrorKind::Decode, "2 texts and answered with 0 vectors"),
        (r#"{"data":[{"embedding":[1,0]}]}"#.to_owned(), ErrorKind::Decode, "answered with 1 vectors"),
        (r#"{"data":[{"embedding":[]},{"embedding":[]}]}"#.to_owned(), ErrorKind::Decode, "empty vector"),
    ] {
        let error = read(&openai(), 200, &body).await.expect_err(&body);
        assert_eq!(error.kind(), kind, "{body}: {error}");
        assert!(error.to_string().contains(word), "{body}: {error}");
    }
}

/// llama.cpp takes `dimensions` and ignores it (seen: asked for 64, got 576).
#[tokio::test]
async fn a_length_that_was_not_honoured_is_an_error() {
    for (codec, body) in [
        (openai(), r#"{"data":[{"embedding":[1,0,0]}]}"#),
        (gemini(), r#"{"embeddings":[{"values":[1,0,0]}]}"#),
        (cohere(), r#"{"embeddings":{"float":[[1,0,0]]}}"#),
        (ollama(), r#"{"embeddings":[[1,0,0]]}"#),
    ] {
        let embedder = embedder(&codec, &ScriptedTransport::from_fn(move |_| Reply::ok(body)));
        let error = embedder.embed(EmbedRequest::documents(["a"]).dimensions(2)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("asked for 2 dimensions and answered with 3"), "{error}");
        assert!(embedder.embed(EmbedRequest::documents(["a"]).dimensions(3)).await.is_ok());
    }
}

#[tokio::test]
async fn errors_have_the_kinds_that_all_of_the_library_has() {
    for (codec, status, body, kind, word) in [
        (
            openai(),
            501,
            r#"{"error":{"code":501,"message":"This server does not support embeddings. Start it with `--embeddings`","type":"not_supported_error"}}"#,
            ErrorKind::Unsupported,
            "--embeddings",
        ),
        (
            openai(),
            400,
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens, however you requested 9001 tokens","type":"invalid_request_error"}}"#,
            ErrorKind::ContextOverflow,
            "(split the text)",
        ),
        (
            openai(),
            401,
            r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#,
            ErrorKind::Auth,
            "API key",
        ),
        (
            mistral(),
            400,
            r#"{"object":"error","message":"Too many inputs in request, split into more batches.","type":"invalid_request_error","code":"3210"}"#,
            ErrorKind::InvalidRequest,
            "more batches",
        ),
        (
            gemini(),
            400,
            r#"{"error":{"code":400,"message":"* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch","status":"INVALID_ARGUMENT"}}"#,
            ErrorKind::InvalidRequest,
            "at most 100",
        ),
        (
            gemini(),
            429,
            r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"quota"}}"#,
            ErrorKind::RateLimited,
            "quota",
        ),
        (cohere(), 404, r#"{"message":"model 'x' not found"}"#, ErrorKind::NotFound, "model 'x'"),
        (
            ollama(),
            404,
            r#"{"error":"model \"x\" not found, try pulling it first"}"#,
            ErrorKind::NotFound,
            "pulling",
        ),
        (
            ollama(),
            400,
            r#"{"error":"the input length exceeds the context length"}"#,
            ErrorKind::ContextOverflow,
            "(split the text)",
        ),
        (ollama(), 503, "", ErrorKind::Overloaded, "503"),
    ] {
        let error = read(&codec, status, body).await.unwrap_err();
        assert_eq!((error.kind(), error.status), (kind, Some(status)), "{body}: {error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    let mut headers = Headers::default();
    headers.push("retry-after", "3");
    headers.push("x-request-id", "req-1");
    let report = openai().error(429, &headers, b"{}").report();
    assert_eq!(
        (report.retry_after_ms, report.request_id.as_deref(), report.retryable),
        (Some(3000), Some("req-1"), true)
    );
}

fn providers(transport: &ScriptedTransport) -> Providers {
    let variable = |name: &str| match name {
        "LLAMACPP_BASE_URL" | "OLLAMA_BASE_URL" => Some("http://box:9/v1".to_owned()),
        name if name.ends_with("_KEY") => Some("k-1".to_owned()),
        _ => None,
    };
    Providers::new(variable, Arc::new(transport.clone()), Arc::new(TestRuntime::default()))
}

#[tokio::test]
async fn a_name_becomes_an_embedder_of_its_provider() {
    for (name, url, key, dimensions, max_inputs) in [
        ("cohere:embed-v4.0", "https://api.cohere.com/v2/embed", "Bearer k-1", Some(1536), Some(96)),
        (
            "gemini:gemini-embedding-001",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:batchEmbedContents",
            "k-1",
            Some(3072),
            Some(100),
        ),
        ("llamacpp:any", "http://box:9/v1/embeddings", "Bearer k-1", None, None),
        (
            "mistral:mistral-embed",
            "https://api.mistral.ai/v1/embeddings",
            "Bearer k-1",
            Some(1024),
            Some(256),
        ),
        ("ollama:nomic-embed-text:v1.5", "http://box:9/api/embed", "Bearer k-1", Some(768), None),
        (
            "openai:text-embedding-3-small",
            "https://api.openai.com/v1/embeddings",
            "Bearer k-1",
            Some(1536),
            Some(2048),
        ),
        ("openai:of-tomorrow", "https://api.openai.com/v1/embeddings", "Bearer k-1", None, Some(2048)),
    ] {
        let transport = ScriptedTransport::new([Reply::status(503)]);
        let embedder = providers(&transport).embedder(&name.parse().unwrap()).unwrap();
        assert_eq!(
            (embedder.info().dimensions, embedder.info().max_inputs),
            (dimensions, max_inputs),
            "{name}"
        );
        assert!(embedder.embed_one("rain", Purpose::Query).await.is_err());
        let request = transport.requests().remove(0);
        assert_eq!(request.url, url);
        let keys = ["authorization", "x-goog-api-key"];
        let found = request.headers.iter().find(|line| keys.contains(&&*line.name)).map(|line| line.expose());
        assert_eq!(found.unwrap_or_default(), key, "{name}");
        assert!(!format!("{embedder:?}").contains("k-1"));
    }
}

#[tokio::test]
async fn a_model_that_was_taught_prefixes_gets_them() {
    for (name, pointer, query, document) in [
        ("ollama:nomic-embed-text", "/input/0", "search_query: rain", "search_document: rain"),
        ("ollama:all-minilm:l6", "/input/0", "rain", "rain"),
        (
            "gemini:gemini-embedding-2",
            "/requests/0/content/parts/0/text",
            "task: search result | query: rain",
            "title: none | text: rain",
        ),
    ] {
        let transport = ScriptedTransport::from_fn(|_| Reply::status(503));
        let embedder = providers(&transport).embedder(&name.parse().unwrap()).unwrap();
        for (purpose, expected) in [(Purpose::Query, query), (Purpose::Document, document)] {
            assert!(embedder.embed_one("rain", purpose).await.is_err());
            let body: Value =
                serde_json::from_slice(&transport.requests().pop().unwrap().body_bytes()).unwrap();
            assert_eq!(body.pointer(pointer).unwrap(), expected, "{name}");
            assert!(!body.to_string().contains("taskType"), "the task is told once");
        }
    }
}

#[tokio::test]
async fn the_hosts_own_endpoints_embed_too() {
    let transport = ScriptedTransport::from_fn(|_| Reply::status(503));
    let own = |name: &str| Endpoint::compatible(name, "http://lab:1/v1").auth(Auth::bearer("own".to_owned()));
    let providers = providers(&transport).with(own("lab")).with(own("cohere"));
    for (name, url) in
        [("lab:bge", "http://lab:1/v1/embeddings"), ("cohere:embed-v4.0", "http://lab:1/v1/v2/embed")]
    {
        let embedder = providers.embedder(&name.parse().unwrap()).unwrap();
        assert!(embedder.embed_one("rain", Purpose::Query).await.is_err());
        let request = transport.requests().pop().unwrap();
        assert_eq!(request.url, url);
        assert!(request.headers.iter().any(|line| line.expose() == "Bearer own"));
    }
}

#[test]
fn a_name_that_is_none_is_told_why() {
    let transport = Arc::new(ScriptedTransport::new([]));
    let providers = Providers::new(|_| None, transport, Arc::new(TestRuntime::default()));
    for (name, kind, word) in [
        ("anthropic:claude", ErrorKind::Unsupported, "has no embeddings; those that have are cohere, gemini"),
        ("opnai:m", ErrorKind::NotFound, "openai, openrouter"),
        ("openai:text-embedding-3-small", ErrorKind::Auth, "OPENAI_API_KEY"),
        ("gemini:gemini-embedding-001", ErrorKind::Auth, "GEMINI_API_KEY"),
        ("cohere:embed-v4.0", ErrorKind::Auth, "CO_API_KEY"),
    ] {
        let error = providers.embedder(&name.parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(known().is_sorted_by_key(|row| row.name));
}

/// A batch in the form of each API.
fn written(codec: &Arc<dyn EmbedCodec>, vectors: &[Vec<f32>], base64: bool) -> String {
    let json = |vector: &Vec<f32>| {
        let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        if base64 { json!(text) } else { json!(vector) }
    };
    let all: Vec<Value> = vectors.iter().map(json).collect();
    match codec.api() {
        "gemini-embeddings" => {
            json!({"embeddings": all.iter().map(|one| json!({"values": one})).collect::<Vec<_>>()})
        }
        "cohere-embed" => json!({"embeddings": {"float": all}}),
        "ollama-embed" => json!({"embeddings": all}),
        _ => {
            let items = all.iter().enumerate().map(|(index, one)| json!({"index": index, "embedding": one}));
            // The last one first: the index counts.
            json!({"data": items.rev().collect::<Vec<_>>()})
        }
    }
    .to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_vectors_come_back_to_the_bit(
        vectors in (1_usize..6).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(-1.0_f32..1.0, width), 1..9)),
        base64 in any::<bool>(),
    ) {
        let info = EmbedderInfo::new("test", "model");
        // Gemini's are made one long.
        for codec in [openai(), mistral(), cohere(), ollama()] {
            let body = written(&codec, &vectors, base64);
            let answer = codec.decode(&info, body.as_bytes()).unwrap();
            prop_assert_eq!(&answer.vectors, &vectors, "{}", codec.api());
        }
        let answer = gemini().decode(&info, written(&gemini(), &vectors, base64).as_bytes()).unwrap();
        for (found, given) in answer.vectors.iter().zip(&vectors) {
            let like = mosaic_core::memory::cosine(found, given);
            prop_assert!(like > 0.999 || given.iter().all(|x| *x == 0.0), "{like}");
        }
    }

    #[test]
    fn any_bytes_are_an_answer_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64), status in 400_u16..600) {
        let info = EmbedderInfo::new("test", "model");
        for codec in codecs() {
            let _ = codec.decode(&info, &bytes);
            prop_assert!(!codec.error(status, &Headers::default(), &bytes).to_string().is_empty());
        }
    }

    #[test]
    fn an_answer_cut_anywhere_is_an_error(at in any::<prop::sample::Index>(), base64 in any::<bool>()) {
        let info = EmbedderInfo::new("test", "model");
        for codec in codecs() {
            let body = written(&codec, &[vec![1.0, 0.5], vec![0.25, 1.0]], base64);
            let cut = &body[..at.index(body.len())];
            prop_assert_eq!(codec.decode(&info, cut.as_bytes()).unwrap_err().kind(), ErrorKind::Decode);
        }
    }

    #[test]
    fn any_texts_are_asked_for_whole_and_in_order(texts in prop::collection::vec(".{1,20}", 1..6)) {
        let request = EmbedRequest::documents(texts.clone());
        for codec in codecs() {
            let (_, body) = body(&codec, &request);
            let list = ["input", "texts", "requests"].iter().find_map(|name| body.get(name)).unwrap();
            let found: Vec<&str> = list.as_array().unwrap().iter()
                .map(|item| item.as_str().or_else(|| item.pointer("/content/parts/0/text")?.as_str()).unwrap())
                .collect();
            prop_assert_eq!(&found, &texts);
        }
    }
}
