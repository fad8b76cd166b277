use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::error::{ErrorKind, ErrorReport};
use crate::id::RunId;
use crate::message::{ToolStatus, Usage};
use crate::model::StopReason;
use crate::runtime::Timestamp;
use crate::session::{InputDelivery, Log, RunEnd, path};

/// A log in the making; each text is some 100 tokens.
#[derive(Default)]
struct Talk(Vec<Entry>);

fn long(text: &str) -> Vec<Part> {
    vec![Part::text(format!("{text} {}", "word ".repeat(100)))]
}

impl Talk {
    fn add(mut self, body: Body) -> Self {
        let seq = Seq(self.0.len() as u64 + 1);
        self.0.push(Entry { seq, v: 1, at: Timestamp(seq.0), run: Some(RunId(Uuid::nil())), body });
        self
    }

    fn input(self, text: &str, delivery: InputDelivery) -> Self {
        self.add(Body::Input { parts: long(text), delivery, output: None, limits: None })
    }

    fn user(self, text: &str) -> Self {
        self.input(text, InputDelivery::Start)
    }

    fn says(self, parts: Vec<Part>) -> Self {
        let (stop, usage) = (StopReason::Stop, Usage::default());
        self.add(Body::Assistant { step: 1, parts, stop, usage, cost: None, origin: None, route: None })
    }

    fn agent(self, text: &str) -> Self {
        self.says(long(text))
    }

    fn call(self, id: &str) -> Self {
        self.says(vec![Part::call(id, "look", json!({}).to_string())])
    }

    fn result(self, id: &str) -> Self {
        self.add(Body::ToolEnd {
            call: CallId(id.into()),
            attempt: 1,
            status: ToolStatus::Ok,
            content: long("result"),
        })
    }

    fn end(self) -> Self {
        self.add(Body::RunEnd { end: RunEnd::Done, usage: Usage::default(), cost: None })
    }

    fn compacted(self, upto: u64) -> Self {
        self.add(Body::Compaction {
            step: 1,
            upto: Seq(upto),
            summary: "so far".into(),
            claims: Vec::new(),
            facts: json!(null),
            before: 0,
            after: 0,
            usage: Usage::default(),
            cost: None,
        })
    }

    /// Where it is cut, and which entries are summarised then, without the ends of runs.
    fn cut(&self, keep: u64) -> Option<(u64, Vec<u64>)> {
        let (log, path) = (Log::fold(&self.0), path(&self.0));
        let cut = Cut::plan(&log.context, &path, keep)?;
        let said = |entry: &&&Entry| !matches!(entry.body, Body::RunEnd { .. });
        let passages = cut.passages.iter().filter(said).map(|entry| entry.seq.0).collect();
        Some((cut.upto.0, passages))
    }
}

#[test]
fn a_cut_keeps_the_newest_tokens() {
    let talk = Talk::default().user("a").agent("b").end().user("c").agent("d").end().user("e");
    assert_eq!(talk.cut(250), Some((4, vec![1, 2, 4])));
    assert_eq!(talk.cut(100_000), None, "all of it is recent");
}

#[test]
fn what_is_exactly_as_much_as_is_kept_stays() {
    let talk = Talk::default().user("a").agent("b").end().user("c").agent("d").end().user("e");
    let log = Log::fold(&talk.0);
    let newest: u64 = log.context.groups().iter().rev().take(2).map(|group| estimated_tokens(group)).sum();
    assert_eq!(talk.cut(newest), Some((4, vec![1, 2, 4])));
    assert_eq!(talk.cut(newest - 1), Some((5, vec![1, 2, 4, 5])));
}

#[test]
fn what_waits_for_an_answer_stays() {
    let talk = Talk::default().user("a").agent("b").end().user("c");
    assert_eq!(talk.cut(0), Some((2, vec![1, 2])));
    assert_eq!(Talk::default().user("a").cut(0), None);
}

#[test]
fn a_call_is_never_parted_from_its_result() {
    // The user said something while the call ran: it comes after the result.
    let talk = Talk::default()
        .user("a")
        .call("c1")
        .input("b", InputDelivery::Steer)
        .result("c1")
        .call("c2")
        .result("c2");
    // 2 with its result joined with entry 4, and so did 3: they are dropped together or not at all.
    assert_eq!(talk.cut(1), Some((4, vec![1, 2, 3, 4])));
    assert_eq!(talk.cut(0), Some((6, vec![1, 2, 3, 4, 5, 6])));
    let log = Log::fold(&talk.compacted(4).0);
    assert_eq!(log.context.groups().len(), 2);
}

#[test]
fn an_input_that_waited_in_line_is_not_summarised_before_it_was_heard() {
    // 2 waits until the first run ends.
    let talk = Talk::default().user("a").input("later", InputDelivery::FollowUp).call("c1").result("c1");
    assert_eq!(talk.cut(0), Some((4, vec![1, 3, 4])));
    let talk = talk.compacted(4).agent("done").end();
    let log = Log::fold(&talk.0);
    let last = log.context.groups().last().map(|group| group.body().clone());
    assert!(
        matches!(last, Some(GroupBody::User { parts }) if parts == long("later")),
        "it was dropped by its number"
    );
    // And it counts as what joined last, not as something of old.
    let talk = talk.agent("yes").end().user("again").agent("no").end();
    assert_eq!(talk.cut(1), Some((10, vec![2, 6, 8, 10])));
}

#[test]
fn what_an_earlier_summary_stands_for_is_not_summarised_again() {
    let talk = Talk::default().user("a").agent("b").end().user("c").compacted(2).agent("d").end().user("e");
    assert_eq!(talk.cut(1), Some((6, vec![4, 6])));
    let log = Log::fold(&talk.0);
    let path = path(&talk.0);
    let cut = Cut::plan(&log.context, &path, 1).expect("a cut");
    let dropped: Vec<u64> = cut.dropped.iter().map(|entry| entry.seq.0).collect();
    assert_eq!(dropped, [1, 2, 3, 4, 6, 7], "facts are drawn from all of it");
    assert!(cut.kept < cut.before);
    let alone = Talk::default().user("a").agent("b").end().compacted(2).user("c");
    assert_eq!(alone.cut(0), None, "a summary alone is not summarised");
}

#[test]
fn an_input_that_came_while_it_was_compacted_is_part_of_the_next_request() {
    let error = ErrorReport::new(ErrorKind::Server, "no");
    let failed = Body::CompactFailed { step: 1, error, usage: Usage::default(), cost: None };
    let steered = || Talk::default().user("a").call("c1").result("c1").input("b", InputDelivery::Steer);
    for talk in [steered().compacted(3), steered().add(failed)] {
        let log = Log::fold(&talk.0);
        let last = log.context.groups().last().map(|group: &Arc<_>| group.body().clone());
        assert!(matches!(last, Some(GroupBody::User { parts }) if parts == long("b")));
    }
}
