//! What an answer goes through between the decoder and the host.

use crate::model::output_mode::{AnswerFilter, Reading};
use crate::model::tool_mode::Filter;
use crate::model::{ModelEvent, ModelRequest, ToolMode};

/// First the calls are taken out of the text, then the answer out of the calls.
#[derive(Debug)]
pub(super) struct Filters {
    calls: Option<Filter>,
    answer: Option<AnswerFilter>,
    /// Between the two. Reused for every event.
    between: Vec<ModelEvent>,
}

impl Filters {
    /// The filters for the answer to a request; none where nothing is to be done.
    pub(super) fn new(mode: ToolMode, request: &ModelRequest, reading: Option<Reading>) -> Option<Self> {
        let (calls, answer) = (Filter::new(mode, request), reading.map(AnswerFilter::new));
        (calls.is_some() || answer.is_some()).then(|| Self { calls, answer, between: Vec::new() })
    }

    /// Takes an event of the model and appends what the host sees of it.
    pub(super) fn push(&mut self, event: ModelEvent, out: &mut Vec<ModelEvent>) {
        match (&mut self.calls, &mut self.answer) {
            (Some(calls), None) => calls.push(event, out),
            (None, Some(answer)) => answer.push(event, out),
            (Some(calls), Some(answer)) => {
                calls.push(event, &mut self.between);
                self.between.drain(..).for_each(|event| answer.push(event, out));
            }
            (None, None) => out.push(event),
        }
    }

    /// Shows what is held back, because the answer broke off.
    pub(super) fn flush(&mut self, out: &mut Vec<ModelEvent>) {
        match (&mut self.calls, &mut self.answer) {
            (Some(calls), None) => calls.flush(out),
            (calls, Some(answer)) => {
                if let Some(calls) = calls {
                    calls.flush(&mut self.between);
                    self.between.drain(..).for_each(|event| answer.push(event, out));
                }
                answer.flush(out);
            }
            (None, None) => {}
        }
    }
}
