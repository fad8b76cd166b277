//! `cargo xtask catalogue`: the facts of the models, made anew.

use crate::process;
use crate::project::Project;
use crate::python::Python;
use std::fs;

pub(crate) const ABOUT: &str = "makes the catalogue of models anew: windows, abilities and prices\n\
    Two packages are fetched with pip (about 45 MB, kept nowhere), unzipped and read as data; nothing of them is run.\n\
    Look through the difference before you commit it: prices are other people's word.";

const FILE: &str = "mosaic-providers/src/catalogue/catalogue.json";

pub(crate) fn run(project: &Project, _args: &[String]) -> Result<(), String> {
    let python = Python::get(project)?;
    let folder = project.cache().join(format!("catalogue-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", project.show(&folder)))?;
    let made = make(project, &python, &folder);
    let _ = fs::remove_dir_all(&folder);
    made
}

fn make(project: &Project, python: &Python, folder: &std::path::Path) -> Result<(), String> {
    let mut pip = python.run();
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"])
        .args(["--no-deps", "--only-binary", ":all:", "-r"])
        .arg(project.asset("catalogue.txt"))
        .arg("--dest")
        .arg(folder);
    process::run(&mut pip)?;
    let today = process::output(python.run().args(["-c", "import datetime; print(datetime.date.today())"]))?;
    // Whole or not at all: a script that fails half way must not leave half a file.
    let part = folder.join("catalogue.json");
    process::run(python.run().arg(project.asset("catalogue.py")).arg(folder).arg(today.trim()).arg(&part))?;
    fs::copy(&part, project.root().join(FILE))
        .map_err(|error| format!("{FILE} cannot be written: {error}"))?;
    println!("{FILE}");
    Ok(())
}
