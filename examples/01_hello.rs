//! The smallest agent: a model, a tool, a session. Runs offline, because its model follows a script.
//!
//! `cargo run --example 01_hello`
#![allow(clippy::print_stdout)]

use mosaic::prelude::*;
use mosaic::testing::{Answer, ScriptedModel};

/// Weather of a city.
#[tool(effect = ReadOnly, timeout = "10s")]
async fn weather(city: String) -> String {
    format!("No rain in {city}.")
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    // In its place: .model("openai:gpt-4o-mini"), with OPENAI_API_KEY in the environment.
    let model = ScriptedModel::new([
        Answer::text("Let me look. ").then_call("weather", serde_json::json!({"city": "Oslo"})),
        Answer::deltas(["It stays ", "dry in Oslo."]),
    ]);
    let agent = Agent::builder("assistant").model(model).instructions("Be brief.").tool(weather).build()?;

    let mosaic = Mosaic::open("memory:").await?; // sqlite://app.db keeps the session
    let session = mosaic.session("user-42", &agent).await?;
    let mut run = session.send("Rain in Oslo?").await?;
    while let Some(event) = run.next().await {
        if let Event::Text { delta, .. } = event {
            print!("{delta}");
        }
    }
    let reply = run.finish().await?;
    println!("\n({:?}, entries {} to {})", reply.end, reply.entries.0, reply.entries.1);
    mosaic.close().await?;
    Ok(())
}
