//! What a database takes on disk.

use std::path::Path;

use crate::Result;

/// The bytes of the files in a folder and below. Not of SQLite's shared memory, which is no data.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn bytes(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sum += bytes(&entry.path())?;
        } else if !entry.file_name().to_string_lossy().ends_with("-shm") {
            sum += entry.metadata()?.len();
        }
    }
    Ok(sum)
}
