//! What was recalled, as much of it as a prompt has room for.

use mosaic_core::ErrorReport;
use mosaic_core::memory::Memory;
use mosaic_core::model::TextTokens;

use super::rank::Hit;

/// What was recalled.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalled {
    /// The hits that there is room for, the best first.
    pub hits: Vec<Hit>,
    /// How many tokens [`text`](Self::text) is.
    pub tokens: u64,
    /// How many of the best were left out because they alone were longer than the room that was left.
    pub too_long: usize,
    /// How many memories the filter admitted.
    pub admitted: u64,
    /// Why the vectors of a model, as a rule of the only one, were not asked; words, and other models, found all of this.
    pub without_vectors: Option<ErrorReport>,
}

impl Recalled {
    /// The hits for a prompt: a line each, in the order in which they were said, so that it reads as it happened.
    ///
    /// ```text
    /// - 8 May 2023, Melanie: I painted that lake sunrise last year! (a painting of a lake)
    /// - 25 May 2023, Caroline: ...
    /// ```
    #[must_use]
    pub fn text(&self) -> String {
        let mut memories: Vec<&Memory> = self.hits.iter().map(|hit| &*hit.memory).collect();
        let place =
            |memory: &Memory| memory.place.as_ref().map(|place| (place.conversation.clone(), place.position));
        memories.sort_by(|a, b| {
            let told = a.told_at().cmp(&b.told_at());
            told.then_with(|| place(a).cmp(&place(b))).then_with(|| a.id.cmp(&b.id))
        });
        memories.into_iter().map(line).collect()
    }

    /// Why each hit stands where it stands, a line each, the best first.
    #[must_use]
    pub fn explanation(&self) -> String {
        self.hits.iter().map(|hit| format!("{hit}: {}\n", hit.memory.document())).collect()
    }
}

fn line(memory: &Memory) -> String {
    let document = memory.document();
    // A memory of several lines stays one item of the list.
    format!("- {}\n", document.trim().replace('\n', "\n  "))
}

/// Takes the best hits, at most `limit`, as long as their lines fit into `budget` tokens. One that does not fit is left out and
/// counted, and the next is tried: a long summary does not keep out what is short.
pub(super) fn fit(
    hits: Vec<Hit>,
    limit: usize,
    budget: Option<u64>,
    counter: &dyn TextTokens,
    mut recalled: Recalled,
) -> Recalled {
    let mut room = budget.unwrap_or(u64::MAX);
    for hit in hits {
        if recalled.hits.len() >= limit || room == 0 {
            break;
        }
        let tokens = counter.tokens(&line(&hit.memory));
        if tokens > room {
            recalled.too_long += 1;
            continue;
        }
        room -= tokens;
        recalled.hits.push(hit);
    }
    // Lines together can be more tokens than each for itself, with some counters.
    recalled.tokens = counter.tokens(&recalled.text());
    while recalled.tokens > budget.unwrap_or(u64::MAX) && recalled.hits.pop().is_some() {
        recalled.too_long += 1;
        recalled.tokens = counter.tokens(&recalled.text());
    }
    recalled
}
