//! The parser of binary event streams: cutting the bytes changes nothing, and nothing panics.
//!
//! No fuzzer guesses a checksum, so the input is read twice: as it is, and as the headers and the payload of a message
//! whose checksums are good.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_providers::event_stream::{EventStreamError, EventStreamParser, HeaderValue, write_message};

type Seen = (Vec<(String, Vec<u8>)>, Option<EventStreamError>, bool);

fn read<'a>(mut parser: EventStreamParser, pieces: impl Iterator<Item = &'a [u8]>) -> Seen {
    let mut seen = Vec::new();
    for piece in pieces {
        let mut feed = parser.feed(piece);
        loop {
            match feed.next() {
                Ok(Some(message)) => seen.push((format!("{:?}", message.headers), message.payload.to_vec())),
                Ok(None) => break,
                Err(error) => return (seen, Some(error), false),
            }
        }
    }
    (seen, None, parser.is_inside())
}

fn check(length: usize, stream: &[u8]) {
    let whole = read(EventStreamParser::new(), std::iter::once(stream));
    assert_eq!(read(EventStreamParser::new(), stream.chunks(length)), whole);
    assert_eq!(read(EventStreamParser::new(), stream.chunks(1)), whole);
    let small = || EventStreamParser::with_limit(64);
    let limited = read(small(), std::iter::once(stream));
    assert_eq!(read(small(), stream.chunks(length)), limited);
    assert!(limited.0.iter().all(|(_, payload)| payload.len() <= 48));
}

/// The bytes as headers, with a prelude and checksums that are good whatever the headers are.
fn as_headers(bytes: &[u8]) -> Vec<u8> {
    // A message whose payload is the bytes, then its headers' length set to theirs: only the checksums must follow.
    let plain = write_message(&[], bytes);
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut out = plain[..4].to_vec();
    out.extend(length.to_be_bytes());
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out.extend(bytes);
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out
}

// The first byte is the length of the pieces, the rest the stream.
fuzz_target!(|input: &[u8]| {
    let Some((length, stream)) = input.split_first() else { return };
    let length = usize::from(*length).max(1);
    check(length, stream);
    check(length, &as_headers(stream));
    let (left, right) = stream.split_at(stream.len() / 2);
    let both = [write_message(&[("x", HeaderValue::Bytes(left))], right), stream.to_vec()].concat();
    check(length, &both);
});
