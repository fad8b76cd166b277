use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Filter, prepare, render};
use crate::id::CallId;
use crate::message::{Group, Origin, Part, ToolResult, ToolStatus, Usage};
use crate::model::{
    ModelEnd, ModelEvent, ModelRequest, OutputSpec, PartKind, StopReason, ToolChoice, ToolMode,
};
use crate::tool::{SchemaCheck, SubsetCheck, ToolSpec, ToolSpecs};

const NATIVE: ToolMode = ToolMode::Native;
const FORCED: ToolMode = ToolMode::JsonSchema;
const TEXT: ToolMode = ToolMode::Text;

fn request() -> ModelRequest {
    let object = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required});
    let weather = object(json!({"city": {"type": "string"}}), json!(["city"]));
    let add = object(json!({"a": {"type": "number"}, "b": {"type": "number"}}), json!(["a", "b"]));
    let tools = vec![
        ToolSpec::new("get_weather", "Weather of a city.", weather),
        ToolSpec::new("add", "Adds two numbers.", add),
        ToolSpec::new("clock", "The time.", json!({"type": "object"})),
    ];
    ModelRequest { tools: Arc::new(ToolSpecs::new(tools)), ..ModelRequest::default() }
}

/// What the host sees, written as a list: text as it is, calls as `name{arguments}`.
fn seen(events: &[ModelEvent]) -> Vec<String> {
    let mut parts = Vec::new();
    for event in events {
        if let ModelEvent::End { part, content } = event {
            assert_eq!(*part as usize, parts.len(), "parts are numbered in order: {events:?}");
            parts.push(match content {
                Part::Text { text } => text.clone(),
                Part::ToolCall(call) => format!("{}{}", call.name, call.arguments),
                other => panic!("{other:?}"),
            });
        }
    }
    // The pieces say the same as the whole parts.
    for (number, whole) in parts.iter().enumerate() {
        let pieces: String = events
            .iter()
            .filter_map(|event| match event {
                ModelEvent::Text { part, delta } if *part as usize == number => Some(delta.as_str()),
                ModelEvent::Arguments { part, delta } if *part as usize == number => Some(delta.as_str()),
                _ => None,
            })
            .collect();
        assert!(whole.ends_with(&pieces) && !pieces.is_empty(), "{whole} in pieces: {pieces}");
    }
    parts
}

fn done(stop: StopReason) -> ModelEvent {
    let origin = Origin { api: "t".into(), provider: "p".into(), model: "m".into() };
    ModelEvent::Done(ModelEnd { stop, usage: Usage::default(), cost: None, origin, response_id: None })
}

/// A text of a model as events, in these pieces.
fn events<'a>(pieces: impl IntoIterator<Item = &'a str>, stop: StopReason) -> Vec<ModelEvent> {
    let mut whole = String::new();
    let mut events = vec![ModelEvent::Start { part: 0, kind: PartKind::Text }];
    for piece in pieces {
        whole.push_str(piece);
        events.push(ModelEvent::Text { part: 0, delta: piece.to_owned() });
    }
    events.push(ModelEvent::End { part: 0, content: Part::Text { text: whole } });
    events.push(done(stop));
    events
}

fn filtered(mode: ToolMode, request: &ModelRequest, events: Vec<ModelEvent>) -> Vec<ModelEvent> {
    let Some(mut filter) = Filter::new(mode, request) else {
        return events;
    };
    let mut out = Vec::new();
    events.into_iter().for_each(|event| filter.push(event, &mut out));
    out
}

fn says(mode: ToolMode, text: &str) -> Vec<String> {
    says_to(mode, &request(), text)
}

fn says_to(mode: ToolMode, request: &ModelRequest, text: &str) -> Vec<String> {
    let whole = seen(&filtered(mode, request, events([text], StopReason::Stop)));
    let single: Vec<String> = text.chars().map(String::from).collect();
    let single = events(single.iter().map(String::as_str), StopReason::Stop);
    assert_eq!(seen(&filtered(mode, request, single)), whole, "one character at a time: {text}");
    whole
}

const WEATHER: &str = r#"get_weather{"city":"Oslo"}"#;
const ADD: &str = r#"add{"a":1,"b":2}"#;

#[test]
fn a_call_in_the_text_is_accepted_in_all_the_forms_that_models_write() {
    for text in [
        r#"{"name": "get_weather", "arguments": {"city": "Oslo"}}"#,
        "\n {\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}\n",
        "```json\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}\n```",
        "```\n{\n  \"name\": \"get_weather\",\n  \"arguments\": {\"city\": \"Oslo\"}\n}\n```\n\n\n\n\n",
        "```json\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}```",
        "```json\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}",
        "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>",
        "<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}",
        "<tools>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tools>",
        "<tool_call>\n```json\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}\n```\n</tool_call>",
        "```xml\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>\n```",
        r#"{"name": "get_weather", "arguments": "{\"city\": \"Oslo\"}"}"#,
        r#"{"name": "get_weather", "parameters": {"city": "Oslo"}}"#,
        r#"{"tool": "get_weather", "parameters": {"city": "Oslo"}}"#,
        r#"{"tool_name": "get_weather", "tool_input": {"city": "Oslo"}}"#,
        r#"{"action": "get_weather", "action_input": {"city": "Oslo"}}"#,
        r#"{"function": "get_weather", "arguments": {"city": "Oslo"}}"#,
        r#"{"function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}"#,
        r#"{"type": "function", "function": {"name": "get_weather", "arguments": "{\"city\":\"Oslo\"}"}}"#,
        r#"{"id": "1", "type": "function", "name": "get_weather", "parameters": {"city": "Oslo"}}"#,
        r#"[{"name": "get_weather", "arguments": {"city": "Oslo"}}]"#,
        r#"{"tool_calls": [{"name": "get_weather", "arguments": {"city": "Oslo"}}]}"#,
    ] {
        for mode in [NATIVE, TEXT, FORCED] {
            assert_eq!(says(mode, text), [WEATHER], "{mode:?}: {text}");
        }
    }
    assert_eq!(says(NATIVE, r#"{"name": "clock"}"#), ["clock{}"]);
}

#[test]
fn several_calls_with_text_around_them_keep_their_order() {
    let call = |name: &str, input: &str| {
        format!("<tool_call>\n{{\"name\": \"{name}\", \"arguments\": {input}}}\n</tool_call>")
    };
    let (weather, add) = (call("get_weather", r#"{"city":"Oslo"}"#), call("add", r#"{"a":1,"b":2}"#));
    assert_eq!(
        says(TEXT, &format!("I look.\n{weather}\n{add}\nThat is all.")),
        ["I look.\n", WEATHER, ADD, "\nThat is all."]
    );
    let bare = "{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Oslo\"}}\n{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":2}}";
    assert_eq!(says(NATIVE, bare), [WEATHER, ADD]);
    assert_eq!(says(NATIVE, &format!("<tool_call>{bare}</tool_call>")), [WEATHER, ADD]);
    assert_eq!(
        says(NATIVE, "Sure:\n```json\n{\"name\": \"add\", \"arguments\": {\"a\": 1, \"b\": 2}}\n```\nDone."),
        ["Sure:\n", ADD, "\nDone."]
    );
}

#[test]
fn what_is_no_call_of_a_tool_of_the_request_stays_text_to_the_last_character() {
    for text in [
        // Measured: a tool that was made up.
        r#"{"name": "get_total_apples", "arguments": {"a": 1, "b": 2}}"#,
        // Arguments that do not pass the schema, or that are no JSON.
        r#"{"name": "get_weather", "arguments": {"town": "Oslo"}}"#,
        r#"{"name": "add", "arguments": {"a": "1", "b": 2}}"#,
        r#"{"name": "get_weather", "arguments": "Oslo"}"#,
        r#"{"name": "get_weather", "arguments": ["Oslo"]}"#,
        // Data that only looks like a call.
        r#"{"name": "clock", "age": 3}"#,
        r#"{"name": "get_weather", "arguments": {"city": "Oslo"}, "note": "an example"}"#,
        // Quoted in a sentence.
        r#"Write {"name": "get_weather", "arguments": {"city": "Oslo"}} to call it."#,
        "Use `{\"name\": \"clock\"}` for that.",
        // Code.
        "```rust\nfn main() {}\n```\n",
        "```json\n{\"city\": \"Oslo\"}\n```",
        "```\n```\n",
        "a < b and <tools are nice> and <tool_call",
        "<tool_call>not json</tool_call>",
        "<tool_call>",
        "  indented\n\n",
        "   ",
        "{",
        "[1, 2]",
        "[{\"name\": \"add\"",
        "``",
        "",
    ] {
        for mode in [NATIVE, TEXT, FORCED] {
            assert_eq!(says(mode, text).concat(), text, "{mode:?}");
        }
    }
}

#[test]
fn one_bad_call_among_several_makes_all_of_the_block_text() {
    let text = "<tool_call>[{\"name\":\"clock\"},{\"name\":\"no_such_tool\"}]</tool_call>";
    assert_eq!(says(NATIVE, text), [text]);
}

/// Deviation 1 of llama.cpp's server: a wanted function is ignored, and another call comes as text.
#[test]
fn a_call_of_another_tool_than_the_wanted_one_is_not_accepted() {
    let request = ModelRequest { tool_choice: ToolChoice::Tool { name: "add".into() }, ..request() };
    let text = r#"{"name": "get_weather", "arguments": {"city": "Oslo"}}"#;
    assert_eq!(says_to(NATIVE, &request, text), [text]);
    assert_eq!(says_to(NATIVE, &request, r#"{"name":"add","arguments":{"a":1,"b":2}}"#), [ADD]);
}

/// Deviation 2: `required` let the model write a fenced call and then line breaks until the limit.
#[test]
fn a_fenced_call_followed_by_line_breaks_until_the_limit_is_a_call_that_the_limit_cut() {
    let text =
        format!("```json\n{{\"name\":\"add\",\"arguments\":{{\"a\":1,\"b\":2}}}}\n```{}", "\n".repeat(500));
    let out = filtered(NATIVE, &request(), events([text.as_str()], StopReason::Length));
    assert_eq!(seen(&out), [ADD]);
    // The machine runs nothing of an answer that was cut.
    assert_eq!(out.last(), Some(&done(StopReason::Length)));
}

/// Deviation 3: `none` still left the tools in the prompt, and the model wrote a call.
#[test]
fn no_call_is_accepted_when_none_may_be_made() {
    let request = ModelRequest { tool_choice: ToolChoice::None, ..request() };
    let text = r#"{"name": "clock", "arguments": {}}"#;
    assert_eq!(says_to(NATIVE, &request, text), [text]);
    assert_eq!(says_to(TEXT, &request, text), [text]);
    assert_eq!(says_to(FORCED, &request, text), [text]);
}

/// Deviation 4: calls come as content.
#[test]
fn an_answer_with_a_call_in_its_text_stops_for_tool_calls() {
    let text = r#"{"name": "clock", "arguments": {}}"#;
    let out = filtered(NATIVE, &request(), events([text], StopReason::Stop));
    assert_eq!(out.last(), Some(&done(StopReason::ToolCalls)));
    let out = filtered(NATIVE, &request(), events(["no call"], StopReason::Stop));
    assert_eq!(out.last(), Some(&done(StopReason::Stop)));
}

#[test]
fn a_call_cut_at_any_character_never_becomes_a_call() {
    for (open, call) in [
        ("", r#"{"name": "add", "arguments": {"a": 1, "b": 2}}"#),
        ("<tool_call>", r#"{"name": "add", "arguments": {"a": 1, "b": 2}}"#),
        ("```json\n", r#"{"name": "add", "arguments": {"a": 1, "b": 2}}"#),
    ] {
        for cut in 0..call.len() {
            let text = format!("{open}{}", &call[..cut]);
            for mode in [NATIVE, TEXT, FORCED] {
                let out = filtered(mode, &request(), events([text.as_str()], StopReason::Length));
                assert_eq!(seen(&out).concat(), text, "{mode:?}");
            }
        }
    }
}

#[test]
fn prose_is_shown_at_once_and_only_what_may_be_a_call_is_held_back() {
    let shown = |mode, text: &str| {
        let mut filter = Filter::new(mode, &request()).unwrap();
        let mut out = Vec::new();
        filter.push(ModelEvent::Start { part: 0, kind: PartKind::Text }, &mut out);
        for c in text.chars() {
            filter.push(ModelEvent::Text { part: 0, delta: c.into() }, &mut out);
        }
        out.iter()
            .filter_map(|event| match event {
                ModelEvent::Text { delta, .. } => Some(delta.as_str()),
                _ => None,
            })
            .collect::<String>()
    };
    for text in ["Hello", "a < b", "Look:\n```rust\nfn", "{\"city\": \"Os", "```json\n{\"city\""] {
        assert_eq!(shown(NATIVE, text), text);
    }
    for (text, so_far) in [
        ("Look: <tool_", "Look: "),
        ("Look:\n``", "Look:\n"),
        ("{\"na", ""),
        ("{\"name\": \"add\"", ""),
        ("```json\n{\"name\"", ""),
    ] {
        assert_eq!(shown(NATIVE, text), so_far);
    }
    assert_eq!(shown(FORCED, r#"{"final_answer": "It is \u00e4 su"#), "It is ä su");
    assert_eq!(shown(FORCED, r#"{"final_answer": "It is \ud83d"#), "It is ");
}

#[test]
fn an_answer_that_breaks_off_shows_what_was_held_back() {
    let mut filter = Filter::new(NATIVE, &request()).unwrap();
    let mut out = Vec::new();
    filter.push(ModelEvent::Start { part: 0, kind: PartKind::Text }, &mut out);
    filter.push(ModelEvent::Text { part: 0, delta: "{\"name\": \"a".into() }, &mut out);
    assert_eq!(out, []);
    filter.flush(&mut out);
    assert_eq!(out.last(), Some(&ModelEvent::Text { part: 0, delta: "{\"name\": \"a".into() }));
}

#[test]
fn the_wrapping_of_a_final_answer_is_hidden() {
    for (text, expected) in [
        (r#"{"final_answer": "Hello"}"#, "Hello"),
        (" {\n \"final_answer\" :\n \"Hello\" \n}\n", "Hello"),
        (
            r#"{"final_answer":"a \"quoted\" \\ \n line, \u00e4 \ud83d\ude00 \/"}"#,
            "a \"quoted\" \\ \n line, ä 😀 /",
        ),
        (r#"{"final_answer":"lone \ud83d half"}"#, "lone \u{fffd} half"),
        (r#"{"final_answer": {"days": [1, "}"]}}"#, r#"{"days": [1, "}"]}"#),
        (r#"{"final_answer": 42}"#, "42"),
        (r#"{"final_answer": "cut o"#, "cut o"),
        (r#"{"final_answer": "Hi"} And more."#, "Hi And more."),
        ("```json\n{\"final_answer\": \"Hi\"}\n```\n", "Hi"),
    ] {
        assert_eq!(says(FORCED, text).concat(), expected, "{text}");
    }
    assert_eq!(says(NATIVE, r#"{"final_answer": "Hello"}"#), [r#"{"final_answer": "Hello"}"#]);
}

#[test]
fn a_forced_answer_that_is_a_call_is_a_call() {
    assert_eq!(says(FORCED, r#"{"tool": "get_weather", "tool_input": {"city": "Oslo"}}"#), [WEATHER]);
}

#[test]
fn a_call_through_the_providers_interface_leaves_the_text_after_it_alone() {
    let call = Part::call("", "clock", "{}");
    let text = r#"{"name": "clock", "arguments": {}}"#;
    let mut given = vec![
        ModelEvent::Start { part: 0, kind: PartKind::ToolCall { name: "clock".into() } },
        ModelEvent::Arguments { part: 0, delta: "{}".into() },
        ModelEvent::End { part: 0, content: call },
        ModelEvent::Start { part: 1, kind: PartKind::Text },
        ModelEvent::Text { part: 1, delta: text.into() },
        ModelEvent::End { part: 1, content: Part::text(text) },
    ];
    given.push(done(StopReason::ToolCalls));
    assert_eq!(filtered(NATIVE, &request(), given.clone()), given);
}

#[test]
fn a_part_without_pieces_counts_too() {
    let text = r#"{"name": "clock"}"#;
    let given = vec![
        ModelEvent::Start { part: 0, kind: PartKind::Text },
        ModelEvent::End { part: 0, content: Part::text(text) },
        done(StopReason::Stop),
    ];
    assert_eq!(seen(&filtered(NATIVE, &request(), given)), ["clock{}"]);
}

#[test]
fn another_attempt_begins_anew() {
    let mut given = events(["Half of <tool_"], StopReason::Stop);
    given.truncate(2);
    given.push(ModelEvent::Restarted);
    given.extend(events([r#"{"name": "clock"}"#], StopReason::Stop));
    let out = filtered(NATIVE, &request(), given);
    let restart = out.iter().position(|event| *event == ModelEvent::Restarted).unwrap();
    assert_eq!(seen(&out[restart..]), ["clock{}"]);
}

#[test]
fn a_request_without_tools_stays_as_it_is() {
    let output = Some(Arc::new(OutputSpec { name: "plan".into(), schema: json!({"type": "object"}) }));
    let plain =
        ModelRequest { instructions: "Be brief.".into(), output: output.clone(), ..ModelRequest::default() };
    for mode in [NATIVE, FORCED, TEXT] {
        let prepared = prepare(mode, &plain);
        assert_eq!((&*prepared.instructions, &prepared.output), ("Be brief.", &output));
        assert!(Filter::new(mode, &plain).is_none());
    }
    let native = prepare(NATIVE, &request());
    assert!(native.native_tools && native.instructions.is_empty() && native.output.is_none());
}

fn schema(request: &ModelRequest) -> Value {
    prepare(FORCED, request).output.unwrap().schema.clone()
}

#[test]
fn the_forced_schema_takes_the_calls_of_the_tools_and_a_final_answer() {
    let schema = schema(&request());
    for fits in [
        json!({"tool": "get_weather", "tool_input": {"city": "Oslo"}}),
        json!({"tool": "add", "tool_input": {"a": 1, "b": 2}}),
        json!({"final_answer": "Hello"}),
    ] {
        assert_eq!(SubsetCheck.check(&schema, &fits), Ok(()));
    }
    for not in [json!({"tool": "add", "tool_input": {"city": "Oslo"}}), json!({"final_answer": 1}), json!({})]
    {
        assert!(SubsetCheck.check(&schema, &not).is_err());
    }
    assert!(schema.to_string().find("\"tool\"") < schema.to_string().find("\"tool_input\""));
}

#[test]
fn a_choice_and_an_output_shape_the_forced_schema() {
    let fits = |request: &ModelRequest, value: Value| SubsetCheck.check(&schema(request), &value).is_ok();
    let (call, other) =
        (json!({"tool": "clock", "tool_input": {}}), json!({"tool": "add", "tool_input": {"a": 1, "b": 2}}));
    let answer = json!({"final_answer": "Hello"});
    for (choice, expected) in [
        (ToolChoice::Auto, [true, true, true]),
        (ToolChoice::Required, [true, true, false]),
        (ToolChoice::Tool { name: "clock".into() }, [true, false, false]),
        (ToolChoice::None, [false, false, true]),
    ] {
        let request = ModelRequest { tool_choice: choice.clone(), ..request() };
        let found = [&call, &other, &answer].map(|value| fits(&request, value.clone()));
        assert_eq!(found, expected, "{choice:?}");
    }
    let plan = json!({"type": "object", "properties": {"days": {"$ref": "#/$defs/days"}}, "$defs": {"days": {"type": "integer"}}});
    let output = Some(Arc::new(OutputSpec { name: "plan".into(), schema: plan }));
    let request = ModelRequest { output, ..request() };
    assert!(fits(&request, json!({"final_answer": {"days": 3}})));
    assert!(!fits(&request, json!({"final_answer": {"days": "3"}})), "definitions move with their schema");
}

#[test]
fn the_instructions_describe_the_tools_and_when_not_to_call_them() {
    let request = ModelRequest { instructions: "Be brief.".into(), ..request() };
    for mode in [FORCED, TEXT] {
        let prepared = prepare(mode, &request);
        let text = &*prepared.instructions;
        assert!(text.starts_with("Be brief.\n\n") && !prepared.native_tools, "{text}");
        for word in ["get_weather: Weather of a city.", "\"city\"", "greeting"] {
            assert!(text.to_lowercase().contains(&word.to_lowercase()), "{word} in {text}");
        }
    }
    assert!(prepare(TEXT, &request).output.is_none());
    assert!(prepare(TEXT, &request).instructions.contains("<tool_call>"));
    assert!(prepare(FORCED, &request).instructions.contains("\"final_answer\""));
}

#[test]
fn old_calls_and_results_become_text_that_reads_like_the_answers_that_are_wanted() {
    let result = |call: &str, status, text: &str| ToolResult {
        call: CallId(call.into()),
        status,
        content: vec![Part::text(text)],
    };
    let group = Group::assistant(
        vec![
            Part::text("I look."),
            Part::call("c1", "get_weather", r#"{"city":"Oslo"}"#),
            Part::call("c2", "add", "{\"a\": 1"),
        ],
        None,
        vec![result("c1", ToolStatus::Ok, "sunny"), result("c2", ToolStatus::NotRun, "cut off")],
    )
    .unwrap();
    let texts = |mode| -> Vec<String> {
        let said = |body: &crate::GroupBody| match body {
            crate::GroupBody::User { parts } | crate::GroupBody::Assistant { parts, .. } => {
                parts.iter().filter_map(Part::as_text).collect::<String>()
            }
        };
        render(mode, group.body()).iter().map(said).collect()
    };
    assert_eq!(
        texts(FORCED),
        [
            "I look.\n{\"tool\": \"get_weather\", \"tool_input\": {\"city\":\"Oslo\"}}\n{\"tool\": \"add\", \"tool_input\": \"{\\\"a\\\": 1\"}",
            "Result of get_weather:\nsunny\nadd gave no result (not run):\ncut off\n"
        ]
    );
    assert!(texts(TEXT)[0].contains(
        "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\":\"Oslo\"}}\n</tool_call>"
    ));
    assert_eq!(*render(NATIVE, group.body()), [group.body().clone()]);
}

/// White space between text and a fence goes with the text, whether it came with it or alone; and it does not hide the fence.
#[test]
fn white_space_before_a_fence_may_come_alone() {
    let call = "```\n{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":2}}\n```";
    for space in ["\n", "\n  ", "\n\n\t"] {
        let whole = format!("Well.{space}{call}");
        let expected = [format!("Well.{space}"), "add{\"a\":1,\"b\":2}".to_owned()];
        for cut in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            let (one, other) = whole.split_at(cut);
            let seen = seen(&filtered(NATIVE, &request(), events([one, other], StopReason::Stop)));
            assert_eq!(seen, expected, "{one:?} and {other:?}");
        }
    }
}

/// Texts made of what calls are made of, so that near misses are frequent.
fn any_text() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\\",
        "\n",
        " ",
        "a",
        "ä",
        "😀",
        "```",
        "```json\n",
        "`",
        "<",
        "<tool_call>",
        "</tool_call>",
        "<tools>",
        "{\"name\": ",
        "\"add\"",
        ", \"arguments\": ",
        "{\"a\": 1, \"b\": 2}",
        "{\"name\":\"clock\"}",
        "{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":2}}",
        "{\"final_answer\": ",
        "\"Hello\"",
        "\\u00e4",
        "\\ud83d",
        "\\ude00",
        "}\n```",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_result_does_not_depend_on_how_the_text_is_cut(text in any_text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).filter(|at| text.is_char_boundary(*at)).collect();
        at.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for to in at.into_iter().chain([text.len()]) {
            pieces.push(&text[from..to]);
            from = to;
        }
        for mode in [NATIVE, TEXT, FORCED] {
            let whole = seen(&filtered(mode, &request(), events([text.as_str()], StopReason::Stop)));
            let cut = seen(&filtered(mode, &request(), events(pieces.clone(), StopReason::Stop)));
            prop_assert_eq!(&whole, &cut, "{:?}: {:?}", mode, &pieces);
            if mode != FORCED && !whole.iter().any(|part| part.starts_with("add{") || part.starts_with("clock{")) {
                prop_assert_eq!(whole.concat(), text.clone(), "no text is lost when no call is accepted");
            }
        }
    }
}
