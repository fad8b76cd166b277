//! What a host sees of a session: finished things, numbered, and what is being said right now.
//!
//! An event is either an [`Entry`] of the log or a live piece of the message that is being written. Entries are stored;
//! live pieces are not. A subscription is a [`Cursor`] over both: it never blocks the driver (a slow reader gets larger
//! pieces), and it resumes from any cursor, on any process. Whoever joins late still gets the whole text: what was said
//! before is delivered as one piece before the entry that holds it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{CallId, Seq};
use crate::router::RouteDecision;
use crate::session::Entry;

/// How far a subscriber has read: entries up to `seq`, and of the answer after it `part` up to `offset`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
pub struct Cursor {
    /// The last entry that was read.
    pub seq: Seq,
    /// The part of the answer after it that is being read.
    #[serde(default)]
    pub part: u32,
    /// Bytes of that part that were read.
    #[serde(default)]
    pub offset: u64,
}

impl Cursor {
    /// Right after an entry.
    #[must_use]
    pub fn after(seq: Seq) -> Self {
        Self { seq, part: 0, offset: 0 }
    }
}

/// Something that a host sees of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// More text of the answer that is being written.
    Text {
        /// The number of the model step.
        step: u64,
        /// The part of the answer.
        part: u32,
        /// The new piece.
        delta: String,
    },
    /// More reasoning.
    Reasoning {
        /// The number of the model step.
        step: u64,
        /// The part of the answer.
        part: u32,
        /// The new piece.
        delta: String,
    },
    /// More arguments of a call that is being written. Not yet checked; the entry counts.
    Arguments {
        /// The number of the model step.
        step: u64,
        /// The part of the answer.
        part: u32,
        /// The tool, as far as it is known.
        name: String,
        /// The new piece of JSON text.
        delta: String,
    },
    /// Where a model call went, and why: of a model that is a router. It comes when a candidate begins to answer, and again
    /// with what the answer took. Only the newest decision of a step is kept for slow readers; the entry of the step holds
    /// the last one.
    Route {
        /// The number of the model step.
        step: u64,
        /// Where, and why.
        decision: Arc<RouteDecision>,
    },
    /// The live pieces since the last entry are void: the answer begins anew.
    Restarted {
        /// The number of the model step that begins.
        step: u64,
    },
    /// A tool shows how far it is. Only the newest update of a call is kept for slow readers.
    Progress {
        /// The call.
        call: CallId,
        /// What the tool shows.
        update: Value,
    },
    /// Something finished: an entry of the log.
    Entry {
        /// The entry.
        #[serde(flatten)]
        #[schemars(with = "Entry")]
        entry: Arc<Entry>,
    },
}
