use super::{EventStreamError, EventStreamParser, HeaderValue, write_message};

type Seen = Vec<(Vec<String>, Vec<u8>)>;

fn read_with(mut parser: EventStreamParser, pieces: &[&[u8]]) -> (Seen, Option<EventStreamError>, bool) {
    let mut seen = Vec::new();
    for piece in pieces {
        let mut feed = parser.feed(piece);
        loop {
            match feed.next() {
                Ok(Some(message)) => {
                    let headers = message.headers.map(|(name, value)| format!("{name}: {value:?}"));
                    seen.push((headers.collect(), message.payload.to_vec()));
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(feed.next(), Err(error), "the same error comes again");
                    return (seen, Some(error), parser.is_inside());
                }
            }
        }
    }
    (seen, None, parser.is_inside())
}

fn read(pieces: &[&[u8]]) -> (Seen, Option<EventStreamError>, bool) {
    read_with(EventStreamParser::new(), pieces)
}

/// One header of every type, and the payload `hi`; the checksums were computed with zlib.
const ALL_TYPES: &[u8] = &[
    0, 0, 0, 0x5f, 0, 0, 0, 0x4d, 0xd7, 0x0c, 0xba, 0x5e, // prelude
    1, b'a', 0, 1, b'b', 1, 1, b'c', 2, 0xff, 1, b'd', 3, 1, 2, 1, b'e', 4, 0, 0, 0, 7, //
    1, b'f', 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 1, b'g', 6, 0, 2, 1, 2, //
    1, b'h', 7, 0, 2, 0xc3, 0xa9, 1, b'i', 8, 0, 0, 0, 0, 0, 0, 3, 0xe8, //
    1, b'j', 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, //
    b'h', b'i', 0x07, 0xf5, 0x90, 0x4b,
];

fn all_types() -> Vec<(&'static str, HeaderValue<'static>)> {
    vec![
        ("a", HeaderValue::Bool(true)),
        ("b", HeaderValue::Bool(false)),
        ("c", HeaderValue::Byte(-1)),
        ("d", HeaderValue::Short(258)),
        ("e", HeaderValue::Int(7)),
        ("f", HeaderValue::Long(-2)),
        ("g", HeaderValue::Bytes(&[1, 2])),
        ("h", HeaderValue::Text("é")),
        ("i", HeaderValue::Time(1_000)),
        ("j", HeaderValue::Uuid([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])),
    ]
}

#[test]
fn every_type_of_header_is_read() {
    let mut parser = EventStreamParser::new();
    let mut feed = parser.feed(ALL_TYPES);
    let message = feed.next().unwrap().unwrap();
    assert_eq!(message.headers.collect::<Vec<_>>(), all_types());
    assert_eq!(message.headers.text("h"), Some("é"));
    assert_eq!((message.headers.text("a"), message.headers.text("x")), (None, None));
    assert_eq!(message.payload, b"hi");
    assert_eq!(feed.next(), Ok(None));
}

#[test]
fn what_is_written_is_what_the_format_says() {
    assert_eq!(write_message(&all_types(), b"hi"), ALL_TYPES);
}

#[test]
fn every_cut_gives_the_same_messages() {
    let text = [(":event-type", HeaderValue::Text("x"))];
    let stream = [ALL_TYPES.to_vec(), write_message(&[], b""), write_message(&text, b"{}")].concat();
    let whole = read(&[&stream]);
    assert_eq!((whole.0.len(), &whole.1, whole.2), (3, &None, false));
    for cut in 0..=stream.len() {
        let (left, right) = stream.split_at(cut);
        assert_eq!(read(&[left, right]), whole, "cut at {cut}");
    }
    assert_eq!(read(&stream.chunks(1).collect::<Vec<_>>()), whole);
}

#[test]
fn a_message_inside_the_bytes_is_not_copied() {
    let stream = write_message(&[], b"payload");
    let mut parser = EventStreamParser::new();
    let mut feed = parser.feed(&stream);
    let payload = feed.next().unwrap().unwrap().payload;
    assert!(stream.as_ptr_range().contains(&payload.as_ptr()));
}

#[test]
fn a_stream_that_ends_inside_a_message_says_so() {
    let stream = write_message(&[], b"payload");
    for cut in 1..stream.len() {
        assert!(read(&[&stream[..cut]]).2, "cut at {cut}");
    }
    assert!(!read(&[&stream]).2);
}

#[test]
fn a_damaged_byte_is_found_and_its_message_named() {
    let first = write_message(&[], b"ok");
    let at = first.len() as u64;
    for damaged in 0..ALL_TYPES.len() {
        let mut stream = [first.as_slice(), ALL_TYPES].concat();
        stream[first.len() + damaged] ^= 0x10;
        for pieces in [vec![stream.as_slice()], stream.chunks(1).collect()] {
            let (seen, error, _) = read(&pieces);
            assert_eq!(seen.len(), 1, "byte {damaged}");
            match error.unwrap() {
                EventStreamError::PreludeChecksum { at: found, .. } => {
                    assert!(damaged < 12);
                    assert_eq!(found, at);
                }
                EventStreamError::Checksum { at: found, .. } => {
                    assert!(damaged >= 12);
                    assert_eq!(found, at);
                }
                other => panic!("byte {damaged}: {other:?}"),
            }
        }
    }
    let (_, error, _) = read(&[b"<html>Bad Gateway</html>"]);
    assert!(error.unwrap().to_string().starts_with("the message at byte 0 of the event stream begins with"));
}

/// A prelude with a good checksum.
fn prelude(total: u32, headers: u32) -> Vec<u8> {
    let mut bytes = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

#[test]
fn lengths_that_cannot_be_are_refused_at_the_prelude() {
    for (total, headers) in [(0, 0), (15, 0), (16, 1), (100, 85), (100, u32::MAX)] {
        let (_, error, _) = read(&[&prelude(total, headers)]);
        assert_eq!(error, Some(EventStreamError::Lengths { at: 0, total, headers }));
    }
}

#[test]
fn a_hostile_length_is_refused_and_takes_no_memory() {
    let (_, error, _) = read(&[&prelude(u32::MAX, 0)]);
    let limit = EventStreamParser::DEFAULT_LIMIT;
    assert_eq!(error, Some(EventStreamError::TooLong { at: 0, total: u32::MAX, limit }));
    // A length within the limit is believed, but only what came is held.
    let mut parser = EventStreamParser::new();
    assert_eq!(parser.feed(&prelude(20_000_000, 0)).next(), Ok(None));
    assert!(parser.held.capacity() < 100);
}

#[test]
fn the_limit_is_of_the_whole_message() {
    let stream = write_message(&[], b"12");
    let of = |limit| read_with(EventStreamParser::with_limit(limit), &[&stream]).1;
    assert_eq!(of(18), None);
    assert_eq!(of(17), Some(EventStreamError::TooLong { at: 0, total: 18, limit: 17 }));
}

/// A message with a good checksum around those bytes of headers.
fn with_headers(headers: &[u8]) -> Vec<u8> {
    let length = u32::try_from(headers.len()).unwrap();
    let mut bytes = prelude(length + 16, length);
    bytes.extend(headers);
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

#[test]
fn a_header_that_cannot_be_read_is_an_error_that_says_where() {
    let good = [1, b'a', 0];
    let cases: [&[u8]; 8] = [
        &[5, b'a'],                // the name is cut
        &[0, 0],                   // no name
        &[1, b'a'],                // no type
        &[1, b'a', 10],            // an unknown type
        &[1, b'a', 5, 0, 0],       // a cut number
        &[1, b'a', 7, 0, 3, b'x'], // a cut text
        &[1, b'a', 7, 0, 1, 0xff], // a text that is not UTF-8
        &[1, 0xff, 0],             // a name that is not UTF-8
    ];
    for case in cases {
        let (_, error, _) = read(&[&with_headers(&[&good, case].concat())]);
        assert_eq!(error, Some(EventStreamError::Header { at: 0, header: 3 }), "{case:?}");
    }
}
