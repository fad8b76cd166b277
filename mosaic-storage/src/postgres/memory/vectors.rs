//! The arm of vectors.
//!
//! ```text
//! many vectors in the scope, and an index ──> HNSW, read on until enough pass the filter ──┐
//! few, or no index, or it gave up ──────────> all of the scope, as halfvec ────────────────┴─> half as many again, and 16 ──> exact cosine
//! vectors without a halfvec (wider than 16,000, or without a direction) ──> all, exact ────┘
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use mosaic_core::memory::{MemoryError, SearchQuery, Vector};
use sqlx::{Postgres, QueryBuilder};

use super::filter::Within;
use super::hnsw;
use super::read::Model;
use super::rows::half;
use super::schema::values;
use super::store::Shared;
use super::transaction::{OfTenant, sql};
use crate::best::Best;
use crate::memory::search::cosine;

/// A vector of a query, and its model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'q> {
    pub(super) model: Model,
    pub(super) vector: &'q Vector,
}

/// A memory, how alike it and the query are, and by which model.
type Like = (i64, f32, Arc<str>);

const ACTION: &str = "comparing vectors";

/// Those that are most alike, exactly compared: somewhat more than the query's limit, in no order.
pub(super) async fn nearest(
    db: &mut OfTenant,
    shared: &Shared,
    within: &Within,
    query: &SearchQuery,
    asked: &[Asked<'_>],
) -> Result<Vec<Like>, MemoryError> {
    // Some more than asked for: what is coarse may be in the wrong order.
    let best = query.limit + query.limit / 2 + 16;
    let mut all = Vec::new();
    for (at, one) in asked.iter().enumerate() {
        let before = asked.get(..at).unwrap_or_default();
        let scan = Scan { within, query, one, before, best };
        let coarse = scan.coarse(db, shared).await?;
        let mut found = exact(db, one, coarse).await?;
        found.extend(scan.without_half(db).await?);
        all.extend(found.into_iter().map(|(n, cosine)| (n, cosine, one.vector.model.clone())));
    }
    Ok(all)
}

struct Scan<'s> {
    within: &'s Within,
    query: &'s SearchQuery,
    one: &'s Asked<'s>,
    /// Models that are asked first; whoever has a vector of one is compared by that.
    before: &'s [Asked<'s>],
    best: u32,
}

impl Scan<'_> {
    /// Adds ` FROM ... WHERE ...`: all vectors that may be found.
    fn push_from(&self, text: &mut QueryBuilder<Postgres>) {
        let Model { id, .. } = self.one.model;
        // In the text, not as a parameter: an index of one model is used only where the model is known.
        text.push(format_args!(
            " FROM memory_vectors v JOIN memories m ON m.n = v.n WHERE v.model = {id} AND"
        ));
        self.within.push_parts(text, "v");
        text.push(" AND");
        self.within.push_parts(text, "m");
        self.within.push_admitted(text, &self.query.filter);
        for Asked { model, .. } in self.before {
            text.push(format_args!(
                " AND NOT EXISTS (SELECT 1 FROM memory_vectors x WHERE x.n = v.n AND x.model = {})",
                model.id
            ));
        }
    }

    async fn coarse(&self, db: &mut OfTenant, shared: &Shared) -> Result<Vec<i64>, MemoryError> {
        let Some(half) = half(&self.one.vector.values) else {
            // Without a direction nothing is more alike than anything else.
            let mut text = sql("SELECT v.n");
            self.push_from(&mut text);
            text.push(" AND v.half IS NOT NULL ORDER BY v.n LIMIT ").push_bind(i64::from(self.best));
            return numbers(db, text).await;
        };
        if hnsw::serves(db, shared, self.within, self.one.model).await? {
            hnsw::read_on(db, self.best).await?;
            let vector = db.vector.clone();
            let width = self.one.model.width;
            let mut text = sql("SELECT v.n");
            self.push_from(&mut text);
            text.push(format_args!(" ORDER BY (v.half::{vector}.halfvec({width})) OPERATOR({vector}.<=>) "));
            text.push_bind(half.clone()).push(format_args!("::{vector}.halfvec LIMIT "));
            text.push_bind(i64::from(self.best));
            let found = numbers(db, text).await?;
            if found.len() >= self.best as usize {
                return Ok(found);
            }
            // The scan of the index ended before enough had passed the filter.
            hnsw::scan_again(db).await?;
        }
        let vector = db.vector.clone();
        // `OFFSET 0`: compared first, sorted then. The planner thinks comparing costs nothing, and would rather sort all the vectors.
        let mut text = sql("SELECT n FROM (SELECT v.n, v.half OPERATOR(");
        text.push(&*vector).push(".<=>) ").push_bind(half).push(format_args!("::{vector}.halfvec AS far"));
        self.push_from(&mut text);
        text.push(" AND v.half IS NOT NULL OFFSET 0) AS compared ORDER BY far, n LIMIT ");
        text.push_bind(i64::from(self.best));
        numbers(db, text).await
    }

    /// The best of those that pgvector cannot compare.
    async fn without_half(&self, db: &mut OfTenant) -> Result<Vec<(i64, f32)>, MemoryError> {
        let mut text = sql("SELECT v.n, v.exact");
        self.push_from(&mut text);
        text.push(" AND v.half IS NULL");
        let mut best = Best::new(self.best as usize);
        let (store, asked) = (db.store.clone(), &self.one.vector.values);
        let mut rows = text.build_query_as::<(i64, Vec<u8>)>().persistent(false).fetch(db.connection());
        let told = |error| MemoryError::from(crate::postgres::fault::told(&store, ACTION, error));
        while let Some((n, bytes)) = rows.try_next().await.map_err(told)? {
            best.offer(n, cosine(asked, &values(&bytes)));
        }
        Ok(best.sorted().collect())
    }
}

async fn numbers(db: &mut OfTenant, text: QueryBuilder<Postgres>) -> Result<Vec<i64>, MemoryError> {
    let rows = db.rows_once(text, ACTION).await?;
    rows.iter().map(|row| db.get(row, 0)).collect()
}

/// How alike memories with a vector of a model are, exactly.
async fn exact(
    db: &mut OfTenant,
    asked: &Asked<'_>,
    numbers: Vec<i64>,
) -> Result<Vec<(i64, f32)>, MemoryError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let mut text = sql("SELECT n, exact FROM memory_vectors WHERE tenant = ");
    text.push_bind(db.tenant).push(" AND model = ").push_bind(asked.model.id);
    text.push(" AND n = ANY (").push_bind(numbers).push(")");
    let rows = db.rows(text, ACTION).await?;
    let like = |row| Ok((db.get(row, 0)?, cosine(&asked.vector.values, &values(db.get(row, 1)?))));
    rows.iter().map(like).collect()
}

/// How alike candidates are that are here for other reasons: as 16 bits tell it, where they can.
pub(super) async fn of_others(
    db: &mut OfTenant,
    asked: &[Asked<'_>],
    mut left: Vec<i64>,
) -> Result<HashMap<i64, (f32, Arc<str>)>, MemoryError> {
    let mut all = HashMap::new();
    for one in asked {
        if left.is_empty() {
            break;
        }
        let mut text = sql("SELECT n, ");
        match half(&one.vector.values) {
            Some(half) => {
                let vector = db.vector.clone();
                text.push(format_args!("1 - (half OPERATOR({vector}.<=>) ")).push_bind(half);
                text.push(format_args!("::{vector}.halfvec)"));
            }
            None => drop(text.push("NULL::double precision")),
        }
        text.push(" FROM memory_vectors WHERE tenant = ").push_bind(db.tenant);
        text.push(" AND model = ").push_bind(one.model.id);
        text.push(" AND n = ANY (").push_bind(left.clone()).push(")");
        let (mut like, mut unlike) = (Vec::new(), Vec::new());
        for row in db.rows_once(text, ACTION).await? {
            let n: i64 = db.get(&row, 0)?;
            #[allow(clippy::cast_possible_truncation)] // coarse as it is
            match db.get::<Option<f64>>(&row, 1)? {
                Some(cosine) => like.push((n, cosine as f32)),
                None => unlike.push(n),
            }
        }
        like.extend(exact(db, one, unlike).await?);
        left.retain(|n| !like.iter().any(|(other, _)| other == n));
        all.extend(like.into_iter().map(|(n, cosine)| (n, (cosine, one.vector.model.clone()))));
    }
    Ok(all)
}
