//! The sides that run in Python: scripts of `benches/python`, by the project's virtual environment.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::workload::{Side, Workload};

/// Where the tree was when this was built: the driver is run from it.
const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Whether a side can be run: the environment is there, and what the side needs is installed in it.
pub(crate) fn has(side: Side) -> bool {
    let import = match side {
        Side::Aiohttp => "import aiohttp",
        Side::Python => "import mosaic",
        Side::Floor | Side::Mosaic => return false,
    };
    let found = interpreter()
        .args(["-c", import])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        eprintln!(
            "bench: {} is left out: `{import}` fails in .venv (benches/python/requirements.txt says what it wants)",
            side.name()
        );
    }
    found
}

/// The process of a workload; the address of the mock is added by the caller.
pub(crate) fn command(workload: Workload, side: Side) -> Command {
    let script = match side {
        Side::Python => "binding.py",
        _ => "floor.py",
    };
    let mut command = interpreter();
    command.arg(Path::new(PROJECT).join("benches/python").join(script)).arg(workload.name());
    command
}

fn interpreter() -> Command {
    let program = if cfg!(windows) { ".venv/Scripts/python.exe" } else { ".venv/bin/python" };
    Command::new(Path::new(PROJECT).join(program))
}
