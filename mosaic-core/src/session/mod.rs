//! Sessions: the log, the machine that reads it, the driver that acts, and what the host holds.
//!
//! ```text
//! Session::send ──> Input (durable) ──> driver: machine.steps() ──> model call, tools ──> outcome
//!                                          ▲                                             │
//!                                          └── apply(entry) <── append <── decide() <────┘
//! Run::next <── cursor over the log and the live tail
//! ```

mod driver;
mod ended;
mod entry;
mod error;
mod feed;
mod handle;
mod log;
pub mod machine;
mod run;
mod shared;
mod spec;

pub(crate) use driver::{Answer, request};
pub use ended::{EndedRun, RunEntries};
pub use entry::{
    About, Body, CallStart, CancelReason, Decision, Entry, EntryError, FORMAT, ForkPoint, InputDelivery,
    LimitKind, NoticeKind, RunEnd,
};
pub use error::SessionError;
pub(crate) use feed::Feed;
pub use handle::{Input, Session};
pub(crate) use log::bound;
pub use log::{Log, path};
pub use machine::{CompactionPolicy, Phase, RecoveryPolicy};
pub use run::{Canceller, Reply, Run};
pub use shared::read as read_entries;
pub(crate) use shared::{Bound, Shared, Surroundings, read};
pub use spec::SessionSpec;
