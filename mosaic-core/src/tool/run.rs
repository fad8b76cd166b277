//! Runs one tool call so that whatever the tool does becomes a result that a model can read.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::Value;

use super::{CancelToken, Tool, ToolContext, ToolError, ToolOutput};
use crate::error::ErrorKind;
use crate::message::{Media, MediaData, Part, ToolStatus};
use crate::runtime::{BoxFuture, Runtime, RuntimeExt as _};

/// What one tool call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// How long it may run, unless the tool's own [`timeout`](super::ToolSpec::timeout) says otherwise. 120 s.
    pub timeout: Duration,
    /// How long a tool that listens to the cancelling may tidy up. 5 s.
    pub grace: Duration,
    /// Bytes of text in a result; what is more is cut off, and the model is told. 256 KiB, some 65,000 tokens.
    pub text_bytes: usize,
    /// Bytes of media (as base64) in a result; a medium that does not fit is left out, and the model is told. 16 MiB.
    pub media_bytes: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(120),
            grace: Duration::from_secs(5),
            text_bytes: 256 * 1024,
            media_bytes: 16 * 1024 * 1024,
        }
    }
}

/// How a tool call ended.
#[derive(Debug, Clone)]
pub struct CallEnd {
    /// How.
    pub status: ToolStatus,
    /// What the model sees: text and media.
    pub content: Vec<Part>,
    /// The error that ends the run, where the tool said that it does.
    pub fatal: Option<ToolError>,
}

/// Runs one tool call. Never fails: a panic, an error, a timeout, a cancelled run and a result of any size become a
/// [`CallEnd`].
///
/// When the context's token is cancelled or the time is up, the tool is told through its context. A tool that ever
/// asked for that has [`CallLimits::grace`] to end; any other is dropped at once.
///
/// | what happens | status |
/// | --- | --- |
/// | it returns, in the grace period too | `Ok` |
/// | it returns an error, or panics | `Error` |
/// | its time is up | `TimedOut` |
/// | the run is cancelled, and it is dropped or returns an error | `Cancelled` |
/// | the run is cancelled, and it listens but does not end | `Unknown` |
pub async fn run_call(
    tool: &dyn Tool,
    mut ctx: ToolContext,
    input: Value,
    runtime: &Arc<dyn Runtime>,
    limits: &CallLimits,
) -> CallEnd {
    // The call has a token of its own: its timeout must not cancel the run.
    let run = std::mem::take(&mut ctx.cancel);
    let told = ctx.cancel.clone();
    ctx.runtime.get_or_insert_with(|| Arc::clone(runtime));
    let timeout = tool.spec().timeout.unwrap_or(limits.timeout);

    // In a block, so that a panic before the first await is caught as well.
    let call = async { tool.call(&ctx, input).await };
    let mut call = pin!(
        AssertUnwindSafe(call)
            .catch_unwind()
            .map(|ended| { ended.unwrap_or_else(|panic| Err(ToolError::panic(panic.as_ref()))) })
    );
    let stop = {
        let mut stop = pin!(stopped(&run, runtime, timeout));
        poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Ok(result)),
            // Most tools are done at their first poll, and need no timer.
            Poll::Pending => stop.as_mut().poll(cx).map(Err),
        })
        .await
    };
    let stop = match stop {
        Ok(result) => return CallEnd::of(result, None, limits),
        Err(stop) => stop,
    };
    told.cancel();
    if !told.was_asked() {
        return CallEnd::stopped(stop, timeout);
    }
    let mut grace: BoxFuture<()> = runtime.sleep(limits.grace);
    let late = poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => grace.as_mut().poll(cx).map(|()| None),
    });
    match late.await {
        Some(result) => CallEnd::of(result, Some((stop, timeout)), limits),
        None if stop == Stop::Cancelled => CallEnd::new(
            ToolStatus::Unknown,
            "The call was cancelled and did not stop in time. Whether it took effect is not known.",
        ),
        None => CallEnd::stopped(stop, timeout),
    }
}

/// Why a call is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Cancelled,
    Late,
}

async fn stopped(run: &CancelToken, runtime: &Arc<dyn Runtime>, timeout: Duration) -> Stop {
    let mut cancelled = pin!(run.cancelled());
    let mut late = runtime.sleep(timeout);
    poll_fn(|cx| {
        if cancelled.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Stop::Cancelled);
        }
        late.as_mut().poll(cx).map(|()| Stop::Late)
    })
    .await
}

impl CallEnd {
    fn new(status: ToolStatus, text: impl Into<String>) -> Self {
        Self { status, content: vec![Part::text(text)], fatal: None }
    }

    fn stopped(stop: Stop, timeout: Duration) -> Self {
        match stop {
            Stop::Cancelled => Self::new(ToolStatus::Cancelled, "The call was cancelled."),
            Stop::Late => Self::new(
                ToolStatus::TimedOut,
                format!("The call took longer than {} ms and was stopped.", timeout.as_millis()),
            ),
        }
    }

    fn of(
        result: Result<ToolOutput, ToolError>,
        stop: Option<(Stop, Duration)>,
        limits: &CallLimits,
    ) -> Self {
        match (result, stop) {
            (Ok(output), _) => {
                Self { status: ToolStatus::Ok, content: fit(output.content, limits), fatal: None }
            }
            (Err(error), _) if error.fatal.is_some() => {
                let content = fit(vec![Part::text(error.to_string())], limits);
                Self { status: ToolStatus::Error, content, fatal: Some(error) }
            }
            (Err(_), Some((stop, timeout))) => Self::stopped(stop, timeout),
            (Err(error), None) => {
                let status = match error.kind {
                    ErrorKind::Timeout => ToolStatus::TimedOut,
                    ErrorKind::Cancelled => ToolStatus::Cancelled,
                    _ => ToolStatus::Error,
                };
                let content = fit(vec![Part::text(error.to_string())], limits);
                Self { status, content, fatal: None }
            }
        }
    }
}

/// Cuts a result to its limits and says so: a model cannot read 50 MB, and the log would keep them for ever.
fn fit(content: Vec<Part>, limits: &CallLimits) -> Vec<Part> {
    let (mut text_room, mut media_room) = (limits.text_bytes, limits.media_bytes);
    let (mut text_size, mut text_cut) = (0_usize, false);
    let mut fitting = Vec::with_capacity(content.len());
    for part in content {
        match part {
            Part::Media(media) => {
                let size = size(&media);
                match media_room.checked_sub(size) {
                    Some(room) => {
                        media_room = room;
                        fitting.push(Part::Media(media));
                    }
                    None => fitting.push(Part::text(format!(
                        "[Left out: a medium of type {} with {size} bytes, which is too large.]",
                        media.media_type
                    ))),
                }
            }
            other => {
                let mut text = match other {
                    Part::Text { text } => text,
                    // A result is text and media; anything else is shown rather than lost.
                    other => serde_json::to_string(&other).unwrap_or_default(),
                };
                text_size = text_size.saturating_add(text.len());
                if text.len() > text_room {
                    let end = (0..=text_room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
                    text.truncate(end);
                    text.shrink_to_fit();
                    text_cut = true;
                    text_room = 0;
                } else {
                    text_room -= text.len();
                }
                fitting.push(Part::Text { text });
            }
        }
    }
    if text_cut {
        fitting.push(Part::text(format!(
            "[Cut: the result has {text_size} bytes of text, of which the first {} are shown. Ask for less at once.]",
            limits.text_bytes
        )));
    }
    fitting
}

fn size(media: &Media) -> usize {
    match &media.data {
        MediaData::Base64 { data } => data.len(),
        MediaData::Url { .. } | MediaData::File { .. } => 0,
    }
}
