//! The library of ONNX Runtime: loaded once a process, from the path that the host names.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use mosaic_core::{EmbedError, ErrorKind};
use ort::environment::Environment;

use crate::embed::local::{guarded, unreadable};

/// What this process has loaded. `ort` keeps its library for good, and allows one environment.
static LOADED: Mutex<Loaded> = Mutex::new(Loaded { library: None, environment: None });

struct Loaded {
    library: Option<PathBuf>,
    environment: Option<Environment>,
}

/// The environment of the library at that path; loads it when it is the first.
pub(super) fn environment(library: &Path) -> Result<Environment, EmbedError> {
    // As one path however it is written, and absolute: a bare name would be looked for elsewhere.
    let path = std::fs::canonicalize(library).map_err(|error| {
        unreadable(
            library,
            error,
            "it should be the library of ONNX Runtime 1.17 or newer, which the host brings",
        )
    })?;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(other) = loaded.library.as_ref().filter(|other| **other != path) {
        let message = format!(
            "{} cannot be loaded: this process has loaded {} already, and a process loads ONNX Runtime once; name that one",
            path.display(),
            other.display()
        );
        return Err(EmbedError::new(ErrorKind::Conflict, message));
    }
    if let Some(environment) = &loaded.environment {
        return Ok(environment.clone());
    }
    // `ort` panics at a library that does not keep to the interface of ONNX Runtime.
    let panicked = |panic: String| unusable(&path, &panic);
    let builder = guarded(|| ort::init_from(&path)).map_err(panicked)?.map_err(|error| {
        let mut failed = unusable(&path, &error.to_string());
        failed.source = Some(Box::new(error));
        failed
    })?;
    loaded.library = Some(path.clone());
    let built = guarded(|| builder.with_name("mosaic").with_telemetry(false).build()).map_err(panicked)?;
    let environment = built.map_err(|error| {
        let mut failed =
            EmbedError::new(ErrorKind::Unsupported, format!("ONNX Runtime does not start: {error}"));
        failed.source = Some(Box::new(error));
        failed
    })?;
    loaded.environment = Some(environment.clone());
    Ok(environment)
}

fn unusable(path: &Path, why: &str) -> EmbedError {
    let message = format!("{} is not a library of ONNX Runtime that can be used here: {why}", path.display());
    EmbedError::new(ErrorKind::Unsupported, message)
}
