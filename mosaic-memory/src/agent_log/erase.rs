//! Erasing, in all tiers.

use mosaic_core::Scope;
use mosaic_core::agent_log::{
    AgentLogError, Frame, LogFilter, LogRow, LogTable, Registered, SUMMARY, Segment, TierChange,
};

use super::log::{AgentLog, TRIES, sealed};
use super::pack::Pack;

/// What an erasure removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LogErased {
    /// Rows, in the store and in the archive.
    pub rows: u64,
    /// Segments that were written anew without them, or removed.
    pub segments: u64,
}

impl AgentLog {
    /// Removes a scope from all tiers, and every trace of it: rows, summaries, and files of the archive, which are written anew without
    /// it. When it returns, nothing is left; when it fails, it is simply done again.
    ///
    /// # Errors
    /// What the store and the archive say; [`AgentLogError::Damaged`] where a segment must be read to tell what is whose. Of a user, or of a whole
    /// tenant, nothing needs to be read.
    pub async fn erase(&self, scope: &Scope) -> Result<LogErased, AgentLogError> {
        let mut erased = LogErased { rows: self.store.erase(scope).await?, segments: 0 };
        // From here on nobody can move them any more: a move that has begun is told of a conflict.
        let filter = LogFilter::of(Scope::of(scope.tenant.clone()));
        for segment in sealed(self.store.segments(&filter).await?) {
            let rows = self.cleanse(scope, segment).await?;
            erased.rows += rows;
            erased.segments += u64::from(rows > 0);
        }
        // Files that were begun, or that are to be removed, may hold them as well.
        for registered in self.store.segments(&filter).await? {
            if let Registered::Announced { name } = &registered {
                self.discard(&scope.tenant, name).await?;
            }
        }
        for registered in self.store.segments(&filter).await? {
            if let Registered::Condemned { name, .. } = registered {
                self.archive.remove(&name).await?;
                self.store.apply(&scope.tenant, vec![TierChange::Forget { name }]).await?;
            }
        }
        // The register named users.
        self.store.erase(scope).await?;
        Ok(erased)
    }

    /// Removes a scope from a segment; says how many rows it had there.
    async fn cleanse(&self, scope: &Scope, mut segment: Segment) -> Result<u64, AgentLogError> {
        let tenant = &scope.tenant;
        let filter = LogFilter::of(Scope::of(tenant.clone())).day(segment.day);
        let mut last = None;
        for _ in 0..TRIES {
            match self.cleanse_once(scope, &segment).await {
                Err(error @ AgentLogError::Conflict { .. }) => last = Some(error),
                done => return done,
            }
            // Somebody else condemned what was being written, or has dropped the summaries, or has cleansed it.
            let now = sealed(self.store.segments(&filter).await?).find(|other| other.name == segment.name);
            match now {
                Some(now) => segment = now,
                None => return Ok(0),
            }
        }
        last.map_or(Ok(0), Err)
    }

    async fn cleanse_once(&self, scope: &Scope, segment: &Segment) -> Result<u64, AgentLogError> {
        let whole = scope.agent.is_none() && scope.session.is_none();
        let (mut kept, mut removed, mut pack) = (Vec::new(), 0, Pack::default());
        let mut uncounted = LogTable::default();
        for frame in &segment.frames {
            if scope.user.is_some() && scope.user != frame.user {
                kept.push(frame);
            } else if whole {
                removed += frame.rows;
            } else {
                let (out, stay): (Vec<LogRow>, Vec<LogRow>) =
                    self.read(segment, frame).await?.into_iter().partition(|row| scope.contains(&row.scope));
                if out.is_empty() {
                    kept.push(frame);
                    continue;
                }
                removed += out.len() as u64;
                uncounted.extend(LogTable::of(&out, SUMMARY));
                if !stay.is_empty() {
                    pack.add(frame.user.clone(), &stay.iter().collect::<Vec<_>>())?;
                }
            }
        }
        if removed == 0 {
            return Ok(0);
        }
        self.replace(scope, segment, kept, pack, uncounted).await?;
        Ok(removed)
    }

    /// Puts a segment of what is kept in the place of another.
    async fn replace(
        &self,
        scope: &Scope,
        old: &Segment,
        kept: Vec<&Frame>,
        mut pack: Pack,
        uncounted: LogTable,
    ) -> Result<(), AgentLogError> {
        let tenant = &scope.tenant;
        let mut changes = vec![TierChange::Condemn { name: old.name.clone(), at: self.runtime.now() }];
        // Summaries of users and agents the store has erased; those of a session it could not tell.
        if old.counted && scope.session.is_some() {
            changes.push(TierChange::Uncount { table: uncounted });
        }
        for frame in kept {
            let bytes = self.archive.get_range(&old.name, frame.offset, frame.bytes).await?;
            pack.keep(frame.clone(), &bytes);
        }
        if pack.frames.is_empty() {
            self.store.apply(tenant, changes).await?;
        } else {
            let mut new = pack.segment(self.new_name(tenant, old.day), old.day, old.first, old.last);
            new.counted = old.counted;
            self.write(tenant, pack, new, changes).await?;
        }
        self.archive.remove(&old.name).await?;
        Ok(())
    }
}
