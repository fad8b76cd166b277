//! The project's own Python: a virtual environment in `.venv/`, made when it is first needed.

use crate::process;
use crate::project::{self, Project};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Python that the package `mosaic` supports.
const OLDEST: (u32, u32) = (3, 10);

/// A virtual environment that exists.
#[derive(Debug)]
pub(crate) struct Python {
    venv: PathBuf,
}

impl Python {
    /// The project's virtual environment, made if it is not there.
    pub(crate) fn get(project: &Project) -> Result<Self, String> {
        Self::at(project, project.venv())
    }

    /// A virtual environment of its own, for packages that must not meddle with the project's.
    pub(crate) fn at(project: &Project, venv: PathBuf) -> Result<Self, String> {
        let python = Self { venv };
        if process::answers(python.run().args(["-m", "pip", "--version"])) {
            return Ok(python);
        }
        let base = base_interpreter()?;
        println!("making a virtual environment in {} with {base}", project.show(&python.venv));
        // --clear: a half-made one, or one whose interpreter was removed, is made anew.
        process::run(Command::new(&base).args(["-m", "venv", "--clear"]).arg(&python.venv)).map_err(
            |error| {
                format!("{error}; on Debian the package `python3-venv` is needed for virtual environments")
            },
        )?;
        Ok(python)
    }

    /// The interpreter of the environment, with its scripts on the path.
    pub(crate) fn run(&self) -> Command {
        let mut command = Command::new(self.program("python"));
        self.enter(&mut command);
        command
    }

    /// A program that a package of the environment installed.
    pub(crate) fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.program(name));
        self.enter(&mut command);
        command
    }

    /// Makes a command see the environment as if it had been activated.
    pub(crate) fn enter(&self, command: &mut Command) {
        command.env("VIRTUAL_ENV", &self.venv).env_remove("PYTHONHOME").env_remove("CONDA_PREFIX");
        // maturin builds.
        project::leave_xtask(command);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(self.scripts()).chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(paths) {
            command.env("PATH", path);
        }
    }

    /// Installs the packages that a requirements file names, unless just these are already installed.
    pub(crate) fn install(&self, project: &Project, requirements: &Path) -> Result<(), String> {
        self.install_with(project, requirements, &[])
    }

    /// The same, without what these packages depend on: for those whose Python half is of no use to us.
    pub(crate) fn install_alone(&self, project: &Project, requirements: &Path) -> Result<(), String> {
        self.install_with(project, requirements, &["--no-deps"])
    }

    fn install_with(&self, project: &Project, requirements: &Path, options: &[&str]) -> Result<(), String> {
        let wanted = std::fs::read_to_string(requirements)
            .map_err(|error| format!("{} cannot be read: {error}", project.show(requirements)))?;
        let name = requirements.file_name().unwrap_or_default();
        let stamp = self.venv.join("installed").join(name);
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        println!("installing {} into {}", project.show(requirements), project.show(&self.venv));
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
            "-r",
        ];
        process::run(self.run().args(pip).arg(requirements).args(options))?;
        std::fs::create_dir_all(self.venv.join("installed"))
            .and_then(|()| std::fs::write(&stamp, wanted))
            .map_err(|error| format!("{} cannot be written: {error}", project.show(&stamp)))
    }

    fn scripts(&self) -> PathBuf {
        self.venv.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    fn program(&self, name: &str) -> PathBuf {
        self.scripts().join(if cfg!(windows) { format!("{name}.exe") } else { name.to_owned() })
    }
}

/// A Python outside the environment that is new enough. `MOSAIC_PYTHON` names another.
fn base_interpreter() -> Result<String, String> {
    let (major, minor) = OLDEST;
    let test = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    let fits = |name: &String| process::answers(Command::new(name).args(["-c", &test]));
    if let Ok(name) = std::env::var("MOSAIC_PYTHON") {
        return Some(name)
            .filter(fits)
            .ok_or(format!("MOSAIC_PYTHON is not a Python of {major}.{minor} or newer"));
    }
    ["python3", "python3.11", "python3.12", "python3.13", "python3.10", "python"]
        .into_iter()
        .map(str::to_owned)
        .find(fits)
        .ok_or_else(|| {
            format!(
                "no Python {major}.{minor} or newer is on the path; install one, or name it in MOSAIC_PYTHON"
            )
        })
}
