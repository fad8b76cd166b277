//! `cargo xtask fuzz`. The targets are those of `fuzz/Cargo.toml`; nothing else lists them.

#[cfg(test)]
mod tests;

use crate::process;
use crate::project::Project;

pub(crate) const ABOUT: &str = "fuzzes what reads foreign bytes, on stable Rust; a finding ends it and is kept in fuzz/artifacts/\n\
    [TARGET...]  only these; an unknown name lists them\n\
    --seconds N  for each target; 60 unless given";

pub(crate) fn run(project: &Project, args: &[String]) -> Result<(), String> {
    let all = targets(project)?;
    let (mut seconds, mut wanted) = (MINUTE, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let number = args.next().and_then(|text| text.parse().ok());
            seconds = number.ok_or("--seconds wants a whole number")?;
        } else if all.contains(arg) {
            wanted.push(arg.clone());
        } else {
            return Err(format!("there is no target `{arg}`; there are {}", all.join(", ")));
        }
    }
    let targets = if wanted.is_empty() { all } else { wanted };
    targets.iter().try_for_each(|target| fuzz(project, target, seconds))
}

/// How long a target is run unless something else is said.
pub(crate) const MINUTE: u32 = 60;

/// All targets, in the order of the manifest.
pub(crate) fn targets(project: &Project) -> Result<Vec<String>, String> {
    let manifest = project.root().join("fuzz/Cargo.toml");
    let text = std::fs::read_to_string(&manifest)
        .map_err(|error| format!("{}: {error}", project.show(&manifest)))?;
    let names = binaries(&text);
    if names.is_empty() {
        return Err(format!("{} names no target: a target is a `[[bin]]`", project.show(&manifest)));
    }
    Ok(names)
}

/// The names of the binaries of a manifest, which we write ourselves: a line a member, no inline tables.
fn binaries(manifest: &str) -> Vec<String> {
    let (mut names, mut in_binary) = (Vec::new(), false);
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_binary = line == "[[bin]]";
        } else if let Some((_, value)) =
            line.split_once('=').filter(|(key, _)| in_binary && key.trim() == "name")
        {
            names.push(value.trim().trim_matches('"').to_owned());
        }
    }
    names
}

/// Runs a target for so long.
pub(crate) fn fuzz(project: &Project, target: &str, seconds: u32) -> Result<(), String> {
    let folder = project.root().join("fuzz");
    let (corpus, artifacts, seeds) =
        (format!("corpus/{target}"), format!("artifacts/{target}"), format!("seeds/{target}"));
    for made in [&corpus, &artifacts] {
        std::fs::create_dir_all(folder.join(made)).map_err(|error| format!("{made}: {error}"))?;
    }
    // From its own folder: its Cargo configuration passes the flags for coverage.
    let mut command = project.cargo();
    command
        .current_dir(&folder)
        .args(["run", "--quiet", "--release", "--bin", target, "--"])
        .args([format!("-max_total_time={seconds}"), "-max_len=8192".to_owned()])
        .arg(format!("-artifact_prefix={artifacts}/"))
        .arg(corpus);
    // libFuzzer refuses a folder that is not there.
    if folder.join(&seeds).is_dir() {
        command.arg(seeds);
    }
    process::run(&mut command)
}
