//! Models, as Python describes them.

use std::sync::Arc;

use mosaic_core::testing::ScriptedModel;
use mosaic_core::{ErrorKind, ErrorReport, ModelChoice};
use serde::Deserialize;

use crate::bridge::{Failure, Outcome};

/// A model.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Model {
    Named(String),
    /// Its place among the scripted models that come with the description.
    Scripted(usize),
}

impl Model {
    pub(crate) fn choice(self, scripted: &[Arc<ScriptedModel>]) -> Outcome<ModelChoice> {
        match self {
            Self::Named(name) => Ok(ModelChoice::from(name)),
            Self::Scripted(place) => scripted.get(place).cloned().map(ModelChoice::from).ok_or_else(|| {
                let why = format!("there is no scripted model {place}");
                Failure::report(ErrorReport::new(ErrorKind::InvalidRequest, why))
            }),
        }
    }
}
