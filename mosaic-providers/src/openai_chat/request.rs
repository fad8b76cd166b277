//! The whole request: settings, messages, tools.
//!
//! Settings come first and are small; the messages are joined from fragments without a look inside. A member of
//! `params.extra` replaces the codec's own of the same name, `messages` and `tools` too.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/create>

use mosaic_core::{Delivery, Encodable, EncodeError, HttpRequest, OutputSpec, Reasoning, ToolChoice};
use serde_json::{Value, json};

use super::quirks::{
    Caching, MaxTokens, NamedChoice, Quirks, ReasoningParam, RequiredChoice, Seed, StreamUsage, Structured,
    SystemRole,
};
use super::turns;
use crate::wire::request::{Body, EVENTS, Settings, accept};
use crate::wire::write::Writer;
use crate::wire::{functions, url};

/// The request.
pub(super) fn encode(request: &Encodable<'_>, quirks: &Quirks) -> Result<HttpRequest, EncodeError> {
    if let Some(output) = request.output {
        quirks.schemas.root(quirks.api).of_answer(output)?;
    }
    let mut body = Body::begin(request, settings(request, quirks))?;
    if body.lacks("messages") {
        body.out.key("messages").raw("[");
        instructions(request, quirks, &mut body.out);
        turns::join(request.fragments, quirks.turns, &mut body.out);
        body.out.raw("]");
    }
    // Where a tool cannot be forced by its name, it is the only one.
    let only = match (request.tool_choice, quirks.named_choice, request.tools) {
        (ToolChoice::Tool { name }, NamedChoice::Ignored, Some(tools)) => functions::only(tools, name),
        _ => None,
    };
    body.tools(only.as_ref().or(request.tools));
    let url = url::join(request.base_url, "/chat/completions");
    Ok(body.post(url, accept(request.delivery, EVENTS)))
}

fn instructions(request: &Encodable<'_>, quirks: &Quirks, out: &mut Writer) {
    // Where the server knows JSON, but no schema.
    let output = request.output.filter(|_| quirks.structured == Structured::JsonObject);
    let text = functions::told(request.instructions, output);
    if text.is_empty() {
        return;
    }
    let role = match quirks.system_role {
        SystemRole::System => "system",
        SystemRole::Developer => "developer",
    };
    out.raw(r#"{"role":"#).string(role).raw(r#","content":"#).string(&text).raw("}");
}

/// All members but the two long ones.
fn settings(request: &Encodable<'_>, quirks: &Quirks) -> Settings {
    let params = request.params;
    let mut all = Settings::default();
    let model = request.profile.origin.model.as_ref();
    all.set("model", Some(model.into()));
    let streamed = request.delivery == Delivery::Streamed;
    all.set("stream", Some(streamed.into()));
    let ask = streamed && quirks.stream_usage != StreamUsage::ComesByItself;
    all.set("stream_options", ask.then(|| json!({ "include_usage": true })));
    let cost = quirks.stream_usage == StreamUsage::AskWithCost;
    all.set("usage", cost.then(|| json!({ "include": true })));
    let cached = quirks.caching == Caching::AskedForAnthropic && model.starts_with("anthropic/");
    all.set("cache_control", cached.then(|| json!({ "type": "ephemeral" })));
    let limit = match quirks.max_tokens {
        MaxTokens::MaxTokens => "max_tokens",
        MaxTokens::MaxCompletionTokens => "max_completion_tokens",
    };
    all.set(limit, params.max_output_tokens.map(Value::from));
    all.set("temperature", params.temperature.map(Value::from));
    all.set("top_p", params.top_p.map(Value::from));
    all.set("stop", (!params.stop.is_empty()).then(|| params.stop.clone().into()));
    let seed = match quirks.seed {
        Seed::Seed => "seed",
        Seed::RandomSeed => "random_seed",
    };
    all.set(seed, params.seed.map(Value::from));
    if let Some((name, value)) =
        params.reasoning.and_then(|reasoning| thinking(reasoning, quirks.reasoning, model))
    {
        all.set(name, Some(value));
    }
    all.set("response_format", request.output.map(|output| response_format(output, quirks.structured)));
    if request.tools.is_some() {
        all.set("tool_choice", tool_choice(request.tool_choice, quirks));
    }
    all
}

fn tool_choice(choice: &ToolChoice, quirks: &Quirks) -> Option<Value> {
    let required = match quirks.required_choice {
        RequiredChoice::Required => "required",
        RequiredChoice::Any => "any",
    };
    Some(match choice {
        ToolChoice::None => "none".into(),
        ToolChoice::Required => required.into(),
        ToolChoice::Tool { name } => match quirks.named_choice {
            NamedChoice::Honoured => json!({ "type": "function", "function": { "name": name } }),
            NamedChoice::Ignored => required.into(),
        },
        // `auto` is what every server does by itself, and some refuse the member.
        _ => return None,
    })
}

fn thinking(reasoning: Reasoning, param: ReasoningParam, model: &str) -> Option<(&'static str, Value)> {
    let effort = match reasoning {
        Reasoning::Off => None,
        Reasoning::Low => Some("low"),
        Reasoning::Medium => Some("medium"),
        Reasoning::High => Some("high"),
        // A level of a newer core: the model's own default.
        _ => return None,
    };
    Some(match param {
        ReasoningParam::Effort => ("reasoning_effort", effort.unwrap_or("none").into()),
        ReasoningParam::Object => (
            "reasoning",
            effort.map_or_else(|| json!({ "enabled": false }), |effort| json!({ "effort": effort })),
        ),
        ReasoningParam::Thinking => {
            ("thinking", json!({ "type": if effort.is_some() { "enabled" } else { "disabled" } }))
        }
        ReasoningParam::Template => ("chat_template_kwargs", json!({ "enable_thinking": effort.is_some() })),
        ReasoningParam::Mistral if model.contains("magistral") => {
            ("prompt_mode", effort.map_or(Value::Null, |_| "reasoning".into()))
        }
        ReasoningParam::Mistral => {
            ("reasoning_effort", if effort.is_some() { "high" } else { "none" }.into())
        }
        ReasoningParam::Unsupported => return None,
    })
}

fn response_format(output: &OutputSpec, structured: Structured) -> Value {
    match structured {
        Structured::JsonObject => json!({ "type": "json_object" }),
        Structured::JsonSchema => json!({
            "type": "json_schema",
            "json_schema": { "name": output.name, "schema": output.schema, "strict": strict(&output.schema) },
        }),
    }
}

/// Whether the schema keeps to the dialect that OpenAI calls strict: an object at the root, every object closed, every
/// property required. A schema that does not would be refused with `strict: true`.
/// Source: <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>
pub(crate) fn strict(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
        && schema.get("anyOf").is_none()
        && closed(schema, 0)
}

fn closed(schema: &Value, depth: usize) -> bool {
    // OpenAI allows ten levels of nesting; a schema that is deeper is not strict, and this cannot run away.
    if depth > 32 {
        return false;
    }
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                let required = members.get("required").and_then(Value::as_array);
                let all = properties.keys().all(|name| {
                    required.is_some_and(|required| required.iter().any(|one| one.as_str() == Some(name)))
                });
                if !all || members.get("additionalProperties") != Some(&Value::Bool(false)) {
                    return false;
                }
            } else if members.get("type").and_then(Value::as_str) == Some("object") {
                return false;
            }
            let open = ["oneOf", "allOf", "not", "patternProperties", "default"];
            !open.iter().any(|name| members.contains_key(*name))
                && members.values().all(|value| closed(value, depth + 1))
        }
        Value::Array(values) => values.iter().all(|value| closed(value, depth + 1)),
        _ => true,
    }
}
