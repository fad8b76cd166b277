//! Names and numbers of things: sessions, runs, calls, steps.
//!
//! Ids that Mosaic makes are UUIDv7; names are the host's; everything else (`CallId`, `StepId`) is *derived from the
//! log*, so that folding a log gives the same ids as having lived through it.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The position of an entry in a session's log. The first entry has number 1; 0 means "before the first".
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first entry.
    pub const ZERO: Seq = Seq(0);

    /// The number after this one.
    #[must_use]
    pub fn next(self) -> Seq {
        Seq(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which session: a tenant and a name that the host gives. Part of every key, read and write.
///
/// ```
/// use mosaic_core::SessionKey;
/// assert_eq!(SessionKey::new("user-42").to_string(), "default/user-42");
/// assert_eq!(SessionKey::of("acme", "user-42").to_string(), "acme/user-42");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SessionKey {
    /// Whose session it is. A store never returns another tenant's rows.
    pub tenant: Arc<str>,
    /// The host's name for it.
    pub name: Arc<str>,
}

impl SessionKey {
    /// The tenant of hosts that have only one.
    pub const DEFAULT_TENANT: &'static str = "default";

    /// A session of the default tenant.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self::of(Self::DEFAULT_TENANT, name)
    }

    /// A session of a tenant.
    pub fn of(tenant: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { tenant: tenant.into(), name: name.into() }
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.name)
    }
}

impl From<&str> for SessionKey {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for SessionKey {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<&SessionKey> for SessionKey {
    fn from(key: &SessionKey) -> Self {
        key.clone()
    }
}

/// One turn of work of a session, from an input to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RunId(#[schemars(with = "String")] pub Uuid);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One tool call of a session. Derived from the log: the number of the model step that asked for it, and its place
/// among the calls of that answer. The id that the provider gave is kept beside it as `wire_id`.
///
/// Only ASCII letters, digits and `_`, at most 40 characters: every provider takes that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CallId(pub Arc<str>);

impl CallId {
    /// The id of the call at `index` (from 0) in the answer of model step `step`.
    #[must_use]
    pub fn derive(step: u64, index: usize) -> Self {
        Self(format!("call_{step}_{index}").into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the id has not been assigned yet: decoders leave it empty, the machine assigns it.
    #[must_use]
    pub fn is_unassigned(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One thing that is being done for a run. Derived from the log, so an outcome that arrives late, or twice, or for an
/// older attempt is recognised and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepId {
    /// A model call: the how-manieth of the session, counting every attempt.
    Model {
        /// From 1.
        number: u64,
    },
    /// A tool call.
    Tool {
        /// Which call.
        call: CallId,
        /// From 1.
        attempt: u32,
    },
    /// A compaction: the how-manieth of the session, counting every attempt.
    Compact {
        /// From 1.
        number: u64,
    },
    /// Gathering what the model should know: the how-manieth of the session.
    Gather {
        /// From 1.
        number: u64,
    },
    /// A question that waits for its answer or its deadline.
    Ask {
        /// Which question: the number of its entry.
        question: Seq,
    },
    /// A wait before the next model call.
    Wait {
        /// The entry that asked for the wait.
        after: Seq,
    },
}
