//! The host port: how what only the host can do crosses into another language.
//!
//! The core never calls into a host language. It writes down what it wants; the host *polls* for that, does it, and
//! *responds* by id:
//!
//! ```text
//!   core                               port                                host (Python, Node, Swift)
//!   Tool::call           ──> PortTool ──────┐                        ┌──> poll(max): Batch {requests, buffers}
//!   HttpTransport::send  ──> PortTransport ─┤ requests ────────────> │      tool.call, http.open, http.credit,
//!   Embedder::embed      ──> PortEmbedder ──┤                        │      embed, cancel, tool.release, embed.release
//!   ToolOutput, HttpResponse, Embeddings <──┘ <──────── responses ── └──< respond(id, progress | http.head |
//!                                                                               http.chunk | vectors | end | error)
//! ```
//!
//! Inside, the port is no second way of doing things: [`PortTool`], [`PortTransport`] and [`PortEmbedder`] are ordinary
//! implementations of [`Tool`](crate::Tool), [`HttpTransport`](crate::HttpTransport) and [`Embedder`](crate::Embedder).
//!
//! # The rules
//! * Every `tool.call` and every `http.open` is answered by exactly one `end` or `error`, after a `cancel` too; every `embed` by
//!   exactly one `vectors` or `error`.
//! * A `cancel` is sent when the call, or the body, is dropped or its run is cancelled. A call whose host ignores that
//!   for [`CANCEL_GRACE`] is abandoned: [`Port::close`] reports it, and its late answer is dropped.
//! * A response to an unknown id is dropped. It is no error: the call may just have been cancelled.
//! * A response body flows under credits: at first the window named in `http.open`, later what `http.credit` adds. A
//!   host that sends more than it was granted breaks the exchange.
//! * Bodies are bytes beside the JSON, never inside.
//!
//! ```
//! # use std::sync::Arc;
//! # use mosaic_core::{HttpRequest, HttpTransport, TokioRuntime};
//! use mosaic_core::port::{Port, RequestKind, Response};
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let port = Port::new(Arc::new(TokioRuntime::current()?));
//! let transport = port.transport();
//! let answer = tokio::spawn(async move { transport.send(HttpRequest::default()).await });
//!
//! let batch = port.poll(64).await;                      // the host's side
//! let request = batch.requests.first().ok_or("nothing was asked")?;
//! assert!(matches!(request.kind, RequestKind::HttpOpen { .. }));
//! port.respond(request.id, Response::HttpHead { status: 204, headers: vec![] });
//! port.respond(request.id, Response::end());
//!
//! assert_eq!(answer.await??.status, 204);
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod embed;
mod host;
mod http;
mod message;
mod pending;
mod shown;
mod table;
mod tool;

pub use embed::PortEmbedder;
pub use host::Port;
pub use http::PortTransport;
pub use message::{Batch, PortHeader, Request, RequestId, RequestKind, Response, schema};
pub use table::{Abandoned, PortStats, Receipt};
pub use tool::{HostFailure, PortTool};

use std::time::Duration;

/// How many bytes of one response body may be under way: sent by the host, not yet read by the core.
pub const WINDOW: usize = 256 * 1024;

/// How long a host may take to let go of a cancelled call.
pub const CANCEL_GRACE: Duration = Duration::from_secs(5);
