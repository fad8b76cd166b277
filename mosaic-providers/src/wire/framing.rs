//! From bytes to messages: the data of each server-sent event, each object of a JSON stream, or one whole body.
//!
//! What was asked for and what comes are not always the same: some servers answer `stream: true` with one JSON body, some
//! send an error as plain JSON under an event-stream's status, and proxies answer with a page of HTML. The first byte
//! that is no white space tells: `{` and `[` begin no line of an event stream. An API whose streams are JSON themselves
//! (lines, or one array) says so with its [`Shape`].

use mosaic_core::{Delivery, ErrorKind, ModelError};

use super::error;
use super::values::Values;
use crate::sse::SseParser;

/// The longest whole body: 64 MiB.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// What an API streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Server-sent events. JSON is a whole body, whatever was asked for.
    Events,
    /// JSON objects, a line each or in one array; server-sent events are read too.
    Objects,
}

/// What came.
pub(crate) enum Frame<'a> {
    /// The data of one event, or one object of a JSON stream.
    Event(&'a str),
    /// The data of an event that is named `error`.
    Error(&'a str),
    /// An event that lacked its empty line at the end of the stream; it may be cut.
    Rest(&'a str),
    /// A whole body.
    Body(&'a str),
}

#[derive(Debug)]
enum State {
    /// Only white space so far.
    Start,
    Events(SseParser),
    Objects(Values),
    Body,
}

/// Cuts the bytes of one answer into frames.
#[derive(Debug)]
pub(crate) struct Framing {
    delivery: Delivery,
    shape: Shape,
    state: State,
    held: Vec<u8>,
    /// How many of the held bytes are a BOM and white space. Some servers send blanks for minutes to keep the connection
    /// open; each is looked at once.
    blank: usize,
}

impl Framing {
    pub(crate) fn new(delivery: Delivery, shape: Shape) -> Self {
        Self { delivery, shape, state: State::Start, held: Vec::new(), blank: 0 }
    }

    /// Takes the next bytes and hands each whole event to `take`. `Ok(false)` of `take` ends the reading.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(Frame<'_>) -> Result<bool, ModelError>,
    ) -> Result<(), ModelError> {
        if matches!(self.state, State::Start) && self.sniff(bytes)? {
            // What was held is white space or the beginning of a word, so this happens once a stream and is short.
            let held = std::mem::take(&mut self.held);
            return self.push(&held, take);
        }
        match &mut self.state {
            State::Start => Ok(()),
            State::Body => hold(&mut self.held, bytes),
            State::Objects(values) => {
                let mut rest = bytes;
                while let Some(goes_on) = values
                    .next(&mut rest, |object| take(Frame::Event(utf8(object)?)))
                    .map_err(|_| no_objects())?
                {
                    if !goes_on? {
                        break;
                    }
                }
                check(values.held())
            }
            State::Events(parser) => {
                let mut feed = parser.feed(bytes);
                while let Some(event) = feed.next().map_err(too_long)? {
                    let data = utf8(event.data)?;
                    let frame = if event.name == b"error" { Frame::Error(data) } else { Frame::Event(data) };
                    if !take(frame)? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Says that no more bytes come; hands out the body, or what lacked its empty line.
    pub(crate) fn finish(
        &mut self,
        take: impl FnOnce(Frame<'_>) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        match &mut self.state {
            State::Events(parser) => match parser.finish().map_err(too_long)? {
                // A rest may be cut inside a character.
                Some(event) => std::str::from_utf8(event.data).map_or(Ok(()), |data| take(Frame::Rest(data))),
                None => Ok(()),
            },
            State::Objects(values) if values.is_open() => Err(error::incomplete("the rest of its JSON")),
            State::Objects(_) => Ok(()),
            // A body of white space, or one that was too short to tell.
            State::Start | State::Body => {
                let body = std::mem::take(&mut self.held);
                take(Frame::Body(utf8(&body)?.trim_start_matches('\u{feff}').trim()))
            }
        }
    }

    /// Tells what the answer is; `true` when it is known now. Until then the bytes are held.
    fn sniff(&mut self, bytes: &[u8]) -> Result<bool, ModelError> {
        hold(&mut self.held, bytes)?;
        let bom: &[u8] = b"\xEF\xBB\xBF";
        if self.held.len() < bom.len() && bom.starts_with(&self.held) {
            return Ok(false);
        }
        if self.blank == 0 && self.held.starts_with(bom) {
            self.blank = bom.len();
        }
        let unseen = self.held.get(self.blank..).unwrap_or_default();
        self.blank += unseen.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let held = self.held.get(self.blank..).unwrap_or_default();
        if held.is_empty() {
            return Ok(false);
        }
        let json = matches!(held.first(), Some(b'{' | b'['));
        if json && self.delivery == Delivery::Streamed && self.shape == Shape::Objects {
            self.state = State::Objects(Values::default());
            self.held.drain(..self.blank);
            return Ok(true);
        }
        let events = match self.delivery {
            Delivery::Streamed => !matches!(held.first(), Some(b'{' | b'[' | b'<')),
            Delivery::Whole => {
                let words: [&[u8]; 4] = [b"data:", b"event:", b"id:", b":"];
                if words.iter().any(|word| held.len() < word.len() && word.starts_with(held)) {
                    return Ok(false);
                }
                words.iter().any(|word| held.starts_with(word))
            }
        };
        self.state = if events { State::Events(SseParser::new()) } else { State::Body };
        Ok(true)
    }
}

fn hold(held: &mut Vec<u8>, bytes: &[u8]) -> Result<(), ModelError> {
    check(held.len().saturating_add(bytes.len()))?;
    held.extend_from_slice(bytes);
    Ok(())
}

fn check(length: usize) -> Result<(), ModelError> {
    if length > BODY_LIMIT {
        return Err(ModelError::new(
            ErrorKind::Decode,
            format!("the answer is longer than {BODY_LIMIT} bytes; ask for a shorter one, or stream it"),
        ));
    }
    Ok(())
}

fn no_objects() -> ModelError {
    ModelError::new(
        ErrorKind::Decode,
        "the provider's stream cannot be read: it is not the JSON that the API promises",
    )
}

fn utf8(bytes: &[u8]) -> Result<&str, ModelError> {
    std::str::from_utf8(bytes).map_err(|error| {
        ModelError::new(
            ErrorKind::Decode,
            format!("the provider sent invalid UTF-8 at byte {} of an event or body", error.valid_up_to()),
        )
        .with_source(error)
    })
}

fn too_long(error: crate::sse::SseError) -> ModelError {
    ModelError::new(ErrorKind::Decode, format!("the provider's stream cannot be read: {error}"))
        .with_source(error)
}
