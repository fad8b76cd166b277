//! Who lives: every store holds a lock on a file of its own beside the database.
//!
//! A lease in the database names its owner. Whoever wants the session tries the owner's lock: the system takes it away
//! from a process that dies, however it dies, so a lock that can be had means that the owner is dead.
//!
//! Owners are made and looked after under the write lock of the database, so that nobody takes a file that was just made,
//! and is not locked yet, for that of a dead one.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Epochs of leases that were given to nobody: their caller was gone. They count as free from then on, also before the
/// database says so.
#[derive(Debug, Clone, Default)]
pub(super) struct Abandoned(Arc<Mutex<HashSet<u64>>>);

impl Abandoned {
    pub(super) fn add(&self, epoch: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(epoch);
    }

    pub(super) fn remove(&self, epoch: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&epoch);
    }

    fn contains(&self, epoch: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&epoch)
    }
}

/// An owner of leases: a store that is open.
#[derive(Debug)]
pub(super) struct Owner {
    /// `<process id>-<uuid>`: what a lease in the database says, and the name of the file.
    id: Arc<str>,
    folder: PathBuf,
    abandoned: Abandoned,
    /// Holds the lock.
    _file: File,
}

impl Owner {
    /// A new owner, of the database at `path`. Removes the files of dead ones.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let (folder, id) = (folder(path), format!("{}-{}", std::process::id(), uuid::Uuid::now_v7()));
        let mut tries = 0..3;
        let file = loop {
            match make(&folder, &id) {
                // The last owner that goes removes the folder, perhaps between two of our steps.
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries.next().is_some() => {}
                made => break made?,
            }
        };
        Ok(Self { id: id.into(), folder, abandoned: Abandoned::default(), _file: file })
    }

    pub(super) fn id(&self) -> &Arc<str> {
        &self.id
    }

    pub(super) fn abandoned(&self) -> &Abandoned {
        &self.abandoned
    }

    /// The living holder of a lease, in words; `None` when it is dead, or never got the lease.
    pub(super) fn alive(&self, id: &str, epoch: u64) -> Option<String> {
        let pid = id.split('-').next().unwrap_or_default();
        if id == &*self.id {
            let held = !self.abandoned.contains(epoch);
            return held.then(|| format!("another run of this process ({pid})"));
        }
        // A name that is no file name cannot be one that `new` made.
        let is_name = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_name || id.is_empty() || remove_if_dead(&self.folder.join(id)) {
            return None;
        }
        Some(format!("process {pid}"))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Before the lock goes with the file handle. If it fails the next one to open the database does it.
        let _ = fs::remove_file(self.folder.join(&*self.id));
        // Succeeds for the last owner only.
        let _ = fs::remove_dir(&self.folder);
    }
}

fn make(folder: &Path, id: &str) -> io::Result<File> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    for entry in fs::read_dir(folder)?.flatten() {
        remove_if_dead(&entry.path());
    }
    let file = File::create_new(folder.join(id))?;
    file.try_lock()?;
    Ok(file)
}

/// Whether there is no owner, or a dead one. When in doubt it lives.
fn remove_if_dead(path: &Path) -> bool {
    let file = match File::options().write(true).open(path) {
        Ok(file) => file,
        Err(error) => return error.kind() == io::ErrorKind::NotFound,
    };
    match file.try_lock() {
        Ok(()) => {
            let _ = fs::remove_file(path);
            true
        }
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

fn folder(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".owners");
    name.into()
}

#[cfg(test)]
mod tests;
