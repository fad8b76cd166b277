//! What else one can ask the provider of a model about a request, than to answer it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::HttpModel;
use super::watch::Watch;
use crate::error::ErrorKind;
use crate::model::{ModelCall, ModelError, ModelRequest};
use crate::transport::{HttpRequest, HttpResponse};

/// More than any answer that is a few figures.
const MAX_BODY: usize = 256 * 1024;

impl HttpModel {
    /// Asks the provider something *about* a request: how many tokens it is, for one. `change` makes the question of what
    /// the codec wrote for the request; key, headers and time limits are those of the model. Gives the body of the answer.
    ///
    /// # Errors
    /// As [`ChatModel::stream`](crate::ChatModel::stream), and what `change` returns.
    pub async fn ask_about(
        &self,
        request: &ModelRequest,
        change: impl FnOnce(HttpRequest) -> Result<HttpRequest, ModelError> + Send,
    ) -> Result<Vec<u8>, ModelError> {
        let question = self.encode(request).map_err(ModelError::from).and_then(change);
        let mut question = question.map_err(|error| self.named(error))?;
        self.auth.authenticate(&mut question, self.runtime.now()).await.map_err(|error| self.named(error))?;
        self.read_whole(question).await.map_err(|error| self.named(error))
    }

    async fn read_whole(&self, question: HttpRequest) -> Result<Vec<u8>, ModelError> {
        let limits = self.timeouts.of_call(&ModelCall::new(ModelRequest::default()), self.delivery);
        let mut watch = Watch::new(Arc::clone(&self.runtime), &limits);
        let patience = limits.first_byte.saturating_add(self.timeouts.connect);
        let mut sending = self.transport.send(question);
        let response = poll_fn(|cx| match sending.as_mut().poll(cx) {
            Poll::Ready(response) => Poll::Ready(response.map_err(ModelError::from)),
            Poll::Pending => watch.poll(patience, cx).map(Err),
        })
        .await?;
        let HttpResponse { status, headers, mut body } = response;
        let mut bytes = Vec::new();
        watch.heard();
        loop {
            let piece = poll_fn(|cx| match body.as_mut().poll_next(cx) {
                Poll::Ready(piece) => Poll::Ready(piece.transpose().map_err(ModelError::from)),
                Poll::Pending => watch.poll(limits.between, cx).map(Err),
            })
            .await?;
            let Some(piece) = piece else { break };
            watch.heard();
            if bytes.len() + piece.len() > MAX_BODY {
                let message = format!("the answer to a small question is longer than {MAX_BODY} bytes");
                return Err(ModelError::new(ErrorKind::Decode, message));
            }
            bytes.extend_from_slice(&piece);
        }
        if (200..300).contains(&status) {
            return Ok(bytes);
        }
        let mut error = self.codec.error(status, &headers, &bytes);
        error.status.get_or_insert(status);
        Err(error)
    }
}
