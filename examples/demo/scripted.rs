//! A conversation of three turns without a terminal. The process that holds it is killed in the middle of a tool call,
//! and a second process finishes it.

use std::error::Error as StdError;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use mosaic::prelude::*;

use crate::options::Options;
use crate::{agent, report, show, tools};

const TURNS: [&str; 3] =
    ["What is 17 times 23?", "Please note down: buy two train tickets to Oslo.", "What time is it now?"];
/// Said once more, in other words, when the model did not take the hint.
const AGAIN: &str = "Use add_note to write this note down: buy two train tickets to Oslo.";

/// Starts the processes, kills the first and prints what is left at the end.
pub(crate) async fn conduct(options: &Options) -> Result<(), Box<dyn StdError>> {
    let start = Instant::now();
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let name = format!("scripted-{seconds}");

    println!("== process 1");
    let mut first = worker(&name, true, Stdio::piped())?;
    let held = wait_until_it_holds(&mut first);
    // SIGKILL: it cannot tidy up, nor say good-bye.
    first.kill()?;
    let status = first.wait()?;
    if !held {
        return Err(format!(
            "process 1 ended before it was killed ({status}): the model called no tool that writes"
        )
        .into());
    }
    println!(
        "\n== killed ({status}) {}",
        if options.tools {
            "after the note was written, before the tool returned"
        } else {
            "in the middle of an answer"
        }
    );

    println!("== process 2");
    let status: ExitStatus = worker(&name, false, Stdio::inherit())?.wait()?;
    if !status.success() {
        return Err(format!("process 2 failed ({status})").into());
    }
    let mosaic = agent::open(options).await?;
    let session = mosaic.find_session(name.as_str(), &agent::agent(options)?).await?;
    report::print(&session.ok_or("the session is not there")?, options, start.elapsed()).await?;
    mosaic.close().await?;
    Ok(())
}

/// This program again, with the same options.
fn worker(session: &str, killed: bool, stderr: Stdio) -> std::io::Result<Child> {
    let role = if killed { "--killed" } else { "--resuming" };
    Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .args([role, session])
        .stdin(Stdio::null())
        .stderr(stderr)
        .spawn()
}

/// Whether the process came to the point where it is to be killed. What else it says on standard error is passed on.
fn wait_until_it_holds(child: &mut Child) -> bool {
    let Some(stderr) = child.stderr.take() else { return false };
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if line == tools::HOLDING {
            return true;
        }
        eprintln!("{line}");
    }
    false
}

/// What a process of the conversation does: the first holds the first two turns, the second resumes and goes on.
pub(crate) async fn work(options: &Options, name: &str, killed: bool) -> Result<(), Error> {
    tools::place(&options.folder, killed);
    let mosaic = agent::open(options).await?;
    let session = mosaic.session(name, &agent::agent(options)?).await?;
    let [first, second, third] = TURNS;
    if killed {
        say(&session, first).await?;
        if !options.tools {
            return hold_in_an_answer(&session, second).await;
        }
        // Never gets past the turn in which the note is written.
        say(&session, second).await?;
        say(&session, AGAIN).await?;
    } else {
        match session.resume().await? {
            Some(run) => {
                println!("(resumed: what was interrupted goes on)");
                show::follow(&session, run).await?;
            }
            None => println!("(nothing was interrupted)"),
        }
        say(&session, third).await?;
    }
    mosaic.close().await?;
    Ok(())
}

async fn say(session: &Session, text: &str) -> Result<(), Error> {
    println!("> {text}");
    show::follow(session, session.send(text).await?).await?;
    Ok(())
}

/// A model without tools is interrupted while it speaks.
async fn hold_in_an_answer(session: &Session, text: &str) -> Result<(), Error> {
    println!("> {text}");
    let mut run = session.send(text).await?;
    while let Some(event) = run.try_next().await? {
        if let Event::Text { delta, .. } = event {
            print!("{delta}");
            eprintln!("{}", tools::HOLDING);
            std::future::pending::<()>().await;
        }
    }
    Ok(())
}
