//! The decoder of `bedrock`: cutting the bytes changes nothing, and nothing panics.
//!
//! No fuzzer guesses a checksum, so the input is read twice: as it is, and as lines, each written as a message. A line is
//! an event's name, a blank and a payload; one that begins with `!` is an exception.
#![no_main]

mod decoder;

use libfuzzer_sys::fuzz_target;
use mosaic_providers::bedrock::Bedrock;
use mosaic_providers::event_stream::{HeaderValue, write_message};

fn message(line: &[u8]) -> Vec<u8> {
    let (kind, of, line) = match line.strip_prefix(b"!") {
        Some(line) => ("exception", ":exception-type", line),
        None => ("event", ":event-type", line),
    };
    let at = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (name, payload) = line.split_at(at);
    let name = String::from_utf8_lossy(name);
    let headers = [(":message-type", HeaderValue::Text(kind)), (of, HeaderValue::Text(&name))];
    write_message(&headers, payload.strip_prefix(b" ").unwrap_or(payload))
}

fuzz_target!(|input: &[u8]| {
    decoder::check(&Bedrock::default(), input);
    if let Some((head, lines)) = input.split_first() {
        let mut framed = vec![*head];
        framed.extend(lines.split(|byte| *byte == b'\n').flat_map(message));
        decoder::check(&Bedrock::default(), &framed);
    }
});
