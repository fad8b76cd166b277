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
//! * `stream_options`, where the recorder did not ask for the usage; we always do.
//! * Parts and tools that the input lists as `exotic`, because it has no neutral form for them.

use mosaic_core::{
    CallId, Codec, Delivery, Encodable, Group, Media, MediaData, ModelParams, OutputSpec, Part, ToolCall,
    ToolChoice, ToolResult, ToolSpec, ToolStatus,
};
use serde_json::{Value, json};

use crate::load::Recording;

/// Encodes and compares; how many members were compared, or what differs.
pub(crate) fn check(recording: &Recording, codec: &dyn Codec) -> Result<usize, String> {
    let recorded = &recording.request["body"];
    let ours = encode(recording, codec, recorded);
    let chat = recording.api == "openai-chat";
    let (ours, theirs) = (form(&ours, chat, recording), form(recorded, chat, recording));
    let mut compared = 0;
    for (name, want) in theirs.as_object().unwrap() {
        let got = &ours[name];
        let unasked = want.is_null() && name == "stream_options";
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

fn encode(recording: &Recording, codec: &dyn Codec, recorded: &Value) -> Value {
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
    let tools =
        (!specs.is_empty()).then(|| codec.tools(&specs.iter().collect::<Vec<_>>(), &profile).unwrap());
    let schema =
        [recorded.pointer("/response_format/json_schema/schema"), recorded.pointer("/output_format/schema")];
    let name = recorded.pointer("/response_format/json_schema/name").and_then(Value::as_str);
    let output = schema
        .into_iter()
        .flatten()
        .next()
        .map(|schema| OutputSpec { name: name.unwrap_or("answer").to_owned(), schema: schema.clone() });
    let params = ModelParams {
        max_output_tokens: input["max_tokens"].as_u64(),
        temperature: input["temperature"].as_f64(),
        ..ModelParams::default()
    };
    let delivery = if recorded["stream"] == true { Delivery::Streamed } else { Delivery::Whole };
    let request = codec
        .encode(&Encodable {
            base_url: "http://host/v1",
            profile: &profile,
            instructions: input["system"].as_str().unwrap(),
            fragments: &fragments,
            tools: tools.as_ref(),
            tool_choice: &choice(&input["tool_choice"]),
            output: output.as_ref(),
            params: &params,
            delivery,
        })
        .unwrap();
    serde_json::from_slice(&request.body_bytes()).unwrap()
}

fn choice(choice: &Value) -> ToolChoice {
    let name = choice["function"]["name"].as_str().or(choice["name"].as_str());
    match choice.as_str().or(choice["type"].as_str()) {
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
                    Some(next) if next["role"] == "tool" => {
                        next["parts"].as_array().unwrap().iter().map(result).collect()
                    }
                    _ => Vec::new(),
                };
                groups.push(
                    Group::assistant(parts().map(part).collect(), Some(origin.clone()), results).unwrap(),
                );
            }
            "tool" => {}
            other => panic!("role {other}"),
        }
    }
    groups
}

fn part(part: &Value) -> Part {
    let text = |name: &str| part[name].as_str().unwrap_or_default().to_owned();
    match part["type"].as_str().unwrap() {
        "text" => Part::text(text("text")),
        "reasoning" => Part::Reasoning {
            text: text("text"),
            opaque: part.get("signature").map(|signature| json!({ "signature": signature })),
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

fn result(part: &Value) -> ToolResult {
    ToolResult {
        call: CallId(part["id"].as_str().unwrap().into()),
        status: if part["is_error"] == true { ToolStatus::Error } else { ToolStatus::Ok },
        content: vec![Part::text(part["text"].as_str().unwrap())],
    }
}

/// The common form.
fn form(body: &Value, chat: bool, recording: &Recording) -> Value {
    let exotic: Vec<&str> =
        recording.input["exotic"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let mut messages: Vec<Value> = Vec::new();
    let mut system = blocks(&body["system"], &exotic);
    for message in body["messages"].as_array().unwrap() {
        let role = message["role"].as_str().unwrap();
        let mut content = blocks(&message["content"], &exotic);
        if role == "system" || role == "developer" {
            system.append(&mut content);
            continue;
        }
        if let Some(last) = messages.last_mut().filter(|last| !chat && last["role"] == role) {
            last["content"].as_array_mut().unwrap().append(&mut content);
            continue;
        }
        let calls: Vec<Value> = message["tool_calls"].as_array().into_iter().flatten().map(call).collect();
        let reasoning = message.get("reasoning_content").or(message.get("reasoning")).cloned();
        messages.push(json!({
            "role": role, "content": content, "calls": calls, "reasoning": reasoning,
            "of": message["tool_call_id"],
        }));
    }
    let tools: Vec<Value> =
        body["tools"].as_array().into_iter().flatten().filter_map(|tool| self::tool(tool, chat)).collect();
    let choice = &body["tool_choice"];
    let auto = choice == "auto" || choice["type"] == "auto";
    json!({
        "model": body["model"],
        "messages": messages,
        "system": system,
        "tools": tools,
        "tool_choice": if auto { Value::Null } else { choice.clone() },
        "max_tokens": body.get("max_tokens").or(body.get("max_completion_tokens")),
        "temperature": body["temperature"].as_f64(),
        "stream": body["stream"] == true,
        "stream_options": body["stream_options"],
        "response_format": body["response_format"],
        "output": body.pointer("/output_config/format").or(body.get("output_format")),
    })
}

fn call(call: &Value) -> Value {
    let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
    json!({ "id": call["id"], "type": call["type"], "name": call["function"]["name"], "arguments": arguments })
}

/// Server-side tools have no function and no schema of ours.
fn tool(tool: &Value, chat: bool) -> Option<Value> {
    let (tool, schema) = if chat { (tool.get("function")?, "parameters") } else { (tool, "input_schema") };
    let description = tool["description"].as_str().filter(|text| !text.is_empty());
    Some(json!({ "name": tool["name"], "description": description, "schema": tool.get(schema)? }))
}

fn blocks(content: &Value, exotic: &[&str]) -> Vec<Value> {
    let list = match content {
        Value::Null => Vec::new(),
        Value::String(text) => vec![json!({ "type": "text", "text": text })],
        other => other.as_array().unwrap().clone(),
    };
    let mut out = Vec::new();
    for mut block in list {
        let kind = block["type"].as_str().unwrap().to_owned();
        if exotic.contains(&format!("part:{kind}").as_str()) || block["text"] == "" {
            continue;
        }
        let members = block.as_object_mut().unwrap();
        members.remove("cache_control");
        if members.get("is_error") == Some(&json!(false)) {
            members.remove("is_error");
        }
        let image = members.get_mut("image_url").and_then(Value::as_object_mut);
        if let Some(image) = image.filter(|image| image.get("detail") == Some(&json!("auto"))) {
            image.remove("detail");
        }
        if kind == "tool_result" {
            let inner = blocks(&members["content"], exotic);
            members.insert("content".to_owned(), inner.into());
        }
        out.push(block);
    }
    out
}
