//! Those who stand beside hits in their conversations.

use std::collections::BTreeSet;

use mosaic_core::memory::{MemoryError, SearchQuery};

use super::filter::Within;
use super::transaction::{OfTenant, sql};

/// Those not admitted are passed over, but not for ever: a search looks at so many times as many as it wants.
const PATIENCE: u32 = 4;

/// The neighbours of hits on either side.
pub(super) async fn find(
    db: &mut OfTenant,
    within: &Within,
    query: &SearchQuery,
    hits: Vec<i64>,
) -> Result<BTreeSet<i64>, MemoryError> {
    let mut found = BTreeSet::new();
    if query.neighbours == 0 || hits.is_empty() {
        return Ok(found);
    }
    let steps = query.neighbours.saturating_mul(PATIENCE);
    for (side, order) in [("<", " DESC"), (">", "")] {
        let mut text = sql(
            "SELECT h.n, b.n, b.admitted FROM memories h CROSS JOIN LATERAL (SELECT m.n, m.position, (true",
        );
        within.push_admitted(&mut text, &query.filter);
        text.push(") IS TRUE AS admitted FROM memories m WHERE m.tenant = ").push_bind(db.tenant);
        text.push(format_args!(
            " AND m.lane = h.lane AND (m.position, m.n) {side} (h.position, h.n)
             ORDER BY m.position{order}, m.n{order} LIMIT {steps}) b WHERE h.lane IS NOT NULL AND h.tenant = "
        ));
        text.push_bind(db.tenant).push(" AND h.n = ANY (").push_bind(hits.clone());
        text.push(format_args!(") ORDER BY h.n, b.position{order}, b.n{order}"));
        let (mut of, mut left) = (None, 0);
        for row in db.rows(text, "looking for neighbours").await? {
            let hit: i64 = db.get(&row, 0)?;
            if of != Some(hit) {
                (of, left) = (Some(hit), query.neighbours);
            }
            if left > 0 && db.get(&row, 2)? {
                left -= 1;
                found.insert(db.get(&row, 1)?);
            }
        }
    }
    Ok(found)
}
