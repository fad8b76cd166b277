//! The neutral input, encoded, against the request that was recorded.
//!
//! Compared are the members that both have: model, messages, instructions, tools, tool choice, limits, temperature,
//! streaming, and the wanted shape of the answer. Both sides are first brought into one form. What that form leaves out is
//! the whole list of allowed differences:
//!
//! * A text alone, as a string or as a list of one part; no text, as `null`, `""`, or left out.
//! * `developer` and `system`; instructions as a string or as blocks; `max_completion_tokens` and `max_tokens`.
//! * Reasoning in `reasoning` or `reasoning_content`: the neutral input does not say in which it came.
//! * `stream: false` and `tool_choice: auto`, written or left out; an empty description of a tool, written or left out.
//! * `strict` of a tool, `detail: auto` of an image, `is_error: false`, and `cache_control`: hints that we set in our way.
//! * Neighbouring messages of one role, joined or apart (Anthropic joins them itself).
//! * `output_format` (Anthropic's name in the beta) and `output_config.format`.
//! * `stream_options`, where the recorder did not ask for the usage; we always do. `store` and `include`, where it let the
//!   provider keep the conversation; we never do.
//! * Parts and tools that the input lists as `exotic`, because it has no neutral form for them.

use mosaic_core::{
    CallId, Codec, Encodable, EncodeError, Group, Media, MediaData, ModelParams, Part, ToolCall, ToolChoice,
    ToolResult, ToolSpec, ToolStatus,
};
use serde_json::{Value, json};

use crate::load::Recording;

/// Encodes and compares; how many members were compared, or what differs.
pub(crate) fn check(recording: &Recording, codec: &dyn Codec) -> Result<usize, String> {
    let recorded = &recording.request["body"];
    let ours = match encode(recording, codec, recorded) {
        Ok(ours) => ours,
        Err(refused) => return refused_too(recording, &refused.to_string()),
    };
    let form = recording.api.form;
    let (ours, theirs) = (form(&ours, recording), form(recorded, recording));
    let mut compared = 0;
    for (name, want) in theirs.as_object().unwrap() {
        let got = &ours[name];
        let unasked = want.is_null() && ["include", "store", "stream_options"].contains(&name.as_str());
        if unasked || (want.is_null() && got.is_null()) {
            continue;
        }
        compared += 1;
        if got != want {
            return Err(format!("{name}:\n  ours     {got}\n  recorded {want}"));
        }
    }
    Ok(compared)
}

/// A schema that the provider refused is one that we refuse to send, by the name of its tool.
fn refused_too(recording: &Recording, refused: &str) -> Result<usize, String> {
    let error = &recording.expected["error"];
    let of_schema = error["message"].as_str().is_some_and(|message| message.contains("schema"));
    let names = recording.input["tools"].as_array().unwrap().iter().filter_map(|tool| tool["name"].as_str());
    let named = names.into_iter().any(|name| refused.contains(&format!("`{name}`")));
    if error["status"] == 400 && of_schema && named { Ok(1) } else { Err(refused.to_owned()) }
}

fn encode(recording: &Recording, codec: &dyn Codec, recorded: &Value) -> Result<Value, EncodeError> {
    let input = &recording.input;
    let profile = recording.profile();
    let fragments: Vec<_> = groups(input, &profile.origin)
        .iter()
        .map(|group| codec.fragment(group.body(), &profile).unwrap())
        .collect();
    let specs: Vec<ToolSpec> = input["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| {
            let text = |name: &str| tool[name].as_str().unwrap_or_default().to_owned();
            ToolSpec::new(text("name"), text("description"), tool["parameters"].clone())
        })
        .collect();
    let tools = match specs.as_slice() {
        [] => None,
        specs => Some(codec.tools(&specs.iter().collect::<Vec<_>>(), &profile)?),
    };
    let output = (recording.api.output)(recorded);
    let params = ModelParams {
        max_output_tokens: input["max_tokens"].as_u64(),
        temperature: input["temperature"].as_f64(),
        ..ModelParams::default()
    };
    let delivery = (recording.api.delivery)(&recording.request);
    let request = codec.encode(&Encodable {
        base_url: "http://host/v1",
        profile: &profile,
        instructions: input["system"].as_str().unwrap(),
        fragments: &fragments,
        tools: tools.as_ref(),
        tool_choice: &choice(&input["tool_choice"]),
        output: output.as_ref(),
        params: &params,
        delivery,
    })?;
    Ok(serde_json::from_slice(&request.body_bytes()).unwrap())
}

fn choice(choice: &Value) -> ToolChoice {
    let name = choice["function"]["name"].as_str().or(choice["name"].as_str());
    let name = name.or(choice["tool"]["name"].as_str());
    // Bedrock names it by its one member.
    let member = choice.as_object().filter(|all| all.len() == 1).and_then(|all| all.keys().next());
    let words =
        [choice.as_str(), choice["type"].as_str(), choice["mode"].as_str(), member.map(String::as_str)];
    let word = words.into_iter().flatten().next().map(str::to_ascii_lowercase);
    match word.as_deref() {
        Some("none") => ToolChoice::None,
        Some("required" | "any") => ToolChoice::Required,
        Some("function" | "tool") => ToolChoice::Tool { name: name.unwrap().to_owned() },
        None | Some("auto") => ToolChoice::Auto,
        Some(other) => panic!("tool choice {other}"),
    }
}

fn groups(input: &Value, origin: &mosaic_core::Origin) -> Vec<std::sync::Arc<Group>> {
    let mut groups = Vec::new();
    let messages = input["messages"].as_array().unwrap();
    for (at, message) in messages.iter().enumerate() {
        let parts = || message["parts"].as_array().unwrap().iter();
        match message["role"].as_str().unwrap() {
            "user" => groups.push(Group::user(parts().map(part).collect())),
            "assistant" => {
                let results = match messages.get(at + 1) {
                    Some(next) if next["role"] == "tool" => results(message, next),
                    _ => Vec::new(),
                };
                groups.push(
                    Group::assistant(parts().flat_map(said).collect(), Some(origin.clone()), results)
                        .unwrap(),
                );
            }
            "tool" => {}
            other => panic!("role {other}"),
        }
    }
    groups
}

/// A part of an answer; the signature of a call (Gemini) stands before it.
fn said(call: &Value) -> Vec<Part> {
    let signature = call.get("signature").filter(|_| call["type"] == "tool_call");
    let mark = signature.map(|signature| Part::Reasoning {
        text: String::new(),
        opaque: Some(json!({ "signature": signature, "of": "call" })),
    });
    mark.into_iter().chain([part(call)]).collect()
}

fn part(part: &Value) -> Part {
    let text = |name: &str| part[name].as_str().unwrap_or_default().to_owned();
    match part["type"].as_str().unwrap() {
        "text" => Part::text(text("text")),
        "reasoning" => Part::Reasoning {
            text: text("text"),
            opaque: match (part.get("signature"), part.get("encrypted")) {
                (Some(signature), _) => Some(json!({ "signature": signature })),
                (None, Some(encrypted)) => Some(json!({ "id": part["id"], "encrypted_content": encrypted })),
                (None, None) => None,
            },
        },
        "image" => {
            let data = text("data");
            let data = if data.starts_with("http") {
                MediaData::Url { url: data }
            } else {
                MediaData::Base64 { data }
            };
            Part::Media(Media { media_type: text("media_type"), data, name: None })
        }
        "tool_call" => Part::ToolCall(ToolCall {
            id: CallId(text("id").into()),
            wire_id: Some(text("id")),
            name: text("name"),
            arguments: part["arguments"].to_string(),
        }),
        other => panic!("part {other}"),
    }
}

/// A result that names no call, as Ollama's do, belongs to the call in its place.
fn results(answer: &Value, results: &Value) -> Vec<ToolResult> {
    let calls = answer["parts"].as_array().unwrap().iter().filter(|part| part["type"] == "tool_call");
    let results = results["parts"].as_array().unwrap();
    results
        .iter()
        .zip(calls)
        .map(|(part, call)| result(part, part["id"].as_str().or(call["id"].as_str())))
        .collect()
}

fn result(part: &Value, id: Option<&str>) -> ToolResult {
    ToolResult {
        call: CallId(id.unwrap().into()),
        status: if part["is_error"] == true { ToolStatus::Error } else { ToolStatus::Ok },
        content: vec![Part::text(part["text"].as_str().unwrap())],
    }
}
