//! A summariser that keeps what it was asked, and answers by a function.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mosaic_core::summary::Compaction;
use mosaic_core::testing::Gate;
use mosaic_core::{Claim, ModelInfo, Part, Summarizer, Summary, SummaryError, SummaryRequest, Usage};

type Answer = dyn Fn(&SummaryRequest) -> Result<Summary, SummaryError> + Send + Sync;

#[derive(Clone)]
pub(crate) struct Probe {
    answer: Arc<Answer>,
    gate: Option<Gate>,
    asked: Arc<Mutex<Vec<SummaryRequest>>>,
    dropped: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Probe")
    }
}

impl Probe {
    pub(crate) fn new(
        answer: impl Fn(&SummaryRequest) -> Result<Summary, SummaryError> + Send + Sync + 'static,
    ) -> Self {
        Self { answer: Arc::new(answer), gate: None, asked: Arc::default(), dropped: Arc::default() }
    }

    /// One claim that rests on all passages; it took 11 tokens.
    pub(crate) fn good() -> Self {
        Self::new(|request| Ok(claiming("They talked.", request)))
    }

    /// Comes to a gate before it answers.
    pub(crate) fn at(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    pub(crate) fn asked(&self) -> Vec<SummaryRequest> {
        self.asked.lock().unwrap().clone()
    }

    /// How many of its futures were dropped before they were done.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }

    /// At 250 tokens, of which 100 stay.
    pub(crate) fn compaction(&self) -> Compaction {
        Compaction::new(self.clone()).at_tokens(250).keep_recent(100)
    }
}

pub(crate) fn claiming(text: &str, request: &SummaryRequest) -> Summary {
    let mut cites: Vec<_> = request.passages.iter().map(|passage| passage.seq).collect();
    cites.extend(request.earlier.iter().flat_map(Summary::cites));
    let mut summary = Summary::new(vec![Claim::new(text, cites)]);
    summary.usage = Usage { input: 9, output: 2, ..Usage::default() };
    summary
}

struct Counted(Option<Arc<AtomicUsize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(dropped) = &self.0 {
            dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[async_trait::async_trait]
impl Summarizer for Probe {
    async fn summarize(&self, request: &SummaryRequest) -> Result<Summary, SummaryError> {
        let mut counted = Counted(Some(self.dropped.clone()));
        self.asked.lock().unwrap().push(request.clone());
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        counted.0 = None;
        (self.answer)(request)
    }
}

/// A text of some 100 tokens.
pub(crate) fn long(text: &str) -> String {
    format!("{text}: {}", "word ".repeat(90))
}

pub(crate) fn window(tokens: u64) -> ModelInfo {
    ModelInfo { window: Some(tokens), ..ModelInfo::new("scripted", "script") }
}

/// The texts of a request's conversation, a group each.
pub(crate) fn texts(request: &mosaic_core::ModelRequest) -> Vec<String> {
    let of = |parts: &[Part]| parts.iter().filter_map(Part::as_text).collect::<String>();
    let group = |group: &Arc<mosaic_core::Group>| match group.body() {
        mosaic_core::GroupBody::User { parts } => format!("user: {}", of(parts)),
        mosaic_core::GroupBody::Assistant { parts, results, .. } => {
            let calls = parts.iter().filter(|part| part.as_call().is_some()).count();
            assert_eq!(calls, results.len(), "a call is never parted from its result");
            format!("assistant: {}", of(parts))
        }
        _ => "something else".to_owned(),
    };
    request.groups.iter().map(group).collect()
}
