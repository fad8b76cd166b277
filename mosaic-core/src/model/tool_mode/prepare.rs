//! What a codec is given in place of a request's own members.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use super::schema;
use crate::model::{ModelRequest, OutputSpec, ToolChoice, ToolMode};
use crate::tool::ToolSpec;

/// What a codec is given in place of a request's own members.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The instructions, with the tools described where the provider's interface is not used.
    pub instructions: Arc<str>,
    /// Whether the tools go through the provider's interface.
    pub native_tools: bool,
    /// Whether tools must be called, where they go through the provider's interface.
    pub tool_choice: ToolChoice,
    /// The shape that the answer is forced into.
    pub output: Option<Arc<OutputSpec>>,
}

/// Prepares a request for a tool mode. A request without tools stays as it is.
#[must_use]
pub fn prepare(mode: ToolMode, request: &ModelRequest) -> Prepared {
    if mode == ToolMode::Native || request.tools.is_empty() {
        return Prepared {
            instructions: Arc::clone(&request.instructions),
            native_tools: true,
            tool_choice: request.tool_choice.clone(),
            output: request.output.clone(),
        };
    }
    let tools: Vec<&ToolSpec> =
        request.tools.iter().filter(|tool| may_be_called(&request.tool_choice, &tool.name)).collect();
    let (instructions, output) = match mode {
        ToolMode::JsonSchema => forced(request, &tools),
        _ => (in_text(request, &tools), None),
    };
    Prepared { instructions: instructions.into(), native_tools: false, tool_choice: ToolChoice::Auto, output }
}

/// Whether a choice allows a tool.
pub(super) fn may_be_called(choice: &ToolChoice, tool: &str) -> bool {
    match choice {
        ToolChoice::None => false,
        ToolChoice::Tool { name } => name == tool,
        ToolChoice::Auto | ToolChoice::Required => true,
    }
}

fn must_call(choice: &ToolChoice) -> bool {
    matches!(choice, ToolChoice::Required | ToolChoice::Tool { .. })
}

/// Without this, small models call a tool for a greeting.
const WHEN: &str = "Call a tool only when the answer needs something that a tool finds out or does. For a greeting, for \
small talk, and for what you already know or were told, answer yourself. When the result of a tool is there, answer \
with it and do not make the same call again.";

/// The same for forced answers, in the words that moved a small model the most.
const WHEN_FORCED: &str = "Call a tool when the user asks for what it does. After its result, reply to the user. \
Greetings and small talk need no tool.";

fn forced(request: &ModelRequest, tools: &[&ToolSpec]) -> (String, Option<Arc<OutputSpec>>) {
    let must = must_call(&request.tool_choice);
    let mut text = begun(&request.instructions);
    describe(&mut text, tools);
    let shape = match &request.output {
        Some(_) => "{\"final_answer\": {...}}",
        None => "{\"final_answer\": TEXT}",
    };
    let call = "{\"tool\": NAME, \"tool_input\": {...}}";
    let _ = match (tools.is_empty(), must) {
        (true, _) => writeln!(text, "To reply to the user, write {shape}."),
        (_, true) => writeln!(text, "Call a tool: write {call}."),
        _ => writeln!(
            text,
            "To call a tool, write {call}. You will then be given its result. To reply to the user, write {shape}.\n\
             {WHEN_FORCED}"
        ),
    };
    let free = json!({"type": "string"});
    let answer = request.output.as_ref().map_or(&free, |output| &output.schema);
    let wanted = if must { None } else { Some(answer) };
    let schema = schema::answer(tools.iter().copied(), wanted);
    (text, Some(Arc::new(OutputSpec { name: "answer".into(), schema })))
}

fn in_text(request: &ModelRequest, tools: &[&ToolSpec]) -> String {
    let mut text = begun(&request.instructions);
    describe(&mut text, tools);
    if !tools.is_empty() {
        text.push_str(
            "To call a tool, write this and nothing after it:\n\
             <tool_call>\n{\"name\": \"the tool\", \"arguments\": {...}}\n</tool_call>\n\n",
        );
        let when = if must_call(&request.tool_choice) { "Call a tool now." } else { WHEN };
        text.push_str(when);
        text.push('\n');
    }
    if let Some(output) = &request.output {
        let _ = writeln!(
            text,
            "\nThe answer to the user must be JSON and nothing else, and fit this JSON Schema: {}",
            output.schema
        );
    }
    text
}

fn begun(instructions: &str) -> String {
    match instructions {
        "" => String::new(),
        some => format!("{some}\n\n"),
    }
}

fn describe(text: &mut String, tools: &[&ToolSpec]) {
    if tools.is_empty() {
        return;
    }
    text.push_str("You have these tools:\n");
    for tool in tools {
        let _ = writeln!(
            text,
            "- {}: {} Parameters as JSON Schema: {}",
            tool.name, tool.description, tool.input_schema
        );
    }
    text.push('\n');
}
