//! The steps that take long, and are run when they are asked for.

use super::{Options, Report, Step};
use crate::fuzz;
use crate::process;
use crate::project::Project;

pub(super) const STEPS: &[Step] = &[Step { name: "fuzz", run: fuzz_targets }];

/// Every fuzz target for a minute; a finding in one does not keep the others from being run.
fn fuzz_targets(project: &Project, _: &Options) -> Report {
    if !process::answers(std::process::Command::new("c++").arg("--version")) {
        return Report::skipped("libFuzzer wants a C++ compiler, and there is no `c++`");
    }
    match fuzz::targets(project) {
        Ok(targets) => targets.iter().fold(Report::default(), |report, target| {
            report.and(Report::check(fuzz::fuzz(project, target, fuzz::MINUTE)))
        }),
        Err(error) => Report::check(Err(error)),
    }
}
