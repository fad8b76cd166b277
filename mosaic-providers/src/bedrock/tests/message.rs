use mosaic_core::{CallId, Codec, EncodeError, Group, MediaData, Part, ToolCall, ToolStatus};
use serde_json::{Value, json};

use super::{Ask, CLAUDE, LLAMA, ask, call, file, media, profile, result, said, text};
use crate::bedrock::{Bedrock, Cache, Quirks};

#[test]
fn all_results_stand_in_one_message_after_their_calls() {
    let image = media("image/png", None, MediaData::Base64 { data: "AA".to_owned() });
    let answer = said(
        vec![
            Part::text("Sure."),
            call("c0", Some("tooluse_1"), "{\"x\":1}"),
            call("c1", Some("tooluse_2"), ""),
        ],
        vec![
            result("c1", ToolStatus::Denied, vec![Part::text(" "), image]),
            result("c0", ToolStatus::Ok, vec![]),
        ],
    );
    let body =
        Ask { quirks: Quirks { cache: Cache::Off }, ..ask(CLAUDE) }.body(&[text("Hi"), answer, text("So?")]);
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"text": "Hi"}]},
            {"role": "assistant", "content": [
                {"text": "Sure."},
                {"toolUse": {"toolUseId": "tooluse_1", "name": "add", "input": {"x": 1}}},
                {"toolUse": {"toolUseId": "tooluse_2", "name": "add", "input": {}}}]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "(empty)"}]}},
                {"toolResult": {"toolUseId": "tooluse_2", "status": "error", "content": [
                    {"image": {"format": "png", "source": {"bytes": "AA"}}}]}},
                {"text": "So?"}]}
        ])
    );
}

#[test]
fn roles_alternate_and_a_user_begins() {
    let body = ask(LLAMA).body(&[
        said(vec![Part::text("One.")], vec![]),
        said(vec![], vec![]),
        said(vec![Part::text("Two.")], vec![]),
        text("Three?"),
        text("Four?"),
    ]);
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"text": "(earlier messages were left out)"}]},
            {"role": "assistant", "content": [{"text": "One."}, {"text": "Two."}]},
            {"role": "user", "content": [{"text": "Three?"}, {"text": "Four?"}]},
        ])
    );
}

#[test]
fn the_status_of_a_result_goes_only_to_models_that_take_it() {
    let answer = said(vec![call("c", None, "{}")], vec![result("c", ToolStatus::Error, vec![])]);
    let status = |model: &str| {
        ask(model).body(&[text("Hi"), answer.clone()])["messages"][2]["content"][0]["toolResult"]["status"]
            .clone()
    };
    assert_eq!(status(CLAUDE), "error");
    assert_eq!(status("us.amazon.nova-pro-v1:0"), "error");
    assert_eq!(status(LLAMA), Value::Null);
}

#[test]
fn names_and_ids_that_the_api_refuses_are_replaced() {
    let made_up = Part::ToolCall(ToolCall {
        id: CallId("c0".into()),
        wire_id: Some("functions.add:0".to_owned()),
        name: "my tool.é".to_owned(),
        arguments: "{\"x\":".to_owned(),
    });
    let answer = said(vec![made_up], vec![result("c0", ToolStatus::Rejected, vec![])]);
    let body = ask(LLAMA).body(&[text("Hi"), answer]);
    assert_eq!(
        body["messages"][1]["content"][0]["toolUse"],
        json!({"toolUseId": "c0", "name": "my_tool__", "input": {"INVALID_JSON": "{\"x\":"}})
    );
}

fn thoughts() -> Vec<Part> {
    vec![
        Part::Reasoning { text: "Hm".to_owned(), opaque: Some(json!({"signature": "sig"})) },
        Part::Reasoning { text: String::new(), opaque: Some(json!({"redacted_content": "xx"})) },
        Part::Reasoning { text: "unsigned".to_owned(), opaque: None },
        Part::text("Yes."),
    ]
}

#[test]
fn signed_and_redacted_reasoning_goes_back_to_its_origin_only() {
    let content = |model: &str, parts: Vec<Part>| {
        ask(model).body(&[text("Hi"), said(parts, vec![]), text("So?")])["messages"][1]["content"].clone()
    };
    assert_eq!(
        content(CLAUDE, thoughts()),
        json!([
            {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "sig"}}},
            {"reasoningContent": {"redactedContent": "xx"}},
            {"text": "Yes."}
        ])
    );
    assert_eq!(content(LLAMA, thoughts()), json!([{"text": "Yes."}]));
    // Reasoning alone is no answer.
    let alone =
        ask(CLAUDE).body(&[text("Hi"), said(thoughts().into_iter().take(1).collect(), vec![]), text("So?")]);
    assert_eq!(alone["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn a_server_tools_blocks_go_back_together_to_their_origin_only() {
    let used = json!({"toolUse": {"toolUseId": "s", "name": "nova_code_interpreter", "input": {"snippet": "1"}, "type": "server_tool_use"}});
    let gave = json!({"toolResult": {"toolUseId": "s", "content": [{"json": {"stdOut": "1"}}], "status": "success", "type": "nova_code_interpreter_result"}});
    let provider = |data: &Value| Part::Provider { kind: "x".to_owned(), data: data.clone() };
    let content = |model: &str, blocks: &[&Value]| {
        let mut parts: Vec<Part> = blocks.iter().copied().map(provider).collect();
        parts.push(Part::text("1."));
        ask(model).body(&[text("Hi"), said(parts, vec![]), text("So?")])["messages"][1]["content"].clone()
    };
    let one = json!({"text": "1."});
    assert_eq!(content(CLAUDE, &[&used, &gave]), json!([used, gave, one]));
    assert_eq!(content(LLAMA, &[&used, &gave]), json!([one]));
    assert_eq!(content(CLAUDE, &[&used]), json!([one]));
    assert_eq!(content(CLAUDE, &[&gave]), json!([one]));
    let image = json!({"image": {"format": "png", "source": {"bytes": "AA"}}});
    assert_eq!(content(CLAUDE, &[&image]), json!([one]));
}

#[test]
fn equal_names_of_documents_are_told_apart_and_stay_the_same_at_each_turn() {
    let names = |body: &Value| -> Vec<String> {
        let blocks = body["messages"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|message| message["content"].as_array().unwrap().clone());
        let inner = blocks.flat_map(|block| match block.pointer("/toolResult/content") {
            Some(Value::Array(content)) => content.clone(),
            _ => vec![block],
        });
        inner.filter_map(|block| block.pointer("/document/name")?.as_str().map(str::to_owned)).collect()
    };
    // Arguments that look like a document of ours are not touched.
    let arguments = r#"{"document": {"name":"Report","format":"pdf"}}"#;
    let mut groups = vec![
        Group::user(vec![file("Report.pdf"), file("report.pdf"), Part::text("Compare.")]),
        said(vec![call("c", None, arguments)], vec![result("c", ToolStatus::Ok, vec![file("Report.pdf")])]),
        Group::user(vec![file("Other.pdf"), file("Report (2).pdf")]),
    ];
    let body = ask(CLAUDE).body(&groups);
    let first = names(&body);
    assert_eq!(first, ["Report", "report (2)", "Report (3)", "Other", "Report (2) (2)"]);
    assert_eq!(
        body["messages"][1]["content"][0]["toolUse"]["input"],
        serde_json::from_str::<Value>(arguments).unwrap()
    );
    // A document wants a text beside it.
    let last = body["messages"][2]["content"].as_array().unwrap();
    assert!(last.contains(&json!({"text": "(see the document)"})));
    groups.push(Group::user(vec![file("Other.pdf")]));
    assert_eq!(names(&ask(CLAUDE).body(&groups))[..5], first);
}

#[test]
fn media_that_the_api_takes_are_sent_and_others_named() {
    let sent = |part: Part| {
        let fragment =
            Bedrock::default().fragment(Group::user(vec![part, Part::text("?")]).body(), &profile(CLAUDE));
        fragment.map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap()["content"][0].clone())
    };
    let bytes = || MediaData::Base64 { data: "AA".to_owned() };
    assert_eq!(
        sent(media("image/JPG", None, bytes())).unwrap(),
        json!({"image": {"format": "jpeg", "source": {"bytes": "AA"}}})
    );
    assert_eq!(
        sent(media("text/plain; charset=utf-8", Some("a_b.txt"), bytes())).unwrap(),
        json!({"document": {"name": "a b", "format": "txt", "source": {"bytes": "AA"}}})
    );
    let stored = MediaData::Url { url: "s3://bucket/a.mp4".to_owned() };
    assert_eq!(
        sent(media("video/mp4", None, stored)).unwrap(),
        json!({"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/a.mp4"}}}})
    );
    let refused = |part| match sent(part) {
        Err(error @ EncodeError::Unsupported { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(refused(media("audio/wav", None, bytes())).contains("a medium of type audio/wav; send PNG"));
    assert!(
        refused(media("image/png", None, MediaData::Url { url: "https://a/b".to_owned() }))
            .contains("send its bytes")
    );
    assert!(
        refused(media("image/png", None, MediaData::File { id: "f".to_owned() })).contains("by a file's id")
    );
}

#[test]
fn text_for_a_guardrail_is_sent_as_such() {
    let data = json!({"guardContent": {"text": {"text": "Check me", "qualifiers": ["query"]}}});
    let group = Group::user(vec![Part::Provider { kind: "guardContent".to_owned(), data: data.clone() }]);
    assert_eq!(ask(LLAMA).body(&[group])["messages"][0]["content"], json!([data]));
}
