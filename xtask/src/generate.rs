//! `cargo xtask gen`: files that are made of the code.

use crate::process;
use crate::project::Project;
use crate::python::Python;
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
    let python = Python::get(project)?;
    python.install(project, &project.asset("python-tools.txt"))?;
    let text = stubs(project, &python)?;
    fs::write(project.root().join(STUBS), text)
        .map_err(|error| format!("{STUBS} cannot be written: {error}"))?;
    println!("{STUBS}");
    Ok(())
}

/// The stubs of Python's native half.
const STUBS: &str = "bindings/python/python/mosaic/_mosaic.pyi";

/// What maturin leaves out: who made it, and the import that the written types need.
const STUBS_HEAD: &str = "# Made of bindings/python/src by `cargo xtask gen`; do not edit.\n\
    # Everything here is internal: handles and conversions, no conveniences. What crosses as `str` is JSON; its shapes are\n\
    # those of bindings/port.schema.json, of the log, and of the structs in bindings/python/src.\n\
    import collections.abc\n";

/// Whether the stubs are as they would be made now.
pub(crate) fn check_stubs(project: &Project, python: &Python) -> Result<(), String> {
    let is = fs::read_to_string(project.root().join(STUBS)).unwrap_or_default();
    if is == stubs(project, python)? {
        return Ok(());
    }
    Err(format!("{STUBS} is not what the code says; run `cargo xtask gen` and commit it"))
}

fn stubs(project: &Project, python: &Python) -> Result<String, String> {
    let folder = project.cache().join("stubs");
    let mut maturin = python.tool("maturin");
    maturin.args(["generate-stubs", "--quiet", "--out"]).arg(&folder);
    process::run(maturin.current_dir(project.root().join("bindings/python")))?;
    let made = folder.join("mosaic/_mosaic.pyi");
    let text = fs::read_to_string(&made).map_err(|error| format!("maturin made no stubs: {error}"))?;
    Ok(format!("{STUBS_HEAD}{text}"))
}

/// Whether the files that Rust alone makes are as they would be made now.
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
