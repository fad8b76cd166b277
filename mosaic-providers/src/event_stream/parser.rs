//! The parser: bytes in, borrowed messages out.

use thiserror::Error;

use super::headers::MessageHeaders;

/// Total length, headers length, and the checksum of both.
const PRELUDE: usize = 12;
/// The checksum of all.
const TAIL: usize = 4;

/// Bytes that are no event stream. `at` is where in the stream the message begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventStreamError {
    /// The two lengths do not have the checksum that follows them: the bytes are damaged, or no event stream at all.
    #[error(
        "the message at byte {at} of the event stream begins with lengths whose CRC32 is {found:08x}, but it says {told:08x}"
    )]
    PreludeChecksum {
        /// Where the message begins.
        at: u64,
        /// What the message says.
        told: u32,
        /// What it is.
        found: u32,
    },
    /// The message does not have the checksum at its end: it was damaged on its way.
    #[error("the message at byte {at} of the event stream has the CRC32 {found:08x}, but it says {told:08x}")]
    Checksum {
        /// Where the message begins.
        at: u64,
        /// What the message says.
        told: u32,
        /// What it is.
        found: u32,
    },
    /// The headers do not fit into the message.
    #[error(
        "the message at byte {at} of the event stream is {total} bytes long, which cannot hold {headers} bytes of headers"
    )]
    Lengths {
        /// Where the message begins.
        at: u64,
        /// The length of the message that it says.
        total: u32,
        /// The length of the headers that it says.
        headers: u32,
    },
    /// A message is longer than the limit.
    #[error(
        "the message at byte {at} of the event stream is {total} bytes long; more than {limit} are not taken"
    )]
    TooLong {
        /// Where the message begins.
        at: u64,
        /// The length of the message that it says.
        total: u32,
        /// The limit in bytes.
        limit: usize,
    },
    /// A header is cut, of an unknown type, without a name, or text that is not UTF-8.
    #[error(
        "the message at byte {at} of the event stream has a header that cannot be read, at byte {header} of its headers"
    )]
    Header {
        /// Where the message begins.
        at: u64,
        /// Where in the headers.
        header: usize,
    },
}

/// One message. Borrowed from the pushed bytes where it lies inside them, else from the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its headers.
    pub headers: MessageHeaders<'a>,
    /// Its payload.
    pub payload: &'a [u8],
}

/// Reads messages out of bytes that are cut anywhere.
#[derive(Debug)]
pub struct EventStreamParser {
    /// The beginning of a message whose end has not come yet.
    pub(super) held: Vec<u8>,
    /// Whether `held` was handed out, so that it is to be cleared before more is read.
    dispatched: bool,
    /// Where in the stream the message being read begins.
    at: u64,
    limit: usize,
    failed: Option<EventStreamError>,
}

impl Default for EventStreamParser {
    fn default() -> Self {
        Self::new()
    }
}

impl EventStreamParser {
    /// The default limit of a message: 24 MiB and what is around it. Services send no longer payloads.
    pub const DEFAULT_LIMIT: usize = 24 * 1024 * 1024 + 128 * 1024;

    /// A parser at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }

    /// A parser that refuses messages longer than `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { held: Vec::new(), dispatched: false, at: 0, limit, failed: None }
    }

    /// Takes the next bytes. The messages in them come out of [`Feed::next`], which must be called until it returns
    /// `None`: what is left in a dropped feed is lost.
    pub fn feed<'p, 'b>(&'p mut self, bytes: &'b [u8]) -> Feed<'p, 'b> {
        Feed { parser: self, rest: bytes }
    }

    /// Whether the bytes so far end inside a message.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        !self.dispatched && !self.held.is_empty()
    }

    /// The length of the message that begins with those bytes, once they hold its prelude.
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, EventStreamError> {
        let at = self.at;
        let Some((prelude, _)) = bytes.split_first_chunk::<PRELUDE>() else { return Ok(None) };
        let ([total, headers, told], _) = prelude.as_chunks::<4>() else { return Ok(None) };
        let [total, headers, told] = [total, headers, told].map(|bytes| u32::from_be_bytes(*bytes));
        let found = crc32fast::hash(prelude.first_chunk::<8>().map_or(&[][..], |lengths| lengths));
        if found != told {
            return Err(EventStreamError::PreludeChecksum { at, told, found });
        }
        let (length, room) = (as_size(total), as_size(total).checked_sub(PRELUDE + TAIL));
        if room.is_none_or(|room| room < as_size(headers)) {
            return Err(EventStreamError::Lengths { at, total, headers });
        }
        if length > self.limit {
            return Err(EventStreamError::TooLong { at, total, limit: self.limit });
        }
        Ok(Some(length))
    }
}

/// The messages in the bytes of one [`EventStreamParser::feed`].
#[derive(Debug)]
pub struct Feed<'p, 'b> {
    parser: &'p mut EventStreamParser,
    rest: &'b [u8],
}

impl Feed<'_, '_> {
    /// The next message, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// When the bytes are no event stream. The same error comes again then, and nothing else.
    #[allow(clippy::should_implement_trait)] // lends from itself, which `Iterator` cannot
    pub fn next(&mut self) -> Result<Option<Message<'_>>, EventStreamError> {
        if let Some(error) = self.parser.failed {
            return Err(error);
        }
        if std::mem::take(&mut self.parser.dispatched) {
            self.parser.held.clear();
        }
        let at = self.parser.at;
        let whole = match self.whole() {
            Ok(Some(whole)) => whole,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.parser.failed = Some(error);
                return Err(error);
            }
        };
        let bytes = match whole {
            Whole::Borrowed(bytes) => bytes,
            Whole::Held => &self.parser.held,
        };
        self.parser.at += bytes.len() as u64;
        match message(bytes, at) {
            Ok(message) => Ok(Some(message)),
            Err(error) => {
                self.parser.failed = Some(error);
                Err(error)
            }
        }
    }
}

enum Whole<'b> {
    Borrowed(&'b [u8]),
    Held,
}

impl<'b> Feed<'_, 'b> {
    /// The bytes of the next message: inside the pushed bytes, or held.
    fn whole(&mut self) -> Result<Option<Whole<'b>>, EventStreamError> {
        if self.parser.held.is_empty() {
            if let Some(length) = self.parser.length(self.rest)?
                && let Some((whole, rest)) = self.rest.split_at_checked(length)
            {
                self.rest = rest;
                return Ok(Some(Whole::Borrowed(whole)));
            }
            self.hold(self.rest.len());
            return Ok(None);
        }
        self.hold(PRELUDE.saturating_sub(self.parser.held.len()));
        let Some(length) = self.parser.length(&self.parser.held)? else { return Ok(None) };
        self.hold(length.saturating_sub(self.parser.held.len()));
        if self.parser.held.len() < length {
            return Ok(None);
        }
        self.parser.dispatched = true;
        Ok(Some(Whole::Held))
    }

    /// Keeps so many of the pushed bytes, or all that are left.
    fn hold(&mut self, wanted: usize) {
        let (taken, rest) = self.rest.split_at_checked(wanted).unwrap_or((self.rest, &[]));
        self.parser.held.extend_from_slice(taken);
        self.rest = rest;
    }
}

/// A whole message, whose lengths were checked.
fn message(bytes: &[u8], at: u64) -> Result<Message<'_>, EventStreamError> {
    let (covered, told) = bytes.split_last_chunk::<TAIL>().unwrap_or((bytes, &[0; TAIL]));
    let (told, found) = (u32::from_be_bytes(*told), crc32fast::hash(covered));
    if told != found {
        return Err(EventStreamError::Checksum { at, told, found });
    }
    let headers =
        covered.get(4..8).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let body = covered.get(PRELUDE..).unwrap_or_default();
    let (headers, payload) = body.split_at_checked(as_size(headers)).unwrap_or((body, &[]));
    let headers =
        MessageHeaders::checked(headers).map_err(|header| EventStreamError::Header { at, header })?;
    Ok(Message { headers, payload })
}

fn as_size(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
