//! The decoder that all JSON APIs share: frames go to a reader, an error or the end closes it.
//!
//! ```text
//! bytes ─ Framing ─ Frame::Event ─ Reader::event ┐
//!                   Frame::Body  ─ Reader::body  ├─ ModelEvents; Reader::done() says that the terminal event was among them
//!                   no more      ─ Reader::end   ┘  or the error that it is missing
//! ```

use std::fmt::Debug;

use mosaic_core::{Decoder, Delivery, ErrorKind, ModelError, ModelEvent};
use serde::Deserialize;

use super::error;
use super::framing::{Frame, Framing, Shape};

/// What a codec makes of the frames of one answer.
pub(crate) trait Reader: Debug + Send {
    /// Takes one message of a stream.
    fn event(&mut self, data: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError>;

    /// Takes a whole body. It must be done then.
    fn body(&mut self, body: &str, events: &mut Vec<ModelEvent>) -> Result<(), ModelError>;

    /// No more bytes come, and it is not done. `incomplete`, unless the API has no terminal event.
    fn end(&mut self, events: &mut Vec<ModelEvent>) -> Result<(), ModelError>;

    /// Whether [`ModelEvent::Done`] was said.
    fn done(&self) -> bool;

    /// The provider's name, for errors.
    fn provider(&self) -> &str;
}

/// A decoder of both deliveries.
#[derive(Debug)]
pub(crate) struct FramedDecoder<R> {
    framing: Framing,
    reader: R,
    over: bool,
}

impl<R: Reader> FramedDecoder<R> {
    pub(crate) fn new(delivery: Delivery, shape: Shape, reader: R) -> Self {
        Self { framing: Framing::new(delivery, shape), reader, over: false }
    }

    fn close(&mut self, result: Result<(), ModelError>) -> Result<(), ModelError> {
        self.over |= result.is_err() || self.reader.done();
        result.map_err(|mut error| {
            error.provider.get_or_insert_with(|| self.reader.provider().to_owned());
            error
        })
    }
}

impl<R: Reader> Decoder for FramedDecoder<R> {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if self.over {
            return Ok(());
        }
        let reader = &mut self.reader;
        let result = self.framing.push(bytes, |frame| match frame {
            Frame::Event(data) => reader.event(data, events).map(|()| !reader.done()),
            Frame::Error(data) => Err(error::from_event(data)),
            Frame::Rest(_) | Frame::Body(_) => Ok(true),
        });
        self.close(result)
    }

    fn finish(&mut self, events: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        if self.over {
            return Ok(());
        }
        let reader = &mut self.reader;
        let result = self.framing.finish(|frame| match frame {
            Frame::Body("") => Err(error::incomplete("a body")),
            Frame::Body(body) => reader.body(body, events),
            Frame::Error(data) => Err(error::from_event(data)),
            Frame::Rest(data) | Frame::Event(data) => match reader.event(data, events) {
                // The last event was cut: not an answer that cannot be read, but one that is not all there.
                Err(error) if error.kind == ErrorKind::Decode => Ok(()),
                other => other,
            },
        });
        let result = result.and_then(|()| if reader.done() { Ok(()) } else { reader.end(events) });
        self.over = true;
        self.close(result)
    }
}

/// A message of a stream, as its type.
pub(crate) fn event<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T, ModelError> {
    serde_json::from_str(data).map_err(|source| error::unreadable("stream", data, Some(source)))
}

/// A whole body, as its type. One that stops in the middle is `incomplete`: the connection was closed.
pub(crate) fn body<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, ModelError> {
    serde_json::from_str(body).map_err(|source| match source.classify() {
        serde_json::error::Category::Eof => error::incomplete("the rest of its JSON"),
        _ => error::unreadable("answer", body, Some(source)),
    })
}
