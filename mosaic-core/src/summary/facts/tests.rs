use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::message::Usage;
use crate::model::StopReason;
use crate::runtime::Timestamp;
use crate::session::InputDelivery;

const RUN: RunId = RunId(Uuid::from_u128(7));

fn log(bodies: impl IntoIterator<Item = Body>) -> Vec<Entry> {
    let entry = |(seq, body)| Entry { seq: Seq(seq), v: 1, at: Timestamp(seq), run: Some(RUN), body };
    (1..).zip(bodies).map(entry).collect()
}

fn input(text: &str) -> Body {
    Body::Input { parts: vec![text.into()], delivery: InputDelivery::Start, output: None, limits: None }
}

fn calls(calls: &[(&str, &str, serde_json::Value)]) -> Body {
    let parts = calls.iter().map(|(id, tool, arguments)| Part::call(*id, *tool, arguments.to_string()));
    let (stop, usage) = (StopReason::ToolCalls, Usage::default());
    Body::Assistant { step: 1, parts: parts.collect(), stop, usage, cost: None, origin: None, route: None }
}

fn start(call: &str, effect: Effect) -> Body {
    let key = format!("run:{call}").into();
    Body::ToolStart { calls: vec![CallStart { call: CallId(call.into()), attempt: 1, effect, key }] }
}

fn end(call: &str, status: ToolStatus) -> Body {
    Body::ToolEnd { call: CallId(call.into()), attempt: 1, status, content: vec!["receipt 77".into()] }
}

#[test]
fn tasks_effects_decisions_and_resources_are_found_in_the_log() {
    let about = About::Approval { call: CallId("b".into()), args_digest: String::new() };
    let facts = Facts::of(&log([
        input("pay the rent"),
        calls(&[
            ("a", "read", json!({"path": "rent.txt"})),
            ("b", "pay", json!({"euros": 900, "to": "https://bank.example/landlord"})),
            ("c", "pay", json!({"euros": 1})),
        ]),
        start("a", Effect::ReadOnly),
        end("a", ToolStatus::Ok),
        Body::Question { about, expires: None, default: Decision::TellUnknown },
        Body::Answer { question: Seq(5), by: "ann".into(), decision: Decision::Approve },
        start("b", Effect::Once),
        end("b", ToolStatus::Unknown),
        end("c", ToolStatus::Denied),
        Body::RunEnd { end: RunEnd::Done, usage: Usage::default(), cost: None },
    ]));
    assert_eq!(facts.tasks, [Task { seq: Seq(1), text: "pay the rent".into(), state: TaskState::Done }]);
    let effects: Vec<_> =
        facts.effects.iter().map(|fact| (fact.tool.as_str(), fact.key.as_str(), fact.status)).collect();
    assert_eq!(
        effects,
        [("pay", "run:b", ToolStatus::Unknown)],
        "what only reads, or was never started, had no effect"
    );
    assert_eq!((facts.decisions[0].by.as_str(), facts.decisions[0].decision.as_str()), ("ann", "approved"));
    let resources: Vec<_> = facts.resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(resources, ["rent.txt", "https://bank.example/landlord"]);
    assert_eq!(
        facts.text(),
        "Asked for:\n- (answered) pay the rent\n\
         Calls that had effects; do not repeat them by mistake:\n\
         - pay({\"euros\":900,\"to\":\"https://bank.example/landlord\"}): unknown. receipt 77\n\
         Decisions:\n- ann approved: pay({\"euros\":900,\"to\":\"https://bank.example/landlord\"})\n\
         Files and addresses that were used:\n- rent.txt (read)\n- https://bank.example/landlord (pay)"
    );
}

#[test]
fn the_newest_stay_and_the_others_are_counted() {
    let mut bodies = vec![];
    for n in 0..EFFECTS + 3 {
        let id = format!("c{n}");
        bodies.push(calls(&[(&id, "put", json!({"n": n}))]));
        bodies.push(start(&id, Effect::Idempotent));
        bodies.push(end(&id, ToolStatus::Ok));
    }
    let facts = Facts::of(&log(bodies));
    assert_eq!((facts.effects.len(), facts.left_out), (EFFECTS, 3));
    assert_eq!(facts.effects[0].arguments, r#"{"n":3}"#);
}

#[test]
fn a_task_that_goes_on_is_kept_longer_than_one_that_is_over() {
    let long = "word ".repeat(500);
    let over = [input(&long), Body::RunEnd { end: RunEnd::Done, usage: Usage::default(), cost: None }];
    assert!(Facts::of(&log(over)).tasks[0].text.chars().count() < 400);
    assert_eq!(Facts::of(&log([input(&long)])).tasks[0].text, long);
}

#[test]
fn facts_are_read_back_as_they_were_written_and_nothing_else_is_taken_for_facts() {
    let facts = Facts::of(&log([input("x")]));
    assert_eq!(Facts::from_value(&serde_json::to_value(&facts).unwrap()), Some(facts));
    assert_eq!(Facts::from_value(&Value::Null), None);
    assert_eq!(Facts::from_value(&json!({"tasks": "none"})), None);
}
