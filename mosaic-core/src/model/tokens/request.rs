//! Requests, counted text by text and kept group by group.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::{Calibration, Count, Estimate, TextTokens, TokenCounter};
use crate::error::ErrorKind;
use crate::message::{Group, GroupBody, Media, MediaData, Part, Usage};
use crate::model::{ModelError, ModelInfo, ModelRequest};
use crate::runtime::Runtime;

/// More new text than this is counted on a thread that may block: a tokenizer takes some 10 ms for it, and a server that
/// counts a megabyte on its executor stands still for all others.
const AT_ONCE: usize = 64 * 1024;

/// What a provider writes around a message, a call and a tool: roles, separators, names of members.
const FRAME: u64 = 4;

/// A text and its tokens, kept by its address.
type LastCounted = Mutex<Option<(Arc<str>, u64)>>;

/// Counts requests by counting their texts. What a group counts is kept beside it.
#[derive(Debug)]
pub struct RequestCounter {
    texts: Arc<dyn TextTokens>,
    runtime: Arc<dyn Runtime>,
    learned: Option<(Arc<Calibration>, Arc<str>)>,
    /// The instructions that were counted last: they are the same in every request of an agent.
    instructions: Arc<LastCounted>,
}

impl RequestCounter {
    /// Over a way to count texts, as it counts.
    #[must_use]
    pub fn new(texts: Arc<dyn TextTokens>, runtime: Arc<dyn Runtime>) -> Self {
        Self { texts, runtime, learned: None, instructions: Arc::default() }
    }

    /// An estimate for a model, corrected by what its answers report.
    #[must_use]
    pub fn estimate(info: &ModelInfo, learned: Arc<Calibration>, runtime: Arc<dyn Runtime>) -> Self {
        Self::new(Arc::new(Estimate), runtime)
            .calibrated(learned, format!("{}:{}", info.provider, info.model))
    }

    /// With a correction by what answers report. `model` names whose answers: models of one family may well have
    /// different tokenizers, as GPT-4 and GPT-4o do.
    #[must_use]
    pub fn calibrated(mut self, learned: Arc<Calibration>, model: impl Into<Arc<str>>) -> Self {
        self.learned = Some((learned, model.into()));
        self
    }

    /// Takes what the answer to a request reports. Costs nothing for a request that was counted before it was sent; one
    /// that holds much that is new is left out.
    pub fn observe(&self, request: &ModelRequest, usage: &Usage) {
        if let Some(counted) = self.counted_quickly(request) {
            self.learn(counted, usage);
        }
    }

    /// The count before its correction, for who will learn of it; `None` if there is nobody, or if it would take long.
    pub(super) fn counted_quickly(&self, request: &ModelRequest) -> Option<u64> {
        let quickly = self.learned.is_some() && self.uncounted(request) <= AT_ONCE;
        quickly.then(|| self.work(request).count())
    }

    pub(super) fn learn(&self, counted: u64, usage: &Usage) {
        if let Some((learned, model)) = &self.learned {
            learned.learn(model, counted, usage.input);
        }
    }

    fn work(&self, request: &ModelRequest) -> Work {
        Work {
            texts: Arc::clone(&self.texts),
            request: request.clone(),
            instructions: Arc::clone(&self.instructions),
        }
    }

    /// Bytes of text that nobody has counted yet.
    fn uncounted(&self, request: &ModelRequest) -> usize {
        let by = self.texts.name();
        let new = |group: &&Arc<Group>| group.counts().get(by).is_none();
        let groups: usize = request.groups.iter().filter(new).map(|group| bytes(group.body())).sum();
        let tools = match request.tools.counts().get(by) {
            Some(_) => 0,
            // A schema's length is known only when it is written; tools are few.
            None => request.tools.iter().map(|tool| tool.description.len() + 512).sum(),
        };
        let instructions = match &*self.instructions.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((counted, _)) if Arc::ptr_eq(counted, &request.instructions) => 0,
            _ => request.instructions.len(),
        };
        groups + tools + instructions
    }

    fn corrected(&self, tokens: u64) -> u64 {
        let Some((learned, model)) = &self.learned else {
            return tokens;
        };
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let corrected = (tokens as f64 * learned.ratio(model)).round() as u64;
        corrected
    }
}

#[async_trait::async_trait]
impl TokenCounter for RequestCounter {
    async fn count(&self, request: &ModelRequest) -> Result<Count, ModelError> {
        let work = self.work(request);
        let tokens = if self.uncounted(request) <= AT_ONCE {
            work.count()
        } else {
            let (done, counted) = oneshot::channel();
            self.runtime.spawn_blocking(Box::new(move || {
                // Nobody listens when the count was dropped; what was counted is kept all the same.
                let _ = done.send(work.count());
            }));
            counted.await.map_err(|_| {
                ModelError::new(
                    ErrorKind::Internal,
                    "the tokens were not counted: the runtime dropped the work",
                )
            })?
        };
        Ok(Count { tokens: self.corrected(tokens), basis: self.texts.basis() })
    }
}

/// About how many tokens a group is: the [`Estimate`], kept beside the group.
pub(crate) fn estimated_tokens(group: &Group) -> u64 {
    group.counts().get_or(Estimate.name(), || {
        let work = Work {
            texts: Arc::new(Estimate),
            request: ModelRequest::default(),
            instructions: Arc::default(),
        };
        work.group(group.body())
    })
}

/// A request to be counted, here or on another thread.
struct Work {
    texts: Arc<dyn TextTokens>,
    request: ModelRequest,
    instructions: Arc<LastCounted>,
}

impl Work {
    fn count(&self) -> u64 {
        let (request, by) = (&self.request, self.texts.name());
        let groups = request.groups.iter();
        let groups: u64 = groups.map(|group| group.counts().get_or(by, || self.group(group.body()))).sum();
        let tools = request.tools.counts().get_or(by, || {
            request
                .tools
                .iter()
                .map(|tool| {
                    2 * FRAME
                        + self.texts.tokens(&tool.name)
                        + self.texts.tokens(&tool.description)
                        + self.texts.tokens(&tool.input_schema.to_string())
                })
                .sum()
        });
        let output =
            request.output.as_ref().map_or(0, |output| self.texts.tokens(&output.schema.to_string()));
        groups + tools + output + self.instructions()
    }

    fn instructions(&self) -> u64 {
        let text = &self.request.instructions;
        if text.is_empty() {
            return 0;
        }
        let kept = || self.instructions.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept() {
            Some((counted, tokens)) if Arc::ptr_eq(counted, text) => return *tokens,
            _ => {}
        }
        let tokens = FRAME + self.texts.tokens(text);
        *kept() = Some((Arc::clone(text), tokens));
        tokens
    }

    fn group(&self, body: &GroupBody) -> u64 {
        match body {
            GroupBody::User { parts } => FRAME + self.parts(parts),
            GroupBody::Assistant { parts, results, .. } => {
                let results = results.iter().map(|result| 2 * FRAME + self.parts(&result.content));
                FRAME + self.parts(parts) + results.sum::<u64>()
            }
        }
    }

    fn parts(&self, parts: &[Part]) -> u64 {
        parts.iter().map(|part| self.part(part)).sum()
    }

    fn part(&self, part: &Part) -> u64 {
        match part {
            Part::Text { text } | Part::Refusal { text } | Part::Reasoning { text, .. } => {
                self.texts.tokens(text)
            }
            Part::ToolCall(call) => {
                2 * FRAME + self.texts.tokens(&call.name) + self.texts.tokens(&call.arguments)
            }
            Part::Media(media) => medium(media),
            Part::Provider { data, .. } => self.texts.tokens(&data.to_string()),
        }
    }
}

/// What a medium takes, roughly: an image of a megapixel is 800 to 1,600 tokens with the large providers, a page of a
/// document (some 50 kB) 1,500 to 3,000, and a second of sound (some 16 kB) about 30. One that is elsewhere counts as one
/// image, or ten pages.
fn medium(media: &Media) -> u64 {
    const IMAGE: u64 = 1_200;
    let bytes = match &media.data {
        MediaData::Base64 { data } => Some(data.len() as u64 / 4 * 3),
        MediaData::Url { .. } | MediaData::File { .. } => None,
    };
    match (media.media_type.split('/').next(), bytes) {
        (Some("image"), _) => IMAGE,
        (Some("audio"), Some(bytes)) => bytes / 500 + 1,
        (Some("text"), Some(bytes)) => bytes / 4 + 1,
        (_, Some(bytes)) => bytes / 25 + 1,
        (_, None) => 20_000,
    }
}

/// Bytes of text. A medium counts as none: its data is not looked at.
fn bytes(body: &GroupBody) -> usize {
    let of = |part: &Part| match part {
        Part::Text { text } | Part::Refusal { text } | Part::Reasoning { text, .. } => text.len(),
        Part::ToolCall(call) => call.name.len() + call.arguments.len(),
        Part::Media(_) => 0,
        // Its length is known only when it is written.
        Part::Provider { .. } => 4 * 1024,
    };
    match body {
        GroupBody::User { parts } => parts.iter().map(of).sum(),
        GroupBody::Assistant { parts, results, .. } => {
            let told = results.iter().flat_map(|result| &result.content);
            parts.iter().chain(told).map(of).sum()
        }
    }
}
