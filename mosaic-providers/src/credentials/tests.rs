//! What is done with tokens, whatever they are from: with a source that follows a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mosaic_core::testing::{Gate, Reply, ScriptedTransport, TestRuntime};
use mosaic_core::{
    Auth, Authenticator, ChatModel, ErrorKind, HttpRequest, ModelCall, ModelError, ModelRequest, Runtime,
};

use super::*;
use crate::endpoint::Endpoint;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Gives tokens `t1`, `t2`, ..., or what the script says before that.
#[derive(Clone, Default)]
struct Source(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    asked: usize,
    script: VecDeque<Step>,
    lifetime: Option<Duration>,
}

enum Step {
    Hold(Gate),
    Fail(ModelError),
    Give(&'static str),
    Never,
    Panic,
}

impl Source {
    fn new(script: impl IntoIterator<Item = Step>) -> Self {
        let inner = Inner { script: script.into_iter().collect(), ..Inner::default() };
        Self(Arc::new(Mutex::new(inner)))
    }

    fn lasting(self, lifetime: Duration) -> Self {
        self.0.lock().unwrap().lifetime = Some(lifetime);
        self
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }
}

#[async_trait::async_trait]
impl TokenSource for Source {
    async fn token(&self, _: &Means) -> Result<Token, ModelError> {
        let (number, step, lifetime) = {
            let inner = &mut *self.0.lock().unwrap();
            inner.asked += 1;
            (inner.asked, inner.script.pop_front(), inner.lifetime)
        };
        let mut secret = format!("t{number}");
        match step {
            Some(Step::Hold(gate)) => gate.pass().await,
            Some(Step::Fail(error)) => return Err(error),
            Some(Step::Give(other)) => secret = other.to_owned(),
            Some(Step::Never) => std::future::pending().await,
            Some(Step::Panic) => panic!("a defect of the source"),
            None => {}
        }
        Ok(Token { secret: secret.into(), lifetime })
    }
}

fn over(credential: Credential, runtime: &TestRuntime) -> Arc<dyn Authenticator> {
    credential.over(Arc::new(ScriptedTransport::new([])), Arc::new(runtime.clone()))
}

fn kept(source: &Source, runtime: &TestRuntime) -> Arc<dyn Authenticator> {
    over(Credential::new(source.clone()), runtime)
}

/// What a request is paid with.
async fn pay(by: &Arc<dyn Authenticator>) -> Result<HttpRequest, ModelError> {
    let mut request = HttpRequest::default();
    by.authenticate(&mut request, TestRuntime::START).await.map(|()| request)
}

async fn token(by: &Arc<dyn Authenticator>) -> String {
    let request = pay(by).await.unwrap();
    request.headers.iter().map(|line| line.expose().replace("Bearer ", "")).collect()
}

fn trouble(after: Option<Duration>) -> Step {
    Step::Fail(ModelError::new(ErrorKind::Overloaded, "busy").with_retry_after(after))
}

fn refusal() -> Step {
    Step::Fail(ModelError::new(ErrorKind::Auth, "no"))
}

#[tokio::test]
async fn a_token_is_kept_for_its_life_and_renewed_beside_before_its_end() {
    let (source, runtime) = (Source::default().lasting(HOUR), TestRuntime::new(1));
    let by = kept(&source, &runtime);
    assert_eq!((token(&by).await, token(&by).await), ("t1".into(), "t1".into()));
    runtime.advance(55 * MINUTE).await;
    assert_eq!((token(&by).await, source.asked()), ("t1".into(), 1));
    // 4 minutes before its end.
    runtime.advance(MINUTE).await;
    assert_eq!(token(&by).await, "t1", "nobody waits for it");
    runtime.advance(Duration::ZERO).await;
    assert_eq!((token(&by).await, source.asked()), ("t2".into(), 2));
}

#[tokio::test]
async fn a_token_that_is_over_is_not_used() {
    let (source, runtime) = (Source::default().lasting(HOUR), TestRuntime::new(1));
    let by = kept(&source, &runtime);
    assert_eq!(token(&by).await, "t1");
    runtime.advance(HOUR - Duration::from_secs(10)).await;
    assert_eq!(token(&by).await, "t2", "10 s before its end it might come too late");
}

#[tokio::test]
async fn a_token_that_does_not_say_how_long_is_kept_until_it_is_refused_or_as_long_as_the_host_says() {
    let runtime = TestRuntime::new(1);
    let (for_ever, short) = (Source::default(), Source::default());
    let by = kept(&for_ever, &runtime);
    let by_host = over(Credential::new(short.clone()).keep_for(10 * MINUTE), &runtime);
    assert_eq!((token(&by).await, token(&by_host).await), ("t1".into(), "t1".into()));
    runtime.advance(9 * HOUR).await;
    assert_eq!((token(&by).await, token(&by_host).await), ("t1".into(), "t2".into()));
}

#[tokio::test]
async fn a_hundred_calls_at_once_cause_one_renewal() {
    let gate = Gate::new();
    let (source, runtime) = (Source::new([Step::Hold(gate.clone())]), TestRuntime::new(1));
    let by = kept(&source, &runtime);
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let by = by.clone();
            tokio::spawn(async move { token(&by).await })
        })
        .collect();
    gate.reached().await;
    runtime.advance(Duration::ZERO).await;
    gate.open();
    for call in calls {
        assert_eq!(call.await.unwrap(), "t1");
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn whoever_began_a_renewal_may_go_away() {
    let gate = Gate::new();
    let (source, runtime) = (Source::new([Step::Hold(gate.clone())]), TestRuntime::new(1));
    let by = kept(&source, &runtime);
    let [first, second] = [by.clone(), by].map(|by| tokio::spawn(async move { token(&by).await }));
    gate.reached().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    gate.open();
    assert_eq!((second.await.unwrap(), source.asked()), ("t1".into(), 1));
}

#[tokio::test]
async fn a_renewal_has_a_deadline_and_so_has_a_function_that_is_asked_each_time() {
    let runtime = TestRuntime::new(1);
    let never = || Source::new([Step::Never]);
    let each = Credential::from_fn(std::future::pending::<Result<String, ModelError>>);
    for credential in [Credential::new(never()), Credential::new(never()).deadline(MINUTE), each] {
        let by = over(credential.clone(), &runtime);
        let before = runtime.now();
        let paid = tokio::spawn(async move { pay(&by).await });
        assert!(runtime.advance_to_next().await);
        let error = paid.await.unwrap().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Timeout);
        assert!(error.message.contains("Credential::deadline"), "{error}");
        let expected = if format!("{credential:?}").contains("60s") { 60 } else { 30 };
        assert_eq!(before.until(runtime.now()).as_secs(), expected);
    }
}

#[tokio::test]
async fn a_failure_counts_for_a_while_and_says_when_to_try_again() {
    for (step, seconds, retryable) in [
        (trouble(None), 5, true),
        (trouble(Some(Duration::from_secs(7))), 7, true),
        (trouble(Some(HOUR)), 300, true),
        (refusal(), 30, false),
    ] {
        let (source, runtime) = (Source::new([step]), TestRuntime::new(1));
        let by = kept(&source, &runtime);
        assert!(pay(&by).await.is_err());
        runtime.advance(Duration::from_secs(seconds - 1)).await;
        let error = pay(&by).await.unwrap_err();
        assert_eq!(error.retryable, retryable);
        assert_eq!(error.retry_after, retryable.then_some(Duration::from_secs(1)));
        assert_eq!(source.asked(), 1, "nobody asked again");
        runtime.advance(Duration::from_secs(1)).await;
        assert_eq!(token(&by).await, "t2");
    }
}

#[tokio::test]
async fn a_renewal_that_fails_before_the_end_of_the_old_token_harms_nobody() {
    let runtime = TestRuntime::new(1);
    let source = Source::new([Step::Give("t1"), trouble(None)]).lasting(HOUR);
    let by = kept(&source, &runtime);
    token(&by).await;
    runtime.advance(57 * MINUTE).await;
    for _ in 0..3 {
        assert_eq!(token(&by).await, "t1");
        runtime.advance(Duration::ZERO).await;
    }
    assert_eq!(source.asked(), 2);
    runtime.advance(Duration::from_secs(5)).await;
    assert_eq!(token(&by).await, "t1");
    runtime.advance(Duration::ZERO).await;
    assert_eq!(token(&by).await, "t3");
}

#[tokio::test]
async fn a_hundred_refusals_of_one_token_cause_one_renewal() {
    let (source, runtime) = (Source::default(), TestRuntime::new(1));
    let by = kept(&source, &runtime);
    let old = pay(&by).await.unwrap();
    let refusals: Vec<_> = (0..100)
        .map(|_| {
            let (by, old) = (by.clone(), old.clone());
            tokio::spawn(async move { by.refused(&old, TestRuntime::START).await })
        })
        .collect();
    for refusal in refusals {
        assert!(refusal.await.unwrap());
    }
    assert_eq!((source.asked(), token(&by).await), (2, "t2".into()));
    // One more that was under way with the old token.
    runtime.advance(HOUR).await;
    assert!(by.refused(&old, runtime.now()).await);
    assert_eq!(source.asked(), 2, "there is another one already");
}

#[tokio::test]
async fn a_new_token_that_is_refused_too_is_not_renewed_again_and_again() {
    let (source, runtime) = (Source::default(), TestRuntime::new(1));
    let by = kept(&source, &runtime);
    let old = pay(&by).await.unwrap();
    assert!(by.refused(&old, runtime.now()).await);
    let new = pay(&by).await.unwrap();
    assert!(!by.refused(&new, runtime.now()).await);
    assert_eq!(source.asked(), 2);
    runtime.advance(Duration::from_secs(30)).await;
    assert!(by.refused(&new, runtime.now()).await);
    assert_eq!(source.asked(), 3);
}

#[tokio::test]
async fn a_refused_key_is_worth_another_try_only_where_another_is_given() {
    let runtime = TestRuntime::new(1);
    for (same, keep) in [(true, None), (true, Some(HOUR)), (false, None), (false, Some(HOUR))] {
        let second = if same { "k" } else { "other" };
        let source = Source::new([Step::Give("k"), Step::Give(second)]);
        let function = {
            let source = source.clone();
            move || {
                let source = source.clone();
                async move {
                    let means = Means {
                        transport: Arc::new(ScriptedTransport::new([])),
                        runtime: Arc::new(TestRuntime::new(1)),
                    };
                    source.token(&means).await
                }
            }
        };
        let credential = Credential::from_fn(function);
        let by = over(keep.into_iter().fold(credential, Credential::keep_for), &runtime);
        let paid = pay(&by).await.unwrap();
        assert_eq!(by.refused(&paid, runtime.now()).await, !same, "{keep:?}");
    }
}

#[tokio::test]
async fn a_source_that_panics_breaks_one_renewal_and_not_the_next() {
    let (source, runtime) = (Source::new([Step::Panic]), TestRuntime::new(1));
    let by = kept(&source, &runtime);
    assert_eq!(pay(&by).await.unwrap_err().kind, ErrorKind::Internal);
    assert_eq!(token(&by).await, "t2");
}

#[tokio::test]
async fn a_key_is_put_where_the_provider_wants_it_and_found_there_again() {
    let runtime = TestRuntime::new(1);
    for (place, line) in
        [(Place::Bearer, "authorization: Bearer t1"), (Place::Header("x-api-key".into()), "x-api-key: t1")]
    {
        let by = over(Credential::new(Source::default()).place(place), &runtime);
        let request = pay(&by).await.unwrap();
        let lines: Vec<_> =
            request.headers.iter().map(|line| format!("{}: {}", line.name, line.expose())).collect();
        assert_eq!(lines, [line]);
        assert!(!format!("{request:?} {by:?}").contains("t1"));
        assert!(by.refused(&request, runtime.now()).await);
        assert!(!by.refused(&HttpRequest::default(), runtime.now()).await, "there is none in it");
    }
}

#[tokio::test]
async fn a_key_out_of_a_file_is_trimmed_and_one_that_no_header_can_carry_is_refused() {
    let runtime = TestRuntime::new(1);
    let by = |key: &'static str| {
        over(Credential::from_fn(move || async move { Ok::<_, ModelError>(key) }), &runtime)
    };
    assert_eq!(token(&by(" sk-1\n")).await, "sk-1");
    for bad in ["", " \n", "sk\n1", "schlüssel"] {
        let error = pay(&by(bad)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth);
        assert!(bad.trim().is_empty() || !error.message.contains(bad.trim()), "{error}");
    }
}

#[tokio::test]
async fn an_error_of_the_hosts_is_auth_unless_it_says_what_it_is_and_never_repeats_the_old_key() {
    const KEY: &str = "vault-key-0123456789";
    let runtime = TestRuntime::new(1);
    let plain = Credential::from_fn(|| async { Err::<String, _>("the vault is sealed") });
    let error = pay(&over(plain, &runtime)).await.unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Auth, false));
    assert!(error.message.contains("the vault is sealed"), "{error}");

    let failing = Step::Fail(ModelError::new(ErrorKind::Transport, format!("cannot replace {KEY}")));
    let by = kept(&Source::new([Step::Give(KEY), failing]).lasting(MINUTE), &runtime);
    token(&by).await;
    runtime.advance(MINUTE).await;
    let error = pay(&by).await.unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Transport, true));
    assert_eq!(error.message, "cannot replace [secret]");
}

/// The whole way: many calls of one model, all refused.
#[tokio::test]
async fn a_hundred_calls_that_are_refused_cause_one_renewal_and_all_are_answered() {
    const ANSWER: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let (gate, runtime) = (Gate::new(), TestRuntime::new(1));
    let held = gate.clone();
    let transport = ScriptedTransport::from_fn(move |request| {
        let old = request.headers.iter().any(|line| line.expose() == "Bearer t1");
        if old { Reply::status(401).hold_head(&held) } else { Reply::ok(ANSWER) }
    });
    let source = Source::default();
    let endpoint = Endpoint::compatible("lab", "http://host/v1").auth(Auth::By(kept(&source, &runtime)));
    let model = Arc::new(endpoint.model("m", Arc::new(transport.clone()), Arc::new(runtime.clone())));
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let model = model.clone();
            tokio::spawn(async move { model.stream(ModelCall::new(ModelRequest::default())).await.map(drop) })
        })
        .collect();
    gate.reached().await;
    runtime.advance(Duration::ZERO).await;
    gate.open();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((source.asked(), transport.requests().len()), (2, 200));
}
