//! `cargo xtask bench`.

use crate::process;
use crate::project::Project;

pub(crate) const ABOUT: &str = "runs the benches beside their hand-written floor, in release mode\n\
    [ARGS...]  go to the benches; `cargo xtask bench -- --help` lists them";

pub(crate) fn run(project: &Project, args: &[String]) -> Result<(), String> {
    let args = args.iter().filter(|arg| *arg != "--");
    process::run(project.cargo().args(["run", "--release", "--package", "mosaic-benches", "--"]).args(args))
}
