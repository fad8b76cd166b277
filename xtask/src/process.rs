//! Running other programs: each is told before it runs, and its failure names it.

use crate::tally::Counts;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

/// Runs a program to its end, showing its output.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    say(command);
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", line(command))) }
}

/// Runs a program to its end and gives what it printed; its standard error is shown only when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed ({}): {}", line(command), output.status, said.trim()))
}

/// Runs a test runner to its end, showing its output and counting what its closing lines say.
pub(crate) fn run_counting(command: &mut Command) -> (Counts, Result<(), String>) {
    say(command);
    let mut counts = Counts::default();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return (counts, Err(not_started(command, &error))),
    };
    // Both pipes must be read at once, or the child blocks on the one that is full.
    let (sender, lines) = mpsc::channel();
    let readers = [
        child.stdout.take().map(|pipe| read_lines(pipe, sender.clone())),
        child.stderr.take().map(|pipe| read_lines(pipe, sender)),
    ];
    for line in lines {
        counts.add_line(&line);
        let mut out = std::io::stdout().lock();
        // Nobody may be reading us any more; the count still matters.
        let _ = writeln!(out, "{line}");
    }
    for reader in readers.into_iter().flatten() {
        let _ = reader.join();
    }
    let result = match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` failed ({status})", line(command))),
        Err(error) => Err(not_started(command, &error)),
    };
    (counts, result)
}

/// Whether a program is there and answers `--version`-like arguments.
pub(crate) fn answers(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn read_lines(pipe: impl Read + Send + 'static, to: mpsc::Sender<String>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if to.send(line.trim_end_matches('\r').to_owned()).is_err() {
                return;
            }
        }
    })
}

fn say(command: &Command) {
    println!("$ {}", line(command));
}

/// The command as one would type it: the program without its folder.
fn line(command: &Command) -> String {
    let program = command.get_program();
    let program = Path::new(program).file_name().unwrap_or(program);
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` could not be started: {error}", command.get_program().to_string_lossy())
}
