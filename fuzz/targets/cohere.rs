//! The decoder of `cohere`, both deliveries: cutting the bytes changes nothing, and nothing panics.
#![no_main]

mod decoder;

use libfuzzer_sys::fuzz_target;
use mosaic_providers::cohere::Cohere;

fuzz_target!(|input: &[u8]| decoder::check(&Cohere, input));
