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
//! A host switches it on with three parts: [`RestoringStore`] in the place of the store, which restores what is asked for; [`ArchiveHandler`]
//! among the handlers of jobs; and [`archive_schedule`].
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::archive::RamArchive;
//! use mosaic_core::{SessionKey, SessionStore};
//! use mosaic_memory::session_archive::{Archived, RestoringStore, SessionArchive};
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
//! assert!(sessions.find(&key).await?.is_none(), "the store has it no more");
//! assert_eq!(cold.list("default").await?.len(), 1);
//! let all = RestoringStore::new(cold);
//! assert!(all.find(&key).await?.is_some());
//! assert!(sessions.find(&key).await?.is_some(), "it came back, for it was asked for");
//! # Ok(())
//! # }
//! ```

mod archive;
mod erase;
mod error;
mod jobs;
mod list;
mod names;
mod pack;
mod pass;
mod store;
#[cfg(test)]
mod tests;

pub use archive::{Archived, SessionArchive};
pub use error::SessionArchiveError;
pub use jobs::{ARCHIVE, ArchiveHandler, ArchivePolicy, archive_job, archive_job_of, archive_schedule};
pub use pack::ArchivedSession;
pub use pass::ArchivedMany;
pub use store::RestoringStore;
