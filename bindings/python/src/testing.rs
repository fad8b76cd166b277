//! A scripted model, for programs that test their agents offline.

use std::sync::Arc;

use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{ErrorKind, GroupBody, ModelError, ModelRequest, ToolSpec};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// A piece of an answer, as `mosaic.testing` writes it.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Beat {
    Text { pieces: Vec<String> },
    Reasoning { text: String },
    Call { tool: String, input: Value },
    RawCall { tool: String, arguments: String },
    Never,
    Fail { kind: ErrorKind, message: String },
}

/// A model that follows a script.
#[pyclass(frozen, module = "mosaic._mosaic", name = "ScriptedModel")]
pub(crate) struct PyScriptedModel {
    /// Shared by the agents that are made of it, so that a router over it is one router.
    pub(crate) model: Arc<ScriptedModel>,
}

#[pymethods]
impl PyScriptedModel {
    #[new]
    fn new() -> Self {
        Self { model: Arc::new(ScriptedModel::new([])) }
    }

    /// Adds an answer, in JSON.
    fn push(&self, answer: &str) -> PyResult<()> {
        let beats: Vec<Beat> = serde_json::from_str(answer)
            .map_err(|error| PyValueError::new_err(format!("no answer: {error}")))?;
        let answer = beats.into_iter().fold(Answer::new(), |answer, beat| match beat {
            Beat::Text { pieces } => answer.then_deltas(pieces),
            Beat::Reasoning { text } => answer.then_reasoning(text),
            Beat::Call { tool, input } => answer.then_call(tool, input),
            Beat::RawCall { tool, arguments } => answer.then_raw_call(tool, arguments),
            Beat::Never => answer.then_never(),
            Beat::Fail { kind, message } => answer.fail(ModelError::new(kind, message)),
        });
        self.model.push(answer);
        Ok(())
    }

    /// What it was asked, as JSON.
    fn requests(&self) -> String {
        Value::from_iter(self.model.requests().iter().map(request)).to_string()
    }

    /// How many answers were cancelled before their end.
    fn cancelled(&self) -> usize {
        self.model.cancelled()
    }
}

fn request(request: &ModelRequest) -> Value {
    let messages = request.groups.iter().flat_map(|group| match group.body() {
        GroupBody::User { parts } => vec![json!({"role": "user", "parts": parts})],
        GroupBody::Assistant { parts, results, .. } => {
            let said = json!({"role": "assistant", "parts": parts});
            let results = results.iter().map(|result| json!({"role": "tool", "result": result}));
            std::iter::once(said).chain(results).collect()
        }
        _ => Vec::new(),
    });
    json!({
        "instructions": request.instructions,
        "tools": Value::from_iter(request.tools.iter().map(|spec: &ToolSpec| &*spec.name)),
        "output": request.output,
        "messages": Value::from_iter(messages),
    })
}
