//! Where things are in this project.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The checked-out project and the folders it may install into.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The project whose xtask this is.
    pub(crate) fn find() -> Result<Self, String> {
        // Cargo sets the variable for what it runs; the compiled-in path serves a binary that is started by hand.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().map(Path::to_path_buf);
        root.filter(|root| root.join("Cargo.toml").is_file())
            .map(|root| Self { root })
            .ok_or_else(|| format!("{} is not inside the workspace", manifest.display()))
    }

    /// The root of the workspace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A file of xtask's own, such as the script that serves a model.
    pub(crate) fn asset(&self, name: &str) -> PathBuf {
        self.root.join("xtask/assets").join(name)
    }

    /// Where downloads are kept.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join(".cache")
    }

    /// The Python virtual environment.
    pub(crate) fn venv(&self) -> PathBuf {
        self.root.join(".venv")
    }

    /// `cargo`, run in the root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        leave_xtask(&mut command);
        command
    }

    /// A path as one wants to read it: relative to the root where it lies inside.
    pub(crate) fn show(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// Takes from a command what `cargo run` set for xtask itself. It is not meant for the builds that xtask starts, and some
/// dependencies are built anew whenever it changes.
pub(crate) fn leave_xtask(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| {
            name == "CARGO" || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if ours {
            command.env_remove(name);
        }
    }
}
