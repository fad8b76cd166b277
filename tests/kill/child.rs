//! The process that is killed. It says on its standard output what it knows to be safe, and then goes on.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mosaic::{Agent, Entry, Event, Mosaic, Run};

use crate::agent;

const FOLDER: &str = "MOSAIC_KILL_CHILD";
const FINISH: &str = "MOSAIC_KILL_FINISH";
/// Sessions that are worked on at once.
const SESSIONS: usize = 4;

/// The command that starts one: this very test, which sees by its environment what it is.
pub(crate) fn command(folder: &Path, finish: bool) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--nocapture", "--exact", "what_was_acknowledged_survives_sigkill_and_no_effect_is_doubled"])
        .env(FOLDER, folder)
        .env(FINISH, if finish { "1" } else { "" })
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

pub(crate) fn is_one() -> bool {
    std::env::var_os(FOLDER).is_some()
}

/// Resumes what was interrupted; then says one thing after the other until it is killed, or ends if it is to finish.
pub(crate) fn main() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let finish = std::env::var(FINISH).is_ok_and(|finish| !finish.is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mosaic = Mosaic::open(url(&folder)).await.unwrap();
        say("up");
        let agent = agent::agent(&effects(&folder));
        let sessions: Vec<_> = (0..SESSIONS)
            .map(|number| tokio::spawn(work(mosaic.clone(), agent.clone(), format!("s{number}"), finish)))
            .collect();
        for session in sessions {
            session.await.unwrap();
        }
        mosaic.close().await.unwrap();
    });
}

async fn work(mosaic: Mosaic, agent: Agent, name: String, finish: bool) {
    let session = mosaic.session(name.as_str(), &agent).await.unwrap();
    if let Some(run) = session.resume().await.unwrap() {
        follow(&name, run).await;
    }
    if finish {
        return;
    }
    for number in 1_u64.. {
        let run = session.send(format!("thing {number}")).await.unwrap();
        // `send` has returned: the input is safe, though its entry was not seen yet.
        say(&format!("ack {name} {} -", run.cursor().seq.next()));
        follow(&name, run).await;
    }
}

async fn follow(name: &str, mut run: Run) {
    while let Some(event) = run.try_next().await.unwrap() {
        if let Event::Entry { entry } = event {
            say(&format!("ack {name} {} {:016x}", entry.seq, fingerprint(&entry)));
        }
    }
}

fn say(line: &str) {
    // One write: the pipe holds whole lines only, whenever the kill comes.
    std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Of all that an entry says.
pub(crate) fn fingerprint(entry: &Entry) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(entry).unwrap().hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("app.db").display())
}

pub(crate) fn effects(folder: &Path) -> PathBuf {
    folder.join("effects.log")
}
