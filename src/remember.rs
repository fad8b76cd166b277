//! What a Mosaic remembers with.

use std::fmt;
use std::sync::Arc;

use mosaic_core::memory::VectorCache;
use mosaic_core::summary::Summarizer;
use mosaic_core::{ChatModel, Embedder, ModelChoice, ModelRef, ModelRefError, Runtime};
use mosaic_memory::agent::{AgentMemory, AgentMemoryOptions, Places};
use mosaic_memory::embed::{CachedEmbedder, Embedders};
use mosaic_memory::summary::ModelSummarizer;
use mosaic_memory::write::{Extractor, ModelExtractor, RulesExtractor};

use crate::Error;
use crate::models::Models;

/// An embedder, or the name of one that is resolved when the store opens.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum EmbedderChoice {
    /// By name.
    Named(ModelRef),
    /// Itself.
    Given(Arc<dyn Embedder>),
    /// A text that is no name; kept, so that opening can say so.
    Invalid(ModelRefError),
}

impl From<&str> for EmbedderChoice {
    fn from(name: &str) -> Self {
        name.parse().map_or_else(Self::Invalid, Self::Named)
    }
}

impl From<String> for EmbedderChoice {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

impl From<Arc<dyn Embedder>> for EmbedderChoice {
    fn from(embedder: Arc<dyn Embedder>) -> Self {
        Self::Given(embedder)
    }
}

impl<E: Embedder + 'static> From<Arc<E>> for EmbedderChoice {
    fn from(embedder: Arc<E>) -> Self {
        Self::Given(embedder)
    }
}

/// What finds in a run what is worth remembering.
#[derive(Debug, Clone)]
enum ExtractorChoice {
    Rules,
    Model(ModelChoice),
    Given(Arc<dyn Extractor>),
}

/// What summarises sessions.
#[derive(Debug, Clone)]
enum SummarizerChoice {
    Extractive,
    Model(ModelChoice),
    Given(Arc<dyn Summarizer>),
}

/// What a [`Mosaic`](crate::Mosaic) remembers with: an embedder, by which memories are found, and an extractor, which finds them in
/// what was said.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mosaic::Error> {
/// # use mosaic::testing::{Answer, ScriptedModel};
/// use mosaic::memory::embed::HashingEmbedder;
/// use mosaic::prelude::*;
/// use std::sync::Arc;
///
/// // In place of the embedder: "openai:text-embedding-3-small", or MiniLM on this machine.
/// let setup = MemorySetup::new(Arc::new(HashingEmbedder::new(256)));
/// let mosaic = Mosaic::builder().memory(setup).open("memory:").await?;
/// # let model = ScriptedModel::new([Answer::text("Noted."), Answer::text("Green tea?")]);
/// let agent = Agent::builder("butler").model(model).memory(mosaic.memory()?).build()?;
///
/// let monday = mosaic.session(SessionKey::new("monday").user("ann"), &agent).await?;
/// monday.send("I prefer green tea for breakfast.").await?.finish().await?;
/// mosaic.idle().await?; // what follows a run happens in the background; wait for it here
///
/// let tuesday = mosaic.session(SessionKey::new("tuesday").user("ann"), &agent).await?;
/// let reply = tuesday.send("What shall there be for breakfast?").await?.finish().await?;
/// assert_eq!(reply.text, "Green tea?"); // the model was told: breakfast: green tea
/// mosaic.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a setup does nothing until a builder has it"]
pub struct MemorySetup {
    embedder: EmbedderChoice,
    older: Vec<EmbedderChoice>,
    extractor: ExtractorChoice,
    summarizer: SummarizerChoice,
    cache: Option<Arc<dyn VectorCache>>,
    options: AgentMemoryOptions,
}

impl MemorySetup {
    /// Memory with an embedder: itself, or the name of one. What is worth remembering is found by rules, which know
    /// English and cost nothing; see [`extract_with`](Self::extract_with).
    ///
    /// Vectors of different embedders cannot be compared: one that was chosen is kept, or replaced by
    /// embedding everything anew.
    pub fn new(embedder: impl Into<EmbedderChoice>) -> Self {
        Self {
            embedder: embedder.into(),
            older: Vec::new(),
            extractor: ExtractorChoice::Rules,
            summarizer: SummarizerChoice::Extractive,
            cache: None,
            options: AgentMemoryOptions::default(),
        }
    }

    /// An embedder of before, by which memories are still found while they are embedded anew: see
    /// [`upkeep`](mosaic_memory::upkeep).
    pub fn older(mut self, embedder: impl Into<EmbedderChoice>) -> Self {
        self.older.push(embedder.into());
        self
    }

    /// Keeps vectors, so that no text is embedded twice; those of a user go when [`Mosaic::erase_user`](crate::Mosaic::erase_user)
    /// erases the user.
    pub fn cache(mut self, cache: Arc<dyn VectorCache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// A model summarises sessions: `"provider:model"`, or any [`ChatModel`]. Without it sentences are picked that stand for
    /// the others, which costs nothing.
    pub fn summarize_with(mut self, model: impl Into<ModelChoice>) -> Self {
        self.summarizer = SummarizerChoice::Model(model.into());
        self
    }

    /// Something of the host's summarises sessions.
    pub fn summarizer(mut self, summarizer: Arc<dyn Summarizer>) -> Self {
        self.summarizer = SummarizerChoice::Given(summarizer);
        self
    }

    /// A model finds what is worth remembering: `"provider:model"`, or any [`ChatModel`]. It is asked once a run, in the
    /// background.
    pub fn extract_with(mut self, model: impl Into<ModelChoice>) -> Self {
        self.extractor = ExtractorChoice::Model(model.into());
        self
    }

    /// Something of the host's finds what is worth remembering.
    pub fn extractor(mut self, extractor: impl Extractor + 'static) -> Self {
        self.extractor = ExtractorChoice::Given(Arc::new(extractor));
        self
    }

    /// Changes how agents remember.
    pub fn options(mut self, change: impl FnOnce(&mut AgentMemoryOptions)) -> Self {
        change(&mut self.options);
        self
    }

    /// The memory of a Mosaic that is being opened.
    pub(crate) fn open(
        self,
        places: Places,
        models: &Models,
        runtime: Arc<dyn Runtime>,
    ) -> Result<AgentMemory, Error> {
        let cached = |embedder: Arc<dyn Embedder>| match &self.cache {
            Some(cache) => Arc::new(CachedEmbedder::new(embedder, cache.clone())),
            None => embedder,
        };
        let mut embedders = Embedders::from(cached(embedder(self.embedder, models)?));
        for older in self.older {
            embedders = embedders.older(cached(embedder(older, models)?));
        }
        let extractor: Arc<dyn Extractor> = match self.extractor {
            ExtractorChoice::Rules => Arc::new(RulesExtractor),
            ExtractorChoice::Model(choice) => Arc::new(ModelExtractor::new(model(choice, models)?)),
            ExtractorChoice::Given(extractor) => extractor,
        };
        let memory =
            AgentMemory::new(places, embedders, extractor, runtime, self.options).with_cache(self.cache);
        Ok(match self.summarizer {
            SummarizerChoice::Extractive => memory,
            SummarizerChoice::Model(choice) => {
                memory.summarizer(Arc::new(ModelSummarizer::new(model(choice, models)?)))
            }
            SummarizerChoice::Given(summarizer) => memory.summarizer(summarizer),
        })
    }
}

fn embedder(choice: EmbedderChoice, models: &Models) -> Result<Arc<dyn Embedder>, Error> {
    match choice {
        EmbedderChoice::Named(name) => Ok(models.embedder(&name)?),
        EmbedderChoice::Given(embedder) => Ok(embedder),
        EmbedderChoice::Invalid(error) => Err(error.into()),
    }
}

fn model(choice: ModelChoice, models: &Models) -> Result<Arc<dyn ChatModel>, Error> {
    use mosaic_core::ModelSource as _;
    match choice {
        ModelChoice::Named(name) => Ok(models.resolve(&name)?),
        ModelChoice::Given(model) => Ok(model),
        ModelChoice::Invalid(error) => Err(error.into()),
        _ => Err(Error::Setup { reason: "this kind of model cannot extract memories".into() }),
    }
}

impl fmt::Debug for MemorySetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySetup")
            .field("embedder", &self.embedder)
            .field("older", &self.older)
            .field("extractor", &self.extractor)
            .field("summarizer", &self.summarizer)
            .finish_non_exhaustive()
    }
}
