//! `cargo xtask gen`: files that are made of the code.

use crate::project::Project;
use std::fs;
use std::process::Command;

pub(crate) const ABOUT: &str =
    "makes the files that are made of the code: the JSON Schema of what bindings exchange";

/// A file, and the example of `mosaic-core` that prints it.
const FILES: &[(&str, &str)] = &[("bindings/port.schema.json", "schema")];

pub(crate) fn run(project: &Project, _args: &[String]) -> Result<(), String> {
    for (path, example) in FILES {
        let text = generate(project, example)?;
        fs::write(project.root().join(path), text)
            .map_err(|error| format!("{path} cannot be written: {error}"))?;
        println!("{path}");
    }
    Ok(())
}

/// Whether all files are as they would be made now.
pub(crate) fn check(project: &Project) -> Result<(), String> {
    for (path, example) in FILES {
        let is = fs::read_to_string(project.root().join(path)).unwrap_or_default();
        if is != generate(project, example)? {
            return Err(format!("{path} is not what the code says; run `cargo xtask gen` and commit it"));
        }
    }
    Ok(())
}

fn generate(project: &Project, example: &str) -> Result<String, String> {
    let mut cargo: Command = project.cargo();
    cargo.args(["run", "--quiet", "--package", "mosaic-core", "--example", example]);
    let output = cargo.output().map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{example}` failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("`{example}` printed no text: {error}"))
}
