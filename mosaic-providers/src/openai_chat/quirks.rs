//! Where the servers of this API differ, as data.
//!
//! The default is what any server that calls itself compatible takes. Presets name the page that a difference comes from.

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
    Alternate,
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
}

/// Whether a stream's usage must be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StreamUsage {
    /// It is asked for with `stream_options`.
    #[default]
    Ask,
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

impl Quirks {
    /// OpenAI. <https://platform.openai.com/docs/api-reference/chat/create>
    #[must_use]
    pub fn openai() -> Self {
        Self {
            max_tokens: MaxTokens::MaxCompletionTokens,
            system_role: SystemRole::Developer,
            reasoning_replay: ReasoningReplay::Never,
            ..Self::default()
        }
    }

    /// OpenRouter. <https://openrouter.ai/docs/api-reference/parameters>
    #[must_use]
    pub fn openrouter() -> Self {
        Self { reasoning: ReasoningParam::Object, ..Self::default() }
    }

    /// Groq. <https://console.groq.com/docs/api-reference#chat-create>
    #[must_use]
    pub fn groq() -> Self {
        Self { max_tokens: MaxTokens::MaxCompletionTokens, ..Self::default() }
    }

    /// DeepSeek. <https://api-docs.deepseek.com/api/create-chat-completion>,
    /// <https://api-docs.deepseek.com/guides/thinking_mode>
    #[must_use]
    pub fn deepseek() -> Self {
        Self {
            reasoning: ReasoningParam::Thinking,
            reasoning_replay: ReasoningReplay::WithCalls,
            structured: Structured::JsonObject,
            no_text: NoText::Empty,
            texts: Texts::Joined,
            ..Self::default()
        }
    }

    /// Mistral. <https://docs.mistral.ai/api/#tag/chat>,
    /// <https://docs.mistral.ai/capabilities/reasoning>: unknown members are refused, ids of calls have nine characters,
    /// and the order of messages is checked as in
    /// <https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py>.
    #[must_use]
    pub fn mistral() -> Self {
        Self {
            api: Api::Mistral,
            stream_usage: StreamUsage::ComesByItself,
            reasoning: ReasoningParam::Mistral,
            reasoning_replay: ReasoningReplay::InContent,
            call_ids: CallIds::NineAlphanumeric,
            no_text: NoText::Empty,
            seed: Seed::RandomSeed,
            required_choice: RequiredChoice::Any,
            media: MediaForm::Mistral,
            turns: Turns::Alternate,
            ..Self::default()
        }
    }

    /// xAI. <https://docs.x.ai/docs/api-reference#chat-completions>
    #[must_use]
    pub fn xai() -> Self {
        Self { reasoning_tokens: ReasoningTokens::BesideOutput, ..Self::default() }
    }

    /// Ollama's compatible endpoint. <https://github.com/ollama/ollama/blob/main/docs/openai.md>
    #[must_use]
    pub fn ollama() -> Self {
        Self { no_text: NoText::Empty, named_choice: NamedChoice::Ignored, ..Self::default() }
    }

    /// llama.cpp's own server. <https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md>
    #[must_use]
    pub fn llamacpp() -> Self {
        Self {
            reasoning: ReasoningParam::Template,
            no_text: NoText::Empty,
            named_choice: NamedChoice::Ignored,
            ..Self::default()
        }
    }
}
