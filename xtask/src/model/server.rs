//! The model server: a child that ends with us.

use super::Model;
use crate::project::Project;
use crate::python::Python;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long loading the weights may take, on a loaded machine and from a cold disk.
const START: Duration = Duration::from_secs(180);
/// Tokens of context: enough for the demo's conversation, small enough to start at once.
const CONTEXT: &str = "8192";

/// A server on 127.0.0.1. Dropping it ends it; so does the death of this process, which closes its standard input.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    port: u16,
    model: &'static Model,
}

impl Server {
    pub(super) fn start(
        project: &Project,
        python: &Python,
        model: &'static Model,
        weights: &Path,
    ) -> Result<Self, String> {
        let threads = threads();
        println!("starting the model server: {}, {threads} thread(s)", model.name);
        let log = project.cache().join("model-server.log");
        let failed = |error: std::io::Error| format!("the model server cannot be started: {error}");
        let mut child = python
            .run()
            .arg(project.asset("serve.py"))
            .arg(weights)
            .args([threads.to_string().as_str(), CONTEXT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        let (sender, port) = mpsc::channel();
        let stdout = child.stdout.take();
        std::thread::spawn(move || {
            // Reads on to the end: a server that writes into a closed pipe would die of it.
            for line in BufReader::new(stdout?).lines().map_while(Result::ok) {
                if let Some(port) = line.strip_prefix("ready ").and_then(|port| port.trim().parse().ok()) {
                    let _ = sender.send(port);
                }
            }
            Some(())
        });
        let mut server = Self { stdin: child.stdin.take(), child, port: 0, model };
        server.port = port
            .recv_timeout(START)
            .map_err(|_| format!("the model server did not get ready; {} says why", project.show(&log)))?;
        Ok(server)
    }

    /// Where it answers, ending in `/v1`.
    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// What it serves.
    pub(crate) fn model(&self) -> &'static Model {
        self.model
    }

    /// Stays until the server ends by itself or this process is interrupted.
    pub(super) fn wait(mut self) -> Result<(), String> {
        let status = self.child.wait().map_err(|error| error.to_string())?;
        Err(format!("the model server ended ({status})"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Closing its input ends it; killing it too costs nothing and never leaves us waiting.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All cores (four at most) on an idle machine, one on a busy one: the server's threads wait for each other by
/// spinning, so a thread that must share its core slows all of them down four to ten times.
fn threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let before = busy_and_total();
    std::thread::sleep(Duration::from_millis(300));
    match (before, busy_and_total()) {
        (Some((busy, total)), Some((busy_now, total_now))) => {
            let idle = (busy_now - busy) * 5 < total_now.saturating_sub(total);
            if idle { cores } else { 1 }
        }
        _ => cores.div_ceil(2),
    }
}

/// Time that all cores together spent working, and in all, since the start of the machine (Linux only).
fn busy_and_total() -> Option<(u64, u64)> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let times = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let times: Vec<u64> = times.map_while(|word| word.parse().ok()).collect();
    let total = times.iter().take(8).sum();
    // user nice system idle iowait ...
    let idle: u64 = times.iter().skip(3).take(2).sum();
    Some((u64::saturating_sub(total, idle), total))
}
