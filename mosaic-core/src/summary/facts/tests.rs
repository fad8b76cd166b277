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
            ("d", "pay", json!({"euros": 2})),
        ]),
        start("a", Effect::ReadOnly),
        end("a", ToolStatus::Ok),
        Body::Question { about, expires: None, default: Decision::TellUnknown },
        Body::Answer { question: Seq(5), by: "ann".into(), decision: Decision::Approve },
        start("b", Effect::Once),
        end("b", ToolStatus::Unknown),
        end("c", ToolStatus::Denied),
        start("d", Effect::Once),
        end("d", ToolStatus::NotRun),
        Body::RunEnd { end: RunEnd::Done, usage: Usage::default(), cost: None },
    ]));
    assert_eq!(facts.tasks, [Task { seq: Seq(1), text: "pay the rent".into(), state: TaskState::Done }]);
    let effects: Vec<_> =
        facts.effects.iter().map(|fact| (fact.tool.as_str(), fact.key.as_str(), fact.status)).collect();
    assert_eq!(
        effects,
        [("pay", "run:b", ToolStatus::Unknown)],
        "what only reads, or was never started or run, had no effect"
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
fn a_resource_stands_once_where_it_was_used_last_and_the_newest_stay() {
    let mut bodies = vec![];
    for n in 0..RESOURCES + 3 {
        // The last one uses a file of before again.
        let (tool, file) = if n < RESOURCES + 2 { ("read", n) } else { ("write", 5) };
        let id = format!("c{n}");
        bodies.push(calls(&[(&id, tool, json!({"path": format!("{file}.txt")}))]));
        bodies.push(start(&id, Effect::ReadOnly));
    }
    let facts = Facts::of(&log(bodies));
    let of = |at: usize| (facts.resources[at].name.as_str(), facts.resources[at].tool.as_str());
    assert_eq!((facts.resources.len(), facts.left_out), (RESOURCES, 2));
    assert_eq!([of(0), of(3), of(RESOURCES - 1)], [("2.txt", "read"), ("6.txt", "read"), ("5.txt", "write")]);
}

#[test]
fn of_many_decisions_the_newest_stay() {
    let mut bodies = vec![calls(&[("a", "pay", json!({}))])];
    for n in 0..DECISIONS as u64 + 2 {
        let about = About::Recovery { call: CallId("a".into()) };
        bodies.push(Body::Question { about, expires: None, default: Decision::TellUnknown });
        let question = Seq(2 * n + 2);
        bodies.push(Body::Answer { question, by: n.to_string(), decision: Decision::Retry });
    }
    let facts = Facts::of(&log(bodies));
    assert_eq!((facts.decisions.len(), facts.left_out), (DECISIONS, 2));
    assert_eq!(facts.decisions[0].by, "2");
}

#[test]
fn the_end_of_a_run_ends_its_own_tasks() {
    let end = RunEnd::Limit { limit: crate::session::LimitKind::Steps };
    let end = Body::RunEnd { end, usage: Usage::default(), cost: None };
    let mut entries = log([input("of another run"), input("begun"), input("steered"), end]);
    entries[0].run = Some(RunId(Uuid::from_u128(8)));
    let states: Vec<_> = Facts::of(&entries).tasks.iter().map(|task| task.state).collect();
    assert_eq!(states, [TaskState::Open, TaskState::Stopped, TaskState::Stopped]);
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
