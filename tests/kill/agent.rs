//! The agent of the kill test: a model that needs no memory of its own, and tools that leave a trace outside.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mosaic::testing::{Answer, ScriptedModel};
use mosaic::{Agent, Effect, GroupBody, ModelRequest, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use serde_json::{Value, json};

/// Spreads the bits of a number: the test's source of randomness.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The agent; its tools write into `effects`.
pub(crate) fn agent(effects: &Path) -> Agent {
    let tool = |name: &str, effect| Trace {
        spec: ToolSpec::new(name, "Leaves a trace.", json!({"type": "object", "properties": {}}))
            .effect(effect),
        file: effects.to_owned(),
    };
    Agent::builder("killed")
        .model(ScriptedModel::from_fn(answer))
        .instructions("Do it.")
        .tool(tool("once", Effect::Once))
        .tool(tool("idempotent", Effect::Idempotent))
        .tool(tool("read", Effect::ReadOnly))
        .build()
        .unwrap()
}

/// Depends on the conversation only, so that any process can go on with it.
fn answer(request: &ModelRequest) -> Answer {
    let length = request.groups.len() as u64;
    let dice = mix(length);
    let after_results = matches!(
        request.groups.last().map(|group| group.body()),
        Some(GroupBody::Assistant { results, .. }) if !results.is_empty()
    );
    let words = Answer::deltas(["Let me ", "see, ", "number ", &length.to_string()]);
    if after_results && dice.is_multiple_of(3) {
        return words;
    }
    (0..=dice % 3).fold(words, |answer, call| {
        let tool = ["once", "idempotent", "read"][(mix(dice + call) % 3) as usize];
        answer.then_call(tool, json!({}))
    })
}

/// A tool that appends a line to a file: `tool session key attempt`.
#[derive(Debug)]
struct Trace {
    spec: ToolSpec,
    file: PathBuf,
}

#[async_trait::async_trait]
impl Tool for Trace {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, ctx: &ToolContext, _: Value) -> Result<ToolOutput, ToolError> {
        let dice = ctx
            .idempotency_key
            .bytes()
            .fold(u64::from(ctx.attempt), |dice, byte| mix(dice ^ u64::from(byte)));
        let pause = |dice: u64| tokio::time::sleep(Duration::from_micros(dice % 1500));
        pause(dice).await;
        let line =
            format!("{} {} {} {}\n", self.spec.name, ctx.session.name, ctx.idempotency_key, ctx.attempt);
        // One write, so that a kill leaves the whole line or none of it.
        let mut file = OpenOptions::new().append(true).create(true).open(&self.file).unwrap();
        file.write_all(line.as_bytes()).unwrap();
        pause(mix(dice)).await;
        Ok(ToolOutput::text("done"))
    }
}
