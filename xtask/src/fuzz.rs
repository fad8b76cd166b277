//! `cargo xtask fuzz`.

use crate::process;
use crate::project::Project;

pub(crate) const ABOUT: &str = "fuzzes what reads foreign bytes, on stable Rust; a finding ends it and is kept in fuzz/artifacts/\n\
    [TARGET...]  only these of sse, openai_chat, anthropic, bedrock, event_stream\n\
    --seconds N  for each target; 60 unless given";

const TARGETS: [&str; 5] = ["sse", "openai_chat", "anthropic", "bedrock", "event_stream"];

pub(crate) fn run(project: &Project, args: &[String]) -> Result<(), String> {
    let (mut seconds, mut wanted) = (60_u32, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let number = args.next().and_then(|text| text.parse().ok());
            seconds = number.ok_or("--seconds wants a whole number")?;
        } else if TARGETS.contains(&arg.as_str()) {
            wanted.push(arg.as_str());
        } else {
            return Err(format!("there is no target `{arg}`; there are {}", TARGETS.join(", ")));
        }
    }
    let targets = if wanted.is_empty() { TARGETS.to_vec() } else { wanted };
    let folder = project.root().join("fuzz");
    for target in targets {
        let (corpus, artifacts) = (format!("corpus/{target}"), format!("artifacts/{target}"));
        for made in [&corpus, &artifacts] {
            std::fs::create_dir_all(folder.join(made)).map_err(|error| format!("{made}: {error}"))?;
        }
        // From its own folder: its Cargo configuration passes the flags for coverage.
        process::run(
            project
                .cargo()
                .current_dir(&folder)
                .args(["run", "--quiet", "--release", "--bin", target, "--"])
                .args([format!("-max_total_time={seconds}"), "-max_len=8192".to_owned()])
                .arg(format!("-artifact_prefix={artifacts}/"))
                .args([corpus, format!("seeds/{target}")]),
        )?;
    }
    Ok(())
}
