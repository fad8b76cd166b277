//! MiniLM gives what the model's own library gives. The weights are not in the repository: `cargo xtask test` fetches them
//! and says where they are; without them these tests say that they were skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "minilm")]

use std::path::PathBuf;
use std::sync::Arc;

use mosaic_core::memory::cosine;
use mosaic_core::testing::TestRuntime;
use mosaic_core::{EmbedRequest, Embedder, EmbedderExt, ErrorKind, Purpose};
use mosaic_memory::embed::MiniLm;

/// Where the weights are, as `xtask` says it, or as it leaves them.
fn weights() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../.cache/models/all-minilm-l6-v2");
    let told = std::env::var_os("MOSAIC_MINILM").map(PathBuf::from);
    assert!(told.as_ref().is_none_or(|path| path.exists()), "MOSAIC_MINILM names a folder that is not there");
    let path = told.unwrap_or_else(|| default.into());
    if path.join("model.safetensors").exists() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED: no weights of MiniLM; `cargo xtask test` fetches them, MOSAIC_MINILM names their folder"
    );
    None
}

async fn model() -> Option<MiniLm> {
    Some(MiniLm::open(weights()?, Arc::new(TestRuntime::default())).await.unwrap())
}

/// Sentences, and the first numbers of their vectors as a plain float32 implementation in numpy gives them.
const GOLDEN: [(&str, [f32; 6]); 5] = [
    (
        "It rained in Oslo all day.",
        [0.060_998_12, 0.146_669_03, 0.115_176_1, 0.047_034_41, 0.093_341_75, -0.059_980_53],
    ),
    (
        "The weather in Oslo was wet.",
        [0.021_331_86, 0.113_275_44, 0.134_063_02, 0.075_424_88, 0.097_309_48, -0.024_927_64],
    ),
    (
        "user prefers dark mode",
        [0.053_016_7, 0.007_264_23, 0.034_035_15, 0.059_134_52, -0.022_426_23, -0.031_086_28],
    ),
    (
        "the person likes a dark theme",
        [0.006_985_26, 0.036_345_39, 0.017_819_23, -0.017_810_95, -0.034_501_27, 0.030_939_34],
    ),
    (
        "Caroline: I went to a LGBTQ support group yesterday and it was so powerful.",
        [-0.019_145_58, 0.061_259_69, -0.025_450_68, 0.069_250_13, -0.035_725_32, 0.016_316_82],
    ),
];

#[tokio::test]
async fn vectors_are_those_of_the_reference() {
    let Some(model) = model().await else { return };
    // In one batch, so that shorter rows are filled up.
    let texts = EmbedRequest::documents(GOLDEN.map(|(text, _)| text));
    let answer = model.embed(texts).await.unwrap();
    for ((text, wanted), found) in GOLDEN.iter().zip(&answer.vectors) {
        for (wanted, found) in wanted.iter().zip(found) {
            assert!((wanted - found).abs() < 2e-6, "{text}: {found} instead of {wanted}");
        }
    }
    let likeness = |one: usize, other: usize| cosine(&answer.vectors[one], &answer.vectors[other]);
    assert!((likeness(0, 1) - 0.797_365).abs() < 1e-5, "{}", likeness(0, 1));
    assert!((likeness(2, 3) - 0.590_493).abs() < 1e-5, "{}", likeness(2, 3));
    assert!((likeness(1, 4) - 0.005_007).abs() < 1e-5, "{}", likeness(1, 4));
}

#[tokio::test]
async fn a_text_has_the_same_vector_alone_and_in_company() {
    let Some(model) = model().await else { return };
    let alone = model.embed_one("It rained in Oslo all day.", Purpose::Query).await.unwrap();
    let longer = "A much longer text that makes the row of the other one be filled up. ".repeat(9);
    let both = model.embed(EmbedRequest::documents(["It rained in Oslo all day.", &longer])).await.unwrap();
    assert!(alone.iter().zip(&both.vectors[0]).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[tokio::test]
async fn the_end_of_a_long_text_counts() {
    let Some(model) = model().await else { return };
    let long = "We talked about the garden and the weather. ".repeat(60);
    let ended = format!("{long} My sister plays the violin.");
    let question = model.embed_one("Who plays the violin?", Purpose::Query).await.unwrap();
    let answer = model.embed(EmbedRequest::documents([long, ended])).await.unwrap();
    let [without, with] = [0, 1].map(|n: usize| cosine(&question, &answer.vectors[n]));
    assert!(with > without + 0.01, "{with} with, {without} without");
    assert!(answer.usage.input > 1_000);
}

#[tokio::test]
async fn odd_texts_have_vectors_and_other_lengths_are_refused() {
    let Some(model) = model().await else { return };
    let answer = model.embed(EmbedRequest::documents([" ", "\u{200b}", "你好", "🙂"])).await.unwrap();
    assert_eq!(answer.dimensions(), 384);
    let refused = model.embed(EmbedRequest::documents(["a"]).dimensions(64)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_folder_without_weights_is_not_found_and_says_what_is_missing() {
    let nowhere = MiniLm::open("/nowhere", Arc::new(TestRuntime::default())).await.unwrap_err();
    assert_eq!(nowhere.kind, ErrorKind::NotFound);
    assert!(nowhere.message.contains("/nowhere/config.json"), "{nowhere}");
}
