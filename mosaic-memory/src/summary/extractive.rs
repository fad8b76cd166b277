//! Summaries without a model.

use std::sync::Arc;

use mosaic_core::model::{Estimate, TextTokens};
use mosaic_core::summary::{Claim, Summarizer, Summary, SummaryError, SummaryRequest};

use super::graph::Graph;
use super::sentence::{Sentence, sentences};
use crate::text::{Words, terms};

/// Stems of words that are said in every talk and are about nothing.
const COURTESY: &[&str] = &[
    "bye", "dear", "fine", "glad", "good", "great", "hello", "help", "hey", "hi", "nice", "ok", "okay",
    "pleas", "sorri", "sure", "thank", "welcom", "yes",
];

/// A summariser that needs no model: it says again the sentences that stand for the others, each once, as they were said and by
/// whom. The same passages give the same summary.
///
/// It understands nothing: what was said in passing and once is left out, however important, and what follows from two sentences is
/// not concluded. As a default, and where no model is to read a conversation, it is a good deal better than nothing. Words are
/// cut to stems and the frequent ones left out, in English unless [told otherwise](Self::words). All is done on the thread that
/// asks: the cost grows with the text, and above 400 sentences no faster than it.
#[derive(Debug, Clone)]
pub struct ExtractiveSummarizer {
    words: Arc<Words>,
}

impl Default for ExtractiveSummarizer {
    fn default() -> Self {
        Self { words: Arc::new(Words::english()) }
    }
}

impl ExtractiveSummarizer {
    /// Words of another language.
    #[must_use]
    pub fn words(mut self, words: Words) -> Self {
        self.words = Arc::new(words);
        self
    }

    fn claims(&self, request: &SummaryRequest) -> Vec<Claim> {
        let all = sentences(request);
        let says = |sentence: &Sentence| {
            let mut terms = terms(&self.words, &sentence.words);
            terms.retain(|term| !COURTESY.contains(&term.as_str()));
            (terms, sentence.weight)
        };
        let rows: Vec<(Vec<String>, f64)> = all.iter().map(says).collect();
        // The mark and the end of the line are a token or two.
        let takes: Vec<u64> =
            all.iter().map(|sentence| Estimate.tokens(&sentence.text).saturating_add(2)).collect();
        let chosen = Graph::new(&rows).choose(&takes, request.max_tokens);
        let claim = |index: &usize| all.get(*index);
        chosen
            .iter()
            .filter_map(|chosen| {
                let Sentence { text, cites, .. } = claim(&chosen.index)?;
                let same = chosen.same.iter().filter_map(claim).flat_map(|sentence| &sentence.cites);
                let mut cites: Vec<_> = cites.iter().chain(same).copied().collect();
                cites.sort_unstable();
                cites.dedup();
                Some(Claim { text: text.clone(), cites })
            })
            .collect()
    }
}

#[async_trait::async_trait]
impl Summarizer for ExtractiveSummarizer {
    async fn summarize(&self, request: &SummaryRequest) -> Result<Summary, SummaryError> {
        let mut claims = self.claims(request);
        if claims.is_empty() {
            // Nothing but calls, or signs: that there was something is all there is to say.
            let first = request.passages.first().ok_or(SummaryError::Nothing)?;
            let said = mosaic_core::summary::shorten(first.text.trim(), 200);
            claims.push(Claim::new(format!("{}: {said}", first.who.label()), [first.seq]));
        }
        let summary = Summary::new(claims);
        request.check(&summary)?;
        Ok(summary)
    }
}

#[cfg(test)]
mod tests;
