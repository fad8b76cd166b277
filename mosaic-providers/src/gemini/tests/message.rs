use mosaic_core::{Codec, Group, MediaData, ModelEvent, Part, ToolStatus};
use serde_json::{Value, json};

use super::{NEW, OLD, assistant, body, bytes, call, contents, media, profile, result, vertex};
use crate::gemini::Gemini;

fn marked(signature: &str, of: Value) -> Part {
    let mut opaque = json!({ "signature": signature });
    opaque.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
    Part::Reasoning { text: String::new(), opaque: Some(opaque) }
}

#[test]
fn results_stand_in_a_turn_of_their_own_in_the_order_of_their_calls() {
    let group = assistant(
        vec![Part::text("Sure."), call("c0", Some("w0"), "{\"x\":1}"), call("c1", Some("w1"), "")],
        OLD,
        vec![
            result("c1", ToolStatus::Denied, vec![Part::text("no"), Part::text("never")]),
            result("c0", ToolStatus::Ok, vec![Part::text("{\"n\":12345678901234567890}")]),
        ],
    );
    assert_eq!(
        contents(&group, OLD),
        json!([
            {"role": "model", "parts": [
                {"text": "Sure."},
                {"functionCall": {"id": "w0", "name": "add", "args": {"x": 1}}},
                {"functionCall": {"id": "w1", "name": "add", "args": {}}}]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "w0", "name": "add", "response": {"result": "{\"n\":12345678901234567890}"}}},
                {"functionResponse": {"id": "w1", "name": "add", "response": {"error": "no\n\nnever"}}}]}
        ])
    );
}

#[test]
fn ids_are_sent_only_where_the_api_gave_them() {
    let ids = |wire: [Option<&str>; 2], model: &str| {
        let parts = vec![call("c0", wire[0], "{}"), call("c1", wire[1], "{}")];
        let results = vec![result("c0", ToolStatus::Ok, vec![]), result("c1", ToolStatus::Ok, vec![])];
        let mut group = assistant(parts.clone(), OLD, results.clone());
        if model == "elsewhere" {
            group = Group::assistant(parts, None, results).unwrap();
        }
        let all = contents(&group, OLD);
        let id = |at: usize, name: &str| all[at]["parts"][1][name]["id"].clone();
        assert_eq!(id(0, "functionCall"), id(1, "functionResponse"));
        id(0, "functionCall")
    };
    assert_eq!(ids([Some("a"), Some("b")], "here"), "b");
    assert_eq!(ids([None, None], "here"), Value::Null);
    assert_eq!(ids([Some("a"), Some("a")], "here"), Value::Null);
    assert_eq!(ids([Some("a"), Some("b")], "elsewhere"), Value::Null);
}

#[test]
fn a_signature_goes_back_on_the_part_that_it_came_with() {
    let parts = || {
        vec![
            Part::Reasoning { text: "Hm".to_owned(), opaque: None },
            Part::Reasoning { text: "So".to_owned(), opaque: Some(json!({"signature": "c2ln"})) },
            Part::text("Let me see é🎉."),
            marked("dGV4dA", json!({"of": "text", "chars": 4})),
            marked("ZW1wdHk", json!({"of": "text", "chars": 0})),
            marked("Y2FsbA", json!({"of": "call"})),
            call("c0", None, "{}"),
            call("c1", None, "{}"),
        ]
    };
    let results = || vec![result("c0", ToolStatus::Ok, vec![]), result("c1", ToolStatus::Ok, vec![])];
    let of = |from: &str| contents(&assistant(parts(), from, results()), NEW)[0]["parts"].clone();
    let first = json!({"name": "add", "args": {}});
    assert_eq!(
        of(NEW),
        json!([
            {"text": "Hm", "thought": true},
            {"text": "So", "thought": true, "thoughtSignature": "c2ln"},
            {"text": "Let me see"},
            {"text": " é🎉.", "thoughtSignature": "dGV4dA"},
            {"text": "", "thoughtSignature": "ZW1wdHk"},
            {"functionCall": first, "thoughtSignature": "Y2FsbA"},
            {"functionCall": first}
        ])
    );
    // Another model's thoughts are nobody's business here, and its calls have no signature.
    assert_eq!(
        of(OLD),
        json!([
            {"text": "Let me see é🎉."},
            {"functionCall": first, "thoughtSignature": "skip_thought_signature_validator"},
            {"functionCall": first}
        ])
    );
}

#[test]
fn older_models_are_sent_no_signature_in_place_of_one() {
    let group = assistant(vec![call("c", None, "{}")], NEW, vec![result("c", ToolStatus::Ok, vec![])]);
    assert_eq!(contents(&group, OLD)[0]["parts"][0].get("thoughtSignature"), None);
}

#[test]
fn what_is_decoded_goes_back_as_it_came() {
    let turn = json!([
        {"text": "Hm", "thought": true, "thoughtSignature": "c2ln"},
        {"text": "A"},
        {"text": "B", "thoughtSignature": "dGV4dA"},
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}, "thoughtSignature": "Y29kZQ"},
        {"functionCall": {"id": "i0", "name": "add", "args": {"x": 1}}, "thoughtSignature": "Y2FsbA"},
        {"functionCall": {"id": "i1", "name": "add", "args": {}}}
    ]);
    let answer = json!({"candidates": [{"content": {"role": "model", "parts": turn}, "finishReason": "STOP",
        "groundingMetadata": {"webSearchQueries": ["q"]}}]});
    let mut decoder = Gemini::default().decoder(&profile(NEW), mosaic_core::Delivery::Whole);
    let mut events = Vec::new();
    decoder.push(answer.to_string().as_bytes(), &mut events).unwrap();
    decoder.finish(&mut events).unwrap();
    let mut parts: Vec<Part> = events
        .into_iter()
        .filter_map(|event| match event {
            ModelEvent::End { content, .. } => Some(content),
            _ => None,
        })
        .collect();
    let mut results = Vec::new();
    for (at, part) in parts.iter_mut().enumerate() {
        if let Part::ToolCall(call) = part {
            call.id = mosaic_core::CallId(format!("c{at}").into());
            results.push(result(call.id.as_str(), ToolStatus::Ok, vec![Part::text("2")]));
        }
    }
    assert_eq!(contents(&assistant(parts, NEW, results), NEW)[0]["parts"], turn);
}

#[test]
fn code_goes_back_with_its_result_or_not_at_all() {
    let block = |data: Value| Part::Provider { kind: "k".to_owned(), data };
    let code = || block(json!({"executableCode": {"code": "1"}}));
    let output = || block(json!({"codeExecutionResult": {"output": "1"}}));
    let grounding = || block(json!({"groundingMetadata": {"webSearchQueries": []}}));
    let parts = |parts: Vec<Part>, from: &str| {
        contents(&assistant(parts, from, vec![]), NEW)[0]["parts"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(parts(vec![code(), output(), grounding(), Part::text("1")], NEW), 3);
    assert_eq!(parts(vec![code(), Part::text("1")], NEW), 1);
    assert_eq!(parts(vec![code(), output(), Part::text("1")], OLD), 1);
}

#[test]
fn empty_texts_are_left_out_and_an_answer_of_thoughts_is_not_sent() {
    let group = Group::user(vec![Part::text(""), Part::text(" \n"), Part::text("a")]);
    assert_eq!(contents(&group, NEW), json!([{"role": "user", "parts": [{"text": "a"}]}]));
    assert_eq!(contents(&Group::user(vec![]), NEW)[0]["parts"], json!([{"text": "(empty)"}]));
    let thoughts = vec![Part::Reasoning { text: "Hm".into(), opaque: Some(json!({"signature": "c2ln"})) }];
    assert_eq!(contents(&assistant(thoughts, NEW, vec![]), NEW), json!([]));
}

#[test]
fn the_user_speaks_first_and_last_and_before_every_call() {
    let said = |text: &str| assistant(vec![Part::text(text)], NEW, vec![]);
    let asked = assistant(vec![call("c", None, "{}")], NEW, vec![result("c", ToolStatus::Ok, vec![])]);
    let sent = body(NEW, &[said("a"), said("b"), asked, said("c"), said("")], |_| {});
    let shape: Vec<(&str, usize)> = sent["contents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|content| (content["role"].as_str().unwrap(), content["parts"].as_array().unwrap().len()))
        .collect();
    // Two texts and a call in one turn of the model, then the result, then an answer, then a word of the user.
    assert_eq!(shape, [("user", 1), ("model", 3), ("user", 1), ("model", 1), ("user", 1)]);
}

#[test]
fn media_goes_in_as_bytes_or_by_its_address() {
    let first = |part: Part| contents(&Group::user(vec![part]), NEW)[0]["parts"][0].clone();
    let file = |uri: &str, kind: &str| json!({"fileData": {"mimeType": kind, "fileUri": uri}});
    assert_eq!(
        first(media("audio/wav", bytes())),
        json!({"inlineData": {"mimeType": "audio/wav", "data": "AA=="}})
    );
    let url = || MediaData::Url { url: "https://a/b.pdf".to_owned() };
    assert_eq!(first(media("application/pdf", url())), file("https://a/b.pdf", "application/pdf"));
    for id in ["abc", "files/abc", "https://generativelanguage.googleapis.com/v1beta/files/abc"] {
        let data = MediaData::File { id: id.to_owned() };
        let uri = "https://generativelanguage.googleapis.com/v1beta/files/abc";
        assert_eq!(first(media("video/mp4", data)), file(uri, "video/mp4"));
    }
    let on_vertex = |id: &str| {
        let group = Group::user(vec![media("video/mp4", MediaData::File { id: id.to_owned() })]);
        vertex().fragment(group.body(), &profile(NEW))
    };
    assert!(on_vertex("gs://bucket/a.mp4").is_ok());
    let error = on_vertex("files/abc").unwrap_err().to_string();
    assert!(error.contains("a file by its id on Vertex AI") && error.contains("gs://"), "{error}");
}

#[test]
fn a_picture_in_a_result_is_inside_of_it_or_follows_it() {
    let group = |kind: &str| {
        let content = vec![Part::text("Here."), media(kind, bytes())];
        assistant(vec![call("c", None, "{}")], NEW, vec![result("c", ToolStatus::Ok, content)])
    };
    let inline = |kind: &str| json!({"inlineData": {"mimeType": kind, "data": "AA=="}});
    let newer = contents(&group("image/png"), NEW);
    assert_eq!(newer.as_array().unwrap().len(), 2);
    assert_eq!(newer[1]["parts"][0]["functionResponse"]["parts"], json!([inline("image/png")]));
    for (kind, model) in [("image/png", OLD), ("audio/wav", NEW)] {
        let all = contents(&group(kind), model);
        assert_eq!(all[1]["parts"].as_array().unwrap().len(), 1);
        assert_eq!(all[1]["parts"][0]["functionResponse"].get("parts"), None);
        assert_eq!(
            all[2],
            json!({"role": "user", "parts": [{"text": "From the result of call 1 (`add`):"}, inline(kind)]})
        );
    }
    let alone = vec![media("image/png", bytes())];
    let group = assistant(vec![call("c", None, "{}")], NEW, vec![result("c", ToolStatus::Ok, alone)]);
    assert_eq!(
        contents(&group, NEW)[1]["parts"][0]["functionResponse"]["response"],
        json!({"result": "(see the attached media)"})
    );
}

#[test]
fn names_and_arguments_that_the_api_refuses_go_back_in_a_valid_form() {
    let mut part = call("c", None, "{\"x\":");
    if let Part::ToolCall(call) = &mut part {
        call.name = "2 add/é".to_owned();
    }
    let group = assistant(vec![part], OLD, vec![result("c", ToolStatus::NotRun, vec![])]);
    let all = contents(&group, OLD);
    assert_eq!(
        all[0]["parts"][0]["functionCall"],
        json!({"name": "_2_add__", "args": {"INVALID_JSON": "{\"x\":"}})
    );
    assert_eq!(
        all[1]["parts"][0]["functionResponse"],
        json!({"name": "_2_add__", "response": {"error": "(no output)"}})
    );
}
