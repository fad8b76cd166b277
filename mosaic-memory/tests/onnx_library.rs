//! A process loads ONNX Runtime once. In a file of its own, because what one test loads stays for the tests after it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "onnx")]

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::PathBuf;
use std::sync::Arc;

use mosaic_core::testing::TestRuntime;
use mosaic_core::{EmbedError, EmbedderExt, ErrorKind, Purpose};
use mosaic_memory::embed::OnnxMiniLm;

#[tokio::test]
async fn what_is_no_library_is_refused_and_the_first_that_is_one_stays() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../.cache/models/all-minilm-l6-v2-int8");
    let folder = std::env::var_os("MOSAIC_MINILM_ONNX").map_or_else(|| default.into(), PathBuf::from);
    let name = format!("{DLL_PREFIX}onnxruntime{DLL_SUFFIX}");
    let library = folder.join(&name);
    if !folder.join("model.onnx").exists() || !library.exists() {
        eprintln!(
            "SKIPPED: no ONNX Runtime; `cargo xtask test` fetches it, MOSAIC_MINILM_ONNX names its folder"
        );
        return;
    }
    let open = async |library: PathBuf| -> Result<OnnxMiniLm, EmbedError> {
        OnnxMiniLm::open(library, &folder, Arc::new(TestRuntime::default())).await
    };

    let letter = open(folder.join("tokenizer.json")).await.unwrap_err();
    assert_eq!(letter.kind, ErrorKind::Unsupported, "{letter}");
    assert!(letter.message.contains("tokenizer.json"), "{letter}");
    assert_eq!(open(folder.clone()).await.unwrap_err().kind, ErrorKind::Unsupported, "a folder");

    // What was refused is no hindrance to what is right.
    let first = open(library.clone()).await.unwrap();
    // However its path is written, and after the first model is gone.
    let vector = first.embed_one("green tea", Purpose::Query).await.unwrap();
    drop(first);
    let again = open(folder.join(".").join(&name)).await.unwrap();
    assert_eq!(again.embed_one("green tea", Purpose::Query).await.unwrap(), vector);

    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(&library, elsewhere.path().join(&name)).unwrap();
    let other = open(elsewhere.path().join(&name)).await.unwrap_err();
    assert_eq!(other.kind, ErrorKind::Conflict, "{other}");
    assert!(other.message.contains(&*library.canonicalize().unwrap().to_string_lossy()), "{other}");
}
