//! The workloads that talk to the mock and keep nothing on disk.

use mosaic_core::Event;

use super::setup::{Models, agent, engine_in_ram, messages, turn};
use crate::api::Api;
use crate::measure::{Measured, Meter};
use crate::played::PlayedModel;
use crate::scenario::{self, check};
use crate::{Error, Result};

pub(super) async fn cold_start(url: &str) -> Result<Measured> {
    let meter = Meter::of_the_process();
    let engine = engine_in_ram();
    let agent = Models::new(url)?.agent(scenario::TOOL_MODEL)?;
    turn(&engine.session("bench", &agent).await?, 0).await?;
    Ok(meter.stop(1))
}

pub(super) async fn tool_turns(url: &str) -> Result<Measured> {
    let engine = engine_in_ram();
    let agent = Models::new(url)?.agent(scenario::TOOL_MODEL)?;
    // The connection is there before the measured part.
    turn(&engine.session("warm", &agent).await?, 0).await?;
    let session = engine.session("bench", &agent).await?;
    let meter = Meter::start();
    for number in 0..scenario::TURNS {
        turn(&session, number).await?;
    }
    let measured = meter.stop(scenario::TURNS);
    check("messages", messages(&session).await?, 4 * scenario::TURNS)?;
    Ok(measured)
}

pub(super) async fn stream(url: &str, model: &str, api: &'static Api) -> Result<Measured> {
    let engine = engine_in_ram();
    let models = Models::new(url)?.api(api);
    turn(&engine.session("warm", &models.agent(scenario::TEXT_MODEL)?).await?, 0).await?;
    let session = engine.session("bench", &models.agent(model)?).await?;
    let meter = Meter::start();
    let mut run = session.send(scenario::question(0)).await?;
    let (mut bytes, mut events) = (0, 0_u64);
    while let Some(event) = run.next().await {
        if let Event::Text { delta, .. } = event {
            bytes += delta.len() as u64;
            events += 1;
        }
    }
    let reply = run.finish().await?;
    let measured = meter.stop(scenario::CHUNKS);
    check("bytes", bytes, 8 * scenario::CHUNKS)?;
    check("text", reply.text.len() as u64, bytes)?;
    check("tokens", reply.usage.output, scenario::CHUNKS)?;
    Ok(measured.with("events", events as f64))
}

pub(super) async fn many_sessions(url: &str) -> Result<Measured> {
    let engine = engine_in_ram();
    let models = Models::new(url)?;
    turn(&engine.session("warm", &models.agent(scenario::TOOL_MODEL)?).await?, 0).await?;
    let agent = models.agent(scenario::THINKING_MODEL)?;
    let meter = Meter::start();
    let sessions: Vec<_> = (0..scenario::SESSIONS)
        .map(|name| {
            let (engine, agent) = (engine.clone(), agent.clone());
            tokio::spawn(async move {
                let session = engine.session(format!("session-{name}"), &agent).await?;
                for number in 0..scenario::SESSION_TURNS {
                    turn(&session, number).await?;
                }
                Ok::<_, Error>(session)
            })
        })
        .collect();
    let mut done = Vec::with_capacity(sessions.len());
    for session in sessions {
        done.push(session.await??);
    }
    let measured = meter.stop(scenario::SESSIONS);
    for session in done {
        check("messages", messages(&session).await?, 4 * scenario::SESSION_TURNS)?;
    }
    Ok(measured)
}

pub(super) async fn long_history(url: &str, api: &'static Api) -> Result<Measured> {
    let engine = engine_in_ram();
    let elder = agent(PlayedModel::saying(&scenario::old_message(1)))?;
    let session = engine.session("bench", &elder).await?;
    for number in 0..scenario::HISTORY / 2 {
        session.send(scenario::old_message(2 * number)).await?.finish().await?;
    }
    let agent = Models::new(url)?.api(api).agent(scenario::TEXT_MODEL)?;
    let session = engine.session("bench", &agent).await?;
    // The connection is there before the measured part, and the old messages have been sent.
    for number in 0..scenario::HISTORY_TURNS {
        turn(&session, number).await?;
    }
    let meter = Meter::start();
    for number in 0..scenario::HISTORY_TURNS {
        turn(&session, number).await?;
    }
    let measured = meter.stop(scenario::HISTORY_TURNS);
    check("messages", messages(&session).await?, scenario::HISTORY + 4 * scenario::HISTORY_TURNS)?;
    Ok(measured)
}
