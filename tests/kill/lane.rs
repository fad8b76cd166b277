//! One lane of kills: a database, a process after the other.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::agent::mix;
use crate::check::{Acknowledged, check};
use crate::child;

/// Kills of one database before it is finished, checked and replaced by a fresh one.
const KILLS_A_DATABASE: u64 = 25;
/// A process that says nothing for so long hangs.
const HUNG: Duration = Duration::from_secs(60);

/// What the kills hit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    pub(crate) kills: u64,
    /// Entries that a process had acknowledged.
    pub(crate) acknowledged: u64,
    /// Runs that a kill interrupted.
    pub(crate) during_runs: u64,
    /// Calls with an effect that were started and not ended when a kill came.
    pub(crate) during_once: u64,
    /// Calls without one that were run again.
    pub(crate) repeated: u64,
}

impl AddAssign for Found {
    fn add_assign(&mut self, other: Self) {
        self.kills += other.kills;
        self.acknowledged += other.acknowledged;
        self.during_runs += other.during_runs;
        self.during_once += other.during_once;
        self.repeated += other.repeated;
    }
}

/// When the kill comes.
#[derive(Debug)]
enum Moment {
    /// After the start of the process: it may not even have opened the database.
    AfterStart(Duration),
    /// After so many acknowledged entries, and a little later.
    AfterAcks(usize, Duration),
}

pub(crate) fn run(kills: u64, seed: u64) -> Found {
    let mut found = Found::default();
    let mut left = kills;
    while left > 0 {
        let folder = tempfile::tempdir().unwrap();
        let mut acknowledged = Acknowledged::default();
        for _ in 0..left.min(KILLS_A_DATABASE) {
            let moment = moment(mix(seed ^ left));
            kill_one(folder.path(), &moment, &mut acknowledged);
            left -= 1;
            found.kills += 1;
            let state = check(folder.path(), &acknowledged, false);
            found.during_runs += state.open_runs;
            found.during_once += state.open_once;
        }
        finish_one(folder.path(), &mut acknowledged);
        let state = check(folder.path(), &acknowledged, true);
        found.repeated += state.repeated;
        found.acknowledged += acknowledged.len();
    }
    found
}

fn moment(dice: u64) -> Moment {
    let later = Duration::from_micros(mix(dice) % 3_000);
    match dice % 4 {
        0 => Moment::AfterStart(Duration::from_micros(mix(dice) % 40_000)),
        _ => Moment::AfterAcks((dice / 4 % 80) as usize, later),
    }
}

fn kill_one(folder: &Path, moment: &Moment, acknowledged: &mut Acknowledged) {
    let (mut child, lines) = start(folder, false);
    let mut said = Vec::new();
    match *moment {
        Moment::AfterStart(wait) => std::thread::sleep(wait),
        Moment::AfterAcks(count, wait) => {
            while said.len() <= count {
                match lines.recv_timeout(HUNG) {
                    Ok(line) => said.push(line),
                    Err(why) => {
                        let _ = child.kill();
                        panic!("{why} before {moment:?}, after {said:?}: {}", stderr(folder));
                    }
                }
            }
            let until = Instant::now() + wait;
            while Instant::now() < until {
                std::thread::yield_now();
            }
        }
    }
    let ended = child.try_wait().unwrap();
    assert!(ended.is_none(), "the process ended by itself ({ended:?}): {}", stderr(folder));
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    // What it had written into the pipe, it had acknowledged.
    said.extend(lines);
    acknowledged.add(&said);
}

/// A process that resumes everything and ends.
fn finish_one(folder: &Path, acknowledged: &mut Acknowledged) {
    let (mut child, lines) = start(folder, true);
    let said: Vec<String> = lines.iter().collect();
    let status = child.wait().unwrap();
    assert!(status.success(), "the last process failed ({status}): {}", stderr(folder));
    acknowledged.add(&said);
}

fn start(folder: &Path, finish: bool) -> (Child, Receiver<String>) {
    let errors = File::create(folder.join("stderr")).unwrap();
    let mut child = child::command(folder, finish).stderr(errors).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // The test harness of the child says things of its own.
            if (line == "up" || line.starts_with("ack ")) && sender.send(line).is_err() {
                return;
            }
        }
    });
    (child, lines)
}

fn stderr(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("stderr")).unwrap_or_default()
}
