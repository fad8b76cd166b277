//! Texts that the host embeds.

use std::fmt;
use std::pin::pin;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use tokio::sync::oneshot;

use super::host::Port;
use super::message::{RequestId, RequestKind};
use super::pending::Pending;
use super::table::Waiter;
use crate::error::ErrorKind;
use crate::memory::{EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings};
use crate::message::Usage;

/// How the host answered: the vectors, or the class and the message of its exception.
pub(super) type Vectors = Result<Vec<Vec<f32>>, (String, String)>;

/// An embedder of the host's. Made by [`Port::embedder`]; when it is dropped, the host is told.
pub struct PortEmbedder {
    port: Port,
    info: EmbedderInfo,
    handle: u64,
}

impl PortEmbedder {
    pub(super) fn new(port: Port, info: EmbedderInfo, handle: u64) -> Self {
        Self { port, info, handle }
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> EmbedError {
        EmbedError::new(kind, message).with_provider(self.info.provider.to_string())
    }
}

impl fmt::Debug for PortEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortEmbedder").field("model", &self.info.model).finish_non_exhaustive()
    }
}

impl Drop for PortEmbedder {
    fn drop(&mut self) {
        self.port.tell(RequestId(self.handle), RequestKind::EmbedRelease {});
    }
}

#[async_trait]
impl Embedder for PortEmbedder {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        request.check(&self.info)?;
        let model = &self.info.model;
        let kind = RequestKind::Embed {
            handle: self.handle,
            model: model.to_string(),
            purpose: request.purpose,
            texts: request.inputs.iter().map(ToString::to_string).collect(),
            dimensions: request.dimensions.and_then(|wished| u32::try_from(wished).ok()),
        };
        let closed =
            || self.error(ErrorKind::Cancelled, format!("`{model}` cannot embed: the host port is closed"));
        let (end, answer) = oneshot::channel();
        let what = format!("embedder `{model}`");
        let Some(id) = self.port.table().open(what, kind, Vec::new(), Waiter::Embed { end }) else {
            return Err(closed());
        };
        let mut pending = Pending { port: self.port.clone(), id, ended: false };
        self.port.asked();
        let answer = match request.deadline {
            None => answer.await,
            Some(deadline) => match select(answer, pin!(self.port.runtime().sleep_until(deadline))).await {
                Either::Left((answer, _)) => answer,
                Either::Right(_) => {
                    let late = format!("the host's embedder `{model}` did not answer in time");
                    return Err(self.error(ErrorKind::Timeout, late));
                }
            },
        };
        pending.ended = true;
        match answer {
            Ok(Ok(vectors)) => {
                let (usage, model) = (Usage::default(), model.clone());
                Embeddings { vectors, usage, cost: None, model }.check(&request, &self.info)
            }
            // What the host's exception means nobody knows; it may pass.
            Ok(Err((class, message))) => Err(self.error(
                ErrorKind::Server,
                format!("the host's embedder `{model}` failed: {class}: {message}"),
            )),
            Err(_) => Err(closed()),
        }
    }
}
