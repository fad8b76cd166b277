//! `cargo xtask test`: everything that must hold, on this machine, from nothing.

mod long_steps;
mod python_steps;
mod rust_steps;

use crate::project::Project;
use crate::tally::Counts;
use std::time::Instant;

pub(crate) const ABOUT: &str = "runs everything that must hold, and goes on after a failure\n\
    [STEP...]       runs only these; an unknown name lists them\n\
    --long          runs each fuzz target for a minute, besides\n\
    --weights PATH  model weights for the real-model test that are already here";

/// One thing that must hold.
pub(crate) struct Step {
    name: &'static str,
    run: fn(&Project, &Options) -> Report,
}

/// What the steps are told.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// The weights that the real-model test wants.
    pub(crate) model: crate::model::Wanted,
}

/// How a step went.
#[derive(Debug, Default)]
pub(crate) struct Report {
    counts: Counts,
    /// What failed, or what was skipped and why. One line each.
    notes: Vec<String>,
}

/// In the order in which a failure is learnt soonest.
const STEPS: &[&[Step]] = &[rust_steps::STEPS, python_steps::STEPS];

/// After the others, and only with `--long` or by name.
const LONG_STEPS: &[Step] = long_steps::STEPS;

pub(crate) fn run(project: &Project, args: &[String]) -> Result<(), String> {
    let (model, mut names) = crate::model::Wanted::from_args(args)?;
    let options = Options { model };
    let given = names.len();
    names.retain(|name| name != "--long");
    let long = names.len() < given;
    let all = || STEPS.iter().copied().flatten().chain(LONG_STEPS);
    let is_long = |step: &Step| LONG_STEPS.iter().any(|other| other.name == step.name);
    let is_wanted = |step: &&Step| {
        let named = names.iter().any(|name| name == step.name);
        named || if is_long(step) { long } else { names.is_empty() }
    };
    if let Some(unknown) = names.iter().find(|name| !all().any(|step| step.name == **name)) {
        let known: Vec<&str> = all().map(|step| step.name).collect();
        return Err(format!("there is no step `{unknown}`; there are: {}", known.join(", ")));
    }
    let mut total = Counts::default();
    let mut lines = Vec::new();
    for step in all().filter(is_wanted) {
        println!("\n== {}", step.name);
        let start = Instant::now();
        let report = (step.run)(project, &options);
        total += report.counts;
        let seconds = start.elapsed().as_secs_f64();
        lines.push(format!("{:<11} {:>7.1} s  {}", step.name, seconds, report.counts));
        lines.extend(report.notes.into_iter().map(|note| format!("            {note}")));
    }
    println!("\n== summary");
    for line in lines {
        println!("{line}");
    }
    println!("{total}");
    if total.failed > 0 { Err("something failed; the lines above say what".into()) } else { Ok(()) }
}

impl Report {
    /// A step that is one check: it held or it did not.
    fn check(result: Result<(), String>) -> Self {
        Self::counted(Counts::default(), result)
    }

    /// A step that could not be tried.
    fn skipped(reason: impl Into<String>) -> Self {
        let counts = Counts { skipped: 1, ..Counts::default() };
        Self { counts, notes: vec![format!("skipped: {}", reason.into())] }
    }

    /// A step whose runner counted. A runner that failed without counting a failure (it did not compile, say) counts
    /// as one; one that held without counting anything too.
    fn counted(mut counts: Counts, result: Result<(), String>) -> Self {
        match result {
            Ok(()) if counts == Counts::default() => counts.passed = 1,
            Err(_) if counts.failed == 0 => counts.failed = 1,
            _ => {}
        }
        Self { counts, notes: result.err().map(|error| format!("FAILED: {error}")).into_iter().collect() }
    }

    /// This step together with what came after it.
    fn and(mut self, other: Self) -> Self {
        self.counts += other.counts;
        self.notes.extend(other.notes);
        self
    }
}
