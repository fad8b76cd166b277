//! Where the servers of this API differ, as data.
//!
//! The default is what any server that calls itself compatible takes. The presets are beside it in `servers.rs`.

use crate::wire::schema::{CHOICES, Root};

/// The name of the wire API. Answers are kept under it, so it never changes for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Api {
    /// `openai-chat`.
    #[default]
    OpenAiChat,
    /// `mistral`: the same requests and answers but for what [`Quirks::mistral`] lists.
    Mistral,
}

impl Api {
    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => super::API,
            Self::Mistral => "mistral",
        }
    }
}

/// The member that limits the answer's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MaxTokens {
    /// `max_tokens`.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`: OpenAI's reasoning models take nothing else.
    MaxCompletionTokens,
}

/// The role of the instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SystemRole {
    /// `system`.
    #[default]
    System,
    /// `developer`: OpenAI, from its reasoning models on.
    Developer,
}

/// How much thinking is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReasoningParam {
    /// `reasoning_effort: "low"`; off is `"none"`.
    #[default]
    Effort,
    /// `reasoning: {effort}`; off is `{enabled: false}` (OpenRouter).
    Object,
    /// `thinking: {type: "enabled" | "disabled"}` (DeepSeek, Z.ai).
    Thinking,
    /// `chat_template_kwargs: {enable_thinking}` (llama.cpp, vLLM).
    Template,
    /// `reasoning_effort: "high"`, off is `"none"`, and nothing between; Magistral models have `prompt_mode: "reasoning"`,
    /// off is `null` (Mistral).
    Mistral,
    /// The server has no such setting; nothing is sent.
    Unsupported,
}

/// When a model's reasoning goes back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReasoningReplay {
    /// In the member in which it came.
    #[default]
    AsReceived,
    /// Only in messages with tool calls (DeepSeek asks for it there and ignores or refuses it elsewhere).
    WithCalls,
    /// As `thinking` parts of the content (Mistral).
    InContent,
    /// Never: the server refuses unknown members.
    Never,
}

/// The member that makes answers repeatable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Seed {
    /// `seed`.
    #[default]
    Seed,
    /// `random_seed` (Mistral).
    RandomSeed,
}

/// The word for "some tool must be called".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RequiredChoice {
    /// `required`.
    #[default]
    Required,
    /// `any` (Mistral).
    Any,
}

/// How media is written, and where it may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MediaForm {
    /// `image_url`, `input_audio` with its format, `file` with its bytes. Messages of tools take text only, so their media
    /// follows in a message of the user.
    #[default]
    OpenAi,
    /// `image_url`, `input_audio` as one string, `document_url`. Messages of tools take them too (Mistral).
    Mistral,
}

/// Which order of messages the server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Turns {
    /// Any in which results follow their calls.
    #[default]
    Any,
    /// After results the model speaks before the user does, and the user or a result is last (Mistral).
    AnswerAfterResults,
    /// User and model in turn, the user first and last (Perplexity).
    Alternate,
}

/// Whether a server tells what an answer cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CostFigure {
    /// It does not, or in a currency that is not known.
    #[default]
    Untold,
    /// In US dollars beside the token counts: `cost` (OpenRouter), `cost.total_cost` (Perplexity), or `cost_in_usd_ticks`,
    /// ten thousand millions a dollar (xAI).
    Dollars,
}

/// How an answer is forced into a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Structured {
    /// `response_format: {type: "json_schema", ...}`.
    #[default]
    JsonSchema,
    /// `response_format: {type: "json_object"}`, with the schema told in the instructions (DeepSeek).
    JsonObject,
}

/// Whether the cache of prompts must be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Caching {
    /// It works by itself, or not at all.
    #[default]
    ByItself,
    /// For models of Anthropic's (`anthropic/...`), which cache nothing unasked, with `cache_control` at the top: the server
    /// puts the breakpoints (OpenRouter).
    AskedForAnthropic,
}

/// Which schemas a tool and an answer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Schemas {
    /// Any, as far as we know.
    #[default]
    Any,
    /// Objects; no choice (`anyOf` and the like) at the root (OpenAI).
    Objects,
}

impl Schemas {
    pub(super) fn root(self, api: Api) -> Root {
        let root = Root::object(api.name());
        match self {
            Self::Any => Root { object: false, ..root },
            Self::Objects => Root { refused: CHOICES, ..root },
        }
    }
}

/// Which ids of calls the server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CallIds {
    /// Any, up to 40 characters (OpenAI's limit).
    #[default]
    Any,
    /// Nine letters and digits (Mistral).
    NineAlphanumeric,
}

/// The differences of one server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quirks {
    /// The name of the wire API.
    pub api: Api,
    /// The member that limits the answer's tokens.
    pub max_tokens: MaxTokens,
    /// The role of the instructions.
    pub system_role: SystemRole,
    /// Whether `stream_options: {include_usage: true}` is sent.
    pub stream_usage: StreamUsage,
    /// How much thinking is asked for.
    pub reasoning: ReasoningParam,
    /// When reasoning goes back.
    pub reasoning_replay: ReasoningReplay,
    /// How an answer is forced into a schema.
    pub structured: Structured,
    /// Whether the cache of prompts must be asked for.
    pub caching: Caching,
    /// Which schemas a tool and an answer may have.
    pub schemas: Schemas,
    /// Which ids of calls the server takes.
    pub call_ids: CallIds,
    /// What stands for no text beside tool calls.
    pub no_text: NoText,
    /// Whether several texts of a message are joined into one string, for servers that take no list.
    pub texts: Texts,
    /// Whether one tool can be forced by name.
    pub named_choice: NamedChoice,
    /// Where reasoning is counted.
    pub reasoning_tokens: ReasoningTokens,
    /// The member that makes answers repeatable.
    pub seed: Seed,
    /// The word for "some tool must be called".
    pub required_choice: RequiredChoice,
    /// How media is written.
    pub media: MediaForm,
    /// Which order of messages the server takes.
    pub turns: Turns,
    /// Whether it tells what an answer cost.
    pub cost: CostFigure,
}

/// Whether a stream's usage must be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StreamUsage {
    /// It is asked for with `stream_options`.
    #[default]
    Ask,
    /// It is asked for with `stream_options`, and what it cost with `usage: {include: true}` (OpenRouter).
    AskWithCost,
    /// It comes by itself, and the server refuses the member (Mistral).
    ComesByItself,
}

/// What stands for no text beside tool calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum NoText {
    /// `null`, as OpenAI documents.
    #[default]
    Null,
    /// `""`: templates of local servers print a null.
    Empty,
}

/// How several texts of one message are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Texts {
    /// As a list of parts.
    #[default]
    List,
    /// Joined by an empty line.
    Joined,
}

/// Where a server counts the tokens of reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReasoningTokens {
    /// In the tokens of the answer.
    #[default]
    InOutput,
    /// Beside them, so that they must be added (xAI: its total is prompt, answer and reasoning).
    BesideOutput,
}

/// Whether one tool can be forced by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum NamedChoice {
    /// Yes.
    #[default]
    Honoured,
    /// It is read as `auto` without a word (llama.cpp); `required` is the nearest that works.
    Ignored,
}
