//! What a store keeps and hands out.

use std::borrow::Cow;

use bytes::Bytes;

use crate::id::{Seq, SessionKey};
use crate::runtime::Timestamp;

/// A stored entry. Its bytes mean nothing to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its place in the log.
    pub seq: Seq,
    /// The version of the format of `bytes`.
    pub v: u16,
    /// What it is, for people who look into a database.
    pub kind: Cow<'static, str>,
    /// When it was written.
    pub at: Timestamp,
    /// The entry.
    pub bytes: Bytes,
}

/// When an append returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flush {
    /// When the rows are safe.
    #[default]
    Durable,
    /// When their order is fixed; they become safe with the next durable append.
    Ordered,
}

/// The right to append to a session, until it is released or fenced off by a newer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The session.
    pub key: SessionKey,
    /// Greater than that of every lease given before; only the newest of a session may append.
    pub epoch: u64,
    /// The last number of the log when the lease was given: what the holder has not read yet ends there.
    pub last: Seq,
}

/// What a store knows of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// The session.
    pub key: SessionKey,
    /// The last number of its log.
    pub last: Seq,
    /// When its first row was written.
    pub created: Timestamp,
    /// When its last row was written.
    pub updated: Timestamp,
}

/// Which sessions to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOptions {
    /// Only names that begin with this.
    pub prefix: String,
    /// Only names after this one: the last name of the page before.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

impl Default for ListOptions {
    fn default() -> Self {
        Self { prefix: String::new(), after: None, limit: 100 }
    }
}
