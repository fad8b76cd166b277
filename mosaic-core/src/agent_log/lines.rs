//! Rows as JSON lines: to hand out, or to move elsewhere.

use super::{AgentLogError, AgentLogStore, LogFilter, LogQuery, LogRow};
use crate::memory::Scope;

/// So many rows are read or written at once.
const BATCH: u32 = 512;

/// Rows as JSON, one a line.
///
/// # Errors
/// [`AgentLogError::Invalid`] for one that cannot be written.
pub fn to_lines<'r>(rows: impl IntoIterator<Item = &'r LogRow>) -> Result<String, AgentLogError> {
    let mut lines = String::new();
    for row in rows {
        let line = serde_json::to_string(row).map_err(|error| AgentLogError::Invalid {
            what: format!("row {}", row.id),
            why: format!("it cannot be written as JSON: {error}"),
        })?;
        lines.push_str(&line);
        lines.push('\n');
    }
    Ok(lines)
}

/// The rows of lines; empty lines are passed over.
///
/// # Errors
/// [`AgentLogError::Line`] for a line that is none.
pub fn from_lines(lines: &str) -> impl Iterator<Item = Result<LogRow, AgentLogError>> {
    (1_u64..).zip(lines.lines()).filter(|(_, line)| !line.trim().is_empty()).map(|(number, line)| {
        serde_json::from_str(line)
            .map_err(|error| AgentLogError::Line { line: number, why: error.to_string() })
    })
}

/// What every [`AgentLogStore`] can do besides; nobody implements this.
#[async_trait::async_trait]
pub trait AgentLogStoreExt: AgentLogStore {
    /// All rows that are here and fit, oldest first.
    ///
    /// # Errors
    /// As [`AgentLogStore::rows`].
    async fn all_rows(&self, filter: &LogFilter) -> Result<Vec<LogRow>, AgentLogError> {
        let mut all: Vec<LogRow> = Vec::new();
        loop {
            let mut query = LogQuery::new(filter.clone()).oldest().limit(BATCH);
            query.after = all.last().map(|row| row.id);
            let page = self.rows(&query).await?;
            // A store whose pages do not go on would keep us here for ever.
            let ends = page.len() < BATCH as usize || page.first().map(|row| row.id) <= query.after;
            all.extend(page);
            if ends {
                return Ok(all);
            }
        }
    }

    /// All rows of a scope that are here, as JSON lines, oldest first.
    ///
    /// # Errors
    /// As [`AgentLogStore::rows`].
    async fn export_lines(&self, scope: &Scope) -> Result<String, AgentLogError> {
        to_lines(&self.all_rows(&LogFilter::of(scope.clone())).await?)
    }

    /// Adds the rows of an export, and says how many were not there. An import that was interrupted is simply done again.
    ///
    /// # Errors
    /// [`AgentLogError::Line`], [`AgentLogError::OutOfScope`]; nothing was added then. As [`AgentLogStore::put`]; some hundred lines may have
    /// been added then.
    async fn import_lines(&self, scope: &Scope, lines: &str) -> Result<u64, AgentLogError> {
        let rows: Vec<LogRow> = from_lines(lines).collect::<Result<_, _>>()?;
        if let Some(other) = rows.iter().find(|row| !scope.contains(&row.scope)) {
            return Err(AgentLogError::OutOfScope { scope: scope.to_string(), of: other.scope.to_string() });
        }
        let mut added = 0;
        for batch in rows.chunks(BATCH as usize) {
            added += self.put(batch.to_vec()).await?;
        }
        Ok(added)
    }
}

impl<S: AgentLogStore + ?Sized> AgentLogStoreExt for S {}
