//! recall@k, nDCG@10, and the table of them.

use std::time::Duration;

use mosaic_core::memory::MemoryId;

use crate::data::{Conversation, Question};

/// How well one question was answered: recall@5, @10, @20, nDCG@10.
pub(crate) struct Score {
    conversation: usize,
    adversarial: bool,
    figures: [f64; 4],
}

impl Score {
    pub(crate) fn conversation(&self) -> usize {
        self.conversation
    }

    pub(crate) fn of(conversation: usize, question: &Question, ranked: &[MemoryId]) -> Self {
        let wanted = question.answers.len();
        let found =
            |within: usize| ranked.iter().take(within).filter(|id| question.answers.contains(id)).count();
        let recall = |within: usize| found(within) as f64 / wanted as f64;
        let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let got = ranked.iter().take(10).enumerate().filter(|(_, id)| question.answers.contains(id));
        let got: f64 = got.map(|(place, _)| gain(place)).sum();
        let best: f64 = (0..wanted.min(10)).map(gain).sum();
        let adversarial = question.is_adversarial();
        Self { conversation, adversarial, figures: [recall(5), recall(10), recall(20), got / best] }
    }
}

/// The mean over some of the questions.
fn mean(scores: &[Score], of: impl Fn(&Score) -> bool) -> [f64; 4] {
    let mut sum = [0.0; 4];
    let mut count = 0.0;
    for score in scores.iter().filter(|score| of(score)) {
        sum.iter_mut().zip(score.figures).for_each(|(sum, figure)| *sum += figure);
        count += 1.0;
    }
    sum.map(|sum| sum / f64::max(count, 1.0))
}

pub(crate) fn head(conversations: &[Conversation]) {
    print!("| | R@5 | R@10 | R@20 | nDCG@10 |");
    conversations.iter().for_each(|conversation| print!(" {} |", conversation.id));
    println!(" with adversarial | median | p95 |");
    println!("| --- | --- | --- | --- | --- |{} --- | --- | --- |", " --- |".repeat(conversations.len()));
}

/// A row: all without the adversarial questions; R@10 / nDCG@10 a conversation, and with all questions; time an answer.
pub(crate) fn row(name: &str, scores: &[Score], conversations: usize, times: &[Duration]) {
    let [five, ten, twenty, gain] = mean(scores, |score| !score.adversarial);
    print!("| {name} | {five:.3} | {ten:.3} | {twenty:.3} | {gain:.3} |");
    for conversation in 0..conversations {
        let [_, ten, _, gain] =
            mean(scores, |score| !score.adversarial && score.conversation == conversation);
        print!(" {ten:.3} / {gain:.3} |");
    }
    let [_, ten, _, gain] = mean(scores, |_| true);
    print!(" {ten:.3} / {gain:.3} |");
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
    println!(" {:.2?} | {:.2?} |", at(0.5), at(0.95));
}
