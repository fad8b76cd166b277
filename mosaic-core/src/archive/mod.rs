//! An archive: where bytes go that are kept for long and read seldom. A folder, an object store, RAM.
//!
//! ```text
//! rows that grew old ──> a compressed segment ──> Archive::put, durable ──> Archive::get, compared ──> only now: out of the store
//! ```
//!
//! ```
//! use mosaic_core::archive::{Archive, ArchiveError, RamArchive};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ArchiveError> {
//! let archive = RamArchive::new();
//! archive.put("2026/one", "some bytes".into()).await?;
//! assert_eq!(archive.get_range("2026/one", 5, 5).await?, "bytes");
//! archive.remove("2026/one").await?;
//! assert!(matches!(archive.get("2026/one").await, Err(ArchiveError::Missing { .. })));
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "testing")]
pub mod conformance;
mod error;
mod ram;

pub use error::ArchiveError;
pub use ram::RamArchive;

use std::fmt::Debug;

use bytes::Bytes;

/// Keeps bytes under names.
///
/// # Contract
/// * **Whole or not at all.** After `put` has returned the bytes are there, and survive a power cut; when it failed, or the process died in
///   it, there is nothing under the name, or what was there before, or all of the new. A reader never sees a part.
/// * **Read your writes.** What a `put` or `remove` has returned for, every call that begins after it sees, through any handle.
/// * **Removed is gone.** `remove` leaves no trace of the bytes or the name.
/// * **Names** are parts of ASCII letters, digits, `_`, `-` and `.`, joined by `/`; no part is empty or begins with a `.`; at most
///   [`MAX_NAME`] bytes. Others are [`ArchiveError::Name`].
///
/// The suite that checks this is `mosaic_core::archive::conformance` (feature `testing`).
#[async_trait::async_trait]
pub trait Archive: Debug + Send + Sync {
    /// Keeps bytes under a name, in place of what was there.
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ArchiveError>;

    /// The bytes under a name.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`].
    async fn get(&self, name: &str) -> Result<Bytes, ArchiveError>;

    /// So many of the bytes under a name, from a place on.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`]; [`ArchiveError::Short`] where there are not so many.
    async fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<Bytes, ArchiveError>;

    /// Removes what is under a name. Removing what does not exist does nothing.
    async fn remove(&self, name: &str) -> Result<(), ArchiveError>;

    /// The names that begin with a text, in order. Those that come and go meanwhile may be among them or not.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, ArchiveError>;
}

/// Bytes that a name may have.
pub const MAX_NAME: usize = 200;

/// Looks whether a name can be one.
///
/// # Errors
/// [`ArchiveError::Name`].
pub fn check_name(name: &str) -> Result<(), ArchiveError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(fits);
    if name.len() <= MAX_NAME && name.split('/').all(part) {
        Ok(())
    } else {
        Err(ArchiveError::Name { name: name.chars().take(MAX_NAME).collect() })
    }
}
