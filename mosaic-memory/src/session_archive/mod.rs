//! Sessions that nobody has used for long: their whole logs go to an archive, and come back when they are wanted.
//!
//! ```text
//! archive: lease ─ read all ─ no run goes on ─ write the file, sync ─ read it back ─ erase as the lease's holder, if nothing was added
//! restore: nothing in the store ─ read the file, check it ─ create the session with all its rows ─ lease ─ remove the file
//! ```
//!
//! The store is the truth: where it has the session, a file is a copy that a crash has left. Files are written and removed under the
//! session's lease only, so nobody removes a file that another has just written.
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::archive::RamArchive;
//! use mosaic_core::{SessionKey, SessionStore};
//! use mosaic_memory::session_archive::{Archived, SessionArchive};
//! # use mosaic_core::{Body, Entry, Seq, Timestamp};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sessions: Arc<dyn SessionStore> = Arc::new(mosaic_storage::RamStore::new());
//! let cold = SessionArchive::new(sessions.clone(), Arc::new(RamArchive::new()));
//! let key = SessionKey::new("user-42");
//! # let body = Body::Created { key: key.clone(), forked_from: None };
//! # let rows = vec![Entry { seq: Seq(1), v: 1, at: Timestamp(0), run: None, body }.to_row()?];
//! sessions.create(&key, rows).await?;
//!
//! assert!(matches!(cold.archive(&key).await?, Archived::Done { .. }));
//! assert!(sessions.find(&key).await?.is_none());
//! assert!(cold.restore(&key).await?); // before the session is opened, which would make a new one
//! assert!(sessions.find(&key).await?.is_some());
//! # Ok(())
//! # }
//! ```

mod archive;
mod error;
mod pack;
#[cfg(test)]
mod tests;

pub use archive::{Archived, ArchivedMany, SessionArchive};
pub use error::SessionArchiveError;
