//! `cargo xtask simulate`.

use crate::process;
use crate::project::Project;

pub(crate) const ABOUT: &str =
    "prints what the router's strategies make of a simulated fleet\n[SEED]  7 unless given";

pub(crate) fn run(project: &Project, args: &[String]) -> Result<(), String> {
    let example =
        ["run", "--quiet", "-p", "mosaic-core", "--features", "testing", "--example", "simulate", "--"];
    process::run(project.cargo().current_dir(project.root()).args(example).args(args))
}
