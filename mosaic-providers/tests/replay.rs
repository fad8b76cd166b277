//! What an answer had beside its words goes back to the model that gave it, as it came, and to no other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use mosaic_core::{Codec, Delivery, Group, ModelEvent, ModelInfo, Origin, Part, Profile};
use mosaic_providers::anthropic::Anthropic;
use mosaic_providers::bedrock::Bedrock;
use mosaic_providers::cohere::Cohere;
use mosaic_providers::gemini::Gemini;
use mosaic_providers::ollama::Ollama;
use mosaic_providers::openai_chat::OpenAiChat;
use mosaic_providers::openai_responses::OpenAiResponses;
use serde_json::{Value, json};

fn profile(codec: &dyn Codec, model: &str) -> Profile {
    let origin = Origin { api: codec.api().into(), provider: "p".into(), model: model.into() };
    Profile { origin, info: ModelInfo::new("p", model) }
}

/// The parts of a whole answer.
fn parts(codec: &dyn Codec, answer: &Value) -> Vec<Part> {
    let mut decoder = codec.decoder(&profile(codec, "m"), Delivery::Whole);
    let mut events = Vec::new();
    decoder.push(answer.to_string().as_bytes(), &mut events).unwrap();
    decoder.finish(&mut events).unwrap();
    let part = |event: ModelEvent| match event {
        ModelEvent::End { content, .. } => Some(content),
        _ => None,
    };
    events.into_iter().filter_map(part).collect()
}

/// The answer as it goes back: to the model that gave it, or to another.
fn sent(codec: &dyn Codec, parts: Vec<Part>, to: &str) -> Value {
    let group = Group::assistant(parts, Some(profile(codec, "m").origin), vec![]).unwrap();
    let fragment = codec.fragment(group.body(), &profile(codec, to)).unwrap();
    serde_json::from_str(&format!("[{}]", std::str::from_utf8(&fragment).unwrap())).unwrap()
}

#[test]
fn citations_of_anthropic_go_back_on_their_text() {
    let cited = json!([{"type": "web_search_result_location", "url": "https://a", "encrypted_index": "x",
        "title": "A", "cited_text": "Blue"}]);
    let content = json!([
        {"type": "text", "text": "I looked."},
        {"type": "text", "text": "Blue.", "citations": cited},
        {"type": "text", "text": "Or so."},
    ]);
    let answer =
        json!({"type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn"});
    let kept = parts(&Anthropic::default(), &answer);
    let back = sent(&Anthropic::default(), kept.clone(), "m");
    assert_eq!(back, json!([{"role": "assistant", "content": content}]));
    let other = sent(&Anthropic::default(), kept, "other");
    assert_eq!(other[0]["content"][1], json!({"type": "text", "text": "Blue."}));
    assert_eq!(other[0]["content"].as_array().unwrap().len(), 3);
}

#[test]
fn citations_of_bedrock_go_back_with_their_text() {
    let block = json!({"citationsContent": {"content": [{"text": "Blue."}], "citations": [
        {"title": "Sky", "location": {"documentChar": {"documentIndex": 0, "start": 0, "end": 4}}}]}});
    let content = json!([block, {"text": "Or so."}]);
    let answer = json!({"output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "end_turn"});
    let kept = parts(&Bedrock::default(), &answer);
    let back = sent(&Bedrock::default(), kept.clone(), "m");
    assert_eq!(back, json!([{"role": "assistant", "content": content}]));
    let other = sent(&Bedrock::default(), kept, "other");
    assert_eq!(other[0]["content"], json!([{"text": "Blue."}, {"text": "Or so."}]));
}

#[test]
fn annotations_and_phases_of_openai_go_back_in_their_message() {
    let text = |text: &str| json!({"type": "output_text", "text": text});
    let mut cited = text("Blue.");
    cited["annotations"] =
        json!([{"type": "url_citation", "start_index": 0, "end_index": 4, "url": "https://a", "title": "A"}]);
    let message = |content: Value, phase: &str| json!({"type": "message", "role": "assistant", "content": content, "phase": phase});
    let output = json!([
        message(json!([text("I look.")]), "commentary"),
        message(json!([cited, text("Or so.")]), "final_answer"),
    ]);
    let codec = OpenAiResponses::default();
    let kept = parts(&codec, &json!({"id": "r", "status": "completed", "output": output}));
    assert_eq!(sent(&codec, kept.clone(), "m"), output);
    let plain = json!([{"type": "message", "role": "assistant",
        "content": [text("I look."), text("Blue."), text("Or so.")]}]);
    assert_eq!(sent(&codec, kept, "other"), plain);
}

#[test]
fn a_users_words_are_never_left_out_in_silence() {
    let part = Part::Provider {
        kind: "guardContent".to_owned(),
        data: json!({"guardContent": {"text": {"text": "Say no bad word."}}}),
    };
    let group = Group::user(vec![Part::text("Hi"), part]);
    let said = Bedrock::default().fragment(group.body(), &profile(&Bedrock::default(), "m")).unwrap();
    assert!(std::str::from_utf8(&said).unwrap().contains("Say no bad word."));
    let others: [Box<dyn Codec>; 6] = [
        Box::new(Anthropic::default()),
        Box::new(Cohere),
        Box::new(Gemini::default()),
        Box::new(Ollama),
        Box::new(OpenAiChat::default()),
        Box::new(OpenAiResponses::default()),
    ];
    for codec in others {
        let error = codec.fragment(group.body(), &profile(&*codec, "m")).unwrap_err().to_string();
        assert!(error.contains("`guardContent`") && error.contains(codec.api()), "{error}");
    }
}
