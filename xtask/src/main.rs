//! The one way in: `cargo xtask` lists what one can do here.
//!
//! Each command is one file beside this one. Whatever a command installs goes into the project's own folders:
//! `.venv/` (Python packages) and `.cache/` (model weights). Nothing else on the machine is changed.

mod bench;
mod catalogue;
mod demo;
mod fuzz;
mod generate;
mod model;
mod postgres;
mod process;
mod project;
mod python;
mod simulate;
mod tally;
mod test;

use project::Project;
use std::process::ExitCode;

/// One thing that `cargo xtask` can do.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&Project, &[String]) -> Result<(), String>,
}

const COMMANDS: &[Command] = &[
    Command { name: "demo", about: demo::ABOUT, run: demo::run },
    Command { name: "test", about: test::ABOUT, run: test::run },
    Command { name: "gen", about: generate::ABOUT, run: generate::run },
    Command { name: "bench", about: bench::ABOUT, run: bench::run },
    Command { name: "fuzz", about: fuzz::ABOUT, run: fuzz::run },
    Command { name: "catalogue", about: catalogue::ABOUT, run: catalogue::run },
    Command { name: "model", about: model::ABOUT, run: model::run },
    Command { name: "postgres", about: postgres::ABOUT, run: postgres::run },
    Command { name: "simulate", about: simulate::ABOUT, run: simulate::run },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = match args.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => {
            list();
            return ExitCode::SUCCESS;
        }
    };
    if matches!(name, "help" | "-h" | "--help") {
        list();
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("xtask: there is no `{name}`; `cargo xtask` lists what there is");
        return ExitCode::from(2);
    };
    if rest.iter().any(|arg| arg == "-h" || arg == "--help") {
        println!("cargo xtask {}: {}", command.name, command.about);
        return ExitCode::SUCCESS;
    }
    match Project::find().and_then(|project| (command.run)(&project, rest)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list() {
    println!("cargo xtask COMMAND [--help]\n");
    for command in COMMANDS {
        let indented = command.about.replace('\n', "\n            ");
        println!("  {:<9} {indented}\n", command.name);
    }
}
