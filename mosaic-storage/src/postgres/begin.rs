//! Beginning a transaction, so that nobody who stops waiting for it leaves it open.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};

/// Begins a transaction by a statement, in a task of its own.
///
/// sqlx counts a transaction only once it has begun. Dropped half-way, its `begin` would give the connection back to the pool with a
/// transaction on it that nobody ends: what the next one does there is not committed. A task is not dropped half-way.
pub(super) async fn begin(
    pool: &PgPool,
    statement: String,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(AssertSqlSafe(statement)).await });
    // The runtime ends.
    begun.await.unwrap_or(Err(sqlx::Error::PoolClosed))
}

/// The statement after which nobody waits for a lock for ever: its holder may be cut off from us and the server.
pub(super) fn lock_timeout(patience: Duration) -> String {
    format!("SET LOCAL lock_timeout = {}", patience.as_millis().clamp(1, i32::MAX as u128))
}
