//! Removing everything in a scope.

use mosaic_core::memory::{MemoryBlock, MemoryCounts, Scope};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::schema::user_key;
use super::write::get;
use crate::sqlite::fault::{Doing, Fault};

/// Removes everything in a scope. The caller writes the [tables](super::schema::TABLES) anew, once for all that it erases.
pub(super) async fn erase(db: &mut SqliteConnection, scope: &Scope) -> Result<MemoryCounts, Fault> {
    const ACTION: &str = "erasing memories";
    // The rows that are meant, in tables of the connection: in RAM, and gone when it goes.
    let narrow = scope.agent.is_some() || scope.session.is_some();
    sqlx::raw_sql(
        "CREATE TEMP TABLE IF NOT EXISTS erased_parts (id INTEGER PRIMARY KEY);
         CREATE TEMP TABLE IF NOT EXISTS erased (n INTEGER PRIMARY KEY);
         DELETE FROM temp.erased_parts; DELETE FROM temp.erased",
    )
    .execute(&mut *db)
    .await
    .doing(ACTION)?;
    let which = if scope.user.is_some() { "tenant = ? AND user = ?" } else { "tenant = ?" };
    let text = format!("INSERT INTO temp.erased_parts SELECT id FROM memory_parts WHERE {which}");
    let mut query = sqlx::query(AssertSqlSafe(text)).bind(&*scope.tenant);
    if scope.user.is_some() {
        query = query.bind(user_key(scope.user.as_ref()));
    }
    query.execute(&mut *db).await.doing(ACTION)?;
    sqlx::query(
        "INSERT INTO temp.erased SELECT m.n FROM temp.erased_parts p JOIN memories m ON m.part = p.id
         WHERE (?1 IS NULL OR m.agent = ?1) AND (?2 IS NULL OR m.session = ?2)",
    )
    .bind(scope.agent.as_deref())
    .bind(scope.session.as_deref())
    .execute(&mut *db)
    .await
    .doing(ACTION)?;
    let rows = sqlx::query(
        "SELECT NULL, count(*), count(*) - count(m.closed_at) FROM temp.erased e JOIN memories m ON m.n = e.n
         UNION ALL SELECT x.name, count(*), 0 FROM temp.erased e JOIN memory_vectors v ON v.memory = e.n
         JOIN memory_models x ON x.id = v.model GROUP BY x.name",
    )
    .fetch_all(&mut *db)
    .await
    .doing(ACTION)?;
    let mut counts = MemoryCounts::default();
    for row in &rows {
        let count = |column| get::<i64>(row, column).map(i64::cast_unsigned);
        match get::<Option<&str>>(row, 0)? {
            Some(model) => drop(counts.vectors.insert(model.into(), count(1)?)),
            None => (counts.memories, counts.open) = (count(1)?, count(2)?),
        }
    }
    let blocks =
        sqlx::query("SELECT b.rowid, b.body FROM temp.erased_parts p JOIN memory_blocks b ON b.part = p.id")
            .fetch_all(&mut *db)
            .await
            .doing(ACTION)?;
    for row in &blocks {
        // One that cannot be read is erased rather than left.
        let block: Option<MemoryBlock> = serde_json::from_str(get(row, 1)?).ok();
        if block.is_none_or(|block| scope.contains(&block.scope)) {
            counts.blocks += 1;
            let remove = sqlx::query("DELETE FROM memory_blocks WHERE rowid = ?").bind(get::<i64>(row, 0)?);
            remove.execute(&mut *db).await.doing(ACTION)?;
        }
    }
    sqlx::query(
        "DELETE FROM memory_vectors WHERE memory IN (SELECT n FROM temp.erased);
         DELETE FROM memories WHERE n IN (SELECT n FROM temp.erased)",
    )
    .execute(&mut *db)
    .await
    .doing(ACTION)?;
    if narrow {
        let clear =
            "UPDATE memory_parts SET cleared = cleared + 1 WHERE id IN (SELECT id FROM temp.erased_parts)";
        sqlx::query(clear).execute(&mut *db).await.doing(ACTION)?;
    }
    // Vectors of their texts may be kept beside. Those are not told apart by agent and session: rather all of the user's go.
    sqlx::query(crate::sqlite::vectors::REMOVE)
        .bind(&*scope.tenant)
        .bind(scope.user.as_ref().map(|user| user_key(Some(user))))
        .execute(&mut *db)
        .await
        .doing(ACTION)?;
    // Names are traces too.
    sqlx::query(
        "DELETE FROM memory_parts WHERE id IN (SELECT id FROM temp.erased_parts)
         AND NOT EXISTS (SELECT 1 FROM memories WHERE part = memory_parts.id)
         AND NOT EXISTS (SELECT 1 FROM memory_blocks WHERE part = memory_parts.id);
         DELETE FROM memory_models WHERE NOT EXISTS (SELECT 1 FROM memory_vectors WHERE model = memory_models.id);
         DELETE FROM temp.erased_parts; DELETE FROM temp.erased",
    )
    .execute(&mut *db)
    .await
    .doing(ACTION)?;
    Ok(counts)
}
