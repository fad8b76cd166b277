//! The binary event stream of AWS, `application/vnd.amazon.eventstream`.
//!
//! A stream is a list of messages without anything between them; a network cuts it anywhere. Numbers are big-endian.
//!
//! ```text
//! ┌──────────────┬────────────────┬─────────────┬─────────┬─────────┬─────────────┐
//! │ total length │ headers length │ CRC of both │ headers │ payload │ CRC of all  │
//! │ 4 bytes      │ 4              │ 4           │ ...     │ ...     │ 4           │
//! └──────────────┴────────────────┴─────────────┴─────────┴─────────┴─────────────┘
//! a header: length of the name (1), name, type (1), value
//!
//! type 0 true, 1 false                 no value
//!      2 byte, 3 short, 4 int, 5 long  1, 2, 4, 8 bytes
//!      6 bytes, 7 text                 length (2), then so many
//!      8 time                          milliseconds since 1970 (8)
//!      9 uuid                          16
//! ```
//!
//! ```
//! use mosaic_providers::event_stream::EventStreamParser;
//!
//! // One message without headers, whose payload is "{}".
//! let bytes = [0, 0, 0, 18, 0, 0, 0, 0, 0x7f, 0x02, 0x1b, 0x8b, b'{', b'}', 0x2f, 0x92, 0x61, 0xfa];
//! let mut parser = EventStreamParser::new();
//! assert!(parser.feed(&bytes[..7]).next()?.is_none());
//! let mut feed = parser.feed(&bytes[7..]);
//! assert_eq!(feed.next()?.map(|message| message.payload), Some(&b"{}"[..]));
//! # Ok::<(), mosaic_providers::event_stream::EventStreamError>(())
//! ```
//!
//! # Decisions
//! * A length is believed only after the checksum of the prelude, and nothing is allocated for it: what is held is what
//!   came. A message longer than the limit is refused before its body comes.
//! * The headers of a message are checked before it is handed out, so reading them cannot fail.
//! * After an error nothing more comes: where one message ends wrongly, the next begins nowhere.
//!
//! Source: <https://smithy.io/2.0/aws/amazon-eventstream.html>

mod headers;
mod parser;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "testing"))]
mod writer;

pub use headers::{HeaderValue, MessageHeaders};
pub use parser::{EventStreamError, EventStreamParser, Feed, Message};
#[cfg(any(test, feature = "testing"))]
pub use writer::write_message;
