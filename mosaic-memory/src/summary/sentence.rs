//! Passages as sentences.

use mosaic_core::Seq;
use mosaic_core::summary::{Passage, SummaryRequest, SummaryUse, Who, shorten};

/// What is longer is no sentence but a listing.
const LONGEST: usize = 400;

/// A sentence that may be claimed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sentence {
    /// As it will be claimed.
    pub(super) text: String,
    /// What is compared: without who said it.
    pub(super) words: String,
    pub(super) cites: Vec<Seq>,
    /// How much it counts for who said it, before anything is compared.
    pub(super) weight: f64,
}

/// All sentences of a request, in order: the claims of the earlier summary, then what was said.
pub(super) fn sentences(request: &SummaryRequest) -> Vec<Sentence> {
    let earlier = request.earlier.iter().flat_map(|earlier| &earlier.claims);
    // What was worth a claim once counts more than any one sentence.
    let mut all: Vec<Sentence> = earlier
        .map(|claim| Sentence {
            text: claim.text.clone(),
            words: claim.text.clone(),
            cites: claim.cites.clone(),
            weight: 1.3,
        })
        .collect();
    let count = request.passages.len();
    for (index, passage) in request.passages.iter().enumerate() {
        let recent = match request.used_for {
            // A conversation that goes on hangs on its end.
            #[allow(clippy::cast_precision_loss)]
            SummaryUse::Compaction => 1.0 + 0.3 * (index as f64 + 1.0) / count as f64,
            _ => 1.0,
        };
        all.extend(of_passage(passage, recent));
    }
    all
}

fn of_passage(passage: &Passage, recent: f64) -> Vec<Sentence> {
    let (name, weight) = match &passage.who {
        Who::User => ("User".to_owned(), 1.2),
        Who::Agent => ("Assistant".to_owned(), 1.0),
        Who::Tool { name } => (format!("Tool {name}"), 0.6),
        _ => ("Notice".to_owned(), 0.4),
    };
    let sentence = |words: String| Sentence {
        text: format!("{name}: {words}"),
        words,
        cites: vec![passage.seq],
        weight: weight * recent,
    };
    let said = split(&passage.text).into_iter();
    // What was called shows in what came of it.
    said.filter(|words| !words.starts_with("[calls ")).map(sentence).collect()
}

/// A text as sentences: at the ends of lines, after `.`, `!` and `?` before a blank, and after the full stops of East Asia.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for line in text.lines() {
        let mut sentence = String::new();
        let mut chars = line.trim().trim_start_matches(['-', '*', '•', '#', '>']).trim().chars().peekable();
        while let Some(c) = chars.next() {
            sentence.push(c);
            let ends = match c {
                '。' | '！' | '？' => true,
                '.' | '!' | '?' => {
                    chars.peek().is_none_or(|next| next.is_whitespace()) && !abbreviates(&sentence)
                }
                _ => false,
            };
            if ends {
                keep(&mut all, &std::mem::take(&mut sentence));
            }
        }
        keep(&mut all, &sentence);
    }
    all
}

/// `Dr.`, `e.g.`, `No.`, `J.`: one letter, letters with points between them, or one of a few words.
fn abbreviates(sentence: &str) -> bool {
    let Some(word) = sentence.strip_suffix('.') else { return false };
    let word =
        word.rsplit(char::is_whitespace).next().unwrap_or_default().trim_start_matches(['(', '"', '\'']);
    let mut letters = word.chars();
    let single = matches!((letters.next(), letters.next()), (Some(c), None) if c.is_alphabetic());
    let known =
        ["mr", "mrs", "ms", "dr", "prof", "st", "no", "nr", "vs", "etc", "approx", "ca", "bzw", "inc", "ltd"];
    single
        || known.contains(&word.to_lowercase().as_str())
        || (word.contains('.') && word.split('.').all(|part| part.chars().count() == 1))
}

fn keep(all: &mut Vec<String>, sentence: &str) {
    let sentence = sentence.trim();
    if sentence.chars().any(char::is_alphanumeric) {
        all.push(shorten(sentence, LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn sentences_end_where_they_end() {
        assert_eq!(
            split("Dr. Who pays 3.50 at example.org, e.g. today. Really? Yes!\n\n- a list\n- of two"),
            ["Dr. Who pays 3.50 at example.org, e.g. today.", "Really?", "Yes!", "a list", "of two"]
        );
        assert_eq!(split("我住在奥斯陆。你呢？"), ["我住在奥斯陆。", "你呢？"]);
        assert_eq!(split("...\n---\n"), Vec::<String>::new());
    }
}
