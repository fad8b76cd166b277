//! Summaries as memories, and back.

use std::sync::Arc;

use mosaic_core::memory::{Memory, MemoryBody, MemoryId, Place, Scope, SourceRef, Span};
use mosaic_core::summary::{Claim, Summary};
use mosaic_core::{Seq, SessionKey, Timestamp, Usage};
use serde::{Deserialize, Serialize};

use crate::id::derived;

/// Under this name a memory's metadata say that it is a summary, and of what: `"episode"` (a part of a session) or `"session"` (all of
/// it).
pub const SUMMARY: &str = "mosaic.summary";
/// The session, by its name.
const SESSION: &str = "mosaic.session";
/// What each line of the text rests on.
const CITES: &str = "mosaic.cites";
/// How many runs it stands for.
const RUNS: &str = "mosaic.runs";
/// What it took to make it.
const USAGE: &str = "mosaic.usage";

/// Entries that a memory may name; a summary that cites more keeps the newest as sources, and all in its metadata.
const MOST_SOURCES: usize = mosaic_core::memory::check::MAX_SOURCES;

/// What a summary stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// A part of a session.
    Episode,
    /// All of it.
    Session,
}

impl Level {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Episode => "episode",
            Self::Session => "session",
        }
    }
}

/// A summary that is to become a memory.
pub(super) struct Made<'a> {
    pub(super) level: Level,
    pub(super) session: &'a SessionKey,
    pub(super) scope: Scope,
    pub(super) from: Seq,
    pub(super) to: Seq,
    /// The last rewind of the log: what stood for the same part before it is closed, and is not added again.
    pub(super) rewound: Seq,
    /// When the last of it was said.
    pub(super) at: Timestamp,
    pub(super) runs: usize,
    pub(super) summary: &'a Summary,
}

impl Made<'_> {
    /// The same for every attempt to summarise that part of that session.
    pub(super) fn id(&self) -> MemoryId {
        id(self.session, self.level, [self.from, self.to, self.rewound], self.at)
    }

    pub(super) fn memory(&self, now: Timestamp) -> Memory {
        let session = &self.session.name;
        let span = Span { session: session.clone(), from: self.from, to: self.to };
        let body = MemoryBody::Episode { text: self.summary.text().into(), span: Some(span) };
        let mut memory = Memory::new(self.id(), self.scope.clone(), body, now);
        memory.valid_from = self.at;
        let cites = self.summary.cites();
        let newest = cites.iter().skip(cites.len().saturating_sub(MOST_SOURCES));
        memory.source = newest.map(|seq| SourceRef { session: session.clone(), seq: *seq }).collect();
        if self.level == Level::Episode {
            // Episodes of a session are neighbours of one another, and not of what the host keeps of the same conversation.
            let place = Place::new(format!("{session}#episodes"), self.to.0);
            memory.place = Some(Place { said_at: Some(self.at), ..place });
        }
        let lines: Vec<&[Seq]> = self.summary.claims.iter().map(|claim| claim.cites.as_slice()).collect();
        let mut put =
            |name: &str, value: serde_json::Value| drop(memory.metadata.insert(name.to_owned(), value));
        put(SUMMARY, self.level.as_str().into());
        put(SESSION, session.to_string().into());
        put(RUNS, self.runs.into());
        if self.summary.usage != Usage::default() {
            put(USAGE, serde_json::to_value(self.summary.usage).unwrap_or_default());
        }
        let cited = serde_json::to_value(lines).unwrap_or_default();
        // Metadata are small; a summary that cites more than fits has its sources.
        if cited.to_string().len() < mosaic_core::memory::check::MAX_METADATA / 2 {
            put(CITES, cited);
        }
        memory
    }
}

/// The id of a summary of a part of a session, from where, to where, and after which rewind; that was said last at a time.
pub(super) fn id(session: &SessionKey, level: Level, part: [Seq; 3], at: Timestamp) -> MemoryId {
    let SessionKey { tenant, name } = session;
    let [from, to, rewound] = part.map(|seq| seq.to_string());
    derived(at, &["summary", tenant, name, level.as_str(), &from, &to, &rewound])
}

/// What finds the summaries of a session among the memories of a scope.
pub(super) fn of_session(session: &SessionKey) -> std::collections::BTreeMap<String, Vec<serde_json::Value>> {
    let levels = [Level::Episode, Level::Session].map(|level| level.as_str().into()).to_vec();
    [(SUMMARY.to_owned(), levels), (SESSION.to_owned(), vec![session.name.to_string().into()])].into()
}

/// Which level of summary a memory is, if it is one.
pub(super) fn level(memory: &Memory) -> Option<Level> {
    Level::deserialize(memory.metadata.get(SUMMARY)?).ok()
}

/// The summary that a memory holds, claim by claim; `None` if it holds none. Claims whose citations were too many to be kept line by
/// line rest on all sources of the memory.
#[must_use]
pub fn summary_of(memory: &Memory) -> Option<Summary> {
    level(memory)?;
    let MemoryBody::Episode { text, .. } = &memory.body else { return None };
    let cites = memory.metadata.get(CITES).and_then(|cites| Vec::<Vec<Seq>>::deserialize(cites).ok());
    let sources = || memory.source.iter().map(|source| source.seq);
    let claim = |(index, line): (usize, &str)| {
        let text = line.strip_prefix("- ").unwrap_or(line);
        match cites.as_ref().and_then(|cites| cites.get(index)) {
            Some(cites) => Claim::new(text, cites.iter().copied()),
            None => Claim::new(text, sources()),
        }
    };
    Some(Summary::new(text.lines().enumerate().map(claim).collect()))
}

/// Of several summaries of one session, the claims of all, in their order.
pub(super) fn joined<'a>(memories: impl IntoIterator<Item = &'a Arc<Memory>>) -> Summary {
    let claims =
        memories.into_iter().filter_map(|memory| summary_of(memory)).flat_map(|summary| summary.claims);
    Summary::new(claims.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made<'a>(session: &'a SessionKey, summary: &'a Summary, to: u64) -> Made<'a> {
        let scope = Scope::of("acme").user("ann");
        let (from, to, at) = (Seq(3), Seq(to), Timestamp(5));
        Made { level: Level::Episode, session, scope, from, to, rewound: Seq(0), at, runs: 2, summary }
    }

    #[test]
    fn a_summary_comes_back_as_it_was_kept() {
        let claims =
            vec![Claim::new("They meet\non Friday.", [Seq(3), Seq(7)]), Claim::new("It rains.", [Seq(5)])];
        let (session, summary) = (SessionKey::of("acme", "s1"), Summary::new(claims));
        let memory = made(&session, &summary, 9).memory(Timestamp(8));
        mosaic_core::memory::check::memory(&memory).unwrap();
        let found = summary_of(&memory).unwrap();
        assert_eq!(found.claims[0], Claim::new("They meet on Friday.", [Seq(3), Seq(7)]));
        assert_eq!(found.claims[1], summary.claims[1]);
        assert_eq!(memory.source.iter().map(|source| source.seq.0).collect::<Vec<_>>(), [3, 5, 7]);
        assert_eq!((memory.valid_from, memory.recorded_at), (Timestamp(5), Timestamp(8)));
        assert_eq!(
            summary_of(&Memory::new(memory.id, memory.scope.clone(), memory.body.clone(), Timestamp(0))),
            None
        );
    }

    #[test]
    fn the_same_part_has_the_same_id_and_no_other_has_it() {
        let summary = Summary::default();
        let key = |tenant: &str, name: &str| SessionKey::of(tenant, name);
        let (one, other, third) = (key("acme", "s1"), key("acmes", "1"), key("acme", "s2"));
        let id = |session, to| made(session, &summary, to).id();
        assert_eq!(id(&one, 9), id(&one, 9));
        let ids = [id(&one, 9), id(&one, 10), id(&other, 9), id(&third, 9)];
        assert!((1..ids.len()).all(|last| !ids[..last].contains(&ids[last])));
        let session = Made { level: Level::Session, ..made(&one, &summary, 9) };
        assert_ne!(session.id(), id(&one, 9));
        assert_ne!(Made { rewound: Seq(10), ..made(&one, &summary, 9) }.id(), id(&one, 9));
        assert_eq!(id(&one, 9).0.get_version_num(), 7);
    }
}
