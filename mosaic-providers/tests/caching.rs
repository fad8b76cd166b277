//! What providers cache is the beginning of a request, byte for byte: a later turn must begin as the one before it did.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::{
    CallId, Codec, Delivery, Encodable, Group, ModelInfo, ModelParams, Origin, Part, Profile, ToolChoice,
    ToolResult, ToolSpec, ToolStatus,
};
use mosaic_providers::anthropic::Anthropic;
use mosaic_providers::bedrock::{self, Bedrock};
use mosaic_providers::cohere::Cohere;
use mosaic_providers::gemini::Gemini;
use mosaic_providers::ollama::Ollama;
use mosaic_providers::openai_chat::{OpenAiChat, Quirks};
use mosaic_providers::openai_responses::OpenAiResponses;
use serde_json::{Value, json};

fn codecs() -> Vec<Box<dyn Codec>> {
    vec![
        Box::new(Anthropic::default()),
        Box::new(Bedrock::new(bedrock::Quirks { cache: bedrock::Cache::On })),
        Box::new(Cohere),
        Box::new(Gemini::default()),
        Box::new(Ollama),
        Box::new(OpenAiChat::default()),
        Box::new(OpenAiChat::new(Quirks::mistral())),
        Box::new(OpenAiResponses::default()),
    ]
}

/// How many groups a conversation has when the model is asked: after the user spoke, and after a tool did.
const ASKED: [usize; 6] = [1, 2, 4, 5, 7, 8];

/// A conversation: the user speaks, the model calls a tool, the model answers, and so on.
fn conversation(origin: &Origin) -> Vec<Arc<Group>> {
    let mut groups = vec![Group::user(vec![Part::text("Turn 0")])];
    for turn in 1..4 {
        let mut call = Part::call(CallId::derive(turn, 0).as_str(), "add", r#"{"z":1,"a":2}"#);
        if let Part::ToolCall(call) = &mut call {
            call.wire_id = Some(format!("call_0123456789_{turn}"));
        }
        let result = ToolResult {
            call: CallId::derive(turn, 0),
            status: ToolStatus::Ok,
            content: vec![Part::text(format!("{turn}"))],
        };
        let parts = vec![Part::text("I add."), call];
        groups.push(Group::assistant(parts, Some(origin.clone()), vec![result]).unwrap());
        groups.push(Group::assistant(vec![Part::text("Done.")], Some(origin.clone()), vec![]).unwrap());
        groups.push(Group::user(vec![Part::text(format!("Turn {turn}"))]));
    }
    groups
}

fn body(codec: &dyn Codec, groups: usize) -> String {
    let origin = Origin { api: codec.api().into(), provider: "p".into(), model: "m".into() };
    let profile = Profile { origin, info: ModelInfo::new("p", "m") };
    let fragments: Vec<Bytes> = conversation(&profile.origin)
        .iter()
        .take(groups)
        .map(|group| codec.fragment(group.body(), &profile).unwrap())
        .collect();
    let schema = json!({"type": "object", "properties": {"z": {"type": "number"}, "a": {"type": "number"}}});
    let tools = codec.tools(&[&ToolSpec::new("add", "Adds.", schema)], &profile).unwrap();
    let mut params = ModelParams { temperature: Some(0.5), max_output_tokens: Some(9), ..Default::default() };
    params.extra = json!({"zeta": 1, "alpha": {"y": 1, "b": 2}}).as_object().unwrap().clone();
    let request = codec
        .encode(&Encodable {
            base_url: "http://host",
            profile: &profile,
            instructions: "Be brief.",
            fragments: &fragments,
            tools: Some(&tools),
            tool_choice: &ToolChoice::Auto,
            output: None,
            params: &params,
            delivery: Delivery::Streamed,
        })
        .unwrap();
    String::from_utf8(request.body_bytes().to_vec()).unwrap()
}

/// Breakpoints move with the conversation, and are no part of what is compared.
fn unmarked(body: &str) -> String {
    body.replace(r#","cache_control":{"type":"ephemeral"}"#, "")
        .replace(r#",{"cachePoint":{"type":"default"}}"#, "")
}

/// The member that holds the conversation.
const CONVERSATIONS: [&str; 3] = ["messages", "contents", "input"];

#[test]
fn a_turn_begins_as_the_one_before_it_did() {
    for codec in codecs() {
        let name = CONVERSATIONS
            .into_iter()
            .find(|name| body(&*codec, 1).contains(&format!("\"{name}\":[")))
            .unwrap();
        for pair in ASKED.windows(2) {
            let (short, long) = (unmarked(&body(&*codec, pair[0])), unmarked(&body(&*codec, pair[1])));
            let [short_list, long_list] = [&short, &long].map(|body| {
                let (head, rest) = body.split_once(&format!("\"{name}\":[")).unwrap();
                let mut values = serde_json::Deserializer::from_str(&body[head.len() + name.len() + 3..])
                    .into_iter::<&serde_json::value::RawValue>();
                let list = values.next().unwrap().unwrap().get();
                assert!(rest.contains(&list[1..list.len() - 1]));
                (head.to_owned(), list[..list.len() - 1].to_owned())
            });
            assert_eq!(short_list.0, long_list.0, "{}: what stands before the conversation", codec.api());
            assert!(
                long_list.1.starts_with(&short_list.1),
                "{}:\n  {}\n  {}",
                codec.api(),
                short_list.1,
                long_list.1
            );
        }
    }
}

#[test]
fn a_request_has_the_same_bytes_each_time_it_is_made() {
    for codec in codecs() {
        assert_eq!(body(&*codec, 4), body(&*codec, 4), "{}", codec.api());
    }
}

#[test]
fn breakpoints_stand_where_the_turn_before_wrote() {
    let cases: [(Box<dyn Codec>, &str); 2] = [
        (Box::new(Anthropic::default()), r#""cache_control":{"type":"ephemeral"}"#),
        (
            Box::new(Bedrock::new(bedrock::Quirks { cache: bedrock::Cache::On })),
            r#"{"cachePoint":{"type":"default"}}"#,
        ),
    ];
    for (codec, mark) in cases {
        for pair in ASKED.windows(2).skip(1) {
            let (short, long) = (body(&*codec, pair[0]), body(&*codec, pair[1]));
            assert_eq!((short.matches(mark).count(), long.matches(mark).count()), (4, 4), "{}", codec.api());
            // The last mark of a turn stands where the next one reads: the text before it comes again, marked.
            let written = unmarked(&short[..short.rfind(mark).unwrap()]);
            let mut read = long.match_indices(mark).map(|(at, _)| unmarked(&long[..at]));
            assert!(read.any(|text| text == written), "{}", codec.api());
        }
    }
    let plain: Value = serde_json::from_str(&body(&Cohere, 2)).unwrap();
    assert!(!plain.to_string().contains("cache"));
}
