//! Where the servers that speak this API differ. Each is a choice of data: the code below it is one path for all.

use crate::openai_chat::NamedChoice;
use crate::wire::schema::{CHOICES, Root};

/// Whether the server must be told to keep nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Stateless {
    /// `store: false`, and encrypted reasoning is asked for of models that reason.
    #[default]
    Asked,
    /// It keeps nothing anyway, and reasoning comes as it is (DeepSeek, llama.cpp).
    Anyway,
}

/// When a reasoning item goes back to the model that wrote it. One that no other item of its answer follows never does:
/// the API refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReasoningReplay {
    /// Where it is encrypted. Without that, OpenAI looks the item's id up in its store, where it is not.
    #[default]
    Encrypted,
    /// As it came, in plain text too.
    AsReceived,
    /// Never.
    Never,
}

/// How much thinking is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReasoningParam {
    /// `reasoning: {effort: "none" | "low" | "medium" | "high"}`.
    #[default]
    Effort,
    /// `chat_template_kwargs: {enable_thinking: bool}` (llama.cpp).
    Template,
    /// There is no member for it.
    Unsupported,
}

/// How an answer is forced into a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Structured {
    /// `text: {format: {type: "json_schema", ...}}`.
    #[default]
    TextFormat,
    /// `response_format`, as in Chat Completions: llama.cpp reads that and ignores `text`.
    ResponseFormat,
}

/// Whether `stop` and `seed`, which this API does not have, are read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Sampling {
    /// They are refused. Stop sequences are an error then; a seed is a wish, and is left out.
    #[default]
    Responses,
    /// They are read, as in Chat Completions (llama.cpp).
    AsInChat,
}

/// Whether an answer says that the limit of tokens cut it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Cut {
    /// Its status is `incomplete`.
    #[default]
    Told,
    /// Its status is `completed` all the same (llama.cpp): one as long as the limit was cut.
    Untold,
}

/// Where media in the result of a tool go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ResultMedia {
    /// Into the result: its output is a list then.
    #[default]
    InResult,
    /// Into a message of the user after the results.
    NextMessage,
}

/// Whether documents are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Documents {
    /// As `input_file`.
    #[default]
    Taken,
    /// Not at all (llama.cpp).
    Refused,
}

/// Which schemas a tool and an answer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Schemas {
    /// Objects; no choice (`anyOf` and the like) at the root.
    #[default]
    Objects,
    /// Any.
    Any,
}

impl Schemas {
    pub(super) fn root(self) -> Root {
        let root = Root::object(super::API);
        match self {
            Self::Objects => Root { refused: CHOICES, ..root },
            Self::Any => Root { object: false, ..root },
        }
    }
}

/// The differences of one server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quirks {
    /// Whether the server must be told to keep nothing.
    pub stateless: Stateless,
    /// When reasoning goes back.
    pub reasoning_replay: ReasoningReplay,
    /// How much thinking is asked for.
    pub reasoning: ReasoningParam,
    /// How an answer is forced into a schema.
    pub structured: Structured,
    /// Whether `stop` and `seed` are read.
    pub sampling: Sampling,
    /// Whether an answer says that the limit of tokens cut it.
    pub cut: Cut,
    /// Whether one tool can be forced by name.
    pub named_choice: NamedChoice,
    /// Where media in results go.
    pub result_media: ResultMedia,
    /// Whether documents are taken.
    pub documents: Documents,
    /// Which schemas a tool and an answer may have.
    pub schemas: Schemas,
}

impl Quirks {
    /// OpenAI, and Bedrock's endpoints for it. <https://platform.openai.com/docs/api-reference/responses/create>,
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html>
    #[must_use]
    pub fn openai() -> Self {
        Self::default()
    }

    /// Azure. <https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses>
    #[must_use]
    pub fn azure() -> Self {
        Self::default()
    }

    /// xAI. <https://docs.x.ai/docs/api-reference#create-new-response>
    #[must_use]
    pub fn xai() -> Self {
        Self {
            reasoning_replay: ReasoningReplay::AsReceived,
            result_media: ResultMedia::NextMessage,
            schemas: Schemas::Any,
            ..Self::default()
        }
    }

    /// DeepSeek. <https://api-docs.deepseek.com/api/create-response>
    #[must_use]
    pub fn deepseek() -> Self {
        Self {
            stateless: Stateless::Anyway,
            reasoning_replay: ReasoningReplay::AsReceived,
            result_media: ResultMedia::NextMessage,
            ..Self::default()
        }
    }

    /// llama.cpp's own server, which turns a request into one of Chat Completions.
    /// <https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md>
    #[must_use]
    pub fn llamacpp() -> Self {
        Self {
            stateless: Stateless::Anyway,
            reasoning_replay: ReasoningReplay::AsReceived,
            reasoning: ReasoningParam::Template,
            structured: Structured::ResponseFormat,
            sampling: Sampling::AsInChat,
            cut: Cut::Untold,
            named_choice: NamedChoice::Ignored,
            documents: Documents::Refused,
            schemas: Schemas::Any,
            ..Self::default()
        }
    }
}
