//! What a request with an output becomes.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::OutputMode;
use crate::model::{ModelRequest, OutputSpec, ToolChoice, ToolMode};
use crate::tool::{ToolSpec, ToolSpecs};

/// The members of a request that the output mode changes.
#[derive(Debug, Clone)]
pub struct Shaped {
    /// The instructions, with the shape in them where the model is told.
    pub instructions: Arc<str>,
    /// The tools, with the final answer among them where it is one.
    pub tools: Arc<ToolSpecs>,
    /// Whether they must be called.
    pub tool_choice: ToolChoice,
    /// How the answer is to be read.
    pub reading: Reading,
}

/// How an answer is to be read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The shape that it should have.
    pub(super) output: Arc<OutputSpec>,
    /// The tool that takes it, if one does.
    pub(super) tool: Option<AnswerTool>,
}

/// The tool that takes the final answer.
#[derive(Debug, Clone)]
pub(super) struct AnswerTool {
    pub(super) name: Arc<str>,
    /// Its input holds the answer in a member: a tool's input is always an object.
    pub(super) wrapped: bool,
}

/// The member that holds an answer that is no object.
pub(super) const MEMBER: &str = "answer";

/// Shapes a request for an output mode. `None` where nothing is to be done: no output, or the provider takes care of it.
#[must_use]
pub fn shape(mode: OutputMode, tools: ToolMode, request: &ModelRequest) -> Option<Shaped> {
    let output = request.output.as_ref()?;
    let must_call = matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Tool { .. });
    let as_they_are = |instructions| Shaped {
        instructions,
        tools: Arc::clone(&request.tools),
        tool_choice: request.tool_choice.clone(),
        reading: Reading { output: Arc::clone(output), tool: None },
    };
    match mode.beside(tools, request) {
        OutputMode::Native => None,
        // The host wants a call of a real tool now, and the answer after it.
        _ if must_call => Some(as_they_are(Arc::clone(&request.instructions))),
        OutputMode::Prompt => Some(as_they_are(told(request, output).into())),
        OutputMode::Tool => Some(through_a_tool(request, output)),
    }
}

fn told(request: &ModelRequest, output: &OutputSpec) -> String {
    let mut text = begun(&request.instructions);
    if !request.tools.is_empty() {
        text.push_str("Call tools as long as you need them. ");
    }
    let _ = write!(
        text,
        "Your answer to the user must be JSON that fits this JSON Schema, with no word and no fence around it: {}",
        output.schema
    );
    text
}

fn through_a_tool(request: &ModelRequest, output: &Arc<OutputSpec>) -> Shaped {
    let mut name = "final_answer".to_owned();
    while request.tools.get(&name).is_some() {
        name.push('_');
    }
    let wrapped = output.schema.get("type").and_then(Value::as_str) != Some("object");
    let schema = if wrapped { wrap(&output.schema) } else { output.schema.clone() };
    let description =
        "Gives the user the final answer. Call it once, when everything that the answer needs is known.";
    let mut tools: Vec<ToolSpec> = request.tools.iter().cloned().collect();
    let (when, tool_choice) = match (tools.is_empty(), &request.tool_choice) {
        // All tools stay in the request: providers refuse a conversation with calls of tools that are not there.
        (true, _) | (_, ToolChoice::None) => {
            (format!("Answer the user by calling `{name}`."), ToolChoice::Tool { name: name.clone() })
        }
        _ => (
            format!(
                "When you know enough, answer the user by calling `{name}`; there is no other way to answer."
            ),
            ToolChoice::Required,
        ),
    };
    tools.push(ToolSpec::new(name.as_str(), description, schema));
    Shaped {
        instructions: (begun(&request.instructions) + &when).into(),
        tools: Arc::new(ToolSpecs::new(tools)),
        tool_choice,
        reading: Reading {
            output: Arc::clone(output),
            tool: Some(AnswerTool { name: name.into(), wrapped }),
        },
    }
}

/// A schema as a member of an object. Its definitions move to the top, where references look for them.
fn wrap(schema: &Value) -> Value {
    let mut inner = schema.clone();
    let mut outer = Map::new();
    if let Value::Object(members) = &mut inner {
        members.remove("$schema");
        for place in ["$defs", "definitions"] {
            outer.extend(members.remove_entry(place));
        }
    }
    outer.insert("type".to_owned(), "object".into());
    outer.insert("properties".to_owned(), json!({ MEMBER: inner }));
    outer.insert("required".to_owned(), json!([MEMBER]));
    outer.insert("additionalProperties".to_owned(), false.into());
    Value::Object(outer)
}

fn begun(instructions: &str) -> String {
    if instructions.is_empty() { String::new() } else { format!("{instructions}\n\n") }
}
