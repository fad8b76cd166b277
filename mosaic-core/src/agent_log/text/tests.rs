use std::sync::Arc;

use super::*;
use crate::agent_log::{Day, LogKey};
use crate::message::{Cost, Usage};

fn group(day: u32, kind: LogKind, name: &str, status: LogStatus) -> LogGroup {
    LogGroup {
        day: Some(Day(day)),
        name: (!name.is_empty()).then(|| name.into()),
        status: Some(status),
        ..LogGroup::of(kind)
    }
}

fn totals(rows: u64, errors: u64) -> LogTotals {
    LogTotals { rows, errors, duration_ms: rows * 250, ..LogTotals::default() }
}

/// Two days, all kinds of figures.
fn table() -> LogTable {
    let mut table = LogTable::default();
    let usage = Usage { input: 1_000, output: 50, ..Usage::default() };
    let model = LogTotals { usage, cost: Cost::cents(12), priced: 3, duration_ms: 61_000, ..totals(4, 0) };
    let mut gpt = group(19_782, LogKind::Model, "gpt-4o", LogStatus::Ok);
    (gpt.provider, gpt.user) = (Some("openai".into()), Some("ann".into()));
    table.add(gpt.clone(), model);
    gpt.status = Some(LogStatus::TimedOut);
    table.add(gpt, LogTotals { duration_ms: 600_000, ..totals(1, 1) });
    table.add(group(19_783, LogKind::Run, "", LogStatus::Ok), totals(5, 0));
    table.add(group(19_783, LogKind::Tool, "weather", LogStatus::Ok), totals(3, 0));
    table.add(group(19_783, LogKind::Tool, "weather", LogStatus::Error), totals(2, 2));
    table.add(group(19_783, LogKind::Tool, "weather", LogStatus::Denied), totals(1, 0));
    table
}

#[test]
fn a_table_is_read_by_days_with_failures_told_apart() {
    let text = table().to_string();
    let due = "\
2024-02-29
- model openai:gpt-4o for ann: 5, 1 failed (1 timed_out); 1000 tokens in, 50 out; $0.12 for 3 of them; 2 min each
2024-03-01
- run: 5; 250 ms each
- tool weather: 6, 2 failed (2 error); 250 ms each
";
    assert_eq!(text, due);
    assert_eq!(LogTable::default().to_string(), "");
}

#[test]
fn what_is_told_apart_by_less_is_fewer_lines() {
    let text = table().only(&[LogKey::Name]).to_string();
    assert!(text.starts_with("- run: 5; 250 ms each\n- model openai:gpt-4o: 5, 1 failed; "), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert_eq!(table().only(&[]).kind(LogKind::Tool), table().kind(LogKind::Tool));
}

#[test]
fn a_text_is_bounded_and_counts_what_it_leaves_out() {
    let mut table = LogTable::default();
    for n in 0..200_u64 {
        let tool = group(19_782 + n as u32 % 2, LogKind::Tool, &format!("tool{n:03}"), LogStatus::Ok);
        table.add(tool, totals(n + 1, 0));
    }
    table.add(group(19_782, LogKind::Tool, "broken", LogStatus::Error), totals(1, 1));
    table.add(group(19_783, LogKind::Run, "", LogStatus::Ok), totals(7, 0));
    let text = table.to_text(3);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "- tool broken: 1, 1 failed (1 error); 250 ms each", "failures go first\n{text}");
    assert_eq!(lines[2], "- tool tool198: 199; 250 ms each", "then what is largest");
    assert_eq!((lines[3], lines[4]), ("2024-03-01", "- tool tool199: 200; 250 ms each"));
    let rest: u64 = (1..=198).sum();
    let due = format!("... and 199 lines more: run: 7; 250 ms each | tool: {rest}; 250 ms each");
    assert_eq!((lines[5], lines.len()), (&*due, 6), "{text}");
    assert_eq!(table.to_string().lines().count(), 43, "forty, two days and the rest");
    assert_eq!(table.to_text(0).lines().count(), 1);
}

#[test]
fn a_name_makes_no_line_of_its_own_and_no_long_text() {
    let mut table = LogTable::default();
    let wicked: Arc<str> = format!("x\n- tool all: 0\u{2028}{}", "y".repeat(9_000)).into();
    let group = LogGroup {
        user: Some(wicked.clone()),
        session: Some(wicked.clone()),
        agent: Some(wicked),
        ..group(19_782, LogKind::Tool, "z", LogStatus::Ok)
    };
    table.add(group, totals(1, 0));
    let text = table.to_string();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.chars().count() < 300 && text.contains("for x - tool all: 0 yyy"), "{text}");
}
