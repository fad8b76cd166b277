//! The codecs of embeddings: any bytes are vectors, one of them checked, or an error; nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_core::{EmbedCodec, EmbedRequest, EmbedderInfo, Headers};
use mosaic_providers::embeddings::{CohereEmbeddings, GeminiEmbeddings, OllamaEmbeddings, OpenAiEmbeddings};

// The first byte says which codec, the rest is the answer.
fuzz_target!(|input: &[u8]| {
    let Some((which, body)) = input.split_first() else { return };
    let (openai, gemini) = (OpenAiEmbeddings::default(), GeminiEmbeddings::default());
    let codec: &dyn EmbedCodec = match which % 4 {
        0 => &openai,
        1 => &gemini,
        2 => &CohereEmbeddings,
        _ => &OllamaEmbeddings,
    };
    let info = EmbedderInfo::new("fuzz", "model");
    match codec.decode(&info, body) {
        Ok(answer) => {
            let texts = EmbedRequest::documents(answer.vectors.iter().map(|_| "text"));
            if let Ok(checked) = answer.check(&texts, &info) {
                let width = checked.dimensions();
                assert!(width > 0);
                assert!(checked.vectors.iter().all(|one| one.len() == width && one.iter().all(|x| x.is_finite())));
            }
        }
        Err(error) => assert!(!error.message.is_empty()),
    }
    assert!(!codec.error(400, &Headers::default(), body).message.is_empty());
});
