//! What a Mosaic remembers with.

use std::fmt;
use std::sync::Arc;

use mosaic_core::{ChatModel, Embedder, ModelChoice, ModelRef, ModelRefError, Runtime};
use mosaic_memory::agent::{AgentMemory, AgentMemoryOptions, Places};
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
    extractor: ExtractorChoice,
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
            extractor: ExtractorChoice::Rules,
            options: AgentMemoryOptions::default(),
        }
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
        let embedder = match self.embedder {
            EmbedderChoice::Named(name) => models.embedder(&name)?,
            EmbedderChoice::Given(embedder) => embedder,
            EmbedderChoice::Invalid(error) => return Err(error.into()),
        };
        let extractor: Arc<dyn Extractor> = match self.extractor {
            ExtractorChoice::Rules => Arc::new(RulesExtractor),
            ExtractorChoice::Model(choice) => Arc::new(ModelExtractor::new(model(choice, models)?)),
            ExtractorChoice::Given(extractor) => extractor,
        };
        Ok(AgentMemory::new(places, embedder, extractor, runtime, self.options))
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
            .field("extractor", &self.extractor)
            .finish_non_exhaustive()
    }
}
