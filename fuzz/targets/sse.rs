//! The parser of server-sent events: cutting the bytes changes nothing, and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_providers::sse::{SseError, SseParser};

type Seen = Vec<(Vec<u8>, Vec<u8>, Vec<u8>)>;

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Seen, Option<u64>) {
    let mut parser = SseParser::new();
    let mut seen = Vec::new();
    for piece in pieces {
        let mut feed = parser.feed(piece);
        while let Some(event) = feed.next().expect("shorter than the limit") {
            seen.push((event.name.to_vec(), event.data.to_vec(), event.id.to_vec()));
        }
    }
    let retry = parser.retry();
    if let Some(event) = parser.finish().expect("shorter than the limit") {
        seen.push((event.name.to_vec(), event.data.to_vec(), event.id.to_vec()));
    }
    (seen, retry)
}

/// Whether a parser with a small limit refuses the bytes.
fn refused<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut parser = SseParser::with_limit(16);
    for piece in pieces {
        let mut feed = parser.feed(piece);
        loop {
            match feed.next() {
                Ok(Some(event)) => assert!(event.data.len() <= 16),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error, SseError::TooLong { limit: 16 });
                    return true;
                }
            }
        }
    }
    false
}

// The first byte is the length of the pieces, the rest the stream.
fuzz_target!(|input: &[u8]| {
    let Some((length, stream)) = input.split_first() else { return };
    let length = usize::from(*length).max(1);
    let whole = read(std::iter::once(stream));
    assert_eq!(read(stream.chunks(length)), whole);
    assert_eq!(read(stream.chunks(1)), whole);
    assert_eq!(refused(stream.chunks(length)), refused(std::iter::once(stream)));
});
