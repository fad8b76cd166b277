//! Removing everything in a scope.

use std::collections::BTreeMap;

use mosaic_core::memory::{MemoryCounts, MemoryError, Reach, Scope};

use super::filter::Within;
use super::read;
use super::rows::Share;
use super::store::Shared;
use super::transaction::{Lasting, Lock, OfTenant, sql};
use super::write::add_shares;

const ACTION: &str = "erasing memories";

/// Removes everything in a scope. Nobody changes the tenant meanwhile, so what is left without rows can go too.
pub(super) async fn erase(shared: &Shared, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
    let mut db = OfTenant::write(shared, scope, Lock::Tenant, Lasting::Durable).await?;
    let within = Within::find(&mut db, scope, Reach::Within).await?;
    let counts = read::count(&mut db, &within).await?;
    if !within.is_empty() {
        let mut query = sql("DELETE FROM memory_blocks b WHERE");
        within.push(&mut query, "b");
        db.run(query, ACTION).await?;
        erase_memories(&mut db, &within).await?;
    }
    // Names are traces too.
    let mut query = sql("DELETE FROM memory_parts p WHERE p.docs = 0 AND p.tenant = ");
    query.push_bind(db.tenant).push(" AND NOT EXISTS (SELECT 1 FROM memory_blocks b WHERE b.part = p.id)");
    db.run(query, ACTION).await?;
    let mut query = sql("DELETE FROM memory_models x WHERE x.tenant = ");
    query.push_bind(db.tenant).push(" AND NOT EXISTS (SELECT 1 FROM memory_vectors v WHERE v.model = x.id)");
    db.run(query, ACTION).await?;
    db.commit().await?;
    Ok(counts)
}

async fn erase_memories(db: &mut OfTenant, within: &Within) -> Result<(), MemoryError> {
    let mut query = sql("WITH gone AS (DELETE FROM memories m WHERE");
    within.push(&mut query, "m");
    query.push(
        " RETURNING m.n, m.part, m.length, m.closed_at),
         words AS (DELETE FROM memory_words w USING gone WHERE w.n = gone.n),
         vectors AS (DELETE FROM memory_vectors v USING gone WHERE v.n = gone.n)
         SELECT part, count(*), count(*) - count(closed_at), coalesce(sum(length), 0)::bigint FROM gone GROUP BY part",
    );
    let mut shares = BTreeMap::new();
    for row in db.rows(query, ACTION).await? {
        let less = |column| db.get::<i64>(&row, column).map(|count| -count);
        shares.insert(db.get(&row, 0)?, Share { docs: less(1)?, open: less(2)?, words: less(3)? });
    }
    add_shares(db, &shares).await
}
