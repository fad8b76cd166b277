//! The tools of an agent.

use std::collections::HashMap;
use std::sync::Arc;

use thiserror::Error;

use super::{SchemaCheck, SubsetCheck, Tool, ToolSpecError, ToolSpecs};

/// What is wrong with a set of tools.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ToolSetError {
    /// Two tools have one name.
    #[error("two tools are named `{name}`; rename one of them")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A tool's description is wrong.
    #[error(transparent)]
    Spec(#[from] ToolSpecError),
}

/// The tools of an agent, in the order in which they were given.
#[derive(Debug, Clone)]
pub struct ToolSet {
    tools: Arc<HashMap<Arc<str>, Arc<dyn Tool>>>,
    specs: Arc<ToolSpecs>,
    check: Arc<dyn SchemaCheck>,
}

impl Default for ToolSet {
    fn default() -> Self {
        Self { tools: Arc::default(), specs: Arc::default(), check: Arc::new(SubsetCheck) }
    }
}

impl ToolSet {
    /// Of a list.
    ///
    /// # Errors
    /// Two tools of one name, a name or a schema that providers refuse.
    pub fn new(tools: Vec<Arc<dyn Tool>>) -> Result<Self, ToolSetError> {
        let mut by_name = HashMap::with_capacity(tools.len());
        for tool in &tools {
            let spec = tool.spec();
            spec.validate()?;
            if by_name.insert(spec.name.clone(), tool.clone()).is_some() {
                return Err(ToolSetError::Duplicate { name: spec.name.to_string() });
            }
        }
        Ok(Self {
            tools: Arc::new(by_name),
            specs: Arc::new(ToolSpecs::of_tools(tools)),
            check: Arc::new(SubsetCheck),
        })
    }

    /// With another check of arguments.
    #[must_use]
    pub fn with_check(mut self, check: Arc<dyn SchemaCheck>) -> Self {
        self.check = check;
        self
    }

    /// The tool of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.tools.get(name)
    }

    /// What the model is told of them.
    #[must_use]
    pub fn specs(&self) -> &Arc<ToolSpecs> {
        &self.specs
    }

    /// How arguments are checked.
    #[must_use]
    pub fn check(&self) -> &Arc<dyn SchemaCheck> {
        &self.check
    }
}
