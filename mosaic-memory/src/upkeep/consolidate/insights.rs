//! Insights: near ones are compared.

use std::sync::Arc;

use futures_util::TryStreamExt;
use mosaic_core::memory::{Memory, MemoryKind, Record, SearchQuery, Vector};
use mosaic_core::queue::JobError;

use super::handler::{Applied, Gone, Run, Yielding};
use super::pair::{Verdict, is_open, order, settle};
use crate::upkeep::step::{go_on, stored};

/// So many near ones are looked at.
const NEAR: u32 = 64;

impl Run<'_> {
    /// Compares each insight with those near it. Says how many found one that was too many.
    pub(super) async fn join_insights(&mut self) -> Result<u64, JobError> {
        let (mut changed, mut gone) = (0, Gone::new());
        let records = self.handler.store.export(&self.report.scope).await;
        let mut records = records.map_err(|error| stored(&error))?;
        while let Some(record) = records.try_next().await.map_err(|error| stored(&error))? {
            let Record::Memory { memory, vectors } = record else { continue };
            if memory.body.kind() != MemoryKind::Insight || !is_open(&memory) || gone.contains(&memory.id) {
                continue;
            }
            go_on(self.ctx)?;
            let all = self.compare(&Arc::new(*memory), vectors).await?;
            if all.is_empty() {
                continue;
            }
            changed += 1;
            let losers: Gone = all.iter().map(|one| one.joined.memory).collect();
            if self.join(all).await? == Applied::Done {
                gone.extend(losers);
            }
        }
        Ok(changed)
    }

    /// What yields to an insight, until it yields itself.
    async fn compare(&self, memory: &Arc<Memory>, vectors: Vec<Vector>) -> Result<Vec<Yielding>, JobError> {
        // By words too: what says the same word for word needs no vector.
        let mut query = SearchQuery::new(memory.scope.clone()).text(memory.text());
        query.vectors = vectors;
        query.filter.kinds = vec![MemoryKind::Insight];
        query.limit = NEAR;
        let found = self.handler.store.search(query).await.map_err(|error| stored(&error))?;
        let mut near = found.candidates;
        near.retain(|near| {
            near.memory.id != memory.id && near.memory.scope == memory.scope && is_open(&near.memory)
        });
        near.sort_by(|a, b| order(&a.memory, &b.memory));
        let mut all = Vec::new();
        for near in near {
            let (other, likeness, options) = (&near.memory, near.dense, &self.handler.options);
            let (first, second) =
                if order(memory, other).is_lt() { (memory, other) } else { (other, memory) };
            let (loser, winner, reason) = match settle(options, first, second, likeness) {
                Verdict::Both => continue,
                Verdict::First(reason) => (first, second, reason),
                Verdict::Second(reason) => (second, first, reason),
            };
            all.push(self.yielding(loser, winner, reason));
            if loser.id == memory.id {
                break;
            }
        }
        Ok(all)
    }
}
