//! The same work through Mosaic: an engine over a store, a session, an agent with one tool, a model behind HTTP.

mod alone;
pub mod setup;
mod stored;
mod turns;

use mosaic_storage::Durability;

use crate::Result;
use crate::api::Api;
use crate::measure::Measured;
use crate::scenario;
use crate::workload::Workload;

/// Does a workload against the mock at `url`.
///
/// # Errors
/// When the work was not done.
pub async fn run(workload: Workload, url: &str) -> Result<Measured> {
    match workload {
        Workload::A => turns::cold_start(url).await,
        Workload::B => alone::agents(),
        Workload::C => turns::tool_turns(url).await,
        Workload::D => turns::stream(url, scenario::STREAM_MODEL, Api::first()).await,
        Workload::DOf(api) => turns::stream(url, scenario::STREAM_MODEL, api.api()).await,
        Workload::D64 => turns::stream(url, scenario::JOINED_MODEL, Api::first()).await,
        Workload::E => turns::many_sessions(url).await,
        Workload::F => turns::long_history(url, Api::first()).await,
        Workload::FOf(api) => turns::long_history(url, api.api()).await,
        Workload::GProcess => stored::tool_turns(url, Durability::Process).await,
        Workload::GFull => stored::tool_turns(url, Durability::Full).await,
        Workload::Alone => alone::turns().await,
        Workload::Idle => alone::idle_sessions().await,
    }
}
