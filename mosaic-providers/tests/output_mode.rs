//! Structured output through a tool and by prompt, over the codecs: what is sent, and what the host sees of the answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use futures_util::StreamExt;
use mosaic_core::testing::{Reply, ScriptedTransport, TestRuntime};
use mosaic_core::{
    ChatModel, Codec, Group, HttpModel, ModelCall, ModelEvent, ModelInfo, ModelRequest, Origin, OutputMode,
    OutputSpec, Part, Profile, StopReason, ToolSpec, ToolSpecs,
};
use mosaic_providers::anthropic::Anthropic;
use mosaic_providers::openai_chat::OpenAiChat;
use serde_json::{Value, json};

/// A codec, with how its provider calls a tool in pieces.
struct Api {
    codec: Arc<dyn Codec>,
    call: fn(&str, &str) -> String,
    /// Where the body holds its tools, and that some must be called.
    tools: &'static str,
    must: (&'static str, &'static str),
}

fn apis() -> [Api; 2] {
    [
        Api {
            codec: Arc::new(OpenAiChat::default()),
            call: |name, arguments| {
                let chunk = |delta: Value, finish: Value| {
                    format!(
                        "data: {}\n\n",
                        json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
                    )
                };
                let (one, two) = arguments.split_at(arguments.len() / 2);
                let piece = |function: Value| json!({"tool_calls": [{"index": 0, "function": function}]});
                let head = json!({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": name, "arguments": one}}]});
                chunk(head, Value::Null)
                    + &chunk(piece(json!({"arguments": two})), Value::Null)
                    + &chunk(json!({}), json!("tool_calls"))
                    + "data: [DONE]\n\n"
            },
            tools: "/tools/1/function/name",
            must: ("/tool_choice", "required"),
        },
        Api {
            codec: Arc::new(Anthropic::default()),
            call: |name, arguments| {
                let event =
                    |json: Value| format!("event: {}\ndata: {json}\n\n", json["type"].as_str().unwrap());
                let delta = |text: &str| {
                    event(
                        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": text}}),
                    )
                };
                let (one, two) = arguments.split_at(arguments.len() / 2);
                let block = json!({"type": "tool_use", "id": "t1", "name": name, "input": {}});
                event(json!({"type": "message_start", "message": {"id": "m1", "usage": {"input_tokens": 1}}}))
                    + &event(json!({"type": "content_block_start", "index": 0, "content_block": block}))
                    + &delta(one)
                    + &delta(two)
                    + &event(json!({"type": "content_block_stop", "index": 0}))
                    + &event(
                        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}}),
                    )
                    + &event(json!({"type": "message_stop"}))
            },
            tools: "/tools/1/name",
            must: ("/tool_choice/type", "any"),
        },
    ]
}

fn model(api: &Api, mode: OutputMode, transport: &ScriptedTransport) -> HttpModel {
    let mut info = ModelInfo::new("test", "model");
    info.output_mode = mode;
    let origin = Origin { api: api.codec.api().into(), provider: "test".into(), model: "model".into() };
    let (transport, runtime) = (Arc::new(transport.clone()), Arc::new(TestRuntime::default()));
    HttpModel::new(Arc::clone(&api.codec), Profile { origin, info }, "http://host/v1", transport, runtime)
}

fn ask() -> ModelCall {
    let schema = json!({"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]});
    ModelCall::new(ModelRequest {
        groups: Arc::new(vec![Group::user(vec![Part::text("How long?")])]),
        tools: Arc::new(ToolSpecs::new(vec![ToolSpec::new("add", "Adds.", json!({"type": "object"}))])),
        output: Some(Arc::new(OutputSpec { name: "plan".into(), schema })),
        ..ModelRequest::default()
    })
}

async fn parts(model: &HttpModel) -> (Vec<Part>, StopReason) {
    let (mut parts, mut stop) = (Vec::new(), None);
    let mut stream = model.stream(ask()).await.unwrap();
    while let Some(event) = stream.next().await {
        match event.unwrap() {
            ModelEvent::End { content, .. } => parts.push(content),
            ModelEvent::Done(end) => stop = Some(end.stop),
            _ => {}
        }
    }
    (parts, stop.unwrap())
}

#[tokio::test]
async fn a_real_tool_is_called_first_and_the_final_answer_is_text() {
    let answer = "{\"days\":3}";
    for api in apis() {
        for cut in 1..40 {
            let replies =
                [("add", "{}"), ("final_answer", answer)].map(|(name, input)| (api.call)(name, input));
            let transport = ScriptedTransport::new(replies.map(|reply| Reply::ok(reply).cut_every(cut)));
            let model = model(&api, OutputMode::Tool, &transport);
            let (first, stop) = parts(&model).await;
            assert!(matches!(first.as_slice(), [Part::ToolCall(call)] if call.name == "add"), "{first:?}");
            assert_eq!(stop, StopReason::ToolCalls);
            assert_eq!(parts(&model).await, (vec![Part::text(answer)], StopReason::Stop));
            let body: Value = serde_json::from_slice(&transport.requests()[0].body_bytes()).unwrap();
            assert_eq!(body.pointer(api.tools).unwrap(), "final_answer", "{body}");
            assert_eq!(body.pointer(api.must.0).unwrap(), api.must.1, "{body}");
            assert!(body.get("response_format").is_none() && body.get("output_config").is_none(), "{body}");
        }
    }
}

#[tokio::test]
async fn by_prompt_the_tools_stay_and_the_shape_is_in_the_instructions() {
    for api in apis() {
        let transport = ScriptedTransport::new([Reply::ok((api.call)("add", "{}"))]);
        let (said, _) = parts(&model(&api, OutputMode::Prompt, &transport)).await;
        assert!(matches!(said.as_slice(), [Part::ToolCall(call)] if call.name == "add"));
        let body = String::from_utf8(transport.requests()[0].body_bytes().to_vec()).unwrap();
        assert!(
            body.contains("JSON Schema") && body.contains("\\\"days\\\"") && !body.contains("final_answer"),
            "{body}"
        );
        assert!(!body.contains("response_format") && !body.contains("tool_choice"), "{body}");
    }
}
