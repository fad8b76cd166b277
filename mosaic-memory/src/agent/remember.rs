//! Learning from a run that has ended.

use std::sync::Arc;

use mosaic_core::memory::{Change, Memory, MemoryBody, MemoryError, MemoryId, Place, Scope};
use mosaic_core::queue::{Handler, JobContext, JobError};
use mosaic_core::{EndedRun, RunEntries, Timestamp};

use super::memory::Inner;
use crate::id::derived;
use crate::recall::embed_memories;
use crate::write::{Message, Speaker, Turn, WriteError};

/// The kind of the jobs that learn from a run.
pub const REMEMBER: &str = "memory.remember";

/// Characters of a message that are remembered as it was said; the log has all of it.
const MAX_TURN: usize = 8_000;

/// Learns from a run: keeps what was said, message by message, as episodes, and what the extractor found in it. Both are stored
/// at once or not at all, so a job that is run again, after a kill or by mistake, finds its episodes there and does nothing.
///
/// Its payload is an [`EndedRun`].
#[derive(Debug, Clone)]
pub struct Remember(pub(super) Arc<Inner>);

#[async_trait::async_trait]
impl Handler for Remember {
    fn kind(&self) -> &str {
        REMEMBER
    }

    async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
        let run: EndedRun = ctx.payload()?;
        let read =
            run.read(&*self.0.places.sessions).await.map_err(|error| JobError::from(error.report()))?;
        let entries = match read {
            RunEntries::Ended(entries) => entries,
            // Whoever ends the run later queues it anew.
            RunEntries::Open if ctx.job.attempt >= ctx.job.rules.max_attempts => return Ok(()),
            RunEntries::Open => return Err(JobError::retry(format!("run {} has not ended yet", run.run))),
            // Erased: nothing may be remembered of it.
            RunEntries::Gone => return Ok(()),
        };
        self.learn(&run, Turn::of_entries(run.session.name.clone(), &entries), ctx).await
    }
}

impl Remember {
    async fn learn(&self, run: &EndedRun, turn: Turn, ctx: &JobContext) -> Result<(), JobError> {
        let Inner { places, writer, extractor, embedders, .. } = &*self.0;
        let scope = run.scope();
        // What a model said that made no sense is kept with the job.
        let failed = |error: WriteError| JobError::from(error.kept(ctx.job.error.as_ref()));
        let (turn, _) = writer.redacted(turn).await.map_err(failed)?;
        let said = episodes(run, &scope, &turn, self.0.runtime.now());
        let ids: Vec<MemoryId> = said.iter().map(|memory| memory.id).collect();
        let found =
            places.memories.get(&scope, &ids).await.map_err(|error| JobError::from(error.report()))?;
        // Written before, if only the first: they are stored together, and somebody may have removed one since.
        if said.is_empty() || found.iter().any(Option::is_some) {
            return Ok(());
        }
        let extraction = writer.extracted(&scope, turn, &**extractor).await.map_err(failed)?;
        let vectors = embed_memories(&**embedders.newest(), &said)
            .await
            .map_err(|error| JobError::from(error.report()))?;
        let said = said.into_iter().zip(vectors).map(|(memory, vector)| Change::add(memory, vec![vector]));
        ctx.confirm().await?;
        match writer.write_drafts_and(&scope, extraction.drafts, said.collect()).await {
            // Another attempt was faster.
            Err(WriteError::Store(MemoryError::Exists { id })) if ids.contains(&id) => Ok(()),
            written => written.map(drop).map_err(failed),
        }
    }
}

/// What was said, as memories.
fn episodes(run: &EndedRun, scope: &Scope, turn: &Turn, now: Timestamp) -> Vec<Memory> {
    turn.messages.iter().map(|message| episode(run, scope, turn, message, now)).collect()
}

fn episode(run: &EndedRun, scope: &Scope, turn: &Turn, message: &Message, now: Timestamp) -> Memory {
    let key = &run.session;
    let id = derived(
        message.at,
        &["said", &key.tenant, &key.name, &run.run.to_string(), &message.seq.to_string()],
    );
    let mut text: String = message.text.chars().take(MAX_TURN).collect();
    if text.len() < message.text.len() {
        text.push_str(" ...");
    }
    let mut memory =
        Memory::new(id, scope.clone(), MemoryBody::Episode { text: text.into(), span: None }, now);
    let speaker = match message.speaker {
        Speaker::User => run.user.clone().unwrap_or_else(|| "User".into()),
        _ => run.agent.clone(),
    };
    memory.valid_from = message.at;
    memory.source = vec![turn.source(message.seq)];
    memory.place = Some(Place {
        speaker: Some(speaker),
        said_at: Some(message.at),
        ..Place::new(key.name.clone(), message.seq.0)
    });
    memory
}
