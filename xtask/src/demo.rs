//! `cargo xtask demo`: the example agent on a real model, from nothing.

use crate::model::{self, Wanted};
use crate::process;
use crate::project::Project;

pub(crate) const ABOUT: &str = "talks to an agent on a real model; no key, no compiler and no setting is needed\n\
    At a terminal: a chat with tools, kept in SQLite. Without one: a conversation of three turns, in which the\n\
    process is killed in the middle of a tool call and a second one resumes.\n\
    --small                the small model (93 MB instead of 478 MB): chat without tools\n\
    --weights PATH         a weights file that is already here\n\
    --model PROVIDER:NAME  another model, with its key in the environment\n\
    --base-url URL         any OpenAI-compatible server (with --model openai:NAME for its model)\n\
    --scripted             the conversation of three turns, at a terminal too\n\
    --memory               two sessions in two processes: the second knows what the first was told; embeds with MiniLM here";

pub(crate) fn run(project: &Project, args: &[String]) -> Result<(), String> {
    let (wanted, mut args) = Wanted::from_args(args)?;
    let elsewhere = args.iter().any(|arg| matches!(arg.split('=').next(), Some("--model" | "--base-url")));
    if elsewhere && (wanted.small || wanted.weights.is_some()) {
        return Err(
            "--small and --weights are for the model served here, not with --model or --base-url".into()
        );
    }
    println!("building the example");
    let memory = args.iter().any(|arg| arg == "--memory");
    let features: &[&str] = if memory { &["--features", "minilm"] } else { &[] };
    process::run(project.cargo().args(["build", "--package", "mosaic", "--example", "demo"]).args(features))?;
    if memory {
        args.extend(["--embedder".to_owned(), model::minilm(project)?.display().to_string()]);
    }
    // Held until the example has ended; dropping it ends the server.
    let server = if elsewhere { None } else { Some(model::start(project, &wanted)?) };
    if let Some(server) = &server {
        args.extend(["--base-url".to_owned(), server.base_url()]);
        args.extend(["--model".to_owned(), format!("llamacpp:{}", server.model().name)]);
        args.extend(["--tool-mode".to_owned(), "json_schema".to_owned()]);
        if !server.model().tools {
            args.push("--no-tools".to_owned());
        }
    }
    process::run(
        project
            .cargo()
            .args(["run", "--quiet", "--package", "mosaic", "--example", "demo"])
            .args(features)
            .arg("--")
            .args(&args),
    )
}
