//! A search, in one snapshot: the best of each arm, their neighbours, what all arms say of all of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mosaic_core::memory::{Candidate, Candidates, MemoryError, SearchQuery};

use super::filter::Within;
use super::schema::Found;
use super::store::Shared;
use super::transaction::OfTenant;
use super::vectors::{self, Asked};
use super::words::Words;
use super::{names, neighbours, read};
use crate::best::Best;
use crate::memory::plan;

pub(super) async fn search(shared: &Shared, query: &SearchQuery) -> Result<Candidates, MemoryError> {
    let mut db = OfTenant::read(shared, &query.scope).await?;
    let within = Within::find(&mut db, &query.scope, query.reach).await?;
    let asked = asked(&mut db, query).await?;
    let admitted = within.admitted(&mut db, &query.filter).await?;
    if within.is_empty() || query.limit == 0 {
        return Ok(Candidates { candidates: Vec::new(), admitted });
    }
    let limit = query.limit as usize;
    let words = Words::find(&mut db, &within, query).await?;
    let exact = vectors::nearest(&mut db, shared, &within, query, &asked).await?;
    // What was compared exactly, among the best or not.
    let mut cosines: HashMap<i64, (f32, Arc<str>)> =
        exact.iter().map(|(n, cosine, model)| (*n, (*cosine, model.clone()))).collect();
    // Each model is an arm of its own.
    let nearest = asked.iter().flat_map(|one| {
        let mut best = Best::new(limit);
        let of_model = exact.iter().filter(|(_, _, model)| *model == one.vector.model);
        best.extend(of_model.map(|(n, cosine, _)| (*n, *cosine)));
        best.sorted().map(|(n, _)| n)
    });
    let hits = words.best(limit).into_iter().chain(nearest);
    let mut found: BTreeMap<i64, bool> = hits.map(|n| (n, true)).collect();
    for n in neighbours::find(&mut db, &within, query, found.keys().copied().collect()).await? {
        found.entry(n).or_insert(false);
    }
    let left: Vec<i64> = found.keys().copied().filter(|n| !cosines.contains_key(n)).collect();
    cosines.extend(vectors::of_others(&mut db, &asked, left).await?);
    let rows = read::by_numbers(&mut db, found.keys().copied().collect()).await?;
    db.commit().await?;

    // A reader never gets what is not theirs, whatever the conditions let pass.
    let theirs = |memory: &mosaic_core::memory::Memory| {
        query.scope.sees(query.reach, &memory.scope) && query.filter.admits(memory)
    };
    let candidate = |row: Found| {
        let (lexical, window) = words.of(row.n);
        let dense = cosines.get(&row.n);
        Candidate {
            lexical,
            window,
            dense: dense.map(|(cosine, _)| f64::from(*cosine)),
            model: dense.map(|(_, model)| model.clone()),
            hit: found.get(&row.n).copied().unwrap_or(false),
            memory: Arc::new(row.memory),
        }
    };
    let mut candidates: Vec<Candidate> =
        rows.into_iter().filter(|row| theirs(&row.memory)).map(candidate).collect();
    candidates.sort_unstable_by_key(|candidate| candidate.memory.id);
    Ok(Candidates { candidates, admitted })
}

/// The vectors of a query whose models the tenant has.
async fn asked<'q>(db: &mut OfTenant, query: &'q SearchQuery) -> Result<Vec<Asked<'q>>, MemoryError> {
    let keys = query.vectors.iter().map(|vector| names::model(&vector.model)).collect();
    let models = read::models(db, keys).await?;
    let mut asked = Vec::with_capacity(query.vectors.len());
    for vector in &query.vectors {
        let Some(model) = models.get(&names::model(&vector.model)).copied() else { continue };
        if model.width == vector.values.len() {
            asked.push(Asked { model, vector });
        } else if read::is_used(db, model).await? {
            plan::width(&vector.model, model.width, vector.values.len())?;
        }
    }
    Ok(asked)
}
