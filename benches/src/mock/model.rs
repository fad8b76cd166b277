//! What a model's name asks for.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What a model's name asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelName {
    /// What is answered.
    pub mode: Mode,
    /// How many chunks a write carries.
    pub join: usize,
    /// How long the model thinks before.
    pub think: Duration,
}

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A tool call; after its result a short text.
    Tool,
    /// So many chunks of text.
    Stream(usize),
}

/// A name that the mock does not know.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownModel(String);

impl fmt::Display for UnknownModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no model of the mock; try `tool` or `stream:N`, with `+join:N`, `+think:MS`",
            self.0
        )
    }
}

impl std::error::Error for UnknownModel {}

impl FromStr for ModelName {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        let unknown = || UnknownModel(name.to_owned());
        let number = |text: &str| text.parse::<usize>().map_err(|_| unknown());
        let mut words = name.split('+');
        let mode = match words.next().and_then(|word| word.split_once(':').or(Some((word, "")))) {
            Some(("tool", "")) => Mode::Tool,
            Some(("stream", count)) => Mode::Stream(number(count)?),
            _ => return Err(unknown()),
        };
        let mut model = Self { mode, join: 1, think: Duration::ZERO };
        for word in words {
            match word.split_once(':') {
                Some(("join", count)) => model.join = number(count)?.max(1),
                Some(("think", millis)) => model.think = Duration::from_millis(number(millis)? as u64),
                _ => return Err(unknown()),
            }
        }
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_is_answered_and_how() {
        let model: ModelName = "stream:20000+join:64+think:5".parse().unwrap();
        assert_eq!(
            model,
            ModelName { mode: Mode::Stream(20_000), join: 64, think: Duration::from_millis(5) }
        );
        assert_eq!("tool".parse::<ModelName>().unwrap().mode, Mode::Tool);
    }

    #[test]
    fn another_name_is_an_error_that_names_it() {
        for name in ["gpt", "stream", "stream:x", "tool:1", "tool+fast"] {
            assert!(name.parse::<ModelName>().unwrap_err().to_string().contains(name));
        }
    }
}
