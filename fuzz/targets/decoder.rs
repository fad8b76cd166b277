//! What the targets of both decoders share.

use mosaic_core::{Codec, Delivery, Headers, ModelEvent, ModelInfo, Origin, Profile};

/// All that a decoder says: deltas joined, the other events, and how it ended.
fn read<'a>(
    codec: &dyn Codec,
    delivery: Delivery,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (String, String) {
    let origin = Origin { api: codec.api().into(), provider: "fuzz".into(), model: "model".into() };
    let profile = Profile { origin, info: ModelInfo::new("fuzz", "model") };
    let mut decoder = codec.decoder(&profile, delivery);
    let mut events = Vec::new();
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| decoder.push(piece, &mut events));
    }
    let result = result.and_then(|()| decoder.finish(&mut events));
    let done = events.iter().filter(|event| matches!(event, ModelEvent::Done(_))).count();
    assert_eq!(done, usize::from(result.is_ok()), "an answer ends once, or fails");
    let (mut deltas, mut others) = (String::new(), String::new());
    for event in &events {
        match event {
            ModelEvent::Text { delta, .. }
            | ModelEvent::Reasoning { delta, .. }
            | ModelEvent::Arguments { delta, .. } => deltas.push_str(delta),
            other => others.push_str(&format!("{other:?}\n")),
        }
    }
    others.push_str(&format!("{:?}", result.map_err(|error| (error.kind, error.message))));
    (deltas, others)
}

/// The first byte is the length of the pieces and, in its highest bit, the delivery; the rest is the answer.
pub fn check(codec: &dyn Codec, input: &[u8]) {
    let Some((head, body)) = input.split_first() else { return };
    let delivery = if *head & 0x80 == 0 { Delivery::Streamed } else { Delivery::Whole };
    let length = usize::from(*head & 0x7f).max(1);
    let whole = read(codec, delivery, std::iter::once(body));
    assert_eq!(read(codec, delivery, body.chunks(length)), whole);
    let error = codec.error(400, &Headers::default(), body);
    assert!(!error.message.is_empty());
}
