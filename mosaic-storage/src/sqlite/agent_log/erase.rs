//! Removing a scope, and every copy of it in the file.

use mosaic_core::Scope;
use sqlx::{AssertSqlSafe, QueryBuilder, SqliteConnection};

use super::super::fault::{Doing, Fault};
use super::ops::push_scope;

const ACTION: &str = "erasing agent logs";

/// Removes the rows of a scope, and its summaries unless it names a session; says how many rows there were.
pub(super) async fn erase(db: &mut SqliteConnection, scope: &Scope) -> Result<u64, Fault> {
    let mut query = QueryBuilder::new("DELETE FROM agent_log");
    push_scope(&mut query, scope);
    let erased = query.build().execute(&mut *db).await.doing(ACTION)?.rows_affected();
    if scope.session.is_none() {
        let mut query = QueryBuilder::new("DELETE FROM agent_log_summaries");
        push_scope(&mut query, scope);
        query.build().execute(&mut *db).await.doing(ACTION)?;
    }
    // Also where nothing was removed: what was moved away may have left copies.
    for table in ["agent_log", "agent_log_summaries", "agent_log_segments"] {
        write_anew(db, table).await?;
    }
    Ok(erased)
}

/// Copies a table to new pages and gives the old ones up, which overwrites them.
async fn write_anew(db: &mut SqliteConnection, table: &str) -> Result<(), Fault> {
    let kept = format!("{table}_kept");
    let text =
        "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type = 'index', name";
    let made = sqlx::query_scalar::<_, String>(text).bind(table).fetch_all(&mut *db).await.doing(ACTION)?;
    let mut made = made.into_iter();
    let create = made.next().unwrap_or_default().replacen(table, &kept, 1);
    let mut steps = vec![
        create,
        format!("INSERT INTO {kept} SELECT * FROM {table}"),
        format!("DROP TABLE {table}"),
        format!("ALTER TABLE {kept} RENAME TO {table}"),
    ];
    steps.extend(made);
    for step in steps {
        sqlx::raw_sql(AssertSqlSafe(step)).execute(&mut *db).await.doing(ACTION)?;
    }
    Ok(())
}
