//! Where a conversation is cut when its old part is summarised. Pure.

use std::collections::HashSet;

use super::fold::Context;
use crate::id::{CallId, Seq};
use crate::message::{GroupBody, Part};
use crate::model::estimated_tokens;
use crate::session::{About, Body, Entry};

/// What is summarised, and what stays.
///
/// A cut falls between two groups, and a group holds an answer together with the results of its calls: a call and its result
/// are never parted.
#[derive(Debug, Clone)]
pub(crate) struct Cut<'a> {
    /// The last entry that the summary stands for.
    pub(crate) upto: Seq,
    /// The entries that are summarised now; without those that an earlier summary stands for.
    pub(crate) passages: Vec<&'a Entry>,
    /// All that is no longer shown as it was said, those of an earlier summary included: what facts are drawn from.
    pub(crate) dropped: Vec<&'a Entry>,
    /// About how many tokens the conversation has.
    pub(crate) before: u64,
    /// About how many of them stay.
    pub(crate) kept: u64,
}

impl<'a> Cut<'a> {
    /// Cuts so that about `keep` of the newest tokens stay; `None` where nothing can be cut. What still waits for an answer
    /// stays, and the newest group too, unless nothing is to be kept.
    pub(crate) fn plan(context: &Context, path: &[&'a Entry], keep: u64) -> Option<Self> {
        let groups = context.groups();
        let sizes: Vec<u64> = groups.iter().map(|group| estimated_tokens(group)).collect();
        let first = usize::from(context.is_compacted());
        let answered = groups
            .iter()
            .rposition(|group| matches!(group.body(), GroupBody::Assistant { .. }))
            .map_or(0, |last| last.saturating_add(1));
        let most = if keep > 0 { answered.min(groups.len().saturating_sub(1)) } else { answered };
        let mut wanted = groups.len();
        let mut kept = 0_u64;
        while let Some(size) = wanted.checked_sub(1).and_then(|before| sizes.get(before)) {
            kept = kept.saturating_add(*size);
            if kept > keep {
                break;
            }
            wanted = wanted.saturating_sub(1);
        }
        if wanted <= first {
            return None;
        }
        // Groups that joined with one entry cannot be told apart by it.
        let places = context.places();
        let parts = |at: &usize| {
            let (before, after) = (at.checked_sub(1).and_then(|before| places.get(before)), places.get(*at));
            before.is_some_and(|before| after.is_none_or(|after| before.joined < after.joined))
        };
        let wanted = wanted.min(most);
        let cut = (wanted..=most)
            .find(parts)
            .or_else(|| (0..wanted).rev().find(parts))
            .filter(|cut| *cut > first)?;
        let upto = places.get(cut.checked_sub(1)?)?.joined;
        let gone: HashSet<Seq> = places.iter().take(cut).skip(first).map(|place| place.said).collect();
        let stays: HashSet<Seq> =
            places.iter().skip(cut).map(|place| place.said).chain(context.pending()).collect();
        Some(Self {
            upto,
            passages: belonging(path, |seq| gone.contains(&seq)),
            dropped: belonging(path, |seq| !stays.contains(&seq)),
            before: sizes.iter().sum(),
            kept: sizes.iter().skip(cut).sum(),
        })
    }
}

/// The entries of inputs, notices and answers that are meant, with all that belongs to the calls of those answers, and the ends
/// of all runs.
fn belonging<'a>(path: &[&'a Entry], meant: impl Fn(Seq) -> bool) -> Vec<&'a Entry> {
    let mut calls: HashSet<&CallId> = HashSet::new();
    let mut questions: HashSet<Seq> = HashSet::new();
    let mut entries = Vec::new();
    for entry in path {
        let belongs = match &entry.body {
            Body::Input { .. } | Body::Notice { .. } => meant(entry.seq),
            Body::Assistant { parts, .. } => {
                let belongs = meant(entry.seq);
                if belongs {
                    calls.extend(parts.iter().filter_map(Part::as_call).map(|call| &call.id));
                }
                belongs
            }
            Body::ToolStart { calls: started } => started.iter().any(|start| calls.contains(&start.call)),
            Body::ToolEnd { call, .. } => calls.contains(call),
            Body::Question { about: About::Approval { call, .. } | About::Recovery { call }, .. } => {
                let belongs = calls.contains(call);
                if belongs {
                    questions.insert(entry.seq);
                }
                belongs
            }
            Body::Answer { question, .. } => questions.contains(question),
            Body::RunEnd { .. } => true,
            _ => false,
        };
        if belongs {
            entries.push(*entry);
        }
    }
    entries
}

#[cfg(test)]
mod tests;
