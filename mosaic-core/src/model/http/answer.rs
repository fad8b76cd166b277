//! The events of one answer, read from its body.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

use super::HttpModel;
use super::filters::Filters;
use super::keys::Keys;
use super::limits::Limits;
use super::watch::Watch;
use crate::error::ErrorKind;
use crate::model::{Decoder, ModelError, ModelEvent, Price};
use crate::transport::{BodyStream, TransportError};

/// How long, and over how many bytes, the terminal event waits for the end of the body. A body dropped before its end
/// closes the connection (HTTP/1.1), and the next turn pays for a new one; the end is nearly always in the same packet.
const LINGER: (Duration, usize) = (Duration::from_millis(100), 64 * 1024);

/// The events of one answer.
pub(super) struct Answer {
    /// Gone as soon as nothing more is wanted of it.
    body: Option<BodyStream>,
    decoder: Box<dyn Decoder>,
    filter: Option<Filters>,
    /// Decoded and not yet filtered, where there is a filter. Reused for every piece.
    raw: Vec<ModelEvent>,
    /// Decoded and not yet given out, the next one last. Reused for every piece.
    ready: Vec<ModelEvent>,
    /// How it ends, given out after `ready` and the body. What ended it first, counts.
    ending: Option<Result<ModelEvent, ModelError>>,
    watch: Watch,
    limits: Limits,
    /// How many more bytes are taken.
    room: usize,
    max_answer: usize,
    heard: bool,
    provider: Arc<str>,
    price: Option<Price>,
    keys: Keys,
}

impl Answer {
    pub(super) fn new(
        model: &HttpModel,
        body: BodyStream,
        mut watch: Watch,
        limits: Limits,
        filter: Option<Filters>,
        keys: Keys,
    ) -> Self {
        watch.heard();
        Self {
            body: Some(body),
            decoder: model.codec.limited_decoder(&model.profile, model.delivery, limits.answer),
            filter,
            raw: Vec::new(),
            ready: Vec::new(),
            ending: None,
            watch,
            limits,
            room: model.max_answer,
            max_answer: model.max_answer,
            heard: false,
            provider: Arc::clone(&model.profile.origin.provider),
            price: model.profile.info.price.clone(),
            keys,
        }
    }

    fn took(&mut self, piece: Option<Result<Bytes, TransportError>>) {
        if self.ending.is_some() {
            return self.took_after_the_end(piece);
        }
        self.watch.heard();
        self.heard = true;
        match piece {
            Some(Ok(bytes)) => match self.room.checked_sub(bytes.len()) {
                Some(room) => {
                    self.room = room;
                    let decoded = self.decoder.push(&bytes, &mut self.raw);
                    self.decoded(decoded);
                }
                None => self.close(ModelError::new(
                    ErrorKind::Decode,
                    format!("the answer is longer than {} bytes (`max_answer_bytes`)", self.max_answer),
                )),
            },
            Some(Err(error)) => self.close(error.into()),
            None => {
                let finished = self.decoder.finish(&mut self.raw);
                self.decoded(finished);
                self.close(ModelError::new(
                    ErrorKind::Incomplete,
                    "the answer ended without its terminal event",
                ));
            }
        }
    }

    /// Only the end of the body is of interest now.
    fn took_after_the_end(&mut self, piece: Option<Result<Bytes, TransportError>>) {
        match piece {
            Some(Ok(bytes)) if bytes.len() <= self.room => self.room -= bytes.len(),
            _ => self.body = None,
        }
    }

    /// Sorts what the decoder gave: the terminal event is held until the body ends, an error ends all.
    fn decoded(&mut self, decoded: Result<(), ModelError>) {
        match &mut self.filter {
            Some(filter) => self.raw.drain(..).for_each(|event| filter.push(event, &mut self.ready)),
            // `ready` is empty: more is read only then.
            None => std::mem::swap(&mut self.raw, &mut self.ready),
        }
        if let Some(mut done) = self.ready.pop_if(|event| matches!(event, ModelEvent::Done(_))) {
            if let ModelEvent::Done(end) = &mut done {
                end.cost = end.cost.or_else(|| self.price.as_ref()?.cost_if_told(&end.usage));
            }
            self.ending = Some(Ok(done));
            self.room = LINGER.1;
        }
        self.ready.reverse();
        if let Err(error) = decoded {
            self.close(error);
        }
    }

    /// What a filter held back, when the answer breaks off: the host keeps what was said so far.
    fn give_up(&mut self) {
        if let (Some(filter), None) = (&mut self.filter, &self.ending) {
            filter.flush(&mut self.raw);
            // The next one is last.
            self.ready.splice(..0, self.raw.drain(..).rev());
        }
    }

    /// Reads no further.
    fn close(&mut self, error: ModelError) {
        self.give_up();
        self.ending.get_or_insert(Err(error));
        self.body = None;
    }

    fn patience(&self) -> Duration {
        match (&self.ending, self.heard) {
            (Some(_), _) => LINGER.0,
            (None, true) => self.limits.between,
            (None, false) => self.limits.first_byte,
        }
    }

    fn over(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        let name = |mut error: ModelError| {
            error.provider.get_or_insert_with(|| self.provider.to_string());
            self.keys.hide(error)
        };
        self.ending.take().map(|ending| ending.map_err(name))
    }
}

impl Stream for Answer {
    type Item = Result<ModelEvent, ModelError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(event) = this.ready.pop() {
                return Poll::Ready(Some(Ok(event)));
            }
            let Some(body) = &mut this.body else {
                return Poll::Ready(this.over());
            };
            match body.as_mut().poll_next(cx) {
                Poll::Ready(piece) => this.took(piece),
                Poll::Pending => {
                    let late = ready!(this.watch.poll(this.patience(), cx));
                    this.close(late);
                }
            }
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("decoder", &self.decoder).finish_non_exhaustive()
    }
}
