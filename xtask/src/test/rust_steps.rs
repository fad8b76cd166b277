//! The steps over the Rust workspace.

use super::{Options, Report, Step};
use crate::model;
use crate::postgres;
use crate::process;
use crate::project::Project;
use std::collections::BTreeSet;

pub(super) const STEPS: &[Step] = &[
    Step { name: "fmt", run: fmt },
    Step { name: "budget", run: budget },
    Step { name: "clippy", run: clippy },
    Step { name: "features", run: features },
    Step { name: "gen", run: gen_files },
    Step { name: "docs", run: docs },
    Step { name: "tests", run: tests },
    Step { name: "doctests", run: doctests },
    Step { name: "examples", run: examples },
];

/// `mosaic-core` must stay under this many crates, itself included.
const CORE_CRATES: usize = 45;

fn fmt(project: &Project, _: &Options) -> Report {
    Report::check(process::run(project.cargo().args(["fmt", "--all", "--check"])))
}

/// The promise that the core is light: no network, no database, few crates.
fn budget(project: &Project, _: &Options) -> Report {
    let tree = ["tree", "--package", "mosaic-core", "--edges", "normal", "--prefix", "none"];
    Report::check(process::output(project.cargo().args(tree)).and_then(|tree| {
        // cargo marks what it has shown before with (*)
        let crates: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        println!("mosaic-core builds {} crates; under {CORE_CRATES} are allowed", crates.len());
        if crates.len() < CORE_CRATES { Ok(()) } else { Err("mosaic-core has too many dependencies".into()) }
    }))
}

fn clippy(project: &Project, _: &Options) -> Report {
    let args = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    Report::check(process::run(project.cargo().args(args)))
}

/// The library without its optional parts, as a host with its own transport and store builds it.
fn features(project: &Project, _: &Options) -> Report {
    let check = |package| {
        let args = ["clippy", "--package", package, "--no-default-features", "--", "-D", "warnings"];
        Report::check(process::run(project.cargo().args(args)))
    };
    check("mosaic-core").and(check("mosaic"))
}

/// Files that are made of the code are as they would be made now.
fn gen_files(project: &Project, _: &Options) -> Report {
    Report::check(crate::generate::check(project))
}

fn docs(project: &Project, _: &Options) -> Report {
    let args = ["doc", "--workspace", "--no-deps", "--all-features"];
    Report::check(process::run(project.cargo().args(args).env("RUSTDOCFLAGS", "-D warnings")))
}

/// All tests, with a real PostgreSQL, and a real model to talk to where one can be had.
fn tests(project: &Project, options: &Options) -> Report {
    let nextest = process::answers(project.cargo().args(["nextest", "--version"]));
    let mut command = project.cargo();
    command.args(if nextest { ["nextest", "run"].as_slice() } else { ["test"].as_slice() });
    command.args(["--workspace", "--all-features", "--no-fail-fast"]);
    if nextest {
        command.args(["--status-level", "fail", "--final-status-level", "fail"]);
    } else {
        // Documentation tests are a step of their own.
        command.args(["--lib", "--bins", "--examples", "--tests"]);
    }
    // Compiled first: the model server would only sit in the way of the compiler.
    if let Err(error) =
        process::run(project.cargo().args(["test", "--workspace", "--all-features", "--no-run"]))
    {
        return Report::check(Err(error));
    }
    // Ended when this function is left, whatever the tests did.
    let postgres = match postgres::Server::start(project) {
        Ok(server) => server,
        Err(error) => return Report::check(Err(format!("there is no PostgreSQL for the tests: {error}"))),
    };
    command.env(postgres::VARIABLE, postgres.url());
    let embedder = match model::minilm(project) {
        Ok(folder) => {
            command.env("MOSAIC_MINILM", folder);
            Report::default()
        }
        Err(why) => Report::skipped(format!("the tests of MiniLM ({why})")),
    };
    let embedder = embedder.and(match model::minilm_onnx(project) {
        Ok(folder) => {
            command.env("MOSAIC_MINILM_ONNX", folder);
            Report::default()
        }
        Err(why) => Report::skipped(format!("the tests of MiniLM by ONNX Runtime ({why})")),
    });
    embedder.and(match model::start(project, &options.model) {
        Ok(server) if server.model().tools => {
            command.env("MOSAIC_TEST_BASE_URL", server.base_url());
            let (counts, result) = process::run_counting(&mut command);
            Report::counted(counts, result)
        }
        other => {
            let why =
                other.map_or_else(|error| error, |server| format!("{} has no tools", server.model().name));
            let (counts, result) = process::run_counting(&mut command);
            Report::counted(counts, result).and(Report::skipped(format!("the real-model test ({why})")))
        }
    })
}

fn doctests(project: &Project, _: &Options) -> Report {
    let args = ["test", "--doc", "--workspace", "--all-features", "--no-fail-fast"];
    let (counts, result) = process::run_counting(project.cargo().args(args));
    Report::counted(counts, result)
}

/// The numbered examples: small, offline, and each runs to its end.
fn examples(project: &Project, _: &Options) -> Report {
    let folder = project.root().join("examples");
    let names = std::fs::read_dir(&folder).map(|files| {
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        names.filter_map(|name| name.strip_suffix(".rs").map(str::to_owned)).collect::<BTreeSet<_>>()
    });
    let names = match names {
        Ok(names) => names,
        Err(error) => return Report::check(Err(format!("{}: {error}", project.show(&folder)))),
    };
    names.iter().filter(|name| name.starts_with(|c: char| c.is_ascii_digit())).fold(
        Report::default(),
        |report, name| {
            let args = ["run", "--quiet", "--package", "mosaic", "--all-features", "--example", name];
            report.and(Report::check(process::run(project.cargo().args(args))))
        },
    )
}
