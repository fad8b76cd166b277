//! The demo agent. `cargo xtask demo` starts it on a real model that it brings along; see `--help` for others.
//!
//! At a terminal: a chat with streaming and tools, kept in SQLite. Without one: a scripted conversation in which the
//! process is killed in the middle of a tool call, and a second one resumes and finishes.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod agent;
mod chat;
mod memory;
mod options;
mod report;
mod scripted;
mod show;
mod tools;

use std::error::Error;
use std::io::IsTerminal;
use std::process::ExitCode;

use options::{Options, Worker};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::read(std::env::args().skip(1))?;
    if options.help {
        println!("{}", options::HELP);
        return Ok(());
    }
    std::fs::create_dir_all(&options.folder)
        .map_err(|error| format!("{}: {error}", options.folder.display()))?;
    match &options.worker {
        Some(Worker::Killed(session)) => Ok(scripted::work(&options, session, true).await?),
        Some(Worker::Resuming(session)) => Ok(scripted::work(&options, session, false).await?),
        Some(Worker::Teaching(user)) => memory::teach(&options, user).await,
        Some(Worker::Asking(user)) => memory::ask(&options, user).await,
        None if options.memory => memory::conduct(),
        None if options.scripted || !std::io::stdin().is_terminal() => scripted::conduct(&options).await,
        None => Ok(chat::run(&options).await?),
    }
}
