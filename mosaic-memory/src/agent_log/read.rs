//! Questions to all tiers at once.

use std::cmp::Reverse;
use std::sync::Arc;

use mosaic_core::Scope;
use mosaic_core::agent_log::{
    AgentLogError, AgentLogStoreExt, Frame, LogFilter, LogKey, LogOrder, LogQuery, LogRow, LogTable, Segment,
    to_lines,
};

use super::log::{AgentLog, TRIES, sealed};
use super::pack::unpack;

impl AgentLog {
    /// A page of rows, wherever they are. The archive is read only as far as the page may reach into it.
    ///
    /// # Errors
    /// What the store and the archive say; [`AgentLogError::Damaged`].
    pub async fn rows(&self, query: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        let full = usize::try_from(query.limit).unwrap_or(usize::MAX);
        self.steadily(&query.filter, |segments| async move {
            let mut page = self.store.rows(query).await?;
            let mut segments: Vec<&Segment> = segments.iter().collect();
            match query.order {
                LogOrder::Newest => segments.sort_by_key(|segment| Reverse(segment.last)),
                LogOrder::Oldest => segments.sort_by_key(|segment| segment.first),
            }
            for segment in segments {
                let beyond = |end: &LogRow| match query.order {
                    LogOrder::Newest => segment.last < end.at,
                    LogOrder::Oldest => segment.first > end.at,
                };
                if page.len() >= full && page.last().is_none_or(beyond) {
                    break;
                }
                let cold = self.of_segment(segment, &query.filter).await?;
                page = query.page(page.into_iter().chain(cold));
            }
            Ok(page)
        })
        .await
    }

    /// What all rows come to, wherever they are: of whole days by their summaries, of the rest by their rows.
    ///
    /// # Errors
    /// What the store and the archive say; [`AgentLogError::Damaged`].
    pub async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        // Summaries know no sessions and no runs.
        let by_rows = filter.run.is_some() || filter.scope.session.is_some() || by.contains(&LogKey::Session);
        self.steadily(filter, |segments| async move {
            let mut table = self.store.totals(filter, by).await?;
            if !by_rows {
                table.extend(self.store.summaries(filter, by).await?);
            }
            for segment in segments.iter() {
                if by_rows || !segment.counted || !filter.holds_day(segment.day) {
                    table.extend(LogTable::of(&self.of_segment(segment, filter).await?, by));
                }
            }
            Ok(table)
        })
        .await
    }

    /// All rows that fit, wherever they are, oldest first.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn all_rows(&self, filter: &LogFilter) -> Result<Vec<LogRow>, AgentLogError> {
        self.steadily(filter, |segments| async move {
            let mut all = self.store.all_rows(filter).await?;
            for segment in segments.iter() {
                all.extend(self.of_segment(segment, filter).await?);
            }
            all.sort_unstable_by_key(|row| row.id);
            all.dedup_by_key(|row| row.id);
            Ok(all)
        })
        .await
    }

    /// All rows of a scope as JSON lines, wherever they are, oldest first.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub async fn export_lines(&self, scope: &Scope) -> Result<String, AgentLogError> {
        to_lines(&self.all_rows(&LogFilter::of(scope.clone())).await?)
    }

    /// The rows of a segment that fit. Of one user only that user's frames are read.
    async fn of_segment(&self, segment: &Segment, filter: &LogFilter) -> Result<Vec<LogRow>, AgentLogError> {
        let mut rows = Vec::new();
        let user = &filter.scope.user;
        for frame in segment.frames.iter().filter(|frame| user.is_none() || *user == frame.user) {
            rows.extend(self.read(segment, frame).await?.into_iter().filter(|row| filter.fits(row)));
        }
        Ok(rows)
    }

    /// The rows of a frame.
    pub(super) async fn read(&self, segment: &Segment, frame: &Frame) -> Result<Vec<LogRow>, AgentLogError> {
        let bytes = self.archive.get_range(&segment.name, frame.offset, frame.bytes).await?;
        unpack(&segment.name, frame, &bytes)
    }

    /// Reads what must be of one moment, and again when rows moved meanwhile.
    async fn steadily<T, F: Future<Output = Result<T, AgentLogError>>>(
        &self,
        filter: &LogFilter,
        read: impl Fn(Arc<[Segment]>) -> F,
    ) -> Result<T, AgentLogError> {
        for _ in 0..TRIES {
            let before: Arc<[Segment]> = sealed(self.store.segments(filter).await?).collect();
            let found = read(before.clone()).await;
            // A file that is missing may have been replaced by another.
            if sealed(self.store.segments(filter).await?).eq(before.iter().cloned()) {
                return found;
            }
        }
        let why = format!("they moved at each of {TRIES} looks");
        Err(AgentLogError::Conflict { tenant: filter.scope.tenant.to_string(), why })
    }
}
