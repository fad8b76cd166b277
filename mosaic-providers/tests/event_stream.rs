//! What holds for every binary event stream: what was written is read, however it is cut, and nothing panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use mosaic_core::{Codec, Delivery, ModelEvent, ModelInfo, Origin, Profile};
use mosaic_providers::bedrock::Bedrock;
use mosaic_providers::event_stream::{EventStreamError, EventStreamParser, HeaderValue, write_message};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A value that owns what the parser's borrows.
#[derive(Debug, Clone)]
enum Owned {
    Plain(HeaderValue<'static>),
    Bytes(Vec<u8>),
    Text(String),
}

impl Owned {
    fn value(&self) -> HeaderValue<'_> {
        match self {
            Self::Plain(value) => *value,
            Self::Bytes(bytes) => HeaderValue::Bytes(bytes),
            Self::Text(text) => HeaderValue::Text(text),
        }
    }
}

fn value() -> impl Strategy<Value = Owned> {
    prop_oneof![
        any::<bool>().prop_map(|value| Owned::Plain(HeaderValue::Bool(value))),
        any::<i8>().prop_map(|value| Owned::Plain(HeaderValue::Byte(value))),
        any::<i16>().prop_map(|value| Owned::Plain(HeaderValue::Short(value))),
        any::<i32>().prop_map(|value| Owned::Plain(HeaderValue::Int(value))),
        any::<i64>().prop_map(|value| Owned::Plain(HeaderValue::Long(value))),
        any::<i64>().prop_map(|value| Owned::Plain(HeaderValue::Time(value))),
        any::<[u8; 16]>().prop_map(|value| Owned::Plain(HeaderValue::Uuid(value))),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Owned::Bytes),
        any::<String>().prop_map(Owned::Text),
    ]
}

type Sent = (Vec<(String, Owned)>, Vec<u8>);

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let headers = prop::collection::vec(("[:a-zé-]{1,12}", value()), 0..5);
    prop::collection::vec((headers, prop::collection::vec(any::<u8>(), 0..40)), 0..5)
}

fn written(messages: &[Sent]) -> Vec<u8> {
    let message = |(headers, payload): &Sent| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.value())).collect();
        write_message(&headers, payload)
    };
    messages.iter().flat_map(message).collect()
}

/// Cuts the bytes after those lengths, in turn.
fn cut<'a>(bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

type Seen = Vec<(Vec<String>, Vec<u8>)>;

fn read(pieces: &[&[u8]]) -> (Seen, Option<EventStreamError>, bool) {
    let mut parser = EventStreamParser::new();
    let mut seen = Vec::new();
    for piece in pieces {
        let mut feed = parser.feed(piece);
        loop {
            match feed.next() {
                Ok(Some(message)) => {
                    let headers = message.headers.map(|(name, value)| format!("{name} {value:?}"));
                    seen.push((headers.collect(), message.payload.to_vec()));
                }
                Ok(None) => break,
                Err(error) => return (seen, Some(error), false),
            }
        }
    }
    (seen, None, parser.is_inside())
}

/// Every delta joined, every part, and how it ended.
fn decoded(pieces: &[&[u8]]) -> String {
    let origin = Origin { api: "bedrock-converse".into(), provider: "p".into(), model: "m".into() };
    let profile = Profile { origin, info: ModelInfo::new("p", "m") };
    let mut decoder = Bedrock::default().decoder(&profile, Delivery::Streamed);
    let mut events = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| decoder.push(piece, &mut events));
    }
    let result = result.and_then(|()| decoder.finish(&mut events));
    let done = events.iter().filter(|event| matches!(event, ModelEvent::Done(_))).count();
    assert_eq!(done, usize::from(result.is_ok()), "an answer ends once, or fails");
    format!("{events:?} {:?}", result.map_err(|error| error.to_string()))
}

/// Events as they may come, in any order and with anything in them.
fn event() -> impl Strategy<Value = (&'static str, &'static str, Value)> {
    let name = prop_oneof![
        1 => Just("messageStart"),
        3 => Just("contentBlockStart"),
        6 => Just("contentBlockDelta"),
        2 => Just("contentBlockStop"),
        1 => Just("messageStop"),
        1 => Just("metadata"),
        1 => Just("else"),
    ];
    let what = prop_oneof![
        Just(json!({"text": "a"})),
        Just(json!({"text": 7})),
        Just(json!({"toolUse": {"toolUseId": "t", "name": "add", "input": "{"}})),
        Just(json!({"toolUse": {"toolUseId": "s", "name": "x", "input": "{}", "type": "server_tool_use"}})),
        Just(json!({"toolResult": [{"text": "r"}]})),
        Just(json!({"toolResult": {"toolUseId": "s"}})),
        Just(json!({"reasoningContent": {"text": "h"}})),
        Just(json!({"reasoningContent": {"signature": "s", "redactedContent": "AA"}})),
        Just(json!([])),
        Just(Value::Null),
    ];
    let payload = (0_u64..3, what).prop_map(|(index, what)| {
        json!({"contentBlockIndex": index, "start": what, "delta": what, "stopReason": "end_turn", "usage": {"inputTokens": 1}})
    });
    let kind = prop_oneof![20 => Just("event"), 1 => Just("exception"), 1 => Just("error"), 1 => Just("new")];
    (kind, name, payload)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_was_written_is_read_however_it_is_cut(
        messages in sent(),
        lengths in prop::collection::vec(0_usize..30, 0..40),
    ) {
        let stream = written(&messages);
        let expected: Seen = messages
            .iter()
            .map(|(headers, payload)| {
                let headers = headers.iter().map(|(name, value)| format!("{name} {:?}", value.value()));
                (headers.collect(), payload.clone())
            })
            .collect();
        let whole = (expected, None, false);
        prop_assert_eq!(read(&[&stream]), whole.clone());
        prop_assert_eq!(read(&cut(&stream, &lengths)), whole);
    }

    #[test]
    fn a_damaged_stream_gives_the_same_error_however_it_is_cut(
        messages in sent(),
        noise in prop::collection::vec(any::<u8>(), 0..30),
        at in any::<prop::sample::Index>(),
        bits in 1_u8..,
        lengths in prop::collection::vec(0_usize..30, 0..40),
    ) {
        let mut stream = written(&messages);
        let good = stream.len();
        stream.extend(&noise);
        if !stream.is_empty() {
            let at = at.index(stream.len());
            stream[at] ^= bits;
            let whole = read(&[&stream]);
            prop_assert_eq!(read(&cut(&stream, &lengths)), whole.clone());
            prop_assert!(at >= good || whole.1.is_some(), "a damaged byte was not found");
        }
    }

    #[test]
    fn bedrocks_decoder_never_panics_and_never_sees_the_cuts(
        events in prop::collection::vec(event(), 0..12),
        lengths in prop::collection::vec(0_usize..90, 0..40),
    ) {
        let stream: Vec<u8> = events
            .iter()
            .flat_map(|(kind, name, payload)| {
                let text = |text| HeaderValue::Text(text);
                let headers = [(":message-type", text(kind)), (":event-type", text(name)), (":exception-type", text(name))];
                write_message(&headers, payload.to_string().as_bytes())
            })
            .collect();
        prop_assert_eq!(decoded(&cut(&stream, &lengths)), decoded(&[&stream]));
    }
}
