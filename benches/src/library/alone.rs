//! What needs no network: agents, idle sessions, and the framework by itself.

use std::sync::Arc;

use mosaic_core::{Agent, ChatModel, Tool};

use super::setup::{Weather, agent, engine_in_ram, messages, turn};
use crate::Result;
use crate::allocator;
use crate::measure::{Measured, Meter};
use crate::played::PlayedModel;
use crate::scenario::{self, check};

/// Turns before and within the measured part.
const TURNS: (u64, u64) = (100, 1_000);

pub(super) fn agents() -> Result<Measured> {
    let model: Arc<dyn ChatModel> = PlayedModel::calling();
    let tool: Arc<dyn Tool> = Arc::new(Weather::new()?);
    let mut agents = Vec::with_capacity(scenario::AGENTS as usize);
    let meter = Meter::start();
    for _ in 0..scenario::AGENTS {
        let agent = Agent::builder("bench").model(model.clone()).instructions(scenario::INSTRUCTIONS);
        agents.push(agent.tools([tool.clone()]).build()?);
    }
    let measured = meter.stop(scenario::AGENTS);
    check("agents", agents.len() as u64, scenario::AGENTS)?;
    Ok(measured)
}

pub(super) async fn turns() -> Result<Measured> {
    let session = engine_in_ram().session("bench", &agent(PlayedModel::calling())?).await?;
    for number in 0..TURNS.0 {
        turn(&session, number).await?;
    }
    let meter = Meter::start();
    for number in 0..TURNS.1 {
        turn(&session, number).await?;
    }
    let measured = meter.stop(TURNS.1);
    check("messages", messages(&session).await?, 4 * (TURNS.0 + TURNS.1))?;
    Ok(measured)
}

pub(super) async fn idle_sessions() -> Result<Measured> {
    let engine = engine_in_ram();
    let agent = agent(PlayedModel::calling())?;
    let mut sessions = Vec::with_capacity(scenario::SESSIONS as usize);
    let before = allocator::counts().live;
    let meter = Meter::start();
    for name in 0..scenario::SESSIONS {
        sessions.push(engine.session(format!("session-{name}"), &agent).await?);
    }
    let measured = meter.stop(scenario::SESSIONS);
    let kept = allocator::counts().live.saturating_sub(before);
    check("sessions", sessions.len() as u64, scenario::SESSIONS)?;
    Ok(measured.with("kept_bytes", kept as f64))
}
