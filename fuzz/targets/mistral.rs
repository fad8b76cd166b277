//! The decoder of `mistral`, both deliveries: cutting the bytes changes nothing, and nothing panics.
#![no_main]

mod decoder;

use libfuzzer_sys::fuzz_target;
use mosaic_providers::openai_chat::OpenAiChat;

fuzz_target!(|input: &[u8]| decoder::check(&OpenAiChat::mistral(), input));
