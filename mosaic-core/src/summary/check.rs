//! Whether each claim rests on something.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{Summary, SummaryRequest};
use crate::id::Seq;

/// A summary that must not be used: which claim is wrong, and what about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", flaw.say(*claim))]
pub struct CitationError {
    /// Which claim, from 0.
    pub claim: usize,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// It says nothing.
    Empty,
    /// It names no entry that it rests on.
    NoCitation,
    /// It names an entry that was not among what was summarised.
    Unknown {
        /// The entry.
        seq: Seq,
    },
    /// There is no claim at all, though there was something to summarise.
    NoClaim,
}

impl Flaw {
    fn say(self, claim: usize) -> String {
        let number = claim.saturating_add(1);
        match self {
            Self::Empty => format!("claim {number} is empty; leave it out"),
            Self::NoCitation => format!("claim {number} cites nothing; name the entries that it rests on"),
            Self::Unknown { seq } => {
                format!("claim {number} cites entry {seq}, which is none of the passages; cite what is there")
            }
            Self::NoClaim => "the summary claims nothing; say what was said".into(),
        }
    }
}

impl SummaryRequest {
    /// Whether a summary may be used: each claim says something, and rests on passages of this request or on what the earlier
    /// summary cites.
    ///
    /// # Errors
    /// The first claim that is wrong.
    pub fn check(&self, summary: &Summary) -> Result<(), CitationError> {
        let earlier = self.earlier.iter().flat_map(|earlier| &earlier.claims);
        let known: BTreeSet<Seq> = self
            .passages
            .iter()
            .map(|passage| passage.seq)
            .chain(earlier.flat_map(|claim| claim.cites.iter().copied()))
            .collect();
        if summary.claims.is_empty() && !known.is_empty() {
            return Err(CitationError { claim: 0, flaw: Flaw::NoClaim });
        }
        for (index, claim) in summary.claims.iter().enumerate() {
            let flaw = if claim.text.trim().is_empty() {
                Flaw::Empty
            } else if claim.cites.is_empty() {
                Flaw::NoCitation
            } else if let Some(seq) = claim.cites.iter().find(|seq| !known.contains(seq)) {
                Flaw::Unknown { seq: *seq }
            } else {
                continue;
            };
            return Err(CitationError { claim: index, flaw });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Timestamp;
    use crate::summary::{Claim, Passage, SummaryUse, Who};

    fn request() -> SummaryRequest {
        let passage = |seq| Passage { seq: Seq(seq), who: Who::User, text: "words".into(), at: Timestamp(0) };
        let earlier = Summary::new(vec![Claim::new("before", [Seq(2)])]);
        SummaryRequest::new(vec![passage(5), passage(7)], SummaryUse::Episode).earlier(earlier)
    }

    fn flaw(claims: Vec<Claim>) -> Result<(), (usize, Flaw)> {
        request().check(&Summary::new(claims)).map_err(|error| (error.claim, error.flaw))
    }

    #[test]
    fn a_claim_rests_on_passages_or_on_what_the_earlier_summary_cites() {
        assert_eq!(flaw(vec![Claim::new("a", [Seq(5), Seq(7)]), Claim::new("b", [Seq(2)])]), Ok(()));
    }

    #[test]
    fn the_claim_that_is_wrong_is_named() {
        let good = || Claim::new("a", [Seq(5)]);
        assert_eq!(flaw(vec![good(), Claim::new("b", [])]), Err((1, Flaw::NoCitation)));
        assert_eq!(
            flaw(vec![good(), good(), Claim::new("c", [Seq(7), Seq(6)])]),
            Err((2, Flaw::Unknown { seq: Seq(6) }))
        );
        assert_eq!(flaw(vec![Claim::new(" \n", [Seq(5)])]), Err((0, Flaw::Empty)));
        assert_eq!(flaw(vec![]), Err((0, Flaw::NoClaim)));
        assert_eq!(SummaryRequest::default().check(&Summary::default()), Ok(()), "of nothing, nothing");
    }
}
