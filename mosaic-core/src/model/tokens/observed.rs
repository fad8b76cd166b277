//! A model whose answers correct the counts for it.

use std::sync::Arc;

use futures_util::StreamExt;

use super::RequestCounter;
use crate::model::{ChatModel, ModelCall, ModelError, ModelEvent, ModelInfo, ModelStream};

/// A model whose answers correct the counts for it: each teaches the counter what its request really was.
///
/// For one model, under a router and not around it: what one model reports says little of another's tokenizer.
#[derive(Debug, Clone)]
pub struct Observed {
    model: Arc<dyn ChatModel>,
    counter: Arc<RequestCounter>,
}

impl Observed {
    /// A model, and who counts for it.
    #[must_use]
    pub fn new(model: Arc<dyn ChatModel>, counter: Arc<RequestCounter>) -> Self {
        Self { model, counter }
    }
}

#[async_trait::async_trait]
impl ChatModel for Observed {
    fn info(&self) -> &ModelInfo {
        self.model.info()
    }

    async fn stream(&self, call: ModelCall) -> Result<ModelStream, ModelError> {
        // Counted now, so that the conversation is not held while the answer comes: its list is grown in place.
        let Some(counted) = self.counter.counted_quickly(&call.request) else {
            return self.model.stream(call).await;
        };
        let counter = Arc::clone(&self.counter);
        let events = self.model.stream(call).await?;
        Ok(Box::pin(events.inspect(move |event| {
            if let Ok(ModelEvent::Done(end)) = event {
                counter.learn(counted, &end.usage);
            }
        })))
    }
}
