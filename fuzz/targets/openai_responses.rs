//! The decoder of `openai_responses`, both deliveries: cutting the bytes changes nothing, and nothing panics.
#![no_main]

mod decoder;

use libfuzzer_sys::fuzz_target;
use mosaic_providers::openai_responses::OpenAiResponses;

fuzz_target!(|input: &[u8]| decoder::check(&OpenAiResponses::default(), input));
