//! A model behind HTTP: requests from kept pieces, deadlines, limits, errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod toy_codec;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use mosaic_core::testing::{Gate, Reply, ScriptedTransport, TestRuntime};
use mosaic_core::{
    Auth, Authenticator, CallId, ChatModel, Cost, Delivery, ErrorKind, Group, HttpModel, HttpRequest,
    ModelCall, ModelEnd, ModelError, ModelEvent, ModelInfo, ModelRequest, Origin, OutputMode, OutputSpec,
    Part, Price, Profile, Rates, Runtime, StopReason, Timeouts, Timestamp, ToolMode, ToolResult, ToolSpec,
    ToolSpecs, ToolStatus, TransportError,
};
use toy_codec::ToyCodec;

fn model(transport: &ScriptedTransport, runtime: &TestRuntime) -> HttpModel {
    model_of(ToyCodec::default(), transport, runtime)
}

fn model_of(codec: ToyCodec, transport: &ScriptedTransport, runtime: &TestRuntime) -> HttpModel {
    model_with(ModelInfo::new("acme", "m1"), codec, transport, runtime)
}

fn model_with(
    info: ModelInfo,
    codec: ToyCodec,
    transport: &ScriptedTransport,
    runtime: &TestRuntime,
) -> HttpModel {
    let origin = Origin { api: "toy".into(), provider: "acme".into(), model: "m1".into() };
    let profile = Profile { origin, info };
    HttpModel::new(
        Arc::new(codec),
        profile,
        "http://host/v1/",
        Arc::new(transport.clone()),
        Arc::new(runtime.clone()),
    )
}

fn hello() -> ModelCall {
    let groups = Arc::new(vec![Group::user(vec![Part::text("Hello")])]);
    ModelCall::new(ModelRequest { groups, ..ModelRequest::default() })
}

/// The text that came, and how it ended.
async fn read(model: &HttpModel, call: ModelCall) -> (String, Result<(), ModelError>) {
    let mut text = String::new();
    let mut stream = match model.stream(call).await {
        Ok(stream) => stream,
        Err(error) => return (text, Err(error)),
    };
    let mut end = None;
    while let Some(event) = stream.next().await {
        assert!(end.is_none(), "something came after the end: {event:?}");
        match event {
            Ok(ModelEvent::Text { delta, .. }) => text.push_str(&delta),
            Ok(ModelEvent::Done(_)) => end = Some(Ok(())),
            Ok(_) => {}
            Err(error) => end = Some(Err(error)),
        }
    }
    (text, end.expect("a stream has an end"))
}

async fn failure(model: &HttpModel) -> ModelError {
    read(model, hello()).await.1.expect_err("this fails")
}

#[tokio::test]
async fn an_answer_is_read_however_it_is_cut() {
    for cut in [1, 2, 3, 7, 1000] {
        let transport = ScriptedTransport::new([Reply::ok("t Hello \nt world\nend\n").cut_every(cut)]);
        let (text, end) = read(&model(&transport, &TestRuntime::default()), hello()).await;
        assert_eq!(text, "Hello world", "cut every {cut}");
        end.unwrap();
    }
}

async fn end(model: &HttpModel, call: ModelCall) -> ModelEnd {
    let event = model.stream(call).await.unwrap().next().await.expect("an end").unwrap();
    let ModelEvent::Done(end) = event else { unreachable!("{event:?} is no end") };
    end
}

#[tokio::test]
async fn an_answer_without_figures_has_an_unknown_cost_and_not_none() {
    let transport = ScriptedTransport::new([Reply::ok("u 7\nend\n"), Reply::ok("end\n")]);
    let mut info = ModelInfo::new("acme", "m1");
    info.price = Some(Price::new(Rates::new(0, 2_000_000)));
    let model = model_with(info, ToyCodec::default(), &transport, &TestRuntime::default());
    assert_eq!(end(&model, hello()).await.cost, Some(Cost(14)));
    assert_eq!(end(&model, hello()).await.cost, None);
}

#[tokio::test]
async fn a_decoder_is_told_how_long_the_answer_may_be() {
    let transport = ScriptedTransport::from_fn(|_| Reply::ok("u 7\nend\n"));
    let model = model(&transport, &TestRuntime::default());
    let mut limited = hello();
    limited.request.params.max_output_tokens = Some(7);
    assert_eq!(end(&model, hello()).await.stop, StopReason::Stop);
    assert_eq!(end(&model, limited).await.stop, StopReason::Length);
}

#[tokio::test]
async fn the_request_has_its_address_key_headers_and_body() {
    let transport = ScriptedTransport::new([Reply::ok("end\n")]);
    let model = model(&transport, &TestRuntime::default())
        .auth(Auth::bearer("sk-secret"))
        .header("X-Version", "2")
        .secret_header("x-tenant", "hidden");
    read(&model, hello()).await.1.unwrap();
    let request = transport.requests().remove(0);
    assert_eq!(request.url, "http://host/v1/toy");
    assert_eq!(request.body_bytes(), "[user:Hello]");
    assert_eq!(request.connect_timeout, Some(Timeouts::default().connect));
    let lines: Vec<_> = request.headers.iter().map(|line| (&*line.name, line.expose())).collect();
    let expected = [("authorization", "Bearer sk-secret"), ("X-Version", "2"), ("x-tenant", "hidden")];
    assert_eq!(lines, expected, "the host's `X-Version` replaces the codec's");
    let shown = format!("{request:?} {model:?}");
    assert!(!shown.contains("sk-secret") && !shown.contains("hidden"), "{shown}");
}

#[tokio::test]
async fn old_messages_are_encoded_once_a_model() {
    let transport = ScriptedTransport::from_fn(|_| Reply::ok("end\n"));
    let runtime = TestRuntime::default();
    let (first, second) = (ToyCodec::default(), ToyCodec::default());
    let (one, other) =
        (model_of(first.clone(), &transport, &runtime), model_of(second.clone(), &transport, &runtime));
    let call = hello();
    for _ in 0..3 {
        read(&one, call.clone()).await.1.unwrap();
        read(&other, call.clone()).await.1.unwrap();
    }
    assert_eq!((first.fragments(), second.fragments()), (1, 1));
}

#[tokio::test]
async fn a_refused_request_is_the_codecs_error_with_the_providers_name() {
    let transport = ScriptedTransport::new([Reply::status(429).body("slow down")]);
    let error = failure(&model(&transport, &TestRuntime::default())).await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!((error.status, error.provider.as_deref()), (Some(429), Some("acme")));
    assert!(error.to_string().contains("slow down"), "{error}");
}

#[tokio::test]
async fn an_error_body_without_end_is_cut() {
    let transport = ScriptedTransport::new([Reply::status(500).body(vec![b'x'; 1 << 20]).then_never()]);
    let error = failure(&model(&transport, &TestRuntime::default())).await;
    assert_eq!(error.to_string().len(), 64 * 1024);
}

#[tokio::test]
async fn an_error_body_that_breaks_is_still_an_error_of_its_status() {
    let transport = ScriptedTransport::new([Reply::status(503).body("bu").then_error(TransportError::Gone)]);
    let error = failure(&model(&transport, &TestRuntime::default())).await;
    assert_eq!((error.status, error.to_string().as_str()), (Some(503), "bu"));
}

#[tokio::test]
async fn a_stream_that_ends_without_its_terminal_event_is_incomplete() {
    let transport = ScriptedTransport::new([Reply::ok("t Hel\n")]);
    let (text, end) = read(&model(&transport, &TestRuntime::default()), hello()).await;
    assert_eq!(text, "Hel");
    assert_eq!(end.unwrap_err().kind(), ErrorKind::Incomplete);
}

#[tokio::test]
async fn what_was_decoded_before_an_error_is_given_out_first() {
    let transport = ScriptedTransport::new([Reply::ok("t Hel\nbad\nt lost\n")]);
    let (text, end) = read(&model(&transport, &TestRuntime::default()), hello()).await;
    let error = end.unwrap_err();
    assert_eq!((text.as_str(), error.kind()), ("Hel", ErrorKind::Decode));
    assert_eq!(error.provider.as_deref(), Some("acme"));
}

#[tokio::test]
async fn a_broken_connection_is_an_error_after_the_text_so_far() {
    let broken = TransportError::Broken { host: "host".into(), source: "reset".into() };
    let transport = ScriptedTransport::new([Reply::ok("t Hel\n").then_error(broken)]);
    let (text, end) = read(&model(&transport, &TestRuntime::default()), hello()).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind()), ("Hel", ErrorKind::Transport));
}

#[tokio::test]
async fn an_answer_longer_than_the_limit_is_an_error() {
    let transport = ScriptedTransport::new([Reply::ok("t 12345678\nt 1\nend\n").cut_every(11)]);
    let model = model(&transport, &TestRuntime::default()).max_answer_bytes(12);
    let (text, end) = read(&model, hello()).await;
    let error = end.unwrap_err();
    assert_eq!((text.as_str(), error.kind()), ("12345678", ErrorKind::Decode));
    assert!(error.to_string().contains("max_answer_bytes"), "{error}");
    assert_eq!(transport.cancelled(), 1);
}

/// Runs a call to its end by turning the clock; says how long that took.
async fn time_out(model: HttpModel, call: ModelCall, runtime: &TestRuntime) -> (Duration, ModelError) {
    let started = runtime.now();
    let task = tokio::spawn(async move { read(&model, call).await });
    while !task.is_finished() {
        assert!(runtime.advance_to_next().await || task.is_finished(), "it waits for ever");
    }
    let error = task.await.unwrap().1.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    (started.until(runtime.now()), error)
}

#[tokio::test]
async fn every_wait_has_a_deadline() {
    let default = Timeouts::default();
    let cases = [
        (Reply::never(), default.connect + default.first_byte),
        (Reply::status(200).then_never(), default.first_byte),
        (Reply::ok("t Hel\n").then_never(), default.between),
    ];
    for (reply, expected) in cases {
        let (transport, runtime) = (ScriptedTransport::new([reply]), TestRuntime::default());
        let (took, error) = time_out(model(&transport, &runtime), hello(), &runtime).await;
        assert_eq!(took, expected);
        assert_eq!(error.provider.as_deref(), Some("acme"));
        assert_eq!(transport.cancelled(), 1, "the exchange is cancelled");
    }
}

#[tokio::test]
async fn a_call_sets_its_own_stall_and_deadline() {
    let runtime = TestRuntime::default();
    let stall = ModelCall { stall: Some(Duration::from_secs(7)), ..hello() };
    let deadline = ModelCall { deadline: Some(runtime.now().after(Duration::from_secs(9))), ..hello() };
    for (call, seconds) in [(stall, 7), (deadline, 9)] {
        let (transport, runtime) =
            (ScriptedTransport::new([Reply::status(200).then_never()]), TestRuntime::default());
        let (took, _) = time_out(model(&transport, &runtime), call, &runtime).await;
        assert_eq!(took, Duration::from_secs(seconds));
    }
}

#[tokio::test]
async fn a_whole_answer_may_be_silent_twice_as_long() {
    let (transport, runtime) =
        (ScriptedTransport::new([Reply::status(200).then_never()]), TestRuntime::default());
    let model = model(&transport, &runtime).delivery(Delivery::Whole);
    let (took, _) = time_out(model, hello(), &runtime).await;
    assert_eq!(took, Timeouts::default().first_byte * 2);
}

#[tokio::test]
async fn silence_counts_from_the_last_piece_and_needs_no_timer_a_piece() {
    let (gate, runtime) = (Gate::new(), TestRuntime::default());
    let transport = ScriptedTransport::new([Reply::ok("t a\n").hold(&gate).body("t b\n").then_never()]);
    let model = model(&transport, &runtime);
    let started = runtime.now();
    let task = tokio::spawn(async move { read(&model, hello()).await });
    gate.reached().await;
    runtime.advance(Duration::from_secs(100)).await;
    gate.open();
    runtime.advance(Duration::from_secs(20)).await;
    assert!(!task.is_finished(), "the first timer fires at 120 s, and somebody spoke at 100 s");
    assert_eq!(runtime.sleepers(), 1);
    runtime.advance(Duration::from_secs(99)).await;
    assert!(!task.is_finished());
    runtime.advance(Duration::from_secs(1)).await;
    let (text, end) = task.await.unwrap();
    assert_eq!((text.as_str(), end.unwrap_err().kind()), ("ab", ErrorKind::Timeout));
    assert_eq!(started.until(runtime.now()), Duration::from_secs(220));
}

#[tokio::test]
async fn a_host_that_reads_slowly_does_not_make_its_provider_late() {
    let runtime = TestRuntime::default();
    let transport = ScriptedTransport::new([Reply::ok("t a\n").body("t b\nend\n")]);
    let mut stream = model(&transport, &runtime).stream(hello()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    runtime.advance(Duration::from_secs(3600)).await;
    let rest: Vec<_> = stream.collect().await;
    assert!(rest.iter().all(Result::is_ok), "{rest:?}");
}

#[tokio::test]
async fn the_body_is_read_to_its_end_so_that_the_connection_can_be_used_again() {
    let transport = ScriptedTransport::new([Reply::ok("t a\nend\n").body("\n")]);
    let mut stream = model(&transport, &TestRuntime::default()).stream(hello()).await.unwrap();
    while !matches!(stream.next().await, Some(Ok(ModelEvent::Done(_)))) {}
    drop(stream);
    assert_eq!(transport.cancelled(), 0);
}

#[tokio::test]
async fn a_body_that_goes_on_after_the_terminal_event_delays_it_by_a_tenth_of_a_second_at_most() {
    let (transport, runtime) =
        (ScriptedTransport::new([Reply::ok("t a\nend\n").then_never()]), TestRuntime::default());
    let model = model(&transport, &runtime);
    let task = tokio::spawn(async move { read(&model, hello()).await });
    runtime.advance(Duration::from_millis(100)).await;
    assert!(task.is_finished());
    task.await.unwrap().1.unwrap();
}

#[tokio::test]
async fn dropping_the_stream_cancels_the_exchange() {
    let transport = ScriptedTransport::new([Reply::ok("t a\n").then_never()]);
    let mut stream = model(&transport, &TestRuntime::default()).stream(hello()).await.unwrap();
    stream.next().await;
    drop(stream);
    assert_eq!(transport.cancelled(), 1);
}

fn with_tools(
    mode: ToolMode,
    transport: &ScriptedTransport,
    runtime: &TestRuntime,
) -> (HttpModel, ModelCall) {
    let mut info = ModelInfo::new("acme", "m1");
    info.tool_mode = mode;
    let origin = Origin { api: "toy".into(), provider: "acme".into(), model: "m1".into() };
    let profile = Profile { origin, info };
    let model = HttpModel::new(
        Arc::new(ToyCodec::default()),
        profile,
        "http://host",
        Arc::new(transport.clone()),
        Arc::new(runtime.clone()),
    );
    let tool = ToolSpec::new("clock", "The time.", serde_json::json!({"type": "object"}));
    let mut call = hello();
    call.request.tools = Arc::new(ToolSpecs::new(vec![tool]));
    let result =
        ToolResult { call: CallId("c1".into()), status: ToolStatus::Ok, content: vec![Part::text("noon")] };
    let old = Group::assistant(vec![Part::call("c1", "clock", "{}")], None, vec![result]).unwrap();
    Arc::make_mut(&mut call.request.groups).push(old);
    (model, call)
}

#[tokio::test]
async fn a_model_without_native_calls_is_asked_in_text_and_its_answer_is_unwrapped() {
    let transport =
        ScriptedTransport::new([Reply::ok("t {\"final_\nt answer\": \"It is noo\nt n.\"}\nend\n")]);
    let (model, call) = with_tools(ToolMode::JsonSchema, &transport, &TestRuntime::default());
    let (text, end) = read(&model, call).await;
    assert_eq!(text, "It is noon.");
    end.unwrap();
    let body = transport.requests().remove(0).body_bytes();
    let body = String::from_utf8_lossy(&body);
    assert!(
        body.contains(
            "[assistant:{\"tool\": \"clock\", \"tool_input\": {}}],[user:Result of clock:\nnoon\n]"
        ),
        "{body}"
    );
    assert!(body.contains("[output:{\"anyOf\"") && !body.contains("[tools:"), "{body}");
}

#[tokio::test]
async fn a_native_model_is_asked_as_it_is_and_a_call_in_its_text_is_found() {
    let transport = ScriptedTransport::new([Reply::ok("t {\"name\": \nt \"clock\"}\nend\n")]);
    let (model, call) = with_tools(ToolMode::Native, &transport, &TestRuntime::default());
    let events: Vec<_> = model.stream(call).await.unwrap().map(Result::unwrap).collect().await;
    let is_call = |event: &ModelEvent| matches!(event, ModelEvent::End { content: Part::ToolCall(_), .. });
    assert!(events.iter().any(is_call), "{events:?}");
    let body = transport.requests().remove(0).body_bytes();
    assert!(String::from_utf8_lossy(&body).ends_with("[assistant:<call clock>][tools:clock;]"));
}

#[tokio::test]
async fn what_was_held_back_is_shown_when_the_answer_breaks_off() {
    let transport = ScriptedTransport::new([Reply::ok("t {\"name\": \n").then_error(TransportError::Gone)]);
    let (model, call) = with_tools(ToolMode::Native, &transport, &TestRuntime::default());
    let (text, end) = read(&model, call).await;
    assert_eq!((text.as_str(), end.unwrap_err().kind()), ("{\"name\": ", ErrorKind::Cancelled));
}

#[tokio::test]
async fn a_model_without_structured_output_answers_through_a_tool_that_nobody_sees() {
    let schema = serde_json::json!({"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]});
    let said = "t {\"name\": \"final_answer\", \"arguments\": {\"days\": 3}}\nend\n";
    let transport = ScriptedTransport::from_fn(move |_| Reply::ok(said).cut_every(5));
    let runtime = TestRuntime::default();
    let mut info = ModelInfo::new("acme", "m1");
    info.output_mode = OutputMode::Tool;
    let origin = Origin { api: "toy".into(), provider: "acme".into(), model: "m1".into() };
    let codec = ToyCodec::default();
    let (profile, url) = (Profile { origin, info }, "http://host/v1");
    let model =
        HttpModel::new(Arc::new(codec.clone()), profile, url, Arc::new(transport.clone()), Arc::new(runtime));
    let mut call = hello();
    call.request.tools =
        Arc::new(ToolSpecs::new(vec![ToolSpec::new("add", "Adds.", serde_json::json!({"type": "object"}))]));
    call.request.output = Some(Arc::new(OutputSpec { name: "plan".into(), schema }));
    for _ in 0..3 {
        let (text, end) = read(&model, call.clone()).await;
        end.unwrap();
        assert_eq!(text, "{\"days\":3}");
    }
    let bodies: Vec<_> = transport.requests().iter().map(|request| request.body_bytes()).collect();
    let body = String::from_utf8_lossy(&bodies[0]);
    assert!(body.contains("[tools:add;final_answer;]") && !body.contains("[output:"), "{body}");
    assert!(bodies.iter().all(|body| body == &bodies[0]));
    assert_eq!(codec.tools_made(), 1, "the tools are described once");
    // What the host asks for another time is another request.
    call.request.output = None;
    assert!(read(&model, call).await.1.is_ok());
    let body = transport.requests()[3].body_bytes();
    assert!(!String::from_utf8_lossy(&body).contains("final_answer"));
}

/// A scheme of the host's that never answers, or answers with a key.
#[derive(Debug)]
struct Scheme(Option<&'static str>);

#[async_trait::async_trait]
impl Authenticator for Scheme {
    async fn authenticate(&self, request: &mut HttpRequest, _: Timestamp) -> Result<(), ModelError> {
        match self.0 {
            Some(key) => request.headers.push_secret("authorization", format!("Bearer {key}")),
            None => std::future::pending().await,
        }
        Ok(())
    }
}

#[tokio::test]
async fn paying_for_a_request_has_a_deadline_too() {
    let runtime = TestRuntime::new(1);
    let transport = ScriptedTransport::new([]);
    let model = model(&transport, &runtime).auth(Auth::By(Arc::new(Scheme(None))));
    let (waited, error) = time_out(model, hello(), &runtime).await;
    assert_eq!((error.kind, waited), (ErrorKind::Timeout, Duration::from_secs(300)));
    assert!(error.message.contains("Authenticator"), "{error}");
    assert!(transport.requests().is_empty());
}

#[tokio::test]
async fn a_key_that_is_repeated_shows_in_no_error() {
    const KEY: &str = "no-known-beginning-0123456789";
    let broken = || TransportError::Host { class: "Boom".to_owned(), message: format!("sent {KEY}") };
    for pay in [Auth::bearer(KEY), Auth::header("x-key", KEY), Auth::By(Arc::new(Scheme(Some(KEY))))] {
        for reply in [
            Reply::status(401).body(format!("wrong key: {KEY}")),
            Reply::ok(format!("wrong key: {KEY}\n")),
            Reply::error(broken()),
            Reply::ok("t half\n").then_error(broken()),
        ] {
            let runtime = TestRuntime::new(1);
            let transport = ScriptedTransport::new([reply]);
            let (_, end) = read(&model(&transport, &runtime).auth(pay.clone()), hello()).await;
            let error = end.unwrap_err();
            let sent = transport.requests().remove(0);
            assert!(sent.headers.iter().any(|line| line.expose().contains(KEY)), "the key was sent");
            assert!(!format!("{error} {error:?} {:?}", error.report()).contains(KEY), "{error:?}");
        }
    }
}

/// A token that is made anew when it was refused.
#[derive(Debug, Default)]
struct Renewed(AtomicUsize);

#[async_trait::async_trait]
impl Authenticator for Renewed {
    async fn authenticate(&self, request: &mut HttpRequest, _: Timestamp) -> Result<(), ModelError> {
        request.headers.push_secret("authorization", format!("token-{}", self.0.load(Ordering::SeqCst)));
        Ok(())
    }

    async fn refused(&self, request: &HttpRequest, _: Timestamp) -> bool {
        let sent = request.headers.iter().find(|line| line.is_secret()).unwrap();
        let now = self.0.fetch_add(1, Ordering::SeqCst);
        assert_eq!(sent.expose(), format!("token-{now}"), "it is told which one was refused");
        true
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_a_call() {
    let runtime = TestRuntime::new(1);
    let transport = ScriptedTransport::new([
        Reply::status(401),
        Reply::ok("t Hi\nend\n"),
        Reply::status(401),
        Reply::status(401),
    ]);
    let model = model(&transport, &runtime).auth(Auth::By(Arc::new(Renewed::default())));
    assert_eq!(read(&model, hello()).await.0, "Hi");
    assert_eq!(read(&model, hello()).await.1.unwrap_err().status, Some(401));
    let tokens: Vec<String> = transport
        .requests()
        .iter()
        .flat_map(|request| request.headers.iter().filter(|line| line.is_secret()))
        .map(|line| line.expose().to_owned())
        .collect();
    assert_eq!(tokens, ["token-0", "token-1", "token-1", "token-2"]);
    // A fixed key that was refused is refused again.
    let transport = ScriptedTransport::new([Reply::status(401)]);
    let fixed = self::model(&transport, &runtime).auth(Auth::bearer("k".to_owned()));
    assert_eq!(read(&fixed, hello()).await.1.unwrap_err().status, Some(401));
}

#[tokio::test]
async fn what_is_asked_about_a_request_is_asked_again_with_a_new_token_too() {
    let transport = ScriptedTransport::new([Reply::status(401), Reply::ok("7")]);
    let model = model(&transport, &TestRuntime::new(1)).auth(Auth::By(Arc::new(Renewed::default())));
    assert_eq!(model.ask_about(&hello().request, Ok).await.unwrap(), b"7");
}

#[tokio::test]
async fn renewing_a_token_has_a_deadline() {
    /// Never comes back from its authority.
    #[derive(Debug)]
    struct Lost;
    #[async_trait::async_trait]
    impl Authenticator for Lost {
        async fn authenticate(&self, _: &mut HttpRequest, _: Timestamp) -> Result<(), ModelError> {
            Ok(())
        }

        async fn refused(&self, _: &HttpRequest, _: Timestamp) -> bool {
            std::future::pending().await
        }
    }
    let runtime = TestRuntime::new(1);
    let transport = ScriptedTransport::new([Reply::status(401).body("who are you")]);
    let model = model(&transport, &runtime).auth(Auth::By(Arc::new(Lost)));
    let task = tokio::spawn(async move { failure(&model).await });
    runtime.advance(Duration::from_secs(300)).await;
    assert!(task.is_finished());
    let error = task.await.unwrap();
    assert_eq!(error.status, Some(401), "what the provider said counts");
    assert!(error.message.contains("who are you"), "{error}");
}

#[tokio::test]
async fn a_secret_in_an_address_shows_nowhere() {
    const SECRETS: [&str; 2] = ["password-0123456789", "query-key-0123456789"];
    let url = format!("https://user:{}@host/v1?key={}&v=1", SECRETS[0], SECRETS[1]);
    for reply in [
        Reply::status(404).header("x-request-id", url.clone()).body(url.clone()),
        Reply::error(TransportError::Host { class: "Boom".into(), message: url.clone() }),
    ] {
        let runtime = TestRuntime::new(1);
        let transport = ScriptedTransport::new([reply]);
        let profile = Profile {
            origin: Origin { api: "toy".into(), provider: "acme".into(), model: "m1".into() },
            info: ModelInfo::new("acme", "m1"),
        };
        let codec = Arc::new(ToyCodec::default());
        let model =
            HttpModel::new(codec, profile, url.clone(), Arc::new(transport.clone()), Arc::new(runtime));
        let error = failure(&model).await;
        let shown = format!("{error} {error:?} {:?} {model:?} {:?}", error.report(), transport.requests());
        assert!(shown.contains("host/v1"), "{shown}");
        assert!(!SECRETS.iter().any(|secret| shown.contains(secret)), "{shown}");
    }
}

#[test]
fn of_a_body_only_the_length_shows() {
    let request = HttpRequest { body: vec!["client_secret=x".into()], ..HttpRequest::default() };
    assert!(format!("{request:?}").contains("15 bytes"));
    assert!(!format!("{request:?}").contains("client_secret"));
}
