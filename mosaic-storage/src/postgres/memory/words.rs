//! The two arms of words.
//!
//! ```text
//! question ──> stems ──> postings: stem -> (memory, count) ──> those memories and two more on either side of each ──> BM25
//! ```
//!
//! What is scored, and how, is told in `crate::memory::lexical`, which scores for RAM and SQLite too: here it is given only the docs and
//! words that bear on the question, with the number of all docs and words of the scope.

use std::collections::{BTreeSet, HashMap};

use mosaic_core::memory::{MemoryError, SearchQuery};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::filter::Within;
use super::transaction::{OfTenant, sql};
use crate::best::Best;
use crate::memory::bm25::{self, Arm, NONE, Scores, View};
use crate::memory::lexical::Lexical;
use crate::vectors::Bits;

/// Where more memories than this hold a word of the question, their conversations are read from end to end: that is cheaper than
/// looking to either side of each.
const MANY: usize = 250;

/// The window of a neighbour ends two beside it.
const REACH: u32 = 2;

/// What words say of memories, by their numbers; of those alone that hold one, or stand beside one that does.
#[derive(Debug, Default)]
pub(super) struct Words {
    slots: HashMap<i64, u32>,
    scores: Scores,
    /// In the order of the slots.
    numbers: Vec<i64>,
}

/// A memory as this arm sees it.
#[derive(Debug)]
struct Doc {
    n: i64,
    lane: Option<Uuid>,
    position: i64,
    length: u16,
    admitted: bool,
}

/// The memories that a stem is in, and how often it is.
type Postings = (String, Vec<i64>, Vec<i16>);

impl Words {
    /// Both scores; `None` where nothing is said.
    pub(super) fn of(&self, n: i64) -> (Option<f64>, Option<f64>) {
        let score = |arm| self.scores.of(arm, *self.slots.get(&n)?);
        (score(Arm::Lexical), score(Arm::Window))
    }

    /// The best of both arms.
    pub(super) fn best(&self, limit: usize) -> Vec<i64> {
        let best = |arm| {
            let mut best = Best::new(limit);
            let scored = self.numbers.iter().copied().zip(self.scores.all(arm));
            best.extend(scored.map(|(n, (_, score))| (n, score)).filter(|(_, score)| *score > 0.0));
            best.sorted().map(|(n, _)| n)
        };
        best(Arm::Lexical).chain(best(Arm::Window)).collect()
    }

    pub(super) async fn find(
        db: &mut OfTenant,
        within: &Within,
        query: &SearchQuery,
    ) -> Result<Self, MemoryError> {
        let stems = query.text.as_deref().map(Lexical::question).unwrap_or_default();
        if stems.is_empty() {
            return Ok(Self::default());
        }
        let postings = postings(db, within, &stems).await?;
        let mut matched: Vec<i64> = postings.iter().flat_map(|(_, numbers, _)| numbers).copied().collect();
        matched.sort_unstable();
        matched.dedup();
        if matched.is_empty() {
            return Ok(Self::default());
        }
        let docs = docs(db, within, query, matched).await?;
        Ok(score(within, &stems, &postings, &docs))
    }
}

/// The index answers this by itself.
async fn postings(
    db: &mut OfTenant,
    within: &Within,
    stems: &[String],
) -> Result<Vec<Postings>, MemoryError> {
    let mut query = sql("SELECT w.stem, array_agg(w.n), array_agg(w.count) FROM memory_words w WHERE");
    within.push_parts(&mut query, "w");
    query.push(" AND w.stem = ANY (").push_bind(stems.to_vec()).push(") GROUP BY w.stem");
    let rows = db.rows(query, "looking for words").await?;
    rows.iter().map(|row| Ok((db.get(row, 0)?, db.get(row, 1)?, db.get(row, 2)?))).collect()
}

/// The memories that hold a word, and so many of their neighbours that all windows with a word can be scored.
async fn docs(
    db: &mut OfTenant,
    within: &Within,
    query: &SearchQuery,
    matched: Vec<i64>,
) -> Result<Vec<Doc>, MemoryError> {
    let admitted = |text: &mut QueryBuilder<Postgres>| {
        text.push("(true");
        within.push_admitted(text, &query.filter);
        text.push(") IS TRUE");
    };
    let mut text = sql("SELECT m.n, m.lane, m.position, m.length, ");
    admitted(&mut text);
    text.push(" FROM memories m WHERE m.tenant = ").push_bind(db.tenant);
    text.push(" AND m.n = ANY (").push_bind(matched).push(")");
    let mut docs = read(db, text).await?;
    docs.sort_unstable_by_key(|doc| doc.n);
    let in_lanes = || docs.iter().filter_map(|doc| Some((doc.lane?, doc)));
    if in_lanes().next().is_none() {
        return Ok(docs);
    }
    let mut text = sql("SELECT b.* FROM ");
    if docs.len() > MANY {
        let lanes: BTreeSet<Uuid> = in_lanes().map(|(lane, _)| lane).collect();
        text.push("(SELECT m.n, m.lane, m.position, m.length, ");
        admitted(&mut text);
        text.push(" FROM memories m WHERE m.tenant = ").push_bind(db.tenant);
        text.push(" AND m.lane = ANY (").push_bind(lanes.into_iter().collect::<Vec<_>>()).push(")) b");
    } else {
        text.push("unnest(").push_bind(in_lanes().map(|(lane, _)| lane).collect::<Vec<_>>());
        text.push(", ").push_bind(in_lanes().map(|(_, doc)| doc.position).collect::<Vec<_>>());
        text.push(", ").push_bind(in_lanes().map(|(_, doc)| doc.n).collect::<Vec<_>>());
        text.push(") AS x (lane, position, n) CROSS JOIN LATERAL (");
        for (between, side, order) in [("", "<", " DESC"), (" UNION ALL ", ">", "")] {
            text.push(between).push("(SELECT m.n, m.lane, m.position, m.length, ");
            admitted(&mut text);
            text.push(" FROM memories m WHERE m.tenant = ").push_bind(db.tenant);
            text.push(format_args!(
                " AND m.lane = x.lane AND (m.position, m.n) {side} (x.position, x.n)
                 ORDER BY m.position{order}, m.n{order} LIMIT {REACH})"
            ));
        }
        text.push(") b");
    }
    docs.extend(read(db, text).await?);
    docs.sort_unstable_by_key(|doc| doc.n);
    docs.dedup_by_key(|doc| doc.n);
    Ok(docs)
}

async fn read(db: &mut OfTenant, text: QueryBuilder<Postgres>) -> Result<Vec<Doc>, MemoryError> {
    let rows = db.rows(text, "looking for words").await?;
    let doc = |row| {
        Ok(Doc {
            n: db.get(row, 0)?,
            lane: db.get(row, 1)?,
            position: db.get(row, 2)?,
            length: u16::try_from(db.get::<i32>(row, 3)?).unwrap_or(u16::MAX),
            admitted: db.get(row, 4)?,
        })
    };
    rows.iter().map(doc).collect()
}

/// Who stands beside whom. Of a doc at the edge of what was read this may be wrong; no window with a word is seen from there.
fn links(docs: &[Doc]) -> Vec<(u32, u32)> {
    let mut order: Vec<(Uuid, i64, u32)> =
        (0..).zip(docs).filter_map(|(slot, doc)| Some((doc.lane?, doc.position, slot))).collect();
    order.sort_unstable();
    let mut links = vec![(NONE, NONE); docs.len()];
    for pair in order.windows(2) {
        let [(lane, _, before), (other, _, after)] = pair else { continue };
        if lane != other {
            continue;
        }
        if let Some(links) = links.get_mut(*before as usize) {
            links.1 = *after;
        }
        if let Some(links) = links.get_mut(*after as usize) {
            links.0 = *before;
        }
    }
    links
}

fn score(within: &Within, stems: &[String], postings: &[Postings], docs: &[Doc]) -> Words {
    let slots: HashMap<i64, u32> = docs.iter().zip(0..).map(|(doc, slot)| (doc.n, slot)).collect();
    let mut index = Lexical::found(within.held.docs, within.held.words);
    let mut admitted = Bits::default();
    for (slot, doc) in (0..).zip(docs) {
        index.push_length(doc.length);
        admitted.set(slot, doc.admitted);
    }
    for (stem, numbers, counts) in postings {
        let found = numbers
            .iter()
            .zip(counts)
            .filter_map(|(n, count)| Some((*slots.get(n)?, u8::try_from(*count).unwrap_or(u8::MAX))));
        let (docs, counts) = found.unzip();
        index.put_postings(stem, docs, counts);
    }
    let links = links(docs);
    let view = View { lexical: &index, links: &links, admitted: &admitted };
    let scores = bm25::score(&[view], stems).pop().unwrap_or_default();
    let numbers = docs.iter().map(|doc| doc.n).collect();
    Words { slots, scores, numbers }
}
