//! Entries by hand, and the rows that they give.

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::error::ErrorReport;
use crate::id::{RunId, SessionKey};
use crate::message::Origin;
use crate::router::RouteAttempt;
use crate::session::{CallStart, CancelReason, InputDelivery, LimitKind};
use crate::tool::Effect;

fn run() -> EndedRun {
    EndedRun {
        session: SessionKey::of("acme", "s"),
        user: Some("ann".into()),
        agent: "cook".into(),
        run: RunId(Uuid::from_u128(7)),
        from: Seq(3),
    }
}

/// Entries of the run, from number 3 on, each at its time.
fn entries(bodies: impl IntoIterator<Item = (u64, Body)>) -> Vec<Entry> {
    let numbered = (3..).zip(bodies);
    numbered
        .map(|(n, (at, body))| Entry { seq: Seq(n), v: 1, at: Timestamp(at), run: Some(run().run), body })
        .collect()
}

fn input() -> Body {
    let parts = vec![Part::text("my secret question")];
    Body::Input { parts, delivery: InputDelivery::Start, output: None, limits: None }
}

fn usage(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

fn assistant(parts: Vec<Part>, route: Option<RouteDecision>) -> Body {
    Body::Assistant {
        step: 1,
        parts,
        stop: StopReason::Stop,
        usage: usage(10, 5),
        cost: Some(Cost(70)),
        origin: Some(Origin { api: "a".into(), provider: "some".into(), model: "large".into() }),
        route: route.map(Arc::new),
    }
}

fn call(id: &str, name: &str) -> Part {
    let Part::ToolCall(mut call) = Part::call(id, name, "{\"key\":\"my secret argument\"}") else {
        unreachable!()
    };
    call.id = CallId(id.into());
    Part::ToolCall(call)
}

fn start(call: &str, attempt: u32) -> Body {
    let start = CallStart { call: CallId(call.into()), attempt, effect: Effect::Idempotent, key: "k".into() };
    Body::ToolStart { calls: vec![start] }
}

fn tool_end(call: &str, attempt: u32, status: ToolStatus) -> Body {
    Body::ToolEnd {
        call: CallId(call.into()),
        attempt,
        status,
        content: vec![Part::text("my secret result")],
    }
}

fn end(end: RunEnd) -> Body {
    Body::RunEnd { end, usage: usage(20, 10), cost: Some(Cost(140)) }
}

/// What a row tells at a glance.
fn told(rows: &[LogRow]) -> Vec<String> {
    let one = |row: &LogRow| {
        let error = row.error.as_ref().map(|error| format!(" {}", error.kind)).unwrap_or_default();
        format!(
            "{} {} {} {}+{} #{}{error}",
            row.kind,
            row.name.as_deref().unwrap_or("-"),
            row.status,
            row.at.0,
            row.duration_ms,
            row.seq
        )
    };
    rows.iter().map(one).collect()
}

fn due(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// The rows in the order in which they ended, for tests to read.
fn of(entries: &[Entry]) -> Vec<LogRow> {
    let mut found = rows(&run(), entries);
    found.sort_by_key(|row| (row.seq, row.kind != LogKind::Model, row.at, row.attempt));
    found
}

#[test]
fn a_run_with_a_tool_gives_its_model_calls_its_tool_and_itself() {
    let found = of(&entries([
        (100, input()),
        (130, assistant(vec![call("c", "weather")], None)),
        (131, start("c", 1)),
        (151, tool_end("c", 1, ToolStatus::Ok)),
        (190, assistant(vec![Part::text("my secret answer")], None)),
        (191, end(RunEnd::Done)),
    ]));
    assert_eq!(
        told(&found),
        due(&[
            "model large ok 100+30 #4",
            "tool weather ok 131+20 #6",
            "model large ok 151+39 #7",
            "run - ok 100+91 #8"
        ])
    );
    let (model, tool, whole) = (&found[0], &found[1], &found[3]);
    assert_eq!(
        (model.usage, model.cost, model.provider.as_deref()),
        (usage(10, 5), Some(Cost(70)), Some("some"))
    );
    assert_eq!((tool.call.clone(), tool.attempt), (Some(CallId("c".into())), 1));
    assert_eq!((whole.usage, whole.cost), (usage(20, 10), Some(Cost(140))));
    assert_eq!(whole.scope.to_string(), "acme/user ann/agent cook/session s");
    let json = serde_json::to_string(&found).unwrap();
    assert!(!json.contains("secret"), "what was said is in a row: {json}");
}

#[test]
fn a_failed_call_is_a_row_and_the_next_one_begins_when_it_is_tried_again() {
    let mut report = ErrorReport::new(ErrorKind::RateLimited, "no capacity");
    report.provider = Some("some".into());
    let failed = |error, retry_at| Body::ModelFailed {
        step: 1,
        error,
        partial: vec![Part::text("my secret")],
        retry_at,
        route: None,
    };
    let found = of(&entries([
        (100, input()),
        (110, failed(report, Some(Timestamp(500)))),
        (530, failed(ErrorReport::new(ErrorKind::Timeout, "late"), Some(Timestamp(531)))),
        (600, failed(ErrorReport::new(ErrorKind::Auth, "no key"), None)),
        (601, end(RunEnd::Failed { error: ErrorReport::new(ErrorKind::Auth, "no key") })),
    ]));
    assert_eq!(
        told(&found),
        due(&[
            "model - error 100+10 #4 rate_limited",
            "model - timed_out 500+30 #5 timeout",
            "model - error 531+69 #6 auth",
            "run - error 100+501 #7 auth",
        ])
    );
    let error = found[0].error.as_ref().unwrap();
    assert_eq!((&*error.message, found[0].provider.as_deref()), ("no capacity", Some("some")));
}

#[test]
fn a_routers_vain_attempts_are_rows_beside_the_call() {
    let attempt = |candidate: &str, started, ended, outcome| RouteAttempt {
        candidate: candidate.into(),
        started: Timestamp(started),
        ended: Some(Timestamp(ended)),
        outcome,
    };
    let route = RouteDecision {
        attempts: vec![
            attempt("east", 105, 115, AttemptOutcome::Failed { kind: ErrorKind::Overloaded }),
            attempt("north", 116, 140, AttemptOutcome::Outrun),
            attempt("west", 120, 140, AttemptOutcome::Answered { usage: usage(10, 5) }),
        ],
        ..RouteDecision::default()
    };
    let found =
        of(&entries([(100, input()), (140, assistant(Vec::new(), Some(route))), (141, end(RunEnd::Done))]));
    assert_eq!(
        told(&found),
        due(&[
            "model large ok 105+35 #4",
            "attempt east error 105+10 #4 overloaded",
            "attempt north outrun 116+24 #4",
            "run - ok 100+41 #5",
        ])
    );
}

#[test]
fn an_attempt_of_a_tool_that_a_crash_cut_off_is_unknown_and_the_next_one_counts() {
    let found = of(&entries([
        (100, input()),
        (110, assistant(vec![call("c", "book"), call("d", "look")], None)),
        (111, start("c", 1)),
        (111, start("d", 1)),
        (900, start("c", 2)),
        (950, tool_end("c", 2, ToolStatus::Error)),
        (960, tool_end("d", 1, ToolStatus::TimedOut)),
        (970, end(RunEnd::Limit { limit: LimitKind::Time })),
    ]));
    assert_eq!(
        told(&found)[1..],
        due(&[
            "tool book unknown 111+789 #7",
            "tool book error 900+50 #8 tool",
            "tool look timed_out 111+849 #9 timeout",
            "run - limit 100+870 #10 budget",
        ])
    );
    assert_eq!((found[1].attempt, found[2].attempt), (1, 2));
}

#[test]
fn what_never_ran_takes_no_time_and_a_made_up_name_is_not_quoted() {
    let long = "x".repeat(MAX_TOOL + 1);
    let found = of(&entries([
        (100, input()),
        (
            110,
            assistant(
                vec![call("c", "tell me: my secret"), call("d", &long), call("e", "mcp:files/read.v2-1")],
                None,
            ),
        ),
        (111, tool_end("c", 0, ToolStatus::Rejected)),
        (112, tool_end("d", 0, ToolStatus::NotRun)),
        (113, tool_end("e", 0, ToolStatus::Denied)),
        (114, end(RunEnd::Cancelled { reason: "my secret reason".into() })),
    ]));
    assert_eq!(
        told(&found)[1..],
        due(&[
            "tool - rejected 111+0 #5 tool",
            "tool - not_run 112+0 #6",
            "tool mcp:files/read.v2-1 denied 113+0 #7",
            "run - cancelled 100+14 #8",
        ])
    );
    assert!(!serde_json::to_string(&found).unwrap().contains("secret"));
}

#[test]
fn questions_last_until_they_are_answered() {
    let about = || About::Approval { call: CallId("c".into()), args_digest: "x".into() };
    let question = |about| Body::Question { about, expires: None, default: Decision::TellUnknown };
    let answer = |n, by: &str, decision| Body::Answer { question: Seq(n), by: by.into(), decision };
    let found = of(&entries([
        (100, input()),
        (110, question(about())),
        (111, question(About::Recovery { call: CallId("d".into()) })),
        (112, question(about())),
        (500, answer(4, "ann", Decision::Approve)),
        (600, answer(5, "deadline", Decision::TellUnknown)),
        (700, answer(6, "ann", Decision::Deny { reason: "my secret".into() })),
        (701, end(RunEnd::Done)),
    ]));
    assert_eq!(
        told(&found)[..3],
        due(&[
            "question approval ok 110+390 #7",
            "question recovery timed_out 111+489 #8",
            "question approval denied 112+588 #9",
        ])
    );
}

#[test]
fn compactions_are_rows_with_what_they_took() {
    let report = ErrorReport::new(ErrorKind::Server, "broken");
    let summary = "my secret summary".to_owned();
    let found = of(&entries([
        (100, input()),
        (110, Body::CompactStart { step: 1 }),
        (130, Body::CompactFailed { step: 1, error: report, usage: usage(3, 0), cost: None }),
        (140, Body::CompactStart { step: 2 }),
        (
            190,
            Body::Compaction {
                step: 2,
                upto: Seq(2),
                summary,
                claims: Vec::new(),
                facts: json!({"my": "secret"}),
                before: 90,
                after: 9,
                usage: usage(9, 1),
                cost: None,
            },
        ),
        (220, assistant(Vec::new(), None)),
        (221, end(RunEnd::Done)),
    ]));
    assert_eq!(
        told(&found)[..3],
        due(&[
            "compaction - error 110+20 #5 server",
            "compaction - ok 140+50 #7",
            "model large ok 190+30 #8"
        ])
    );
    assert_eq!(found[1].usage, usage(9, 1));
    assert!(!serde_json::to_string(&found).unwrap().contains("secret"));
}

#[test]
fn an_input_that_steers_does_not_shorten_the_call_that_goes_on() {
    let steer = Body::Input { parts: Vec::new(), delivery: InputDelivery::Steer, output: None, limits: None };
    let cancel = Body::Cancel { reason: CancelReason::Host { reason: String::new() } };
    let mut cut = assistant(Vec::new(), None);
    if let Body::Assistant { stop, .. } = &mut cut {
        *stop = StopReason::Cancelled;
    }
    let found =
        of(&entries([(100, input()), (150, steer), (160, cancel), (190, cut), (191, end(RunEnd::Done))]));
    assert_eq!(told(&found)[0], "model large cancelled 100+90 #6");
}

#[test]
fn entries_of_other_runs_and_of_nobody_are_passed_over() {
    let mut all = entries([(100, input()), (140, assistant(Vec::new(), None)), (141, end(RunEnd::Done))]);
    let due = rows(&run(), &all);
    let mut other = all[1].clone();
    other.run = Some(RunId(Uuid::from_u128(8)));
    let mut nobody = all[0].clone();
    nobody.run = None;
    nobody.at = Timestamp(1);
    all.splice(1..1, [other, nobody.clone()]);
    all.insert(0, nobody);
    assert_eq!(rows(&run(), &all), due);
}

#[test]
fn figures_and_messages_that_no_store_takes_are_cut() {
    let mut mad = assistant(Vec::new(), None);
    if let Body::Assistant { usage, cost, .. } = &mut mad {
        (usage.reasoning, *cost) = (u64::MAX, Some(Cost(u64::MAX)));
    }
    let error = ErrorReport::new(ErrorKind::Server, "ä".repeat(MAX_ERROR));
    let found = rows(&run(), &entries([(1, input()), (2, mad), (u64::MAX, end(RunEnd::Failed { error }))]));
    let [model] = &found.iter().filter(|row| row.kind == LogKind::Model).collect::<Vec<_>>()[..] else {
        panic!()
    };
    assert_eq!((model.usage.reasoning, model.cost), (MAX_FIGURE, Some(Cost(MAX_FIGURE))));
    let whole = found.iter().find(|row| row.kind == LogKind::Run).unwrap();
    assert_eq!(whole.error.as_ref().unwrap().message.len(), MAX_ERROR);
    crate::agent_log::check::rows(&found).unwrap();
}

use super::super::row::MAX_ERROR;

/// Any body, of few calls, at any time.
fn body() -> impl Strategy<Value = Body> {
    let id = prop_oneof![Just("c"), Just("d")];
    let status = prop_oneof![Just(ToolStatus::Ok), Just(ToolStatus::NotRun), Just(ToolStatus::Unknown)];
    prop_oneof![
        Just(input()),
        Just(assistant(vec![call("c", "one"), call("d", "two")], None)),
        (id.clone(), 0..3_u32).prop_map(|(id, attempt)| start(id, attempt)),
        (id, 0..3_u32, status).prop_map(|(id, attempt, status)| tool_end(id, attempt, status)),
        Just(Body::CompactStart { step: 1 }),
        Just(end(RunEnd::Done)),
        any::<u64>().prop_map(|at| Body::ModelFailed {
            step: 1,
            error: ErrorReport::new(ErrorKind::Server, "x"),
            partial: Vec::new(),
            retry_at: Some(Timestamp(at)),
            route: None,
        }),
    ]
}

proptest! {
    /// Whatever a log holds, recording it twice gives the same rows, no two have one id, and ids sort by time.
    #[test]
    fn rows_are_the_same_every_time_and_told_apart(bodies in prop::collection::vec((0..1_u64 << 47, body()), 0..30)) {
        let log = entries(bodies);
        let found = rows(&run(), &log);
        prop_assert_eq!(&found, &rows(&run(), &log));
        prop_assert!(found.windows(2).all(|two| two[0].id < two[1].id && two[0].at <= two[1].at));
        for row in &found {
            prop_assert!(row.id >= LogRowId::first_at(row.at) && row.id < LogRowId::first_at(Timestamp(row.at.0 + 1)));
        }
        let lines = crate::agent_log::to_lines(&found).unwrap();
        let back: Result<Vec<_>, _> = crate::agent_log::from_lines(&lines).collect();
        prop_assert_eq!(back.unwrap(), found);
    }

    /// Rows of other sessions, tenants, runs, entries and places have other ids.
    #[test]
    fn ids_are_of_all_that_names_a_row(tenant in "[ab]{0,2}", session in "[ab]{0,2}", run in 0..3_u128, seq in 0..3_u64, place in 0..3_u32) {
        let id = |tenant: &str, session: &str, run, seq, place| {
            let scope = Scope::of(tenant).session(session);
            LogRowId::derive(Timestamp(5), &scope, RunId(Uuid::from_u128(run)), Seq(seq), place)
        };
        let one = id(&tenant, &session, run, seq, place);
        let other = id("a", "b", 1, 1, 1);
        prop_assert_eq!(one == other, (&*tenant, &*session, run, seq, place) == ("a", "b", 1, 1, 1));
    }
}

#[test]
fn days_are_those_of_the_calendar() {
    use crate::agent_log::Day;
    assert_eq!(Day::of(Timestamp(0)).to_string(), "1970-01-01");
    assert_eq!(Day(19_782).to_string(), "2024-02-29");
    let day = Day::of(Timestamp(1_767_225_600_000));
    assert_eq!((day.to_string(), day.start()), ("2026-01-01".into(), Timestamp(1_767_225_600_000)));
    assert_eq!((Day::of(Timestamp(day.end().0 - 1)), Day::of(day.end())), (day, Day(day.0 + 1)));
}
