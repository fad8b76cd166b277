//! Archives: where bytes go that are kept for long and read seldom.

mod folder;

pub use folder::FolderArchive;
