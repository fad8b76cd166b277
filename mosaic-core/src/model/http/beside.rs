//! What else one can ask the provider of a model about a request, than to answer it.

use std::sync::Arc;

use super::HttpModel;
use super::exchange::{self, To};
use super::watch::Watch;
use crate::model::{ModelError, ModelRequest};
use crate::transport::{HttpRequest, HttpResponse};

/// More than any answer that is a few figures.
const MAX_BODY: usize = 256 * 1024;

impl HttpModel {
    /// Asks the provider something *about* a request: how many tokens it is, for one. `change` makes the question of what
    /// the codec wrote for the request; key, headers and time limits are those of the model. Gives the body of the answer.
    ///
    /// # Errors
    /// As [`ChatModel::stream`](crate::ChatModel::stream), and what `change` returns.
    pub async fn ask_about(
        &self,
        request: &ModelRequest,
        change: impl FnOnce(HttpRequest) -> Result<HttpRequest, ModelError> + Send,
    ) -> Result<Vec<u8>, ModelError> {
        let question = self.encode(request).map_err(ModelError::from).and_then(change);
        let question = question.map_err(|error| self.named(error))?;
        self.read_whole(question).await.map_err(|error| self.named(error))
    }

    async fn read_whole(&self, question: HttpRequest) -> Result<Vec<u8>, ModelError> {
        let limits = self.timeouts.of_whole(None);
        let mut watch = Watch::new(Arc::clone(&self.runtime), &limits);
        let to = To { transport: &*self.transport, auth: &self.auth, runtime: &*self.runtime };
        let (response, keys) = exchange::head(to, question, &limits, &mut watch).await?;
        let HttpResponse { status, headers, body } = response;
        if (200..300).contains(&status) {
            let answer = exchange::whole_body(body, &limits, watch, MAX_BODY).await;
            return answer.map_err(|error| keys.hide(error));
        }
        let body = exchange::error_body(body, watch, limits.between).await;
        let mut error = self.codec.error(status, &headers, &body);
        error.status.get_or_insert(status);
        Err(keys.hide(error))
    }
}
