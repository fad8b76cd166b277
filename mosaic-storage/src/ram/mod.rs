//! Sessions and jobs in RAM: for tests, and for hosts that keep nothing.
//!
//! A [`RamStore`] is a handle on data that several handles can share. Each handle is an owner of leases of its own, as a
//! process is: [`RamStore::sibling`] is a second process, dropping a handle is the death of one.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use mosaic_core::{SessionKey, SessionStore, StoreError};
//! use mosaic_storage::RamStore;
//! # let rows = vec![mosaic_core::Row { seq: mosaic_core::Seq(1), v: 1, kind: "created".into(), at: mosaic_core::Timestamp(0), bytes: "{}".into() }];
//!
//! let (one, two) = { let store = RamStore::new(); (store.sibling(), store) };
//! let key = SessionKey::new("user-42");
//! one.create(&key, rows).await?;
//! one.lease(&key).await?;
//! assert!(matches!(two.lease(&key).await, Err(StoreError::Leased { .. })));
//! drop(one); // the "process" dies
//! two.lease(&key).await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
//! ```

mod data;
mod jobs;
mod memory;
mod store;

pub use memory::RamMemories;
pub use store::RamStore;
