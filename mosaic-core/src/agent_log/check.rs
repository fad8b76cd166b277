//! What no store takes.

use super::{AgentLogError, LogRow};
use crate::queue::MAX_TIME;

/// The greatest figure of a row (tokens, millionths of a dollar, milliseconds): with it millions of rows can be added up.
pub const MAX_FIGURE: u64 = 1 << 40;

/// Looks whether rows can be kept.
///
/// # Errors
/// [`AgentLogError::Invalid`]: a time after the year 9999, an id of another time, or a figure above [`MAX_FIGURE`].
pub fn rows(rows: &[LogRow]) -> Result<(), AgentLogError> {
    for row in rows {
        let refuse = |why: String| Err(AgentLogError::Invalid { what: format!("row {}", row.id), why });
        if row.at > MAX_TIME {
            return refuse(format!("its time, {}, is after the year 9999", row.at));
        }
        if row.id.at() != row.at {
            return refuse(format!("its id is one of {}, not of its own time, {}", row.id.at(), row.at));
        }
        let usage = &row.usage;
        let figures = [
            ("duration", row.duration_ms),
            ("cost", row.cost.unwrap_or_default().0),
            ("input tokens", usage.input),
            ("output tokens", usage.output),
            ("cached tokens", usage.cached_input),
            ("tokens written to a cache", usage.cache_write),
            ("tokens written to a cache for an hour", usage.cache_write_1h),
            ("reasoning tokens", usage.reasoning),
        ];
        if let Some((what, figure)) = figures.into_iter().find(|(_, figure)| *figure > MAX_FIGURE) {
            return refuse(format!("its {what}, {figure}, is more than {MAX_FIGURE}"));
        }
    }
    Ok(())
}
