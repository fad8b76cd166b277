//! What is known of the models of known providers: windows, abilities, prices.
//!
//! A host that writes `"openai:gpt-4o-mini"` gets the model's window, its price and what it can do without a setting. The
//! facts come out of one file, `catalogue.json`, which is part of the build and made anew by `cargo xtask catalogue`; no
//! network is asked at run time. What the file does not say is unknown: no window is guessed, and no price is 0.
//!
//! ```text
//! "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
//!      │ names: the forms under which a model may be listed, the surest first
//!      │        whole name, without a path, without a date, without a region (then without its price), ...
//!      └ rows:  name -> facts, or the name that has the same facts; parsed when somebody asks
//! ```
//!
//! ```
//! use mosaic_core::{Capability, Usage};
//! use mosaic_providers::catalogue::Catalogue;
//!
//! let info = Catalogue::get().info("openai", "gpt-4o-mini");
//! assert_eq!(info.window, Some(128_000));
//! assert_eq!(info.can(Capability::Tools), Some(true));
//! let usage = Usage { input: 1_000_000, ..Usage::default() };
//! assert_eq!(info.price.map(|price| price.cost(&usage).0), Some(150_000)); // $0.15
//!
//! let unknown = Catalogue::get().info("lab", "own-model");
//! assert_eq!((unknown.window, unknown.price, unknown.capabilities), (None, None, None));
//! ```
//!
//! Sources: <https://pypi.org/project/litellm/> and <https://pypi.org/project/genai-prices/> (both MIT); the versions are at
//! the head of the file.

mod names;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use mosaic_core::{Capability, ModelInfo, Price};
use serde::Deserialize;
use serde_json::value::RawValue;

use self::names::Worth;

/// One line a model: `"name":{facts}`, or `"name":"the name that has the same facts"`.
const FILE: &str = include_str!("catalogue.json");

/// All that a model can be said to be able to do.
const ABILITIES: [Capability; 7] = [
    Capability::Tools,
    Capability::ImageInput,
    Capability::DocumentInput,
    Capability::AudioInput,
    Capability::StructuredOutput,
    Capability::Reasoning,
    Capability::PromptCache,
];

/// What is known of the models of known providers.
pub struct Catalogue {
    source: Arc<str>,
    date: &'static str,
    models: HashMap<&'static str, Rows<'static>>,
}

/// The models of a provider.
type Rows<'a> = HashMap<&'a str, &'a RawValue>;

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    about: About<'a>,
    #[serde(borrow)]
    models: HashMap<&'a str, Rows<'a>>,
}

#[derive(Deserialize)]
struct About<'a> {
    date: &'a str,
    sources: Vec<Source>,
}

#[derive(Deserialize)]
struct Source {
    name: String,
    version: String,
}

/// The facts of a model.
#[derive(Debug, Deserialize)]
struct Row {
    window: Option<u64>,
    max_input: Option<u64>,
    max_output: Option<u64>,
    #[serde(default)]
    can: Vec<Capability>,
    #[serde(default)]
    cannot: Vec<Capability>,
    price: Option<Price>,
    retires: Option<Arc<str>>,
}

impl Catalogue {
    /// The catalogue of this build. Read when it is first asked for, which takes a millisecond; rows are parsed one by one.
    #[must_use]
    pub fn get() -> &'static Self {
        static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::of(FILE));
        &CATALOGUE
    }

    fn of(text: &'static str) -> Self {
        // The file is made by a program and read by the tests; a build whose file is broken knows no model.
        match serde_json::from_str::<File<'static>>(text) {
            Ok(file) => {
                let sources: Vec<String> = file
                    .about
                    .sources
                    .iter()
                    .map(|source| format!("{} {}", source.name, source.version))
                    .collect();
                let source = format!("catalogue of {} ({})", file.about.date, sources.join(", "));
                Self { source: source.into(), date: file.about.date, models: file.models }
            }
            Err(_) => Self { source: "".into(), date: "", models: HashMap::new() },
        }
    }

    /// What is known of a model. Of an unknown one, that is its name.
    #[must_use]
    pub fn info(&self, provider: &str, model: &str) -> ModelInfo {
        self.find(provider, model).unwrap_or_else(|| ModelInfo::new(provider, model))
    }

    /// What is known of a model, or `None` if it is not listed under any of its names.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str) -> Option<ModelInfo> {
        let rows = self.models.get(names::provider(provider))?;
        let (name, worth) = names::find(model, |name| rows.contains_key(name), || rows.keys().copied())?;
        let row = row(rows, name)?;
        let known: Vec<Capability> = row.can.iter().chain(&row.cannot).copied().collect();
        Some(ModelInfo {
            window: row.window,
            max_input: row.max_input,
            max_output: row.max_output,
            // A list of which nothing is known is no list.
            capabilities: (!known.is_empty()).then(|| row.can.iter().copied().collect()),
            unsure: match known.is_empty() {
                true => [].into(),
                false => ABILITIES.into_iter().filter(|ability| !known.contains(ability)).collect(),
            },
            price: row.price.filter(|_| worth == Worth::Everything),
            retires: row.retires,
            source: Some(Arc::clone(&self.source)),
            ..ModelInfo::new(provider, model)
        })
    }

    /// The day of its facts, as `2026-11-25`.
    #[must_use]
    pub fn date(&self) -> &str {
        self.date
    }

    /// The names that it lists for a provider, in no order.
    pub fn models(&self, provider: &str) -> impl Iterator<Item = &str> {
        self.models.get(names::provider(provider)).into_iter().flat_map(|rows| rows.keys().copied())
    }
}

fn row(rows: &Rows<'_>, name: &str) -> Option<Row> {
    let mut text = rows.get(name)?.get();
    if let Ok(same) = serde_json::from_str::<String>(text) {
        text = rows.get(same.as_str())?.get();
    }
    serde_json::from_str(text).ok()
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let models: usize = self.models.values().map(HashMap::len).sum();
        f.debug_struct("Catalogue").field("source", &self.source).field("models", &models).finish()
    }
}
