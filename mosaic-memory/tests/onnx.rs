//! MiniLM in 8-bit weights by ONNX Runtime gives nearly what the 32-bit weights give. Neither weights nor library are in the
//! repository: `cargo xtask test` fetches them and says where they are; without them these tests say that they were skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "onnx")]

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mosaic_core::memory::cosine;
use mosaic_core::testing::TestRuntime;
use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderExt, ErrorKind, Purpose};
use mosaic_memory::embed::OnnxMiniLm;

/// A folder with model, tokenizer and library, as `xtask` says it, or as it leaves them.
fn files() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../.cache/models/all-minilm-l6-v2-int8");
    let told = std::env::var_os("MOSAIC_MINILM_ONNX").map(PathBuf::from);
    assert!(
        told.as_ref().is_none_or(|path| path.exists()),
        "MOSAIC_MINILM_ONNX names a folder that is not there"
    );
    let path = told.unwrap_or_else(|| default.into());
    if path.join("model.onnx").exists() && library(&path).exists() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED: no ONNX Runtime or no model for it; `cargo xtask test` fetches both, MOSAIC_MINILM_ONNX names their folder"
    );
    None
}

fn library(folder: &Path) -> PathBuf {
    folder.join(format!("{DLL_PREFIX}onnxruntime{DLL_SUFFIX}"))
}

async fn open(library: impl AsRef<Path>, folder: impl AsRef<Path>) -> Result<OnnxMiniLm, EmbedError> {
    OnnxMiniLm::open(library, folder, Arc::new(TestRuntime::default())).await
}

async fn model() -> Option<OnnxMiniLm> {
    let folder = files()?;
    Some(open(library(&folder), folder).await.unwrap())
}

/// Of one token and of a few hundred.
fn texts() -> Vec<String> {
    let mut texts = vec![
        "Yes".to_owned(),
        "user prefers dark mode".to_owned(),
        "It rained in Oslo all day.".to_owned(),
        "Caroline: I went to a LGBTQ support group yesterday and it was so powerful.".to_owned(),
        "你好, 🙂".to_owned(),
    ];
    for sentences in [3, 9, 30, 90] {
        texts.push("The garden was wet, so we stayed in and my sister played the violin. ".repeat(sentences));
    }
    texts
}

#[cfg(feature = "minilm")]
#[tokio::test]
async fn vectors_are_close_to_those_of_the_whole_weights() {
    use mosaic_memory::embed::MiniLm;

    let Some(model) = model().await else { return };
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../.cache/models/all-minilm-l6-v2");
    let weights = std::env::var_os("MOSAIC_MINILM").map_or_else(|| default.into(), PathBuf::from);
    if !weights.join("model.safetensors").exists() {
        eprintln!("SKIPPED: no weights of MiniLM to compare with; MOSAIC_MINILM names their folder");
        return;
    }
    let whole = MiniLm::open(weights, Arc::new(TestRuntime::default())).await.unwrap();
    let wanted = whole.embed(EmbedRequest::documents(texts())).await.unwrap();
    let found = model.embed(EmbedRequest::documents(texts())).await.unwrap();
    for ((text, wanted), found) in texts().iter().zip(&wanted.vectors).zip(&found.vectors) {
        let likeness = cosine(wanted, found);
        assert!(likeness > 0.99, "{likeness} for {text}");
    }
    // The same tokens, but not the same vectors: hence the name of its own.
    assert_eq!(found.usage, wanted.usage);
    assert_ne!(found.vectors, wanted.vectors);
    assert_eq!(&*model.info().model, "all-MiniLM-L6-v2-int8");
    assert_ne!(model.info().model, whole.info().model);
}

#[tokio::test]
async fn meanings_are_told_apart() {
    let Some(model) = model().await else { return };
    let texts = ["user prefers dark mode", "the person likes a dark theme", "The weather in Oslo was wet."];
    let answer = model.embed(EmbedRequest::documents(texts)).await.unwrap();
    let likeness = |one: usize, other: usize| cosine(&answer.vectors[one], &answer.vectors[other]);
    // The whole weights give 0.59 for the first.
    assert!(likeness(0, 1) > 0.5, "{}", likeness(0, 1));
    assert!(likeness(0, 2) < 0.2, "{}", likeness(0, 2));
    let length = cosine(&answer.vectors[0], &answer.vectors[0]);
    let squares: f32 = answer.vectors[0].iter().map(|x| x * x).sum();
    assert!((length - 1.0).abs() < 1e-5 && (squares - 1.0).abs() < 1e-5, "{squares}");
}

#[tokio::test]
async fn a_text_has_the_same_vector_again_and_in_company() {
    let Some(model) = model().await else { return };
    let alone = model.embed_one("It rained in Oslo all day.", Purpose::Query).await.unwrap();
    let again = model.embed_one("It rained in Oslo all day.", Purpose::Document).await.unwrap();
    assert_eq!(alone, again);
    let all = model.embed(EmbedRequest::documents(texts())).await.unwrap();
    assert!(alone.iter().zip(&all.vectors[2]).all(|(a, b)| (a - b).abs() < 1e-5));
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
async fn several_ask_at_once_and_other_lengths_are_refused() {
    let Some(model) = model().await else { return };
    let ask = |text: &'static str| model.embed_one(text, Purpose::Query);
    let (one, other) = tokio::join!(ask("green tea"), ask("green tea"));
    assert_eq!(one.unwrap(), other.unwrap());
    let answer = model.embed(EmbedRequest::documents([" ", "\u{200b}"])).await.unwrap();
    assert_eq!(answer.dimensions(), 384);
    let refused = model.embed(EmbedRequest::documents(["a"]).dimensions(64)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unsupported);
}

#[tokio::test]
async fn what_is_missing_is_not_found_and_is_named() {
    let nowhere = open("/nowhere/libonnxruntime.so", "/nowhere").await.unwrap_err();
    assert_eq!(nowhere.kind, ErrorKind::NotFound);
    assert!(nowhere.message.contains("tokenizer.json"), "{nowhere}");

    let Some(folder) = files() else { return };
    let no_library = open("/nowhere/libonnxruntime.so", &folder).await.unwrap_err();
    assert_eq!(no_library.kind, ErrorKind::NotFound);
    assert!(no_library.message.contains("/nowhere/libonnxruntime.so"), "{no_library}");

    let without = tempfile::tempdir().unwrap();
    std::fs::copy(folder.join("tokenizer.json"), without.path().join("tokenizer.json")).unwrap();
    let no_model = open(library(&folder), &without).await.unwrap_err();
    assert_eq!(no_model.kind, ErrorKind::NotFound);
    assert!(no_model.message.contains("model.onnx"), "{no_model}");
}

#[tokio::test]
async fn files_that_are_something_else_are_refused() {
    let Some(folder) = files() else { return };
    let other = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(other.path().join(name), bytes).unwrap();
    put("tokenizer.json", &std::fs::read(folder.join("tokenizer.json")).unwrap());

    put("model.onnx", b"This is a letter.");
    let letter = open(library(&folder), &other).await.unwrap_err();
    assert_eq!(letter.kind, ErrorKind::Corrupt, "{letter}");
    assert!(letter.message.contains("model.onnx"), "{letter}");

    put("model.onnx", IDENTITY);
    let identity = open(library(&folder), &other).await.unwrap_err();
    assert_eq!(identity.kind, ErrorKind::Unsupported, "{identity}");
    assert!(identity.message.contains("`x`"), "{identity}");

    put("tokenizer.json", b"{}");
    assert_eq!(open(library(&folder), &other).await.unwrap_err().kind, ErrorKind::Unsupported);
}

/// The smallest whole model: `y = Identity(x)`, one float each, in the ONNX format (IR 8, operators of version 13).
const IDENTITY: &[u8] = b"\x08\x08\x3a\x37\x0a\x10\x0a\x01x\x12\x01y\x22\x08Identity\x12\x01g\x5a\x0f\x0a\x01x\x12\x0a\x0a\x08\
    \x08\x01\x12\x04\x0a\x02\x08\x01\x62\x0f\x0a\x01y\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x01\x42\x04\x0a\x00\x10\x0d";
