//! The agent, and the `Mosaic` that it lives in.

use std::time::Duration;

use mosaic::prelude::*;
use mosaic::providers::endpoint::{Endpoint, known};
use mosaic::{AgentBuilder, ModelInfo, ModelParams, ModelRef, MosaicBuilder, RecoveryPolicy};

use crate::options::Options;
use crate::tools;

/// Small models call tools for a greeting, or none at all, unless they are told when.
const INSTRUCTIONS: &str = "You are a helpful assistant. Use a tool only if the user's message needs it: calculate for \
arithmetic, add_note to write something down, clock for the time. Be brief.";

const CHAT: &str = "You are a helpful assistant. Be brief.";

/// Opens the database of the demo.
pub(crate) async fn open(options: &Options) -> Result<Mosaic, Error> {
    opening(options)?.open(url(options)).await
}

/// A Mosaic that knows the model.
pub(crate) fn opening(options: &Options) -> Result<MosaicBuilder, Error> {
    let name = name(options)?;
    let mut info = ModelInfo::new(name.provider(), name.model());
    info.tool_mode = options.tool_mode;
    let mut builder = Mosaic::builder().model_info(info);
    if let Some(url) = &options.base_url {
        builder = builder.endpoint(endpoint(name.provider(), url));
    }
    Ok(builder)
}

pub(crate) fn url(options: &Options) -> String {
    format!("sqlite:{}", database(options))
}

/// Where the database lies.
pub(crate) fn database(options: &Options) -> String {
    options.folder.join("demo.db").display().to_string()
}

/// A known provider keeps its ways at another address; any other speaks like OpenAI. A server on this machine wants no key.
fn endpoint(provider: &str, url: &str) -> Endpoint {
    let read = |name: &str| std::env::var(name).ok();
    match known().iter().any(|row| row.name == provider).then(|| Endpoint::known(provider, read)) {
        Some(Ok(endpoint)) => endpoint.at(url),
        _ => Endpoint::compatible(provider, url),
    }
}

fn name(options: &Options) -> Result<ModelRef, Error> {
    Ok(options.model.as_deref().unwrap_or("local:default").parse()?)
}

pub(crate) fn agent(options: &Options) -> Result<Agent, Error> {
    let agent = plain(options)?;
    let agent = if options.tools {
        agent.instructions(INSTRUCTIONS).tool(tools::calculate).tool(tools::add_note).tool(tools::clock)
    } else {
        agent
    };
    Ok(agent.build()?)
}

/// An agent without tools.
pub(crate) fn plain(options: &Options) -> Result<AgentBuilder, Error> {
    let mut params = ModelParams::default();
    if options.base_url.is_some() {
        // For a small model the likeliest word is the best one, and a long answer is a lost one.
        params.temperature = Some(0.0);
        params.max_output_tokens = Some(256);
    }
    let limits = Limits { max_steps: 6, run_timeout: Duration::from_secs(300), ..Limits::default() };
    Ok(Agent::builder("demo")
        .recovery(RecoveryPolicy::Ask)
        .model(name(options)?)
        .params(params)
        .limits(limits)
        .instructions(CHAT))
}
