//! The work by hand: tokio, reqwest and serde, one function a workload.
//!
//! What somebody writes who wants just this and nothing else: no retries, no deadlines, no log, no cancel. No library can do
//! the work for less; how much more it takes is what is measured.

mod client;
mod stored;
mod turns;
mod wire;

use crate::measure::Measured;
use crate::workload::Workload;
use crate::{Error, Result};

/// Does a workload against the mock at `url`.
///
/// # Errors
/// When the workload has no floor, or the work was not done.
pub async fn run(workload: Workload, url: &str) -> Result<Measured> {
    match workload {
        Workload::A => turns::cold_start(url).await,
        Workload::C => turns::tool_turns(url).await,
        Workload::D => turns::stream(url, crate::scenario::STREAM_MODEL).await,
        Workload::D64 => turns::stream(url, crate::scenario::JOINED_MODEL).await,
        Workload::E => turns::many_sessions(url).await,
        Workload::F => turns::long_history(url).await,
        Workload::GProcess => stored::tool_turns(url, stored::Synchronous::Normal).await,
        Workload::GFull => stored::tool_turns(url, stored::Synchronous::Full).await,
        Workload::B | Workload::Alone | Workload::Idle => {
            Err(Error::from(format!("{workload} has no floor: there is nothing to do by hand")))
        }
        Workload::DOf(_) | Workload::FOf(_) => {
            Err(Error::from(format!("{workload} has the floor of {}", workload.floor())))
        }
    }
}
