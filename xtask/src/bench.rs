//! `cargo xtask bench`.

use crate::model;
use crate::process;
use crate::project::Project;
use crate::python::Python;

pub(crate) const ABOUT: &str = "runs the benches beside their hand-written floor, in release mode, \
    resumes a long session, and times the router's pick\n\
    --runs N        how often; the median counts (5)\n\
    --only C,D      some workloads; without Python unless C or D is among them\n\
    --json FILE     the figures as JSON, besides\n\
    --memory FOLDER instead: recall on the conversations of LoCoMo in a folder, beside others' memory stores, and what\n\
                    searching and keeping memories costs";

pub(crate) fn run(project: &Project, args: &[String]) -> Result<(), String> {
    let args: Vec<&String> = args.iter().filter(|arg| *arg != "--").collect();
    if let Some(at) = args.iter().position(|arg| *arg == "--memory") {
        return memory(project, args.get(at + 1).ok_or("--memory wants the folder of the conversations")?);
    }
    let only = args.iter().position(|arg| *arg == "--only").and_then(|at| args.get(at + 1));
    if only.is_none_or(|only| only.split(',').any(in_python)) {
        install_binding(project)?;
    }
    let release = |binary| {
        let mut cargo = project.cargo();
        cargo.args(["run", "--quiet", "--release", "--package", "mosaic-benches", "--bin", binary]);
        cargo
    };
    process::run(release("bench").arg("--").args(&args))?;
    if only.is_some() {
        return Ok(());
    }
    ["resume", "pick"].iter().try_for_each(|binary| process::run(&mut release(binary)))
}

/// Recall on conversations, beside others' memory stores with the same vectors; then what searching and keeping costs.
fn memory(project: &Project, folder: &str) -> Result<(), String> {
    let weights = model::minilm(project)?;
    let exported = project.cache().join("locomo.jsonl");
    let mut locomo = project.cargo();
    locomo.args(["run", "--quiet", "--release", "--package", "mosaic-memory", "--features", "minilm"]);
    locomo
        .args(["--example", "locomo", "--", folder, "--export"])
        .arg(&exported)
        .env("MOSAIC_MINILM", weights);
    process::run(&mut locomo)?;
    let python = Python::at(project, project.cache().join("peers"))?;
    python.install(project, &project.root().join("benches/python/requirements-peers.txt"))?;
    process::run(python.run().arg(project.root().join("benches/python/memory_peers.py")).arg(&exported))?;
    let mut cargo = project.cargo();
    process::run(cargo.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "mosaic-benches",
        "--bin",
        "memory",
    ]))
}

/// Puts the package into the environment, built in release mode: what the tests leave there is a debug build.
fn install_binding(project: &Project) -> Result<(), String> {
    let python = Python::get(project)?;
    python.install(project, &project.asset("python-tools.txt"))?;
    python.install(project, &project.root().join("benches/python/requirements.txt"))?;
    let mut develop = python.tool("maturin");
    develop.args(["develop", "--release", "--quiet"]).current_dir(project.root().join("bindings/python"));
    process::run(&mut develop)
}

/// Whether a workload has a side in Python.
fn in_python(workload: &str) -> bool {
    ["C", "D"].iter().any(|name| name.eq_ignore_ascii_case(workload))
}
