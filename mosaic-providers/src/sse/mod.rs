//! Server-sent events, by the rules of the WHATWG.
//!
//! What a provider streams is a list of events in lines. The lines end in CR, LF or CRLF; a network cuts them anywhere,
//! between the CR and the LF too.
//!
//! ```text
//! : comment            ignored
//! event: name          the event's name; the last one counts
//! data: one            the event's data; several lines are joined by LF
//! id: 7                kept for later events, unless it holds a NUL
//! retry: 1000          milliseconds; digits only, else ignored
//! <empty line>         dispatches the event, if it has a data line
//! ```
//!
//! ```
//! use mosaic_providers::sse::SseParser;
//!
//! let mut parser = SseParser::new();
//! let mut feed = parser.feed(b"data: {\"a\":");
//! assert!(feed.next()?.is_none());
//! let mut feed = parser.feed(b"1}\n\n");
//! assert_eq!(feed.next()?.map(|event| event.data.to_vec()), Some(b"{\"a\":1}".to_vec()));
//! # Ok::<(), mosaic_providers::sse::SseError>(())
//! ```
//!
//! # Decisions
//! * Data stays bytes. The rules decode a stream with replacement characters; a decoder that did so would store text
//!   that nobody wrote. The codecs check the data of each event and answer invalid UTF-8 with a `decode` error.
//! * An event without its empty line at the end of the stream is incomplete and discarded by the rules. Some servers
//!   leave that line out after their last event, so [`SseParser::finish`] hands the rest out and the codec decides.
//!
//! Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>

mod parser;
#[cfg(test)]
mod tests;

pub use parser::{Feed, SseError, SseEvent, SseParser};
