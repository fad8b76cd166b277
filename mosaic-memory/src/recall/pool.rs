//! Candidates in the order of what was said, so that each knows who stands beside it.

use std::sync::Arc;

use mosaic_core::memory::{Candidate, Scope};

/// The two before, nearest last, and the two after, nearest first.
type Beside = [Option<usize>; 4];

/// Candidates and their neighbours among them.
#[derive(Debug)]
pub(super) struct Pool<'c> {
    pub(super) candidates: &'c [Candidate],
    beside: Vec<Beside>,
    /// Which conversation, by number; those that stand nowhere have one of their own each.
    conversation: Vec<usize>,
    /// Whether hits came with their neighbours.
    neighbours: bool,
}

impl<'c> Pool<'c> {
    pub(super) fn new(candidates: &'c [Candidate]) -> Self {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        let key = |at: &usize| candidates.get(*at).and_then(place);
        let id = |at: &usize| candidates.get(*at).map(|candidate| candidate.memory.id);
        order.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| id(a).cmp(&id(b))));
        let mut pool = Self {
            candidates,
            beside: vec![[None; 4]; candidates.len()],
            conversation: vec![0; candidates.len()],
            neighbours: candidates.iter().any(|candidate| !candidate.hit),
        };
        let mut number = 0;
        let mut before: Option<usize> = None;
        for at in order {
            let here = key(&at).map(|(scope, conversation, _)| (scope, conversation));
            let there = before.as_ref().and_then(key).map(|(scope, conversation, _)| (scope, conversation));
            if here.is_none() || here != there {
                number += 1;
            } else if let Some(before) = before.filter(|before| pool.touch(*before, at)) {
                let second = pool.beside.get(before).and_then(|beside| beside[1]);
                pool.set(at, 1, before);
                pool.set(before, 2, at);
                if let Some(second) = second {
                    pool.set(at, 0, second);
                    pool.set(second, 3, at);
                }
            }
            if let Some(conversation) = pool.conversation.get_mut(at) {
                *conversation = number;
            }
            before = Some(at);
        }
        pool
    }

    /// Whether two that follow each other among the candidates stand beside each other. A hit has its neighbours with it;
    /// between two that are only neighbours of others there may be a gap.
    fn touch(&self, one: usize, next: usize) -> bool {
        let [one, next] = [one, next].map(|at| self.candidates.get(at));
        let [position, following] = [one, next].map(|of| of.and_then(place).map(|(_, _, position)| position));
        let follows = position.and_then(|position| position.checked_add(1)) == following;
        follows || self.neighbours && [one, next].into_iter().flatten().any(|candidate| candidate.hit)
    }

    fn set(&mut self, of: usize, side: usize, to: usize) {
        if let Some(side) = self.beside.get_mut(of).and_then(|beside| beside.get_mut(side)) {
            *side = Some(to);
        }
    }

    /// Who stands right before it.
    pub(super) fn before(&self, at: usize) -> Option<usize> {
        self.beside.get(at).and_then(|beside| beside[1])
    }

    /// Up to two on either side.
    pub(super) fn around(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        self.beside.get(at).into_iter().flatten().copied().flatten()
    }

    /// Its conversation.
    pub(super) fn conversation(&self, at: usize) -> usize {
        self.conversation.get(at).copied().unwrap_or(0)
    }

    /// Whether it stands in a conversation at all.
    pub(super) fn is_placed(&self, at: usize) -> bool {
        self.candidates.get(at).is_some_and(|candidate| candidate.memory.place.is_some())
    }
}

fn place(candidate: &Candidate) -> Option<(SortedScope<'_>, &Arc<str>, u64)> {
    let memory = &candidate.memory;
    let place = memory.place.as_ref()?;
    let Scope { tenant, user, agent, session } = &memory.scope;
    Some(((tenant, user, agent, session), &place.conversation, place.position))
}

type SortedScope<'c> = (&'c Arc<str>, &'c Option<Arc<str>>, &'c Option<Arc<str>>, &'c Option<Arc<str>>);
