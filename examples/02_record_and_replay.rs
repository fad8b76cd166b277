//! Record what an agent does, and replay it offline: the test that says when an agent does something else.
//!
//! `cargo run --example 02_record_and_replay`
#![allow(clippy::print_stdout)]

use std::error::Error;

use mosaic::prelude::*;
use mosaic::recording::run::{RunRecorder, RunReplay};
use mosaic::testing::{Answer, ScriptedModel};

/// Weather of a city.
#[tool(effect = ReadOnly, timeout = "10s")]
async fn weather(city: String) -> String {
    format!("No rain in {city}.")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("mosaic-runs-{}.jsonl", std::process::id()));

    // Once, with the real model: .model("openai:gpt-4o-mini"), with OPENAI_API_KEY in the environment.
    let model = ScriptedModel::new([
        Answer::call("weather", serde_json::json!({"city": "Oslo"})),
        Answer::deltas(["It stays ", "dry in Oslo."]),
    ]);
    let agent = Agent::builder("assistant").model(model).instructions("Be brief.").tool(weather).build()?;
    let recorder = RunRecorder::create(&path)?;
    let mosaic = Mosaic::builder().record_runs(&recorder).open("memory:").await?;
    mosaic.session("user-42", &agent).await?.send("Rain in Oslo?").await?.finish().await?;
    mosaic.close().await?;
    recorder.close()?;

    // Ever after, in a test: no model is asked and no tool is run.
    let offline = |instructions: &'static str| {
        Agent::builder("assistant").model("no:model").instructions(instructions).tool(weather).build()
    };
    let replay = RunReplay::open(&path)?;
    for session in replay.replay(&offline("Be brief.")?)?.sessions {
        println!(
            "{}: {} entries, {} steps, as recorded",
            session.key,
            session.entries.len(),
            session.steps.len()
        );
    }
    match replay.replay(&offline("Be brief, and rhyme.")?) {
        Ok(_) => println!("nothing changed"),
        Err(error) => println!("{error}"),
    }
    std::fs::remove_file(&path)?;
    Ok(())
}
