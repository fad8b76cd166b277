//! Workers in processes of their own, which are killed in the middle of jobs: nothing is lost, and nobody runs a job while another
//! does.
//!
//! A handler proves that it is alone by a lock on a file of the job, which the system takes away from a killed process.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use mosaic_core::TokioRuntime;
use mosaic_core::queue::{
    Budget, Handler, JobContext, JobError, JobFilter, JobPage, JobState, NewJob, Queue,
};

const STORE: &str = "MOSAIC_JOBS_TEST_STORE";
const FOLDER: &str = "MOSAIC_JOBS_TEST_FOLDER";
const JOBS: usize = 60;

struct Alone(PathBuf);

#[async_trait::async_trait]
impl Handler for Alone {
    fn kind(&self) -> &str {
        "alone"
    }

    async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
        let file = File::create(self.0.join(ctx.job.id.to_string())).unwrap();
        let alone = file.try_lock().is_ok();
        say(&self.0, &format!("{} {}", if alone { "start" } else { "CONCURRENT" }, ctx.job.id));
        println!("\nstart");
        for _ in 0..20 {
            // Work that takes its time, so that a kill finds it in the middle.
            file.sync_all().unwrap();
            tokio::task::yield_now().await;
        }
        say(&self.0, &format!("done {}", ctx.job.id));
        println!("\ndone");
        Ok(())
    }
}

/// A line in the diary of all processes, in one write.
fn say(folder: &Path, line: &str) {
    let mut diary = OpenOptions::new().append(true).create(true).open(folder.join("diary")).unwrap();
    diary.write_all(format!("{line}\n").as_bytes()).unwrap();
}

async fn queue(address: &str, folder: &Path) -> Queue {
    let store = mosaic_storage::open_jobs(address).await.unwrap();
    let queue =
        Queue::new(store, Arc::new(TokioRuntime::current().unwrap())).handler(Alone(folder.to_owned()));
    queue.options(|options| {
        options.visibility = Duration::from_secs(1);
        options.poll = Duration::from_millis(50);
    })
}

/// Not a test by itself: what the killed processes do. They are this program, started again.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let (Ok(address), Some(folder)) = (std::env::var(STORE), std::env::var_os(FOLDER)) else { return };
    let _worker = queue(&address, folder.as_ref()).await.start();
    std::future::pending::<()>().await;
}

fn start(address: &str, folder: &Path, heard: mpsc::Sender<()>) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(STORE, address)
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    std::thread::spawn(move || {
        for _ in lines.map_while(Result::ok).filter(|line| line == "start") {
            let _ = heard.send(());
        }
    });
    child
}

async fn kill_workers_in_the_middle(address: &str) {
    let folder = tempfile::tempdir().unwrap();
    let parent = queue(address, folder.path()).await;
    let jobs = (0..JOBS).map(|n| NewJob::new("alone", n.into()).max_attempts(1000));
    let added = parent.add_all(jobs).await.unwrap();

    let (heard, starts) = mpsc::channel();
    let mut children = [0, 1].map(|_| start(address, folder.path(), heard.clone()));
    for round in 0..6 {
        for _ in 0..5 {
            // Nobody is heard any more when all is done.
            let _ = starts.recv_timeout(Duration::from_secs(5));
        }
        let child = &mut children[round % 2];
        child.kill().unwrap();
        child.wait().unwrap();
        *child = start(address, folder.path(), heard.clone());
    }
    for child in &mut children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // What the dead held is taken over and done.
    while parent.store().counts(None).await.unwrap() != Default::default() {
        parent.run_due_jobs(Budget::jobs(1000)).await.unwrap();
        let left = parent.store().list(&JobFilter::default(), JobPage::default()).await.unwrap();
        assert!(left.iter().all(|job| job.state != JobState::Dead), "{left:?}");
    }
    let diary = std::fs::read_to_string(folder.path().join("diary")).unwrap();
    for became in added {
        assert!(diary.contains(&format!("done {}\n", became.id())), "job {} was lost", became.id());
    }
    assert!(!diary.contains("CONCURRENT"), "a job was run while another ran it:\n{diary}");
    let count = |word: &str| diary.lines().filter(|line| line.starts_with(word)).count();
    println!("{} attempts, {} ended, {JOBS} jobs", count("start"), count("done"));
    parent.store().close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_workers_lose_no_job_and_share_none_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}?durability=process", folder.path().join("app.db").display());
    kill_workers_in_the_middle(&address).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn killed_workers_lose_no_job_and_share_none_in_postgres() {
    let Some(address) = crate::places::database().await else { return };
    kill_workers_in_the_middle(&address).await;
}
