//! Sends a request and reads the head of the answer.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::HttpModel;
use super::answer::Answer;
use super::auth::Auth;
use super::filters::Filters;
use super::keys::Keys;
use super::limits::Limits;
use super::watch::Watch;
use crate::error::ErrorKind;
use crate::model::{ModelError, ModelStream};
use crate::runtime::Runtime;
use crate::transport::{BodyStream, HttpRequest, HttpResponse, HttpTransport};

/// Error bodies are a few hundred bytes; an error page of a proxy may be longer, and its beginning says enough.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// What a provider answers to a token that it does not take. 403 says that the token is good and allows too little.
const UNAUTHORIZED: u16 = 401;

/// The answer to a request, once its head is there.
pub(super) async fn start(
    model: &HttpModel,
    request: HttpRequest,
    limits: Limits,
    filter: Option<Filters>,
) -> Result<ModelStream, ModelError> {
    let mut watch = Watch::new(Arc::clone(&model.runtime), &limits);
    let to = To { transport: &*model.transport, auth: &model.auth, runtime: &*model.runtime };
    let (response, keys) = head(to, request, &limits, &mut watch).await?;
    if (200..300).contains(&response.status) {
        return Ok(Box::pin(Answer::new(model, response.body, watch, limits, filter, keys)));
    }
    Err(keys.hide(refused(model, response, watch, limits.between).await))
}

/// Who carries a request, and what pays for it.
#[derive(Clone, Copy)]
pub(crate) struct To<'a> {
    pub(crate) transport: &'a dyn HttpTransport,
    pub(crate) auth: &'a Auth,
    pub(crate) runtime: &'a dyn Runtime,
}

/// Pays for a request, sends it and waits for the head of its answer. What is read after that may repeat the keys. A
/// request that was refused with 401 is sent once more, where there is something new to pay with.
pub(crate) async fn head(
    to: To<'_>,
    request: HttpRequest,
    limits: &Limits,
    watch: &mut Watch,
) -> Result<(HttpResponse, Keys), ModelError> {
    let again = to.auth.may_change().then(|| request.clone());
    let paid = pay(to, request, limits, watch).await?;
    let again = again.map(|again| (again, paid.clone()));
    let (response, keys) = send(to, paid, limits, watch).await?;
    let (UNAUTHORIZED, Some((again, refused))) = (response.status, again) else {
        return Ok((response, keys));
    };
    let refused = to.auth.refused(&refused, to.runtime.now());
    if !within(watch, limits.first_byte, refused).await.unwrap_or(false) {
        return Ok((response, keys));
    }
    watch.heard();
    // Its body is dropped unread: a token is renewed once in many requests, and a connection with it costs little.
    drop(response);
    let paid = pay(to, again, limits, watch).await?;
    let (response, more) = send(to, paid, limits, watch).await?;
    Ok((response, keys.and(more)))
}

async fn pay(
    to: To<'_>,
    mut request: HttpRequest,
    limits: &Limits,
    watch: &mut Watch,
) -> Result<HttpRequest, ModelError> {
    let paying = to.auth.authenticate(&mut request, to.runtime.now());
    within(watch, limits.first_byte, paying).await.map_err(|late| ModelError {
        message: format!("{} (it waited for its `Authenticator`)", late.message),
        ..late
    })??;
    watch.heard();
    Ok(request)
}

async fn send(
    to: To<'_>,
    request: HttpRequest,
    limits: &Limits,
    watch: &mut Watch,
) -> Result<(HttpResponse, Keys), ModelError> {
    let keys = Keys::of(&request);
    // The transport keeps the connect limit itself; one that does not is stopped by this sum.
    let patience = limits.first_byte.saturating_add(request.connect_timeout.unwrap_or_default());
    let sent = within(watch, patience, to.transport.send(request)).await?;
    watch.heard();
    match sent {
        Ok(response) => Ok((response, keys)),
        Err(error) => Err(keys.hide(error.into())),
    }
}

/// Does something, and gives up when it takes too long.
async fn within<T>(
    watch: &mut Watch,
    patience: Duration,
    doing: impl Future<Output = T>,
) -> Result<T, ModelError> {
    let mut doing = pin!(doing);
    poll_fn(|cx| match doing.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Ok(done)),
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
