//! Memory, as Python describes it.

use std::sync::Arc;

use mosaic::memory::embed::HashingEmbedder;
use mosaic::{EmbedderChoice, MemorySetup};
use mosaic_core::memory::EmbedderInfo;
use mosaic_core::port::Port;
use mosaic_core::testing::ScriptedModel;
use serde::Deserialize;

use crate::bridge::Outcome;
use crate::model::Model;

/// What is remembered with.
#[derive(Deserialize)]
pub(crate) struct Description {
    embedder: Embedder,
    #[serde(default)]
    extract_with: Option<Model>,
    #[serde(default)]
    summarize_with: Option<Model>,
    #[serde(default)]
    recalled: Option<usize>,
    #[serde(default)]
    preferences: Option<usize>,
    #[serde(default)]
    budget: Option<u64>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Embedder {
    Named { name: String },
    Hashing { dimensions: usize },
    Host { handle: u64, model: String, batch: Option<usize> },
}

impl Description {
    pub(crate) fn setup(self, port: &Port, scripted: &[Arc<ScriptedModel>]) -> Outcome<MemorySetup> {
        let embedder: EmbedderChoice = match self.embedder {
            Embedder::Named { name } => name.into(),
            Embedder::Hashing { dimensions } => Arc::new(HashingEmbedder::new(dimensions)).into(),
            Embedder::Host { handle, model, batch } => {
                let info = EmbedderInfo { max_inputs: batch, ..EmbedderInfo::new("host", model) };
                Arc::new(port.embedder(info, handle)).into()
            }
        };
        let mut setup = MemorySetup::new(embedder).options(|options| {
            options.recalled = self.recalled.unwrap_or(options.recalled);
            options.preferences = self.preferences.unwrap_or(options.preferences);
            options.budget = self.budget.unwrap_or(options.budget);
        });
        if let Some(model) = self.extract_with {
            setup = setup.extract_with(model.choice(scripted)?);
        }
        if let Some(model) = self.summarize_with {
            setup = setup.summarize_with(model.choice(scripted)?);
        }
        Ok(setup)
    }
}
