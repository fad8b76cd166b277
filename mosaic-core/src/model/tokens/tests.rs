mod samples;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt;
use proptest::prelude::*;
use serde_json::json;

use super::{Calibration, CountBasis, Estimate, Observed, RequestCounter, TextTokens, TokenCounter};
use crate::message::{Group, Media, MediaData, Part, Usage};
use crate::model::{ChatModel, ModelCall, ModelEvent, ModelInfo, ModelRequest};
use crate::runtime::{BoxFuture, Runtime, TaskHandle, Timestamp};
use crate::testing::{Answer, ScriptedModel, TestRuntime};
use crate::tool::{ToolSpec, ToolSpecs};

/// In per cent of what it really is.
fn error(text: &str, real: u64) -> i64 {
    let (estimate, real) = (i64::try_from(Estimate.tokens(text)).unwrap(), i64::try_from(real).unwrap());
    (estimate - real) * 100 / real
}

#[test]
fn the_estimate_is_as_near_as_its_table_says() {
    for (name, text, real) in samples::FITTED {
        assert!(error(text, *real).abs() <= 6, "{name}: {} %", error(text, *real));
    }
    for (name, text, real) in samples::OTHERS {
        assert!(error(text, *real).abs() <= 24, "{name}: {} %", error(text, *real));
    }
    let (all, real) = samples::OTHERS
        .iter()
        .fold((String::new(), 0), |(all, sum), (_, text, real)| (all + text + "\n", sum + real));
    assert!(error(&all, real).abs() <= 8, "together: {} %", error(&all, real));
}

#[test]
fn nothing_is_no_token_and_anything_is_some() {
    assert_eq!(Estimate.tokens(""), 0);
    for text in ["a", " ", "\n", "7", "-", "é", "字", "🎉", "\u{10ffff}"] {
        assert!(Estimate.tokens(text) > 0, "{text:?}");
    }
}

proptest! {
    /// More text is not fewer tokens, and no text is many tokens a byte.
    #[test]
    fn the_estimate_grows_with_the_text(text in ".{0,200}", more in ".{0,50}") {
        let (less, all) = (Estimate.tokens(&text), Estimate.tokens(&format!("{text}\n{more}")));
        prop_assert!(all + 2 >= less, "{less} {all}");
        prop_assert!(less <= 2 * text.len() as u64 + 2);
    }
}

/// Counts what it is asked.
#[derive(Debug, Default)]
struct Asked(AtomicUsize);

impl TextTokens for Asked {
    fn name(&self) -> &'static str {
        "asked"
    }

    fn basis(&self) -> CountBasis {
        CountBasis::Tokenizer
    }

    fn tokens(&self, text: &str) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst);
        text.len() as u64
    }
}

/// A runtime that tells how often it was given work that blocks.
#[derive(Debug, Clone, Default)]
struct Watched(TestRuntime, Arc<AtomicUsize>);

impl Runtime for Watched {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<()> {
        self.0.sleep_until(at)
    }

    fn spawn(&self, task: BoxFuture<()>) -> Box<dyn TaskHandle> {
        self.0.spawn(task)
    }

    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        work();
    }

    fn random(&self) -> u64 {
        self.0.random()
    }
}

fn said(texts: impl IntoIterator<Item = String>) -> ModelRequest {
    let groups = texts.into_iter().map(|text| Group::user(vec![Part::text(text)])).collect();
    ModelRequest { groups: Arc::new(groups), ..ModelRequest::default() }
}

#[tokio::test]
async fn a_message_is_counted_once_however_often_its_conversation_is() {
    let texts = Arc::new(Asked::default());
    let counter = RequestCounter::new(texts.clone(), Arc::new(TestRuntime::default()));
    let tool = ToolSpec::new("look", "Looks.", json!({"type": "object"}));
    let mut request = said((0..2_000).map(|number| format!("Message {number}")));
    request.instructions = "Be brief.".into();
    request.tools = Arc::new(ToolSpecs::new(vec![tool]));
    let first = counter.count(&request).await.unwrap();
    assert_eq!(texts.0.load(Ordering::SeqCst), 2_000 + 1 + 3);
    assert_eq!(first.basis, CountBasis::Tokenizer);

    Arc::make_mut(&mut request.groups).push(Group::user(vec![Part::text("One more")]));
    let second = counter.count(&request).await.unwrap();
    assert_eq!(texts.0.load(Ordering::SeqCst), 2_000 + 1 + 3 + 1, "only what is new");
    assert_eq!(second.tokens, first.tokens + 4 + 8);
}

/// litellm#36174, litellm#16716: a server that counts a long text on its event loop answers nobody meanwhile.
#[tokio::test]
async fn much_that_is_new_is_counted_where_blocking_does_no_harm() {
    let runtime = Watched::default();
    let counter = RequestCounter::new(Arc::new(Estimate), Arc::new(runtime.clone()));
    counter.count(&said(["short ".repeat(100)])).await.unwrap();
    assert_eq!(runtime.1.load(Ordering::SeqCst), 0, "a little is counted at once");

    let long = said(["long ".repeat(100_000)]);
    let tokens = counter.count(&long).await.unwrap().tokens;
    assert!((90_000..110_000).contains(&tokens), "{tokens}");
    assert_eq!(runtime.1.load(Ordering::SeqCst), 1);
    assert_eq!(counter.count(&long).await.unwrap().tokens, tokens);
    assert_eq!(runtime.1.load(Ordering::SeqCst), 1, "it is kept");

    let many = said((0..5_000).map(|number| format!("The message with the number {number}.")));
    counter.count(&many).await.unwrap();
    assert_eq!(runtime.1.load(Ordering::SeqCst), 2, "many short ones are much, too");

    let instructions = ModelRequest { instructions: "rules ".repeat(20_000).into(), ..said([]) };
    counter.count(&instructions).await.unwrap();
    counter.count(&instructions).await.unwrap();
    assert_eq!(runtime.1.load(Ordering::SeqCst), 3, "the same instructions once");
}

#[tokio::test]
async fn a_runtime_that_drops_the_work_is_an_error_and_no_hang() {
    #[derive(Debug, Clone, Default)]
    struct Closed(TestRuntime);
    impl Runtime for Closed {
        fn now(&self) -> Timestamp {
            self.0.now()
        }
        fn sleep_until(&self, at: Timestamp) -> BoxFuture<()> {
            self.0.sleep_until(at)
        }
        fn spawn(&self, task: BoxFuture<()>) -> Box<dyn TaskHandle> {
            self.0.spawn(task)
        }
        fn spawn_blocking(&self, _: Box<dyn FnOnce() + Send>) {}
        fn random(&self) -> u64 {
            0
        }
    }
    let counter = RequestCounter::new(Arc::new(Estimate), Arc::new(Closed::default()));
    counter.count(&said(["long ".repeat(100_000)])).await.unwrap_err();
}

#[tokio::test]
async fn what_answers_report_corrects_the_next_counts_of_the_same_model_only() {
    let learned = Arc::new(Calibration::default());
    let counter = |model: &str| {
        let info = ModelInfo::new("lab", model);
        RequestCounter::estimate(&info, Arc::clone(&learned), Arc::new(TestRuntime::default()))
    };
    let (one, other) = (counter("one"), counter("other"));
    let request = said(["The same text for both of them. ".repeat(50)]);
    let raw = one.count(&request).await.unwrap();
    assert_eq!(raw.basis, CountBasis::Estimate);
    for _ in 0..20 {
        one.observe(&request, &Usage { input: raw.tokens * 13 / 10, ..Usage::default() });
    }
    let corrected = one.count(&request).await.unwrap().tokens;
    assert!(corrected.abs_diff(raw.tokens * 13 / 10) <= 1, "{corrected}");
    assert_eq!(other.count(&request).await.unwrap(), raw);

    // The same provider puts another tokenizer behind the name: followed within some answers.
    for _ in 0..40 {
        one.observe(&request, &Usage { input: raw.tokens, ..Usage::default() });
    }
    assert!(one.count(&request).await.unwrap().tokens.abs_diff(raw.tokens) <= raw.tokens / 100);
}

#[tokio::test]
async fn a_model_that_is_observed_teaches_with_each_answer_and_holds_nothing() {
    let reported = Usage { input: 1_000, ..Usage::default() };
    let model = ScriptedModel::from_fn(move |_| Answer::text("Hi").usage(reported));
    let learned = Arc::new(Calibration::default());
    let counter = RequestCounter::estimate(model.info(), learned, Arc::new(TestRuntime::default()));
    let counter = Arc::new(counter);
    let observed = Observed::new(Arc::new(model.clone()), Arc::clone(&counter));
    let request = said(["The same text in every call. ".repeat(50)]);
    assert_ne!(counter.count(&request).await.unwrap().tokens, 1_000);

    let events = observed.stream(ModelCall::new(request.clone())).await.unwrap();
    assert_eq!(Arc::strong_count(&request.groups), 2, "ours, and the record of the script");
    let events: Vec<_> = events.collect().await;
    assert!(matches!(events.last(), Some(Ok(ModelEvent::Done(_)))));
    assert_eq!(counter.count(&request).await.unwrap().tokens, 1_000);
}

#[test]
fn a_figure_that_tells_nothing_teaches_nothing() {
    let learned = Calibration::default();
    let model = "m".into();
    learned.learn(&model, 1_000, 0);
    learned.learn(&model, 10, 200);
    assert!((learned.ratio("m") - 1.0).abs() < f64::EPSILON);
    learned.learn(&model, 1_000, u64::MAX);
    assert!((learned.ratio("m") - 5.0).abs() < f64::EPSILON, "a slip is bounded");
}

#[tokio::test]
async fn media_count_by_what_they_are_and_not_by_their_letters() {
    let counter = RequestCounter::new(Arc::new(Estimate), Arc::new(TestRuntime::default()));
    let media = |media_type: &str, letters: usize| {
        let data = MediaData::Base64 { data: "A".repeat(letters) };
        Part::Media(Media { media_type: media_type.into(), data, name: None })
    };
    let mut tokens = Vec::new();
    for part in
        [media("image/png", 4_000_000), media("application/pdf", 400_000), media("audio/wav", 400_000)]
    {
        let groups = Arc::new(vec![Group::user(vec![part])]);
        tokens.push(counter.count(&ModelRequest { groups, ..ModelRequest::default() }).await.unwrap().tokens);
    }
    assert_eq!(tokens, [1_204, 12_005, 605]);
}
