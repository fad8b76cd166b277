//! Who is asked for which kind of task.

use super::super::tests::candidate;
use super::super::{Router, RouterError};
use super::*;
use crate::message::Group;
use crate::testing::{ScriptedModel, TestRuntime};

fn request(text: &str) -> ModelRequest {
    ModelRequest { groups: Arc::new(vec![Group::user(vec![Part::text(text)])]), ..ModelRequest::default() }
}

fn builder() -> super::super::RouterBuilder {
    let model = ScriptedModel::new([]);
    Router::builder(Arc::new(TestRuntime::new(1)))
        .candidate(candidate("large", &model))
        .candidate(candidate("small", &model).priority(2).tag("small"))
        .candidate(candidate("coder", &model).priority(1))
        .rule(TaskRule::new(TaskKind::Simple).to_tag("small"))
        .rule(TaskRule::new(TaskKind::Code).to("coder"))
}

#[test]
fn the_rule_for_a_kind_of_task_goes_before_priority_and_after_a_wish() {
    let router = builder().build().unwrap();
    let chosen = |hints: RouteHints| router.explain(&request("Hello"), &hints).chosen.unwrap();
    assert_eq!(&*chosen(RouteHints::new()), "large");
    assert_eq!(&*chosen(RouteHints::new().task(TaskKind::Simple)), "small");
    assert_eq!(&*chosen(RouteHints::new().task(TaskKind::Code)), "coder");
    assert_eq!(&*chosen(RouteHints::new().task(TaskKind::General)), "large");
    assert_eq!(&*chosen(RouteHints::new().task(TaskKind::Simple).prefer("coder")), "coder");
    // A rule is no filter: where its candidates may not be asked, the others are.
    assert_eq!(&*chosen(RouteHints::new().task(TaskKind::Simple).not_tag("small")), "large");
}

#[test]
fn a_classifier_says_what_the_host_does_not_and_the_decision_tells_it() {
    let router = builder().classifier(Arc::new(Heuristics)).build().unwrap();
    let decision = router.explain(&request("Thanks!"), &RouteHints::new());
    assert_eq!((decision.chosen.as_deref(), decision.task), (Some("small"), Some(TaskKind::Simple)));
    let decision = router.explain(&request("Thanks!"), &RouteHints::new().task(TaskKind::Code));
    assert_eq!(decision.chosen.as_deref(), Some("coder"));
}

#[test]
fn only_what_is_certainly_simple_is_called_so() {
    let kind = |request: &ModelRequest| Heuristics.classify(request, &RouteHints::new());
    for text in ["Hi!", "What is the capital of Norway?", "Danke, bis morgen."] {
        assert_eq!(kind(&request(text)), Some(TaskKind::Simple), "{text}");
    }
    for text in ["```rust\nloop {}\n```", "Why does `def f(x):` fail?", "Please refactor this module"] {
        assert_eq!(kind(&request(text)), Some(TaskKind::Code), "{text}");
    }
    for text in ["Prove it.", "Compare Oslo and Bergen", "Think step by step"] {
        assert_eq!(kind(&request(text)), Some(TaskKind::Reasoning), "{text}");
    }
    assert_eq!(kind(&request(&"A long letter. ".repeat(40))), Some(TaskKind::General));
    let mut shaped = request("Hi!");
    shaped.output =
        Some(Arc::new(crate::model::OutputSpec { name: "plan".into(), schema: serde_json::json!({}) }));
    assert_eq!(kind(&shaped), Some(TaskKind::General));
    let mut thoughtful = request("Hi!");
    thoughtful.params.reasoning = Some(Reasoning::High);
    assert_eq!(kind(&thoughtful), Some(TaskKind::Reasoning));
    assert_eq!(kind(&ModelRequest::default()), None);
}

#[test]
fn a_rule_for_nobody_is_refused() {
    let unknown = builder().rule(TaskRule::new(TaskKind::Simple).to("tiny")).build().unwrap_err();
    assert!(matches!(unknown, RouterError::UnknownCandidate { .. }));
    let untagged = builder().rule(TaskRule::new(TaskKind::Simple).to_tag("tiny")).build().unwrap_err();
    assert!(untagged.to_string().contains("tiny"), "{untagged}");
}
