//! The steps over the Python package.

use super::{Options, Report, Step};
use crate::process;
use crate::project::Project;
use crate::python::Python;
use std::path::PathBuf;

pub(super) const STEPS: &[Step] = &[
    Step { name: "py-build", run: build },
    Step { name: "py-stubs", run: stubs },
    Step { name: "py-lint", run: lint },
    Step { name: "py-types", run: types },
    Step { name: "pytest", run: pytest },
];

/// Builds the extension and puts the package into the environment, as a user's `pip install` would.
fn build(project: &Project, _: &Options) -> Report {
    with_tools(project, |python, package| {
        let mut develop = python.tool("maturin");
        develop.args(["develop", "--quiet"]).current_dir(package);
        Report::check(process::run(&mut develop))
    })
}

/// The stubs of the native half are as they would be made now.
fn stubs(project: &Project, _: &Options) -> Report {
    with_tools(project, |python, _| Report::check(crate::generate::check_stubs(project, &python)))
}

fn lint(project: &Project, _: &Options) -> Report {
    with_tools(project, |python, package| {
        let check = process::run(python.tool("ruff").args(["check", "."]).current_dir(&package));
        let format = process::run(python.tool("ruff").args(["format", "--check", "."]).current_dir(&package));
        Report::check(check).and(Report::check(format))
    })
}

/// Pyright's strict mode, by way of the build of it that comes whole in one wheel.
fn types(project: &Project, _: &Options) -> Report {
    with_tools(project, |python, package| {
        Report::check(process::run(python.tool("basedpyright").current_dir(package)))
    })
}

fn pytest(project: &Project, _: &Options) -> Report {
    with_tools(project, |python, package| {
        let mut pytest = python.run();
        pytest.args(["-m", "pytest", "-q"]).current_dir(package);
        let (counts, result) = process::run_counting(&mut pytest);
        Report::counted(counts, result)
    })
}

/// Does something in the package's folder, with the tools installed.
fn with_tools(project: &Project, work: impl FnOnce(Python, PathBuf) -> Report) -> Report {
    let package = project.root().join("bindings/python");
    if !package.join("pyproject.toml").is_file() {
        return Report::skipped(format!("{} holds no Python package", project.show(&package)));
    }
    let ready = Python::get(project).and_then(|python| {
        python.install(project, &project.asset("python-tools.txt"))?;
        Ok(python)
    });
    match ready {
        Ok(python) => work(python, package),
        Err(error) => Report::check(Err(error)),
    }
}
