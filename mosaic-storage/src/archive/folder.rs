//! An archive in a folder.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use mosaic_core::StoreError;
use mosaic_core::archive::{Archive, ArchiveError, check_name};

/// Files that are being written have names that no archive has.
const PARTIAL: &str = ".partial-";

/// An archive in a folder of this machine: each name is a file, its parts are folders. Needs a tokio runtime.
///
/// Bytes are written to a file of another name, synced, renamed, and the folder is synced: a name has all its bytes or does not
/// exist. What a crash leaves of a file that was not yet renamed is removed when the archive is opened by the next process, unless
/// another one that lives is writing it.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// use mosaic_core::archive::Archive;
/// use mosaic_storage::FolderArchive;
///
/// let archive = FolderArchive::open(folder.path().join("archive")).await?;
/// archive.put("2026/one", "some bytes".into()).await?;
/// assert_eq!(archive.get("2026/one").await?, "some bytes");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone)]
pub struct FolderArchive {
    root: Arc<Path>,
}

impl fmt::Debug for FolderArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FolderArchive").field(&self.root).finish()
    }
}

impl FolderArchive {
    /// Opens a folder, and makes it if there is none.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], [`StoreError::Full`], and what else the file system says.
    pub async fn open(root: impl Into<PathBuf>) -> Result<Self, ArchiveError> {
        let archive = Self { root: root.into().into() };
        archive
            .blocking("opening it", |root| {
                fs::create_dir_all(root)?;
                sync_folder(root)?;
                tidy(root)
            })
            .await?;
        Ok(archive)
    }

    /// The archive's name for itself in errors.
    fn name(&self) -> String {
        format!("folder:{}", self.root.display())
    }

    /// Does what blocks where it does no harm.
    async fn blocking<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, ArchiveError> {
        let root = self.root.clone();
        let done = tokio::task::spawn_blocking(move || work(&root)).await;
        let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
        done.map_err(|error| self.told(action, error).into())
    }

    fn told(&self, action: &'static str, error: io::Error) -> StoreError {
        let store = self.name();
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                StoreError::ReadOnly { store, source: Box::new(error) }
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                StoreError::Full { store, source: Box::new(error) }
            }
            _ => StoreError::Other { store, action, source: Box::new(error) },
        }
    }

    fn missing(&self, name: &str) -> ArchiveError {
        ArchiveError::Missing { archive: self.name(), name: name.into() }
    }
}

#[async_trait::async_trait]
impl Archive for FolderArchive {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        check_name(name)?;
        let name = name.to_owned();
        self.blocking("putting", move |root| put(root, &name, &bytes)).await
    }

    async fn get(&self, name: &str) -> Result<Bytes, ArchiveError> {
        check_name(name)?;
        let file = name.to_owned();
        let read = self.blocking("getting", move |root| found(fs::read(root.join(file)))).await?;
        read.map(Bytes::from).ok_or_else(|| self.missing(name))
    }

    async fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<Bytes, ArchiveError> {
        check_name(name)?;
        let file = name.to_owned();
        let read = self
            .blocking("getting", move |root| {
                let Some(mut file) = found(File::open(root.join(file)))? else { return Ok(None) };
                let there = file.metadata()?.len();
                if offset.checked_add(length).is_none_or(|end| end > there) {
                    return Ok(Some(Err(there)));
                }
                file.seek(SeekFrom::Start(offset))?;
                let mut bytes = Vec::new();
                file.take(length).read_to_end(&mut bytes)?;
                Ok(Some(if bytes.len() as u64 == length { Ok(bytes) } else { Err(there) }))
            })
            .await?;
        match read {
            Some(Ok(bytes)) => Ok(bytes.into()),
            Some(Err(found)) => Err(ArchiveError::Short {
                archive: self.name(),
                name: name.into(),
                found,
                wanted: offset.saturating_add(length),
            }),
            None => Err(self.missing(name)),
        }
    }

    async fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        check_name(name)?;
        let name = name.to_owned();
        self.blocking("removing", move |root| remove(root, &name)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, ArchiveError> {
        let prefix = prefix.to_owned();
        self.blocking("listing", move |root| {
            let mut names = Vec::new();
            // Only there: a folder of many is not looked through for a few.
            let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
            if !folder.is_empty() && check_name(folder).is_err() {
                return Ok(names);
            }
            walk(&root.join(folder), folder, &mut |name, _| {
                if name.starts_with(&prefix) && check_name(name).is_ok() {
                    names.push(name.to_owned());
                }
                Ok(())
            })?;
            names.sort_unstable();
            Ok(names)
        })
        .await
    }
}

/// `None` where there is no such file: a folder is none, nor is what would lie in a file.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn put(root: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let target = root.join(name);
    let folder = target.parent().unwrap_or(root);
    let partial =
        root.join(format!("{PARTIAL}{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
    let written = write_and_rename(root, folder, &partial, &target, bytes);
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

fn write_and_rename(
    root: &Path,
    folder: &Path,
    partial: &Path,
    target: &Path,
    bytes: &[u8],
) -> io::Result<()> {
    let mut file = File::create(partial)?;
    // Tells a process that opens the archive that somebody is writing here; the system lets go of it when we die.
    file.try_lock().map_err(io::Error::from)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // Another may just have removed the folder, for it was empty.
    let mut tries = 0;
    loop {
        make_folders(root, folder)?;
        match fs::rename(partial, target) {
            Err(error) if error.kind() == ErrorKind::NotFound && tries < 10 => tries += 1,
            renamed => break renamed?,
        }
    }
    sync_folder(folder)?;
    sync_folder(root)
}

/// Makes the folders between the root and a folder; the entry of each is safe before anything is in it.
fn make_folders(root: &Path, folder: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut next = folder;
    while next != root && !next.is_dir() {
        missing.push(next);
        let Some(parent) = next.parent() else { break };
        next = parent;
    }
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        if let Some(parent) = folder.parent() {
            sync_folder(parent)?;
        }
    }
    Ok(())
}

fn remove(root: &Path, name: &str) -> io::Result<()> {
    let target = root.join(name);
    if found(fs::remove_file(&target))?.is_none() {
        return Ok(());
    }
    // A name is a trace too: folders go with the last that is in them.
    let mut folder = target.parent();
    while let Some(empty) = folder.filter(|folder| *folder != root) {
        sync_folder(empty)?;
        if fs::remove_dir(empty).is_err() {
            return Ok(());
        }
        folder = empty.parent();
    }
    sync_folder(root)
}

/// What was named or removed in a folder is safe afterwards. Windows has no such thing, and does without.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    match File::open(folder) {
        Ok(file) => file.sync_all(),
        // It was empty and somebody removed it.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Tells of all files, by their names in the archive.
fn walk(folder: &Path, name: &str, tell: &mut impl FnMut(&str, &Path) -> io::Result<()>) -> io::Result<()> {
    let Some(entries) = found(fs::read_dir(folder))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let Ok(part) = entry.file_name().into_string() else { continue };
        let name = if name.is_empty() { part } else { format!("{name}/{part}") };
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &name, tell)?;
        } else {
            tell(&name, &entry.path())?;
        }
    }
    Ok(())
}

/// Removes what crashes have left, but nothing that somebody is writing.
fn tidy(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            continue;
        }
        let Some(file) = found(File::open(entry.path()))? else { continue };
        if file.try_lock().is_ok() {
            found(fs::remove_file(entry.path()))?;
        }
    }
    Ok(())
}
