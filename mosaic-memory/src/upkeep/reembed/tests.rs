use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use mosaic_core::memory::{MemoryBody, MemoryPage};
use mosaic_core::queue::{Budget, Enqueued, JobFilter, JobPage, JobState, Queue, RamQueue};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{EmbedderInfo, Embeddings, Runtime, Timestamp};
use mosaic_storage::{RamMemories, RamStore};

use super::*;
use crate::embed::{Embedders, HashingEmbedder};
use crate::recall::{Ranking, Recall, RecallOptions, RecallRequest, Strategy, embed_memories};

const TEXTS: [&str; 10] = [
    "Ann has a dog called Rex",
    "Bob paints lakes at sunrise",
    "The boat leaves Oslo at noon",
    "Nobody likes cold soup",
    "Carla studies marine biology",
    "The piano needs tuning",
    "Green tea grows in Kyoto",
    "Skis stand in the cellar",
    "The router has three antennas",
    "Dave collects stamps",
];

type Before = Box<dyn Fn() -> mosaic_core::BoxFuture<()> + Send + Sync>;

/// An embedder that refuses some texts, notes what it embeds, and fails after some requests.
struct Moody {
    inner: HashingEmbedder,
    info: EmbedderInfo,
    refuses: &'static str,
    embedded: Mutex<Vec<String>>,
    requests_left: AtomicU32,
    before: Option<Before>,
}

impl fmt::Debug for Moody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Moody")
    }
}

impl Moody {
    fn new() -> Self {
        Self {
            inner: HashingEmbedder::new(512),
            info: EmbedderInfo::new("test", "new"),
            refuses: "nothing",
            embedded: Mutex::default(),
            requests_left: AtomicU32::new(u32::MAX),
            before: None,
        }
    }

    fn embedded(&self) -> Vec<String> {
        let mut all = self.embedded.lock().unwrap().clone();
        all.retain(|text| text != "memory");
        all.sort();
        all
    }
}

#[async_trait::async_trait]
impl Embedder for Moody {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        let probe = request.inputs.iter().all(|text| **text == *"memory");
        if let (Some(before), false) = (&self.before, probe) {
            before().await;
        }
        if self.requests_left.load(Ordering::Relaxed) == 0 {
            self.requests_left.store(u32::MAX, Ordering::Relaxed);
            return Err(EmbedError::new(ErrorKind::Overloaded, "come back later"));
        }
        self.requests_left.fetch_sub(1, Ordering::Relaxed);
        if request.inputs.iter().any(|text| text.contains(self.refuses)) {
            return Err(EmbedError::new(ErrorKind::ContextOverflow, "that is too long"));
        }
        self.embedded.lock().unwrap().extend(request.inputs.iter().map(ToString::to_string));
        Ok(Embeddings { model: "new-2".into(), ..self.inner.embed(request).await? })
    }
}

fn ann() -> Scope {
    Scope::of("acme").user("ann")
}

struct World {
    store: Arc<RamMemories>,
    old: Arc<HashingEmbedder>,
    runtime: TestRuntime,
    told: Arc<Mutex<Vec<ReembedReport>>>,
}

impl World {
    /// Ten memories with vectors of the old model; one is closed.
    async fn new() -> Self {
        let (runtime, old) = (TestRuntime::new(3), Arc::new(HashingEmbedder::new(256)));
        let store = Arc::new(RamStore::new().memories());
        let memory = |(n, text): (u128, &&str)| {
            let body = MemoryBody::Insight { text: (*text).into() };
            Memory::new(MemoryId(uuid::Uuid::from_u128(1 << 80 | n)), ann(), body, runtime.now())
        };
        let memories: Vec<Memory> = (0..).zip(&TEXTS).map(memory).collect();
        let vectors = embed_memories(&*old, &memories).await.unwrap();
        let closed = Change::Close { id: memories[9].id, at: Timestamp(u64::MAX >> 1), kept: None };
        let added =
            memories.into_iter().zip(vectors).map(|(memory, vector)| Change::add(memory, vec![vector]));
        store.apply(&ann(), added.chain([closed]).collect()).await.unwrap();
        Self { store, old, runtime, told: Arc::default() }
    }

    fn queue(&self, embedder: &Arc<Moody>) -> Queue {
        let told = self.told.clone();
        let handler = Reembed::new(self.store.clone(), embedder.clone())
            .page(4)
            .observe(move |report| told.lock().unwrap().push(report.clone()));
        Queue::new(Arc::new(RamQueue::new()), Arc::new(self.runtime.clone())).handler(handler)
    }

    async fn vectors(&self) -> [u64; 2] {
        let counts = self.store.counts(&ann()).await.unwrap();
        ["hashing-256", "new-2"].map(|model| counts.vectors.get(model).copied().unwrap_or_default())
    }

    fn last(&self) -> ReembedReport {
        self.told.lock().unwrap().last().unwrap().clone()
    }

    /// Every memory that is believed is found by its meaning alone, as the first.
    async fn is_found(&self, embedders: impl Into<Embedders>) {
        let ranking = Ranking { strategy: Strategy::meaning(), ..Ranking::default() };
        let options = RecallOptions { ranking, ..RecallOptions::default() };
        let recall = Recall::new(self.store.clone(), embedders, options);
        for text in &TEXTS[..9] {
            let found = recall.recall(&RecallRequest::new(ann(), *text).limit(1)).await.unwrap();
            assert_eq!((found.hits[0].memory.text(), found.without_vectors), ((*text).into(), None));
            assert!(found.hits[0].score > 0.0, "{text} is found by its words alone");
        }
    }
}

fn job() -> NewJob {
    Reembedding::new(ann(), "new").instead_of("hashing-256").job()
}

async fn error(queue: &Queue) -> (JobState, ErrorReport) {
    let job = queue.store().list(&JobFilter::default(), JobPage::default()).await.unwrap().remove(0);
    (job.state, job.error.unwrap())
}

#[tokio::test]
async fn both_models_serve_until_all_are_embedded_and_nothing_is_embedded_twice() {
    let world = World::new().await;
    let moody = Arc::new(Moody { requests_left: AtomicU32::new(2), ..Moody::new() });
    let queue = world.queue(&moody);
    world.is_found(world.old.clone()).await;
    queue.add(job()).await.unwrap();
    assert!(matches!(queue.add(job()).await.unwrap(), Enqueued::Duplicate(_)), "there is one already");

    // The name is asked for, a page is embedded, and the provider is away.
    assert_eq!(queue.run_due_jobs(Budget::jobs(1)).await.unwrap().retried, 1);
    assert_eq!((world.vectors().await, error(&queue).await.1.kind), ([10, 4], ErrorKind::Overloaded));
    let progress = progress(&*world.store, &ann(), "new-2").await.unwrap();
    assert_eq!(progress, Progress { embedded: 4, memories: 10 });
    world.is_found(Embedders::from(moody.clone()).older(world.old.clone())).await;
    world.runtime.advance(Duration::from_secs(60)).await;
    moody.embedded.lock().unwrap().clear();
    assert_eq!(queue.run_due_jobs(Budget::jobs(1)).await.unwrap().done, 1);
    assert_eq!(world.vectors().await, [0, 10], "closed ones too, and the old ones are gone");
    let mut rest = TEXTS[4..].to_vec();
    rest.sort_unstable();
    assert_eq!(moody.embedded(), rest, "what had a vector was embedded again, or something was not");
    let last = world.last();
    assert_eq!((last.embedded, last.refused, last.dropped.as_deref()), (6, 0, Some("hashing-256")));
    assert_eq!((&*last.model, last.finished), ("new-2", Some(world.runtime.now())));
    world.is_found(moody.clone()).await;

    // Again: nothing to do, and nothing is done.
    moody.embedded.lock().unwrap().clear();
    queue.add(job()).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(1)).await.unwrap().done, 1);
    assert_eq!((moody.embedded().len(), world.vectors().await), (0, [0, 10]));
}

#[tokio::test]
async fn what_a_model_refuses_is_told_and_does_not_keep_the_rest() {
    let world = World::new().await;
    let moody = Arc::new(Moody { refuses: "tea", ..Moody::new() });
    let queue = world.queue(&moody);
    queue.add(job()).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(1)).await.unwrap().done, 1);
    assert_eq!(world.vectors().await, [0, 9]);
    let (last, missing) =
        (world.last(), world.store.missing_vectors(&ann(), "new-2", None, 9).await.unwrap());
    assert_eq!((last.embedded, last.refused, last.skipped.len(), missing.len()), (9, 1, 1, 1));
    assert_eq!(last.skipped[0].memory, missing[0].id);
    assert_eq!((&*missing[0].text(), last.skipped[0].error.kind), (TEXTS[6], ErrorKind::ContextOverflow));
}

#[tokio::test]
async fn a_model_that_refuses_everything_replaces_nothing() {
    let world = World::new().await;
    let moody = Arc::new(Moody { refuses: " ", ..Moody::new() });
    let queue = world.queue(&moody);
    queue.add(job()).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(1)).await.unwrap().dead, 1);
    assert_eq!(world.vectors().await, [10, 0], "what served was dropped");
    let (state, error) = error(&queue).await;
    assert!(state == JobState::Dead && error.message.contains("refused all 10"), "{error}");
}

#[tokio::test]
async fn a_process_with_another_embedder_leaves_the_job_to_others() {
    let world = World::new().await;
    let queue = world.queue(&Arc::new(Moody::new()));
    queue.add(Reembedding::new(ann(), "newer").instead_of("hashing-256").job()).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(1)).await.unwrap().retried, 1);
    assert_eq!(world.vectors().await, [10, 0]);
    assert!(error(&queue).await.1.message.contains("the job wants `newer`, this process embeds with `new`"));
    // A model does not take the place of itself: that would leave nothing.
    let itself = Reembedding::new(ann(), "new").instead_of("new-2").job();
    queue.store().remove(&JobFilter::default()).await.unwrap();
    queue.add(itself).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(1)).await.unwrap().dead, 1);
}

#[tokio::test]
async fn a_job_that_was_lost_while_it_embedded_writes_nothing() {
    let world = World::new().await;
    let jobs: Arc<Mutex<Option<Queue>>> = Arc::default();
    let theirs = jobs.clone();
    let revoke: Before = Box::new(move || {
        let queue = theirs.lock().unwrap().clone().unwrap();
        Box::pin(async move {
            queue.store().revoke(&JobFilter::default()).await.unwrap();
        })
    });
    let queue = world.queue(&Arc::new(Moody { before: Some(revoke), ..Moody::new() }));
    *jobs.lock().unwrap() = Some(queue.clone());
    queue.add(job()).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(1)).await.unwrap().lost, 1);
    assert_eq!(world.vectors().await, [10, 0]);
}

#[tokio::test]
async fn a_job_that_is_to_stop_does_not_wait_for_the_provider() {
    let world = World::new().await;
    let silent: Before = Box::new(|| Box::pin(std::future::pending()));
    let queue = world.queue(&Arc::new(Moody { before: Some(silent), ..Moody::new() }));
    queue.add(job()).await.unwrap();
    let worker = queue.start();
    world.runtime.advance(Duration::ZERO).await;
    assert_eq!(worker.running(), 1);
    let drained = tokio::spawn(worker.drain(Duration::from_secs(1)));
    // Its patience, and not a moment of the grace after it.
    world.runtime.advance(Duration::from_secs(1)).await;
    let report = drained.await.unwrap();
    assert_eq!((report.stopped, report.left), (1, 0));
    let left = queue.store().list(&JobFilter::default(), JobPage::default()).await.unwrap();
    assert_eq!((left[0].state, left[0].attempt), (JobState::Waiting, 0), "it was not really tried");
}

#[tokio::test]
async fn what_is_written_meanwhile_is_embedded_too() {
    let world = World::new().await;
    let (store, old) = (world.store.clone(), world.old.clone());
    let once = Arc::new(AtomicU32::new(0));
    // Another process, which knows the old model only, and whose clock goes behind.
    let write: Before = Box::new(move || {
        let (store, old, once) = (store.clone(), old.clone(), once.clone());
        Box::pin(async move {
            if once.fetch_add(1, Ordering::Relaxed) == 2 {
                let body = MemoryBody::Insight { text: "written meanwhile".into() };
                let memory = Memory::new(MemoryId(uuid::Uuid::from_u128(1)), ann(), body, Timestamp(1));
                let vectors = embed_memories(&*old, std::slice::from_ref(&memory)).await.unwrap();
                store.apply(&ann(), vec![Change::add(memory, vectors)]).await.unwrap();
            }
        })
    });
    let queue = world.queue(&Arc::new(Moody { before: Some(write), ..Moody::new() }));
    queue.add(job()).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(1)).await.unwrap().done, 1);
    assert_eq!(world.vectors().await, [0, 11]);
    assert_eq!(world.store.list(&ann(), MemoryPage::default()).await.unwrap().len(), 10);
}
