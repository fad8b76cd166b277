//! Removing a scope, and every copy of it in the file.

use mosaic_core::Scope;
use sqlx::{QueryBuilder, SqliteConnection};

use super::super::anew::write_anew;
use super::super::fault::{Doing, Fault};
use crate::agent_log::push_scope;

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
    write_anew(db, &["agent_log", "agent_log_summaries", "agent_log_segments"]).await?;
    Ok(erased)
}
