//! Real traffic: every recording of the APIs that we speak gives what it is expected to give, however
//! its bytes are cut, and its neutral input gives the request that was recorded.
//!
//! The recordings are not part of this repository. They are read from `MOSAIC_RECORDINGS`, or from
//! `../shared/recordings` beside the workspace; where neither is there, the test says so and passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod apis;
mod compare;
mod load;
mod request;

use apis::APIS;
use load::{Recording, folder, recordings};
use mosaic_core::Delivery;

fn all() -> Option<Vec<Recording>> {
    let folder = folder()?;
    Some(APIS.iter().flat_map(|api| recordings(&folder, api)).collect())
}

#[test]
fn every_answer_is_read_as_expected_however_it_is_cut() {
    let Some(recordings) = all() else { return };
    let (mut failures, mut readings) = (Vec::new(), 0_usize);
    for recording in &recordings {
        let body = recording.body();
        let whole = compare::read(recording, &[body]);
        readings += 1;
        if let Err(why) = compare::check(recording, &whole) {
            failures.push(format!("{}: {why}", recording.id));
            continue;
        }
        let mut same = |pieces: &[&[u8]], how: String| {
            readings += 1;
            let cut = compare::read(recording, pieces);
            if cut != whole {
                failures.push(format!("{} {how}: {cut:?} is not {whole:?}", recording.id));
            }
        };
        same(&body.chunks(1).collect::<Vec<_>>(), "byte by byte".to_owned());
        let positions: Vec<usize> = if body.len() < 4_000 {
            (0..=body.len()).collect()
        } else {
            (1..=200).map(|at| body.len() * at / 201).collect()
        };
        for at in positions {
            let (left, right) = body.split_at(at);
            same(&[left, right], format!("cut at {at}"));
        }
    }
    println!("{} recordings, {readings} readings, {} failures", recordings.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(recordings.len() >= 60, "the folder holds too few recordings: {}", recordings.len());
}

#[test]
fn a_stream_that_ends_in_the_middle_is_incomplete() {
    let Some(recordings) = all() else { return };
    let mut ran = 0;
    for recording in recordings.iter().filter(|recording| recording.delivery() == Delivery::Streamed) {
        if recording.expected["error"].is_object() {
            continue;
        }
        let body = recording.body();
        let end = (recording.api.terminal)(body);
        for at in (0..end).step_by((end / 97).max(1)) {
            let cut = compare::read(recording, &[&body[..at]]);
            assert_eq!(cut.error_kind(), Some("incomplete"), "{} cut at {at}", recording.id);
            ran += 1;
        }
    }
    println!("{ran} cut streams");
}

#[test]
fn every_input_gives_the_recorded_request() {
    let Some(recordings) = all() else { return };
    let (mut failures, mut ran, mut members) = (Vec::new(), 0, 0);
    for recording in recordings.iter().filter(|recording| recording.request.is_object()) {
        ran += 1;
        match request::check(recording, recording.codec().as_ref()) {
            Ok(compared) => members += compared,
            Err(why) => failures.push(format!("{}: {why}", recording.id)),
        }
    }
    println!("{ran} requests, {members} members compared, {} failures", failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
