//! A model server: OpenAI's Chat Completions, streamed and not, and the streamed text of every other [API](crate::api), over
//! HTTP/1.1 on 127.0.0.1, written to be faster than any client (several hundred thousand chunks a second on one core).
//!
//! What it answers is written in the name of the model that is asked for:
//!
//! | name | answer |
//! | --- | --- |
//! | `tool` (Chat Completions only) | a call of the tool `weather` if a user spoke last, a short text after the tool's result |
//! | `stream:N` | N chunks of 8 bytes, a write each |
//! | `...+join:N` | N chunks a write |
//! | `...+think:MS` | the same, after so many milliseconds |
//!
//! `GET /stats` tells how many connections and requests (of models) there were. It runs in a process of its own, so that its
//! CPU time and its memory are not counted as the client's:
//!
//! ```text
//! $ bench mock
//! listening on 127.0.0.1:40123
//! ```

mod answer;
mod http;
mod model;

pub use answer::WORD;
pub use model::{ModelName, UnknownModel};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use answer::{Asked, Streamed};
use model::Mode;
use tokio::net::TcpListener;

use crate::api::Script;

/// What was served.
#[derive(Debug, Default)]
pub struct Counters {
    connections: AtomicU64,
    requests: AtomicU64,
    received: AtomicU64,
}

impl Counters {
    /// Connections of clients that asked a model.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    /// Requests to models.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    fn json(&self) -> String {
        format!(
            r#"{{"connections":{},"requests":{},"received":{}}}"#,
            self.connections.load(Relaxed),
            self.requests.load(Relaxed),
            self.received.load(Relaxed),
        )
    }
}

/// A streamed answer of Chat Completions of so many chunks.
pub(crate) fn chat_script(model: &str, chunks: usize) -> Script {
    let asked = Asked { model, streamed: true, wants_usage: true, last_role: "user" };
    let Streamed { first, repeated, last } = answer::streamed(Mode::Stream(chunks), asked);
    Script::of_texts(first, repeated, last)
}

/// Serves until the process ends.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, counters: Arc<Counters>) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        // Otherwise the system gathers small writes, and chunks arrive in lumps 40 ms apart.
        stream.set_nodelay(true)?;
        let counters = counters.clone();
        tokio::spawn(async move {
            // A client that goes away in the middle is its own business.
            let _ = http::serve_connection(stream, &counters).await;
        });
    }
}
