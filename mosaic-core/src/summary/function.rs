//! A function of the host's as a summariser.

use std::fmt;
use std::sync::Arc;

use super::{Summarizer, Summary, SummaryError, SummaryRequest};
use crate::runtime::BoxFuture;

type Function = dyn Fn(SummaryRequest) -> BoxFuture<Result<Summary, SummaryError>> + Send + Sync;

/// A function of the host's as a summariser. What it claims is checked, as everybody's is.
///
/// ```
/// use mosaic_core::summary::{Claim, FnSummarizer, Summary, SummaryRequest};
///
/// // Keeps the last thing that was said.
/// let last = FnSummarizer::new(async |request: SummaryRequest| {
///     let last = request.passages.last();
///     Ok(Summary::new(last.map(|said| Claim::new(&*said.text, [said.seq])).into_iter().collect()))
/// });
/// # let _ = last;
/// ```
#[derive(Clone)]
pub struct FnSummarizer(Arc<Function>);

impl FnSummarizer {
    /// Of a function.
    pub fn new<F, R>(function: F) -> Self
    where
        F: Fn(SummaryRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Summary, SummaryError>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(function(request))))
    }
}

impl fmt::Debug for FnSummarizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FnSummarizer")
    }
}

#[async_trait::async_trait]
impl Summarizer for FnSummarizer {
    async fn summarize(&self, request: &SummaryRequest) -> Result<Summary, SummaryError> {
        let summary = (self.0)(request.clone()).await?;
        request.check(&summary)?;
        Ok(summary)
    }
}
