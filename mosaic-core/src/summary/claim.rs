//! What a summary is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::Seq;
use crate::message::{Cost, Usage};

/// A sentence of a summary, and the entries that it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// What is claimed; can be understood without the conversation.
    pub text: String,
    /// The entries of the log that it follows from; at least one.
    pub cites: Vec<Seq>,
}

impl Claim {
    /// A claim that rests on some entries.
    pub fn new(text: impl Into<String>, cites: impl IntoIterator<Item = Seq>) -> Self {
        Self { text: text.into(), cites: cites.into_iter().collect() }
    }
}

/// What was said, shorter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// In the order in which they are to be read.
    pub claims: Vec<Claim>,
    /// What it took, failed tries included.
    #[serde(default)]
    pub usage: Usage,
    /// What it cost; `None` where that is not known of a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

impl Summary {
    /// Of some claims, for nothing.
    #[must_use]
    pub fn new(claims: Vec<Claim>) -> Self {
        Self { claims, usage: Usage::default(), cost: Some(Cost::default()) }
    }

    /// The claims as a list, one a line, without what they cite.
    #[must_use]
    pub fn text(&self) -> String {
        let lines: Vec<String> =
            self.claims.iter().map(|claim| format!("- {}", one_line(&claim.text))).collect();
        lines.join("\n")
    }

    /// All entries that its claims rest on, each once, in the order of the log.
    #[must_use]
    pub fn cites(&self) -> Vec<Seq> {
        let mut cites: Vec<Seq> = self.claims.iter().flat_map(|claim| claim.cites.iter().copied()).collect();
        cites.sort_unstable();
        cites.dedup();
        cites
    }
}

/// A text without line ends, so that what it says cannot pass for another line of the list.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}
