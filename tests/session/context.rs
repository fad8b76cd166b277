//! What the model is told before a run's first call, and who is told when a run ends.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mosaic_core::testing::{Answer, Gate, ScriptedModel, TestRuntime};
use mosaic_core::{
    Body, ContextProvider, ContextRequest, EndedRun, Engine, Entry, ErrorKind, ErrorReport, Event, GroupBody,
    Input, InputDelivery, ModelRequest, Part, Provided, RunEndHook, RunEntries, Seq, SessionError,
    SessionKey, SessionStore,
};
use mosaic_storage::RamStore;

use crate::recorded::tape::Tape;
use crate::support::{agent, engine, engine_over, kinds};

/// The input, the user, and how much was shown before.
type Asked = (String, Option<String>, usize);

/// Knows one thing, which it says once.
#[derive(Debug, Clone, Default)]
struct Knows {
    asked: Arc<Mutex<Vec<Asked>>>,
    gate: Option<Gate>,
    failure: Option<ErrorReport>,
}

impl Knows {
    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl ContextProvider for Knows {
    async fn provide(&self, request: &ContextRequest) -> Result<Provided, ErrorReport> {
        let user = request.user.as_deref().map(str::to_owned);
        self.asked.lock().unwrap().push((request.text(), user, request.shown.len()));
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if request.shown.contains("fact:1") {
            return Ok(Provided::default());
        }
        Ok(Provided { parts: vec![Part::text("She drinks tea.")], shows: vec!["fact:1".into()] })
    }
}

/// What a request holds, a line a group.
fn said(request: &ModelRequest) -> Vec<String> {
    let texts = |parts: &[Part]| parts.iter().filter_map(Part::as_text).collect::<Vec<_>>().join(" | ");
    request
        .groups
        .iter()
        .map(|group| match group.body() {
            GroupBody::User { parts } | GroupBody::Assistant { parts, .. } => texts(parts),
            _ => String::new(),
        })
        .collect()
}

#[tokio::test]
async fn what_a_provider_knows_stands_before_the_input_and_in_the_log() {
    let (model, knows) = (ScriptedModel::new([Answer::text("tea"), Answer::text("yes")]), Knows::default());
    let agent = agent(&model).context(knows.clone()).build().unwrap();
    let session = engine().session(SessionKey::new("a").user("ann"), &agent).await.unwrap();

    session.send("What shall I brew?").await.unwrap().finish().await.unwrap();
    session.send("Sure?").await.unwrap().finish().await.unwrap();

    let requests = model.requests();
    assert_eq!(said(&requests[0]), ["She drinks tea. | What shall I brew?"]);
    assert_eq!(said(&requests[1]), ["She drinks tea. | What shall I brew?", "tea", "Sure?"]);
    let ann = Some("ann".to_owned());
    assert_eq!(knows.asked(), [("What shall I brew?".into(), ann.clone(), 0), ("Sure?".into(), ann, 1)]);
    let entries = session.entries(Seq(3)).await.unwrap();
    let turn = ["input", "context_start", "context", "assistant", "run_end"];
    assert_eq!(kinds(&entries), [turn, turn].concat());
}

#[tokio::test]
async fn a_run_goes_on_without_a_provider_that_fails() {
    let model = ScriptedModel::new([Answer::text("hm")]);
    let failure = Some(ErrorReport::new(ErrorKind::Storage, "the disk is gone"));
    let agent = agent(&model)
        .context(Knows { failure, ..Knows::default() })
        .context(Knows::default())
        .build()
        .unwrap();
    let session = engine().session("a", &agent).await.unwrap();

    assert_eq!(session.send("Hello").await.unwrap().finish().await.unwrap().text, "hm");

    assert_eq!(said(&model.requests()[0]), ["She drinks tea. | Hello"]);
    let entries = session.entries(Seq(1)).await.unwrap();
    let errors = entries.iter().find_map(|entry| match &entry.body {
        Body::Context { errors, .. } => Some(errors.clone()),
        _ => None,
    });
    assert_eq!(errors.unwrap()[0].message, "the disk is gone");
}

#[tokio::test]
async fn a_provider_that_hangs_is_left_behind() {
    let (model, runtime) = (ScriptedModel::new([Answer::text("hm")]), TestRuntime::new(1));
    let hangs = Knows { gate: Some(Gate::new()), ..Knows::default() };
    let agent = agent(&model).context(hangs).build().unwrap();
    let engine = Engine::new(Arc::new(RamStore::new()), Arc::new(runtime.clone()), None);
    let session = engine.session("a", &agent).await.unwrap();

    let run = session.send("Hello").await.unwrap();
    while model.requests().is_empty() {
        assert!(runtime.advance_to_next().await);
    }
    run.finish().await.unwrap();

    let entries = session.entries(Seq(1)).await.unwrap();
    let timed_out = |entry: &Entry| matches!(&entry.body, Body::Context { errors, .. } if errors[0].kind == ErrorKind::Timeout);
    assert!(entries.iter().any(timed_out), "{entries:?}");
}

#[tokio::test]
async fn a_run_can_be_cancelled_while_a_provider_thinks() {
    let (model, gate) = (ScriptedModel::new([]), Gate::new());
    let agent =
        agent(&model).context(Knows { gate: Some(gate.clone()), ..Knows::default() }).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();

    let run = session.send("Hello").await.unwrap();
    gate.reached().await;
    run.cancel("enough").await.unwrap();
    run.finish().await.unwrap();

    let entries = session.entries(Seq(3)).await.unwrap();
    assert_eq!(kinds(&entries), ["input", "context_start", "cancel", "run_end"]);
    assert!(model.requests().is_empty());
}

#[tokio::test]
async fn what_is_said_while_a_provider_thinks_is_in_the_first_request() {
    let (model, gate) = (ScriptedModel::new([Answer::text("both")]), Gate::new());
    let agent =
        agent(&model).context(Knows { gate: Some(gate.clone()), ..Knows::default() }).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();

    let run = session.send("One").await.unwrap();
    gate.reached().await;
    let steer = Input { delivery: InputDelivery::Steer, ..Input::from("Two") };
    session.send(steer).await.unwrap();
    gate.open();
    run.finish().await.unwrap();

    assert_eq!(said(&model.requests()[0]), ["She drinks tea. | One", "Two"]);
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test]
async fn a_crash_while_a_provider_thinks_loses_nothing() {
    let store = Arc::new(RamStore::new());
    let sibling: Arc<dyn SessionStore> = Arc::new(store.sibling());
    tokio::task::spawn_blocking(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async move {
            let gate = Gate::new();
            let knows = Knows { gate: Some(gate.clone()), ..Knows::default() };
            let agent = agent(&ScriptedModel::new([])).context(knows).build().unwrap();
            let session = engine_over(sibling).session("a", &agent).await.unwrap();
            let _run = session.send("Hello").await.unwrap();
            gate.reached().await;
        });
    })
    .await
    .unwrap();

    let model = ScriptedModel::new([Answer::text("hi")]);
    let agent = agent(&model).context(Knows::default()).build().unwrap();
    let session = engine_over(store).session("a", &agent).await.unwrap();
    let run = session.resume().await.unwrap().expect("something was interrupted");
    assert_eq!(run.finish().await.unwrap().text, "hi");
    assert_eq!(said(&model.requests()[0]), ["She drinks tea. | Hello"]);
}

#[tokio::test]
async fn a_recorded_context_is_replayed_without_its_provider() {
    let tape = Tape::new();
    let script = ScriptedModel::new([Answer::text("tea"), Answer::text("yes")]);
    let with_context = agent(&script).context(Knows::default()).build().unwrap();
    let session = tape.engine().session(SessionKey::new("a").user("ann"), &with_context).await.unwrap();
    session.send("What shall I brew?").await.unwrap().finish().await.unwrap();
    session.send("Sure?").await.unwrap().finish().await.unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    let failure = Some(ErrorReport::new(ErrorKind::Internal, "a replay asks no provider"));
    let offline = ScriptedModel::from_fn(|_| panic!("a replay asks no model"));
    let offline = agent(&offline).context(Knows { failure, ..Knows::default() }).build().unwrap();
    let replayed = tape.replay(&offline).unwrap();
    assert_eq!(replayed.session("a").unwrap().entries, entries);
}

/// Looks at the run when it is told of it, and afterwards.
#[derive(Debug, Clone)]
struct Follows {
    store: Arc<RamStore>,
    told: Arc<Mutex<Vec<(EndedRun, RunEntries)>>>,
    failure: Option<ErrorReport>,
}

#[async_trait]
impl RunEndHook for Follows {
    async fn run_ending(&self, run: &EndedRun) -> Result<(), ErrorReport> {
        let entries = run.read(&*self.store).await.map_err(|error| error.report())?;
        self.told.lock().unwrap().push((run.clone(), entries));
        self.failure.clone().map_or(Ok(()), Err)
    }
}

#[tokio::test]
async fn a_hook_is_told_before_the_end_is_written() {
    let store = Arc::new(RamStore::new());
    let told = Arc::default();
    let failure = Some(ErrorReport::new(ErrorKind::Storage, "the queue is gone"));
    let follows = Follows { store: store.clone(), told: Arc::clone(&told), failure };
    let model = ScriptedModel::new([Answer::text("one"), Answer::text("two")]);
    let agent = agent(&model).on_run_end(follows).build().unwrap();
    let session = engine_over(store.clone()).session(SessionKey::new("a").user("ann"), &agent).await.unwrap();

    session.send("First").await.unwrap().finish().await.unwrap();
    session.send("Second").await.unwrap().finish().await.unwrap();

    let told = told.lock().unwrap().clone();
    assert_eq!(told.len(), 2, "a hook that fails is told of the next run all the same");
    let (first, then) = &told[0];
    assert_eq!((&*first.agent, first.user.as_deref(), first.from), ("test", Some("ann"), Seq(3)));
    assert_eq!(*then, RunEntries::Open);
    assert_eq!(first.scope().to_string(), "default/user ann");
    let RunEntries::Ended(entries) = first.read(&*store).await.unwrap() else { panic!("it has ended") };
    assert_eq!(kinds(&entries), ["input", "assistant", "run_end"]);
    let RunEntries::Ended(entries) = told[1].0.read(&*store).await.unwrap() else { panic!("it has ended") };
    assert_eq!(entries[0].seq, Seq(6));

    store.erase(&"a".into()).await.unwrap();
    assert_eq!(first.read(&*store).await.unwrap(), RunEntries::Gone);
    engine_over(store.clone()).session("a", &agent).await.unwrap().send("New").await.unwrap();
    assert_eq!(first.read(&*store).await.unwrap(), RunEntries::Gone, "another run stands in its place");
}

#[tokio::test]
async fn a_session_stays_the_user_s_whose_it_is() {
    let (store, model) = (Arc::new(RamStore::new()), ScriptedModel::new([Answer::text("one")]));
    let agent = agent(&model).build().unwrap();
    {
        // Nobody had said whose it is until the second time.
        let session = engine_over(store.clone()).session("a", &agent).await.unwrap();
        assert_eq!(session.user(), None);
    }
    let engine = engine_over(store.clone());
    let session = engine.session(SessionKey::new("a").user("ann"), &agent).await.unwrap();
    session.send("Hello").await.unwrap().finish().await.unwrap();
    let refused = engine.session(SessionKey::new("a").user("bob"), &agent).await;
    assert!(
        matches!(&refused, Err(SessionError::Invalid { reason }) if reason.contains("`ann`")),
        "{refused:?}"
    );
    drop(session);

    let engine = engine_over(store);
    let session = engine.find_session("a", &agent).await.unwrap().unwrap();
    assert_eq!(session.user().as_deref(), Some("ann"), "the log says so");
    let refused = engine_refuses(&engine, &agent).await;
    assert!(refused.to_string().contains("cannot be opened for user `bob`"));
    let bound = session.entries(Seq(1)).await.unwrap();
    assert_eq!(kinds(&bound), ["created", "bound", "bound", "input", "assistant", "run_end"]);
}

async fn engine_refuses(engine: &Engine, agent: &mosaic_core::Agent) -> SessionError {
    engine.find_session(SessionKey::new("a").user("bob"), agent).await.map(drop).unwrap_err()
}

#[tokio::test]
async fn events_show_what_was_gathered() {
    let model = ScriptedModel::new([Answer::text("tea")]);
    let agent = agent(&model).context(Knows::default()).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();
    let mut run = session.send("What shall I brew?").await.unwrap();
    let mut shows = Vec::new();
    while let Some(event) = run.next().await {
        if let Event::Entry { entry } = event
            && let Body::Context { shows: shown, .. } = &entry.body
        {
            shows.extend(shown.iter().map(|name| name.to_string()));
        }
    }
    assert_eq!(shows, ["fact:1"]);
}
