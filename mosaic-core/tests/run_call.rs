//! Whatever a tool does becomes a result that a model can read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::testing::{Gate, TestRuntime};
use mosaic_core::{
    CallEnd, CallId, CallLimits, ErrorKind, Media, MediaData, Part, RunId, Runtime, Tool, ToolContext,
    ToolError, ToolOutput, ToolSpec, ToolStatus, run_call,
};
use serde_json::{Value, json};

type Call = Pin<Box<dyn Future<Output = Result<ToolOutput, ToolError>> + Send>>;

struct Fake {
    spec: ToolSpec,
    call: Box<dyn Fn(ToolContext, Value) -> Call + Send + Sync>,
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

#[async_trait::async_trait]
impl Tool for Fake {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, ctx: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        (self.call)(ctx.clone(), input).await
    }
}

fn fake<F>(call: impl Fn(ToolContext, Value) -> F + Send + Sync + 'static) -> Fake
where
    F: Future<Output = Result<ToolOutput, ToolError>> + Send + 'static,
{
    let spec = ToolSpec::new("fake", "", json!({"type": "object"}));
    Fake { spec, call: Box::new(move |ctx, input| Box::pin(call(ctx, input))) }
}

fn context() -> ToolContext {
    ToolContext::new("s", RunId(uuid::Uuid::nil()), CallId::derive(1, 0))
}

async fn run(tool: &Fake) -> CallEnd {
    let runtime: Arc<dyn Runtime> = Arc::new(TestRuntime::default());
    run_call(tool, context(), json!({}), &runtime, &CallLimits::default()).await
}

fn text(end: &CallEnd) -> String {
    end.content.iter().filter_map(Part::as_text).collect()
}

#[tokio::test]
async fn a_result_is_what_the_tool_returned() {
    let end = run(&fake(|_, _| async { Ok(ToolOutput::text("sunny")) })).await;
    assert_eq!((end.status, text(&end).as_str()), (ToolStatus::Ok, "sunny"));
}

#[tokio::test]
async fn an_error_is_shown_with_its_class() {
    let end = run(&fake(|_, _| async { Err(ToolError::new("no such city").class("LookupError")) })).await;
    assert_eq!((end.status, text(&end).as_str()), (ToolStatus::Error, "LookupError: no such city"));
    assert!(end.fatal.is_none());
}

#[tokio::test]
async fn a_fatal_error_is_kept_for_the_host() {
    let end = run(&fake(|_, _| async { Err(ToolError::fatal("disk full")) })).await;
    assert_eq!((end.status, text(&end).as_str()), (ToolStatus::Error, "disk full"));
    assert_eq!(end.fatal.unwrap().to_string(), "disk full");
}

#[tokio::test]
async fn a_panic_is_a_result() {
    let late = run(&fake(|_, _| async {
        tokio::task::yield_now().await;
        panic!("late {}", 1)
    }))
    .await;
    let early =
        run(&Fake { call: Box::new(|_, _| panic!("early")), ..fake(|_, _| async { unreachable!() }) }).await;
    assert_eq!((late.status, text(&late).as_str()), (ToolStatus::Error, "the tool panicked: late 1"));
    assert_eq!((early.status, text(&early).as_str()), (ToolStatus::Error, "the tool panicked: early"));
}

#[tokio::test]
async fn blocking_work_that_panics_is_a_result_too() {
    let end = run(&fake(|ctx, _| async move { ctx.blocking(|| panic!("in a thread")).await })).await;
    assert_eq!((end.status, text(&end).as_str()), (ToolStatus::Error, "the tool panicked: in a thread"));
}

/// Runs a tool that hangs until the clock has gone as far as it takes.
async fn late(mut tool: Fake, own: Option<Duration>) -> (CallEnd, Duration) {
    let clock = TestRuntime::default();
    let runtime: Arc<dyn Runtime> = Arc::new(clock.clone());
    tool.spec.timeout = own;
    let task =
        tokio::spawn(
            async move { run_call(&tool, context(), json!({}), &runtime, &CallLimits::default()).await },
        );
    while !task.is_finished() {
        assert!(clock.advance_to_next().await || task.is_finished(), "it waits for ever");
    }
    (task.await.unwrap(), TestRuntime::START.until(clock.now()))
}

#[tokio::test]
async fn a_tool_that_hangs_is_stopped_at_its_own_limit_or_the_agents() {
    for (own, expected) in [(None, 120), (Some(Duration::from_secs(10)), 10)] {
        let (end, took) = late(fake(|_, _| std::future::pending()), own).await;
        assert_eq!((end.status, took), (ToolStatus::TimedOut, Duration::from_secs(expected)));
        assert!(text(&end).contains(&format!("{expected}000 ms")), "{}", text(&end));
    }
}

#[tokio::test]
async fn a_tool_that_listens_may_tidy_up_when_its_time_is_up() {
    let polite = |ctx: ToolContext, _| async move {
        ctx.cancelled().await;
        Ok(ToolOutput::text("half of it"))
    };
    let (end, took) = late(fake(polite), None).await;
    assert_eq!((end.status, took), (ToolStatus::Ok, Duration::from_secs(120)));
    let deaf = |ctx: ToolContext, _| async move {
        ctx.cancelled().await;
        std::future::pending().await
    };
    let (end, took) = late(fake(deaf), None).await;
    assert_eq!((end.status, took), (ToolStatus::TimedOut, Duration::from_secs(125)));
}

/// Cancels the run while a tool hangs.
async fn cancelled(tool: Fake) -> (CallEnd, Duration) {
    let clock = TestRuntime::default();
    let runtime: Arc<dyn Runtime> = Arc::new(clock.clone());
    let ctx = context();
    let token = ctx.cancel_token().clone();
    let task =
        tokio::spawn(async move { run_call(&tool, ctx, json!({}), &runtime, &CallLimits::default()).await });
    clock.advance(Duration::from_secs(1)).await;
    token.cancel();
    clock.advance(Duration::ZERO).await;
    while !task.is_finished() {
        assert!(clock.advance_to_next().await || task.is_finished(), "it waits for ever");
    }
    (task.await.unwrap(), TestRuntime::START.until(clock.now()))
}

#[tokio::test]
async fn a_cancelled_call_is_dropped_at_once_unless_it_listens() {
    let (end, took) = cancelled(fake(|_, _| std::future::pending())).await;
    assert_eq!((end.status, took), (ToolStatus::Cancelled, Duration::from_secs(1)));

    let listens = |ctx: ToolContext, _| async move {
        ctx.cancelled().await;
        Err(ToolError::new("gave up"))
    };
    let (end, took) = cancelled(fake(listens)).await;
    assert_eq!((end.status, took), (ToolStatus::Cancelled, Duration::from_secs(1)));

    let deaf = |ctx: ToolContext, _| async move {
        ctx.cancelled().await;
        std::future::pending().await
    };
    let (end, took) = cancelled(fake(deaf)).await;
    assert_eq!((end.status, took), (ToolStatus::Unknown, Duration::from_secs(6)));
}

#[tokio::test]
async fn the_timeout_of_a_call_does_not_cancel_its_run() {
    let clock = TestRuntime::default();
    let runtime: Arc<dyn Runtime> = Arc::new(clock.clone());
    let (ctx, gate) = (context(), Gate::new());
    let (token, held) = (ctx.cancel_token().clone(), gate.clone());
    let tool = fake(move |_, _| {
        let held = held.clone();
        async move {
            held.pass().await;
            Ok(ToolOutput::default())
        }
    });
    let task =
        tokio::spawn(async move { run_call(&tool, ctx, json!({}), &runtime, &CallLimits::default()).await });
    gate.reached().await;
    clock.advance(Duration::from_secs(120)).await;
    assert_eq!(task.await.unwrap().status, ToolStatus::TimedOut);
    assert!(!token.is_cancelled());
}

#[tokio::test]
async fn a_result_of_fifty_megabytes_is_cut_and_the_model_is_told() {
    // Three-byte characters: the cut must not fall into one.
    let end = run(&fake(|_, _| async { Ok(ToolOutput::text("€".repeat(50_000_000 / 3))) })).await;
    assert_eq!(end.status, ToolStatus::Ok);
    let shown = end.content[0].as_text().unwrap();
    assert!(shown.len() <= 256 * 1024 && shown.len() > 256 * 1024 - 3);
    assert!(end.content[1].as_text().unwrap().contains("49999998 bytes"), "{:?}", end.content[1]);
}

#[tokio::test]
async fn an_error_of_fifty_megabytes_is_cut_too() {
    let end = run(&fake(|_, _| async { Err(ToolError::new("x".repeat(50_000_000))) })).await;
    assert!(end.content.iter().filter_map(Part::as_text).map(str::len).sum::<usize>() < 257 * 1024);
}

#[tokio::test]
async fn a_medium_that_is_too_large_is_left_out_and_named() {
    let medium = |bytes| {
        Part::Media(Media {
            media_type: "image/png".into(),
            data: MediaData::Base64 { data: "A".repeat(bytes) },
            name: None,
        })
    };
    let end = run(&fake(move |_, _| async move {
        Ok(ToolOutput { content: vec![medium(20 << 20), medium(10), Part::text("two pictures")] })
    }))
    .await;
    assert!(end.content[0].as_text().unwrap().contains("image/png"));
    assert!(matches!(end.content[1], Part::Media(_)));
    assert_eq!(end.content[2], Part::text("two pictures"));
}

#[tokio::test]
async fn an_error_of_a_nested_deadline_is_a_timeout() {
    let error = ToolError { kind: ErrorKind::Timeout, ..ToolError::new("the server was silent") };
    let end = run(&fake(move |_, _| std::future::ready(Err(error.clone())))).await;
    assert_eq!((end.status, text(&end).as_str()), (ToolStatus::TimedOut, "the server was silent"));
}
