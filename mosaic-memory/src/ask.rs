//! Asking a model for an answer in a shape.

use std::sync::Arc;

use futures_util::StreamExt;
use mosaic_core::{
    ChatModel, ErrorKind, Group, ModelCall, ModelEnd, ModelError, ModelEvent, ModelParams, ModelRequest,
    OutputSpec, Part, Timestamp,
};

/// A question to a model, and the shape that its answer must have.
pub(crate) struct Question<'a> {
    pub(crate) instructions: &'a str,
    pub(crate) text: &'a str,
    pub(crate) shape: &'a Arc<OutputSpec>,
    pub(crate) params: &'a ModelParams,
    pub(crate) deadline: Option<Timestamp>,
}

/// The text of the answer, whatever it is, and how it ended.
pub(crate) async fn ask(
    model: &dyn ChatModel,
    question: Question<'_>,
) -> Result<(String, ModelEnd), ModelError> {
    let request = ModelRequest {
        instructions: question.instructions.into(),
        groups: Arc::new(vec![Group::user(vec![Part::text(question.text)])]),
        output: Some(question.shape.clone()),
        params: question.params.clone(),
        ..ModelRequest::default()
    };
    let call = ModelCall { deadline: question.deadline, ..ModelCall::new(request) };
    let mut stream = model.stream(call).await?;
    let mut text = String::new();
    while let Some(event) = stream.next().await {
        match event? {
            ModelEvent::Restarted => text.clear(),
            ModelEvent::End { content: Part::Text { text: part }, .. } => text.push_str(&part),
            ModelEvent::Done(end) => return Ok((text, end)),
            _ => {}
        }
    }
    Err(ModelError::new(ErrorKind::Incomplete, "the model's answer ended before it was whole"))
}
