//! One scripted answer of a model.

use serde_json::Value;

use super::Gate;
use crate::message::{Origin, Part, ToolCall, Usage};
use crate::model::{ModelEnd, ModelError, ModelEvent, ModelInfo, PartKind, StopReason};

/// One scripted answer of a model: parts in order, then an end.
///
/// ```
/// use mosaic_core::testing::{Answer, Gate};
/// use mosaic_core::{ErrorKind, ModelError, StopReason};
///
/// let gate = Gate::new();
/// let slow = Answer::text("Let me ").hold(&gate).then_text("think.");
/// let cut = Answer::raw_call("weather", "{\"ci").stop(StopReason::Length);
/// let broken = Answer::text("Half of").fail(ModelError::new(ErrorKind::Transport, "gone"));
/// let refused = Answer::error(ModelError::new(ErrorKind::RateLimited, "too many"));
/// # let _ = (slow, cut, broken, refused);
/// ```
#[derive(Debug, Default)]
pub struct Answer {
    pub(super) refused: Option<ModelError>,
    pub(super) beats: Vec<Beat>,
    stop: Option<StopReason>,
    usage: Usage,
    end: End,
    parts: u32,
}

#[derive(Debug, Default)]
enum End {
    #[default]
    Done,
    Fail(ModelError),
    Never,
    Missing,
}

/// What a scripted stream does next.
#[derive(Debug)]
pub(super) enum Beat {
    Event(ModelEvent),
    Fail(ModelError),
    Hold(Gate),
    Never,
}

impl Answer {
    /// Nothing yet; parts are added with the `then_` methods.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Text, in one piece.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new().then_text(text)
    }

    /// Text, in pieces.
    pub fn deltas<T: Into<String>>(deltas: impl IntoIterator<Item = T>) -> Self {
        Self::new().then_deltas(deltas)
    }

    /// A tool call.
    pub fn call(tool: impl Into<String>, input: Value) -> Self {
        Self::new().then_call(tool, input)
    }

    /// A tool call whose arguments are any text, cut off JSON for one.
    pub fn raw_call(tool: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self::new().then_raw_call(tool, arguments)
    }

    /// An error in place of a stream: a refused request.
    #[must_use]
    pub fn error(error: ModelError) -> Self {
        Self { refused: Some(error), ..Self::new() }
    }

    /// A stream in which nothing ever comes.
    #[must_use]
    pub fn never() -> Self {
        Self::new().then_never()
    }

    /// More text, as a part of its own, in one piece.
    #[must_use]
    pub fn then_text(self, text: impl Into<String>) -> Self {
        self.then_deltas([text.into()])
    }

    /// More text, as a part of its own, in pieces.
    #[must_use]
    pub fn then_deltas<T: Into<String>>(self, deltas: impl IntoIterator<Item = T>) -> Self {
        let deltas: Vec<String> = deltas.into_iter().map(Into::into).collect();
        let content = Part::Text { text: deltas.concat() };
        let piece = |part, delta| ModelEvent::Text { part, delta };
        self.part(PartKind::Text, deltas, piece, content)
    }

    /// Reasoning, without a signature.
    #[must_use]
    pub fn then_reasoning(self, text: impl Into<String>) -> Self {
        let text = text.into();
        let content = Part::Reasoning { text: text.clone(), opaque: None };
        let piece = |part, delta| ModelEvent::Reasoning { part, delta };
        self.part(PartKind::Reasoning, vec![text], piece, content)
    }

    /// A tool call.
    #[must_use]
    pub fn then_call(self, tool: impl Into<String>, input: Value) -> Self {
        self.then_raw_call(tool, input.to_string())
    }

    /// A tool call whose arguments are any text.
    #[must_use]
    pub fn then_raw_call(self, tool: impl Into<String>, arguments: impl Into<String>) -> Self {
        let (name, arguments) = (tool.into(), arguments.into());
        let wire_id = Some(format!("wire_{}", self.parts));
        let id = crate::CallId("".into());
        let kind = PartKind::ToolCall { name: name.clone() };
        let content = Part::ToolCall(ToolCall { id, wire_id, name, arguments: arguments.clone() });
        let piece = |part, delta| ModelEvent::Arguments { part, delta };
        self.part(kind, vec![arguments], piece, content)
    }

    /// An event as it is, for what has no method of its own.
    #[must_use]
    pub fn then_event(mut self, event: ModelEvent) -> Self {
        self.beats.push(Beat::Event(event));
        self
    }

    /// Waits here until the gate is open. Between `text` and `then_text` it stands between two parts.
    #[must_use]
    pub fn hold(mut self, gate: &Gate) -> Self {
        self.beats.push(Beat::Hold(gate.clone()));
        self
    }

    /// Nothing comes after this, not even an end.
    #[must_use]
    pub fn then_never(mut self) -> Self {
        self.end = End::Never;
        self
    }

    /// The stream breaks after this.
    #[must_use]
    pub fn fail(mut self, error: ModelError) -> Self {
        self.end = End::Fail(error);
        self
    }

    /// The stream ends after this without its terminal event: a defect of a model that an agent must survive.
    #[must_use]
    pub fn without_end(mut self) -> Self {
        self.end = End::Missing;
        self
    }

    /// With another stop reason; unless set, it is `ToolCalls` where there are calls and `Stop` where there are none.
    #[must_use]
    pub fn stop(mut self, stop: StopReason) -> Self {
        self.stop = Some(stop);
        self
    }

    /// With the tokens that it took; 0 unless set.
    #[must_use]
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    fn part(
        mut self,
        kind: PartKind,
        deltas: Vec<String>,
        piece: impl Fn(u32, String) -> ModelEvent,
        content: Part,
    ) -> Self {
        let part = self.parts;
        self.parts += 1;
        let events = std::iter::once(ModelEvent::Start { part, kind })
            .chain(deltas.into_iter().filter(|delta| !delta.is_empty()).map(|delta| piece(part, delta)))
            .chain([ModelEvent::End { part, content }]);
        self.beats.extend(events.map(Beat::Event));
        self
    }

    /// Everything that the stream does, its end included.
    pub(super) fn into_beats(mut self, info: &ModelInfo) -> Vec<Beat> {
        let is_call =
            |beat: &Beat| matches!(beat, Beat::Event(ModelEvent::End { content: Part::ToolCall(_), .. }));
        let usual = if self.beats.iter().any(is_call) { StopReason::ToolCalls } else { StopReason::Stop };
        match self.end {
            End::Done => self.beats.push(Beat::Event(ModelEvent::Done(ModelEnd {
                stop: self.stop.unwrap_or(usual),
                usage: self.usage,
                cost: info.price.as_ref().and_then(|price| price.cost_if_told(&self.usage)),
                origin: Origin {
                    api: "scripted".into(),
                    provider: info.provider.clone(),
                    model: info.model.clone(),
                },
                response_id: None,
            }))),
            End::Fail(error) => self.beats.push(Beat::Fail(error)),
            End::Never => self.beats.push(Beat::Never),
            End::Missing => {}
        }
        self.beats
    }
}
