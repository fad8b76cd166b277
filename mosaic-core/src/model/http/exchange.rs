//! Sends a request and reads the head of the answer.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::HttpModel;
use super::answer::Answer;
use super::filters::Filters;
use super::limits::Limits;
use super::watch::Watch;
use crate::error::ErrorKind;
use crate::model::{ModelError, ModelStream};
use crate::transport::{BodyStream, HttpRequest, HttpResponse, HttpTransport};

/// Error bodies are a few hundred bytes; an error page of a proxy may be longer, and its beginning says enough.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// The answer to a request, once its head is there.
pub(super) async fn start(
    model: &HttpModel,
    request: HttpRequest,
    limits: Limits,
    filter: Option<Filters>,
) -> Result<ModelStream, ModelError> {
    let mut watch = Watch::new(Arc::clone(&model.runtime), &limits);
    let response = head(&*model.transport, request, &limits, &mut watch).await?;
    if (200..300).contains(&response.status) {
        return Ok(Box::pin(Answer::new(model, response.body, watch, limits, filter)));
    }
    Err(refused(model, response, watch, limits.between).await)
}

/// Sends a request and waits for the head of its answer.
pub(crate) async fn head(
    transport: &dyn HttpTransport,
    request: HttpRequest,
    limits: &Limits,
    watch: &mut Watch,
) -> Result<HttpResponse, ModelError> {
    // The transport keeps the connect limit itself; one that does not is stopped by this sum.
    let patience = limits.first_byte.saturating_add(request.connect_timeout.unwrap_or_default());
    let mut sending = transport.send(request);
    poll_fn(|cx| match sending.as_mut().poll(cx) {
        Poll::Ready(response) => Poll::Ready(response.map_err(ModelError::from)),
        Poll::Pending => watch.poll(patience, cx).map(Err),
    })
    .await
}

async fn refused(model: &HttpModel, response: HttpResponse, watch: Watch, patience: Duration) -> ModelError {
    let HttpResponse { status, headers, body } = response;
    let bytes = error_body(body, watch, patience).await;
    let mut error = model.codec.error(status, &headers, &bytes);
    error.status.get_or_insert(status);
    error
}

/// The beginning of the body of an error.
pub(crate) async fn error_body(mut body: BodyStream, mut watch: Watch, patience: Duration) -> Vec<u8> {
    let mut bytes = Vec::new();
    watch.heard();
    while bytes.len() < MAX_ERROR_BODY
        && poll_fn(|cx| more(&mut body, &mut bytes, &mut watch, patience, cx)).await
    {}
    bytes.truncate(MAX_ERROR_BODY);
    bytes
}

/// A body to its end, where the whole of it is wanted.
pub(crate) async fn whole_body(
    mut body: BodyStream,
    limits: &Limits,
    mut watch: Watch,
    max: usize,
) -> Result<Vec<u8>, ModelError> {
    let mut bytes = Vec::new();
    watch.heard();
    // A server that sends its head at once and then works is as silent as one that sends nothing.
    let mut patience = limits.first_byte;
    loop {
        let piece = poll_fn(|cx| match body.as_mut().poll_next(cx) {
            Poll::Ready(piece) => Poll::Ready(piece.transpose().map_err(ModelError::from)),
            Poll::Pending => watch.poll(patience, cx).map(Err),
        });
        let Some(piece) = piece.await? else { return Ok(bytes) };
        if bytes.len().saturating_add(piece.len()) > max {
            return Err(ModelError::new(
                ErrorKind::Decode,
                format!("the answer is longer than {max} bytes (`max_answer_bytes`)"),
            ));
        }
        bytes.extend_from_slice(&piece);
        watch.heard();
        patience = limits.between;
    }
}

/// Whether more may come. A body that breaks or stalls still has a status, and that is what counts.
fn more(
    body: &mut BodyStream,
    bytes: &mut Vec<u8>,
    watch: &mut Watch,
    patience: Duration,
    cx: &mut Context<'_>,
) -> Poll<bool> {
    match body.as_mut().poll_next(cx) {
        Poll::Ready(Some(Ok(piece))) => {
            bytes.extend_from_slice(&piece);
            watch.heard();
            Poll::Ready(true)
        }
        Poll::Ready(Some(Err(_)) | None) => Poll::Ready(false),
        Poll::Pending => watch.poll(patience, cx).map(|_| false),
    }
}
