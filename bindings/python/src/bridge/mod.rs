//! Between tokio and asyncio.
//!
//! ```text
//!   Python thread (event loop)                 dispatcher thread                tokio workers
//!   future_into_py: create_future() ─────────────────────────────────────────> spawn(work)
//!        │ done callback: was it cancelled? ── oneshot ──────────────────────>   select(work, cancelled)
//!        │                                                                       │ result
//!        │                                     one wake an inbox    <── push ─── Inbox (one an event loop)
//!   drain the inbox: set_result, ...  <────── call_soon_threadsafe
//! ```
//!
//! # Why not something off the shelf
//! * **No tokio thread ever touches Python.** A worker that attaches to the interpreter while that is shutting down
//!   crashes the process; so only the dispatcher does, and `atexit` joins it, then stops tokio, before the interpreter
//!   goes.
//! * **One wake a burst.** Waking an event loop from another thread is what costs (tens of microseconds); an inbox wakes
//!   its loop once for everything that gathers meanwhile.
//! * **Nothing hangs.** A forked child gets an error at once, as does a call after shutdown; a panic becomes an
//!   exception; what is meant for a closed loop is dropped.

mod dispatch;
mod failure;
mod future;
mod inbox;
mod process;

pub(crate) use failure::{Failure, Outcome};
pub(crate) use future::{NOTHING, future_into_py};
pub(crate) use inbox::Inbox;
pub(crate) use process::{assert_same_process, runtime, shutdown};
