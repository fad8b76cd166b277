//! Where rows go when they grow old: what a store keeps of it, and how that changes.
//!
//! Rows leave a store for an [`Archive`](crate::archive::Archive) in *segments*. The archive and the store are two places, so a segment
//! has a state in the store's register, and one change, made in one step, moves rows from one place to the other:
//!
//! | change | no such name | announced | sealed | condemned |
//! | --- | --- | --- | --- | --- |
//! | `Announce`, before its file is written | announced | conflict | conflict | conflict |
//! | `Seal`, when its file is durable | conflict | **sealed** | conflict | conflict |
//! | `Condemn`, before its file is removed | conflict | condemned | condemned | conflict |
//! | `Forget`, after its file was removed | nothing | conflict | conflict | gone |
//!
//! So a file that nobody announced does not exist, one that is sealed is whole, and what a crash leaves behind is announced or
//! condemned: the next pass removes it. Names are never used twice.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Day, LogKey, LogRowId, LogTable};
use crate::runtime::Timestamp;

/// What summaries are told apart by.
pub const SUMMARY: &[LogKey] = &[LogKey::Day, LogKey::User, LogKey::Agent, LogKey::Name, LogKey::Status];

/// A file of an archive: rows of one tenant and one day, compressed, each user's in a frame of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Segment {
    /// Its name in the archive. Tells nothing of whose it is.
    pub name: Arc<str>,
    /// The day on which its rows began.
    pub day: Day,
    /// The time of the first row.
    pub first: Timestamp,
    /// The time of the last row.
    pub last: Timestamp,
    /// How many rows.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Whether its rows are counted in the summaries. No longer, once those of its day were dropped.
    pub counted: bool,
    /// The frames, in the order of the file.
    pub frames: Vec<Frame>,
}

/// A part of a segment: the rows of one user, or of nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Frame {
    /// Whose rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<str>>,
    /// Where it begins in the file.
    pub offset: u64,
    /// Bytes that it has there.
    pub bytes: u64,
    /// Bytes of its JSON lines.
    pub raw: u64,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 of its bytes in the file, in hexadecimal.
    pub digest: String,
}

/// A name in a store's register of segments.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registered {
    /// Its file may exist, whole or not. Its rows are where they were.
    Announced {
        /// Which.
        name: Arc<str>,
    },
    /// Its file is whole, and its rows are there and nowhere else.
    Sealed {
        /// Which.
        segment: Segment,
    },
    /// Its file is to be removed.
    Condemned {
        /// Which.
        name: Arc<str>,
        /// Since when.
        since: Timestamp,
    },
}

impl Registered {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Announced { name } | Self::Condemned { name, .. } => name,
            Self::Sealed { segment } => &segment.name,
        }
    }
}

/// A step of rows on their way. Several are made together, all or none.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TierChange {
    /// A file of this name is about to be written.
    Announce {
        /// The name, never used before.
        name: Arc<str>,
        /// The day of its rows.
        day: Day,
    },
    /// The file is durable and was read back: the segment counts.
    Seal {
        /// The segment.
        segment: Segment,
    },
    /// The file is to be removed: the segment no longer counts.
    Condemn {
        /// Which.
        name: Arc<str>,
        /// When that was decided.
        at: Timestamp,
    },
    /// The file is gone.
    Forget {
        /// Which.
        name: Arc<str>,
    },
    /// Takes rows out of the store. A conflict unless all of them are there.
    Take {
        /// Which.
        ids: Vec<LogRowId>,
    },
    /// Adds to the summaries.
    Count {
        /// By [`SUMMARY`].
        table: LogTable,
    },
    /// Takes from the summaries. What comes to no rows is removed.
    Uncount {
        /// By [`SUMMARY`].
        table: LogTable,
    },
    /// Drops the summaries of all days before one; the segments of these days are no longer counted.
    DropSummaries {
        /// The first day that stays.
        before: Day,
    },
}

/// How much a tenant has of a day that was not moved yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HotDay {
    /// The day.
    pub day: Day,
    /// Rows that began on it.
    pub rows: u64,
    /// About how many bytes they have.
    pub bytes: u64,
}
