//! OpenAI's tokenizers.

use std::fmt;

use mosaic_core::{CountBasis, TextTokens};
use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::{Tokenizer, get_tokenizer};

/// OpenAI's tokenizers, with their vocabularies in the build; nothing is fetched.
///
/// ```
/// use std::sync::Arc;
/// use mosaic_core::testing::TestRuntime;
/// use mosaic_core::{RequestCounter, TextTokens};
/// use mosaic_providers::count::Tiktoken;
///
/// let tokenizer = Tiktoken::for_model("gpt-4o-mini").expect("it is known");
/// assert_eq!(tokenizer.tokens("No rain in Oslo."), 5);
/// let counter = RequestCounter::new(Arc::new(tokenizer), Arc::new(TestRuntime::default()));
/// # let _ = counter;
/// ```
#[derive(Clone, Copy)]
pub struct Tiktoken {
    name: &'static str,
    vocabulary: &'static CoreBPE,
}

impl Tiktoken {
    /// Of GPT-4o and later models.
    ///
    /// The first one of a process reads its vocabulary, which takes some 200 ms (a second in a debug build): make it when
    /// you start, not in a request.
    #[must_use]
    pub fn o200k() -> Self {
        Self { name: "o200k_base", vocabulary: tiktoken_rs::o200k_base_singleton() }
    }

    /// Of GPT-4, GPT-3.5 and the embedding models. As [`o200k`](Self::o200k), it is read at first.
    #[must_use]
    pub fn cl100k() -> Self {
        Self { name: "cl100k_base", vocabulary: tiktoken_rs::cl100k_base_singleton() }
    }

    /// Of a model of OpenAI's, by its name; `None` for others, and for models older than those.
    #[must_use]
    pub fn for_model(model: &str) -> Option<Self> {
        match get_tokenizer(model)? {
            Tokenizer::O200kBase | Tokenizer::O200kHarmony => Some(Self::o200k()),
            Tokenizer::Cl100kBase => Some(Self::cl100k()),
            _ => None,
        }
    }
}

impl TextTokens for Tiktoken {
    fn name(&self) -> &'static str {
        self.name
    }

    fn basis(&self) -> CountBasis {
        CountBasis::Tokenizer
    }

    /// Text that looks like a control token counts as text: that is how providers read what users write.
    fn tokens(&self, text: &str) -> u64 {
        self.vocabulary.count_ordinary(text) as u64
    }
}

impl fmt::Debug for Tiktoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tiktoken").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use mosaic_core::TextTokens;

    use super::Tiktoken;

    #[test]
    fn each_model_has_its_tokenizer_and_others_have_none() {
        let name = |model| Tiktoken::for_model(model).map(|it| it.name());
        assert_eq!(name("gpt-4o-mini-2024-07-18"), Some("o200k_base"));
        assert_eq!(name("gpt-4-0613"), Some("cl100k_base"));
        assert_eq!(name("text-embedding-3-small"), Some("cl100k_base"));
        assert_eq!(name("claude-sonnet-5"), None);
    }

    #[test]
    fn texts_are_counted_as_openai_counts_them() {
        // The examples of OpenAI's cookbook on counting tokens with tiktoken.
        let text = "tiktoken is great!";
        assert_eq!((Tiktoken::cl100k().tokens(text), Tiktoken::o200k().tokens(text)), (6, 6));
        let birthday = "お誕生日おめでとう";
        assert_eq!((Tiktoken::cl100k().tokens(birthday), Tiktoken::o200k().tokens(birthday)), (9, 8));
        assert!(Tiktoken::o200k().tokens("<|endoftext|>") > 1, "a control token of a user is text");
    }
}
