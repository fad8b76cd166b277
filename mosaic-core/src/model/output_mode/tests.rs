use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{AnswerFilter, OutputMode, Shaped, shape};
use crate::message::{Origin, Part, Usage};
use crate::model::{
    ModelEnd, ModelEvent, ModelRequest, OutputSpec, PartKind, StopReason, ToolChoice, ToolMode,
};
use crate::tool::{SchemaCheck, SubsetCheck, ToolSpec, ToolSpecs};

const TOOL: OutputMode = OutputMode::Tool;
const PROMPT: OutputMode = OutputMode::Prompt;

fn plan() -> Value {
    json!({"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]})
}

fn request(schema: Value, tools: &[&str]) -> ModelRequest {
    let tools = tools.iter().map(|name| ToolSpec::new(*name, "A tool.", json!({"type": "object"}))).collect();
    ModelRequest {
        instructions: "Be brief.".into(),
        tools: Arc::new(ToolSpecs::new(tools)),
        output: Some(Arc::new(OutputSpec { name: "plan".into(), schema })),
        ..ModelRequest::default()
    }
}

fn shaped(mode: OutputMode, request: &ModelRequest) -> Shaped {
    shape(mode, ToolMode::Native, request).unwrap()
}

fn names(shaped: &Shaped) -> Vec<&str> {
    shaped.tools.iter().map(|tool| &*tool.name).collect()
}

/// A part of what a model says.
#[derive(Debug, Clone)]
enum Said {
    Text(String),
    Thought(String),
    Call(String, String),
}

fn text(text: &str) -> Said {
    Said::Text(text.into())
}

fn call(name: &str, arguments: &str) -> Said {
    Said::Call(name.into(), arguments.into())
}

/// The events of an answer, every part in pieces of at most so many characters; a call's name comes at its end if `late`.
fn events(said: &[Said], cut: usize, late: bool) -> Vec<ModelEvent> {
    let mut events = Vec::new();
    for (part, said) in (0..).zip(said) {
        let (kind, whole, content) = match said.clone() {
            Said::Text(text) => (PartKind::Text, text.clone(), Part::text(text)),
            Said::Thought(text) => {
                (PartKind::Reasoning, text.clone(), Part::Reasoning { text, opaque: None })
            }
            Said::Call(name, arguments) => {
                let known = if late { String::new() } else { name.clone() };
                (PartKind::ToolCall { name: known }, arguments.clone(), Part::call("", name, arguments))
            }
        };
        events.push(ModelEvent::Start { part, kind: kind.clone() });
        let characters: Vec<char> = whole.chars().collect();
        for piece in characters.chunks(cut.max(1)) {
            let delta = piece.iter().collect();
            events.push(match kind {
                PartKind::Text => ModelEvent::Text { part, delta },
                PartKind::Reasoning => ModelEvent::Reasoning { part, delta },
                _ => ModelEvent::Arguments { part, delta },
            });
        }
        events.push(ModelEvent::End { part, content });
    }
    let stop = if said.iter().any(|said| matches!(said, Said::Call(..))) {
        StopReason::ToolCalls
    } else {
        StopReason::Stop
    };
    let origin = Origin { api: "t".into(), provider: "p".into(), model: "m".into() };
    events.push(ModelEvent::Done(ModelEnd {
        stop,
        usage: Usage::default(),
        cost: None,
        origin,
        response_id: None,
    }));
    events
}

fn filtered(shaped: &Shaped, events: Vec<ModelEvent>) -> Vec<ModelEvent> {
    let mut filter = AnswerFilter::new(shaped.reading.clone());
    let mut out = Vec::new();
    events.into_iter().for_each(|event| filter.push(event, &mut out));
    out
}

/// What the host sees, a line a part, and why the model stopped. The pieces must say what the parts say.
fn seen(events: &[ModelEvent]) -> (Vec<String>, StopReason) {
    let (mut parts, mut stop) = (Vec::new(), None);
    for event in events {
        match event {
            ModelEvent::End { part, content } => {
                let started = |event: &ModelEvent| matches!(event, ModelEvent::Start { part: other, .. } if other == part);
                assert_eq!(events.iter().filter(|event| started(event)).count(), 1, "{events:?}");
                let pieces: String = events
                    .iter()
                    .filter_map(|event| match event {
                        ModelEvent::Text { part: other, delta }
                        | ModelEvent::Reasoning { part: other, delta }
                        | ModelEvent::Arguments { part: other, delta }
                            if other == part =>
                        {
                            Some(delta.as_str())
                        }
                        _ => None,
                    })
                    .collect();
                let (line, whole) = match content {
                    Part::Text { text } => (text.clone(), text),
                    Part::Reasoning { text, .. } => (format!("({text})"), text),
                    Part::ToolCall(call) => (format!("{}{}", call.name, call.arguments), &call.arguments),
                    other => panic!("{other:?}"),
                };
                assert_eq!(&pieces, whole, "{events:?}");
                parts.push(line);
            }
            ModelEvent::Done(end) => stop = Some(end.stop.clone()),
            _ => {}
        }
    }
    (parts, stop.unwrap())
}

/// What the host sees of an answer, however it is cut.
fn host_sees(mode: OutputMode, request: &ModelRequest, said: &[Said]) -> (Vec<String>, StopReason) {
    let shaped = shaped(mode, request);
    let whole = seen(&filtered(&shaped, events(said, usize::MAX, false)));
    for cut in [1, 2, 3, 7] {
        assert_eq!(seen(&filtered(&shaped, events(said, cut, false))), whole, "cut every {cut}: {said:?}");
    }
    assert_eq!(seen(&filtered(&shaped, events(said, 2, true))), whole, "names at the end: {said:?}");
    whole
}

#[test]
fn a_request_without_an_output_or_for_a_model_that_keeps_to_one_stays_as_it_is() {
    let plain = ModelRequest { output: None, ..request(plan(), &["add"]) };
    for mode in [OutputMode::Native, TOOL, PROMPT] {
        assert!(shape(mode, ToolMode::Native, &plain).is_none());
    }
    assert!(shape(OutputMode::Native, ToolMode::Native, &request(plan(), &["add"])).is_none());
}

#[test]
fn the_final_answer_is_one_tool_beside_the_real_ones_and_some_tool_must_be_called() {
    let shaped = shaped(TOOL, &request(plan(), &["add", "clock"]));
    assert_eq!(names(&shaped), ["add", "clock", "final_answer"]);
    assert_eq!(shaped.tool_choice, ToolChoice::Required);
    assert_eq!(shaped.tools.get("final_answer").unwrap().input_schema, plan());
    assert!(
        shaped.instructions.starts_with("Be brief.\n\n") && shaped.instructions.contains("`final_answer`")
    );
}

#[test]
fn without_real_tools_or_when_none_may_be_called_the_final_answer_must_be() {
    let only = ToolChoice::Tool { name: "final_answer".into() };
    let none = shaped(TOOL, &request(plan(), &[]));
    assert_eq!((names(&none), &none.tool_choice), (vec!["final_answer"], &only));
    let request = ModelRequest { tool_choice: ToolChoice::None, ..request(plan(), &["add"]) };
    let forbidden = shaped(TOOL, &request);
    assert_eq!((names(&forbidden), &forbidden.tool_choice), (vec!["add", "final_answer"], &only));
}

#[test]
fn a_call_that_the_host_demands_comes_before_the_answer() {
    for choice in [ToolChoice::Required, ToolChoice::Tool { name: "add".into() }] {
        let request = ModelRequest { tool_choice: choice.clone(), ..request(plan(), &["add"]) };
        for mode in [TOOL, PROMPT] {
            let shaped = shaped(mode, &request);
            assert_eq!(
                (names(&shaped), &shaped.tool_choice, &*shaped.instructions),
                (vec!["add"], &choice, "Be brief.")
            );
        }
    }
}

#[test]
fn a_tool_of_the_hosts_may_have_that_name() {
    let shaped = shaped(TOOL, &request(plan(), &["final_answer", "final_answer_"]));
    assert_eq!(names(&shaped), ["final_answer", "final_answer_", "final_answer__"]);
    let request = request(plan(), &["final_answer"]);
    let (parts, _) =
        host_sees(TOOL, &request, &[call("final_answer", "{}"), call("final_answer_", "{\"days\":1}")]);
    assert_eq!(parts, ["final_answer{}", "{\"days\":1}"]);
}

#[test]
fn a_shape_that_is_no_object_is_wrapped_with_its_definitions_in_reach() {
    let list =
        json!({"type": "array", "items": {"$ref": "#/$defs/day"}, "$defs": {"day": {"type": "integer"}}});
    let schema = shaped(TOOL, &request(list, &[])).tools.get("final_answer").unwrap().input_schema.clone();
    assert_eq!(SubsetCheck.check(&schema, &json!({"answer": [1, 2]})), Ok(()));
    assert!(SubsetCheck.check(&schema, &json!({"answer": ["1"]})).is_err());
    assert!(SubsetCheck.check(&schema, &json!([1])).is_err());
}

#[test]
fn a_model_is_not_asked_in_two_ways_at_once() {
    let (tools, none) = (request(plan(), &["add"]), request(plan(), &[]));
    for mode in [TOOL, PROMPT] {
        assert!(shape(mode, ToolMode::JsonSchema, &tools).is_none());
        for (tool_mode, request) in
            [(ToolMode::JsonSchema, &none), (ToolMode::Text, &none), (ToolMode::Text, &tools)]
        {
            let shaped = shape(mode, tool_mode, request).unwrap();
            assert!(shaped.instructions.contains("\"days\""));
            assert_eq!(names(&shaped).len(), request.tools.iter().count());
        }
    }
}

#[test]
fn the_call_of_the_final_answer_is_the_text_of_the_answer() {
    let answer = r#"{"days": 3}"#;
    for tools in [&["add"][..], &[]] {
        let request = request(plan(), tools);
        for said in [
            vec![call("final_answer", answer)],
            // Talk beside it is not part of the answer.
            vec![text("Here it is:"), call("final_answer", answer)],
            vec![call("final_answer", answer), text("Anything else?")],
            // Only the first one counts.
            vec![call("final_answer", answer), call("final_answer", r#"{"days": 4}"#)],
        ] {
            assert_eq!(host_sees(TOOL, &request, &said), (vec![answer.to_owned()], StopReason::Stop));
        }
    }
    let said = [Said::Thought("hm".into()), call("final_answer", answer)];
    assert_eq!(host_sees(TOOL, &request(plan(), &[]), &said).0, ["(hm)", answer]);
    // Servers write nothing for a call without arguments.
    assert_eq!(host_sees(TOOL, &request(plan(), &[]), &[call("final_answer", "")]).0, ["{}"]);
}

#[test]
fn a_real_tool_is_called_first_and_the_answer_comes_later() {
    let request = request(plan(), &["add"]);
    for mode in [TOOL, PROMPT] {
        let said = [text("I add {a} and [1]:\n"), call("add", "{\"a\": 1}")];
        let expected =
            (vec!["I add {a} and [1]:\n".to_owned(), "add{\"a\": 1}".to_owned()], StopReason::ToolCalls);
        assert_eq!(host_sees(mode, &request, &said), expected);
    }
    // Both at once: the call is not lost, and the machine asks again after it.
    let both = [call("add", "{}"), call("final_answer", "{\"days\":1}")];
    assert_eq!(
        host_sees(TOOL, &request, &both),
        (vec!["add{}".to_owned(), "{\"days\":1}".to_owned()], StopReason::ToolCalls)
    );
    let both = [call("final_answer", "{\"days\":1}"), call("add", "{}")];
    assert_eq!(
        host_sees(TOOL, &request, &both),
        (vec!["{\"days\":1}".to_owned(), "add{}".to_owned()], StopReason::ToolCalls)
    );
    // JSON that was said before a call is shown as it is, with what comes behind it.
    let said = [text("{\"days\": 1} is a guess"), call("add", "{}")];
    let (parts, _) = host_sees(TOOL, &request, &said);
    assert_eq!(parts, ["{\"days\": 1} is a guess", "add{}"]);
}

#[test]
fn a_wrapped_answer_is_unwrapped() {
    for (schema, arguments, expected) in [
        (json!({"type": "array"}), r#"{"answer": [1, "}]"]}"#, r#"[1, "}]"]"#),
        (json!({"type": "string"}), r#"{"answer":"a \"b\", }c"}"#, r#""a \"b\", }c""#),
        (json!({"type": "integer"}), " {\n \"answer\" : 42}", "42"),
        (json!({"anyOf": [{"type": "object"}]}), r#"{"answer": {"a": {"b": 1}}}"#, r#"{"a": {"b": 1}}"#),
        // Not as it was asked for: as it is.
        (json!({"type": "array"}), "[1]", "[1]"),
        (json!({"type": "array"}), r#"{"days": [1]}"#, r#"{"days": [1]}"#),
        // Cut off.
        (json!({"type": "array"}), r#"{"answer": [1, "#, "[1, "),
        (json!({"type": "array"}), r#"{"ans"#, r#"{"ans"#),
    ] {
        let (parts, _) = host_sees(TOOL, &request(schema, &[]), &[call("final_answer", arguments)]);
        assert_eq!(parts, [expected], "{arguments}");
    }
}

#[test]
fn an_answer_in_the_text_is_found_there() {
    for said in [
        r#"{"days": 3}"#,
        " \n{\"days\": 3}\n ",
        "```json\n{\"days\": 3}\n```",
        "```\n{\"days\": 3}\n```\nAnything else?",
        "Here it is:\n\n```json\n{\"days\": 3}\n```",
        "Here it is: {\"days\": 3}. The set {1, 2} and the list [1] are no answers, {\"nights\": \"three\"} neither.",
        "First I thought {\"nights\": 33333}, but it is {\"days\": 3}",
        "<think>{\"draft\": 1}</think>\n{\"days\": 3}",
        "{\"days\": 3} is my answer.",
    ] {
        // A server that ignores that a tool must be called is read the same way.
        for mode in [PROMPT, TOOL] {
            let (parts, stop) = host_sees(mode, &request(plan(), &["add"]), &[text(said)]);
            assert_eq!(parts, [r#"{"days": 3}"#], "{said}");
            assert_eq!(stop, StopReason::Stop);
        }
    }
    let said = [text("Let me see."), text("{\"days\": 3}"), text("Bye.")];
    for mode in [PROMPT, TOOL] {
        assert_eq!(host_sees(mode, &request(plan(), &[]), &said).0, [r#"{"days": 3}"#]);
    }
}

#[test]
fn text_without_an_answer_stays_text_to_the_last_character() {
    for said in [
        "I cannot.",
        "{not json}",
        "[1] says a book",
        "{\"days\": 3",
        "```json\n{\"days\":",
        "``",
        "{",
        "  ",
        "{} and {a}",
    ] {
        for mode in [PROMPT, TOOL] {
            let (parts, _) = host_sees(mode, &request(plan(), &["add"]), &[text(said)]);
            let shown = parts.concat();
            // What stands before an answer that is shown live is not shown.
            let begun = said.trim_start_matches("```json\n");
            assert!(
                shown == said || shown == begun || (said == "{} and {a}" && shown == "{}"),
                "{said}: {shown}"
            );
        }
    }
}

#[test]
fn a_text_for_an_answer_needs_no_braces() {
    let request = request(json!({"type": "string"}), &[]);
    assert_eq!(host_sees(PROMPT, &request, &[text("```json\n\"Oslo\"\n```")]).0, ["\"Oslo\""]);
    assert_eq!(host_sees(PROMPT, &request, &[text("Oslo")]).0, ["Oslo"]);
}

fn shown_so_far(mode: OutputMode, schema: Value, said: Said) -> String {
    let shaped = shaped(mode, &request(schema, &["add"]));
    let mut all = events(&[said], 1, false);
    all.truncate(all.len() - 2);
    filtered(&shaped, all)
        .iter()
        .filter_map(|event| match event {
            ModelEvent::Text { delta, .. } => Some(delta.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn an_answer_is_shown_while_it_is_written() {
    assert_eq!(shown_so_far(TOOL, plan(), call("final_answer", "{\"days\": ")), "{\"days\": ");
    assert_eq!(
        shown_so_far(TOOL, json!({"type": "array"}), call("final_answer", "{\"answer\": [1, 2")),
        "[1, 2"
    );
    assert_eq!(shown_so_far(PROMPT, plan(), text("```json\n{\"days\": ")), "{\"days\": ");
    assert_eq!(shown_so_far(PROMPT, plan(), text("Here it is: {\"days\": ")), "");
    assert_eq!(shown_so_far(TOOL, plan(), text("{\"days\": ")), "", "talk, until proved otherwise");
}

#[test]
fn an_answer_that_breaks_off_shows_what_was_held_back() {
    let shaped = shaped(TOOL, &request(plan(), &["add"]));
    let mut filter = AnswerFilter::new(shaped.reading);
    let mut out = Vec::new();
    let mut all = events(&[text("I was ab")], 3, false);
    all.truncate(all.len() - 2);
    all.into_iter().for_each(|event| filter.push(event, &mut out));
    assert_eq!(out, []);
    filter.flush(&mut out);
    assert_eq!(out.last(), Some(&ModelEvent::Text { part: 0, delta: "I was ab".into() }));
}

#[test]
fn another_attempt_begins_anew() {
    for mode in [TOOL, PROMPT] {
        let mut given = events(&[text("{\"days\": 1"), call("final_answer", "{\"days\"")], 3, false);
        given.pop();
        given.push(ModelEvent::Restarted);
        given.extend(events(&[text("{\"days\": 3}")], 3, false));
        let out = filtered(&shaped(mode, &request(plan(), &["add"])), given);
        let restart = out.iter().position(|event| *event == ModelEvent::Restarted).unwrap();
        assert_eq!(seen(&out[restart..]).0, ["{\"days\": 3}"]);
    }
}

#[test]
fn parts_without_pieces_count_too() {
    let shaped = shaped(TOOL, &request(plan(), &["add"]));
    for said in [vec![call("final_answer", "{\"days\":1}")], vec![text("{\"days\":1}")]] {
        let whole = events(&said, usize::MAX, false);
        let no_pieces =
            |event: &ModelEvent| !matches!(event, ModelEvent::Text { .. } | ModelEvent::Arguments { .. });
        let given: Vec<_> = whole.iter().filter(|event| no_pieces(event)).cloned().collect();
        assert_eq!(seen(&filtered(&shaped, given)), seen(&filtered(&shaped, whole.clone())));
        let ends =
            whole.into_iter().filter(|event| matches!(event, ModelEvent::End { .. } | ModelEvent::Done(_)));
        assert_eq!(seen(&filtered(&shaped, ends.collect())).0, ["{\"days\":1}"]);
    }
}

/// Texts made of what answers are made of, so that near misses are frequent.
fn any_text() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        " ",
        "\n",
        "ä",
        "1",
        "```",
        "```json\n",
        "`",
        "{\"days\": 3}",
        "{\"a\": {}}",
        "[{}]",
        "{\"answer\": ",
        "\"x\"",
        "words ",
        "\\",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..8).prop_map(|pieces| pieces.concat())
}

fn any_part() -> impl Strategy<Value = Said> {
    prop_oneof![
        any_text().prop_map(Said::Text),
        any_text().prop_map(Said::Thought),
        any_text().prop_map(|arguments| Said::Call("final_answer".into(), arguments)),
        any_text().prop_map(|arguments| Said::Call("add".into(), arguments)),
        any_text().prop_map(|arguments| Said::Call("final".into(), arguments)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_host_sees_does_not_depend_on_how_the_answer_is_cut(
        said in prop::collection::vec(any_part(), 0..5),
        schema in prop::sample::select(vec![plan(), json!({"type": "array"}), json!({"type": "string"})]),
        tools in prop::sample::select(vec![vec![], vec!["add", "final"]]),
    ) {
        for mode in [TOOL, PROMPT] {
            let (parts, stop) = host_sees(mode, &request(schema.clone(), &tools), &said);
            // No call of a real tool is lost or made up, and the final answer is never seen as a call of the host's.
            let real = |said: &&Said| matches!(said, Said::Call(name, _) if mode == PROMPT || name != "final_answer");
            let calls = said.iter().filter(real).map(|said| match said {
                Said::Call(name, arguments) => format!("{name}{arguments}"),
                other => panic!("{other:?}"),
            });
            for call in calls {
                prop_assert!(parts.contains(&call), "{call} in {parts:?}");
            }
            let called = said.iter().any(|said| real(&said));
            let answered = mode == TOOL && said.iter().any(|said| matches!(said, Said::Call(name, _) if name == "final_answer"));
            prop_assert_eq!(stop == StopReason::ToolCalls, called, "{:?}", answered);
        }
    }
}
