//! The servers of this API that we know, as sets of differences. Each names the page that they come from.

use super::quirks::{
    Api, Caching, CallIds, CostFigure, MaxTokens, MediaForm, NamedChoice, NoText, Quirks, ReasoningParam,
    ReasoningReplay, ReasoningTokens, RequiredChoice, Schemas, Seed, StreamUsage, Structured, SystemRole,
    Texts, Turns,
};

impl Quirks {
    /// OpenAI. <https://platform.openai.com/docs/api-reference/chat/create>
    #[must_use]
    pub fn openai() -> Self {
        Self {
            max_tokens: MaxTokens::MaxCompletionTokens,
            system_role: SystemRole::Developer,
            reasoning_replay: ReasoningReplay::Never,
            schemas: Schemas::Objects,
            ..Self::default()
        }
    }

    /// OpenRouter. <https://openrouter.ai/docs/api-reference/parameters>,
    /// <https://openrouter.ai/docs/use-cases/usage-accounting>,
    /// <https://openrouter.ai/docs/guides/best-practices/prompt-caching>
    #[must_use]
    pub fn openrouter() -> Self {
        Self {
            reasoning: ReasoningParam::Object,
            stream_usage: StreamUsage::AskWithCost,
            cost: CostFigure::Dollars,
            caching: Caching::AskedForAnthropic,
            ..Self::default()
        }
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
            turns: Turns::AnswerAfterResults,
            ..Self::default()
        }
    }

    /// xAI. <https://docs.x.ai/docs/api-reference#chat-completions>
    #[must_use]
    pub fn xai() -> Self {
        Self { reasoning_tokens: ReasoningTokens::BesideOutput, cost: CostFigure::Dollars, ..Self::default() }
    }

    /// Azure OpenAI, of version 1 and of the deployments before it.
    /// <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/latest>. As OpenAI's, but it serves models of others too,
    /// which know no role `developer`; OpenAI's take `system` all the same.
    #[must_use]
    pub fn azure() -> Self {
        Self { system_role: SystemRole::System, ..Self::openai() }
    }

    /// Cerebras. <https://inference-docs.cerebras.ai/api-reference/chat-completions>
    #[must_use]
    pub fn cerebras() -> Self {
        Self { max_tokens: MaxTokens::MaxCompletionTokens, ..Self::default() }
    }

    /// Fireworks. <https://docs.fireworks.ai/api-reference/post-chatcompletions>
    #[must_use]
    pub fn fireworks() -> Self {
        Self::default()
    }

    /// Hugging Face's router. <https://huggingface.co/docs/inference-providers/tasks/chat-completion>
    #[must_use]
    pub fn huggingface() -> Self {
        Self::default()
    }

    /// Moonshot. <https://platform.moonshot.ai/docs/api/chat>: reasoning is switched with `thinking` and must go back
    /// beside calls.
    #[must_use]
    pub fn moonshot() -> Self {
        Self { reasoning: ReasoningParam::Thinking, ..Self::default() }
    }

    /// NVIDIA's hosted NIM. <https://docs.api.nvidia.com/nim/reference/llm-apis>: its models think if their template is
    /// told to.
    #[must_use]
    pub fn nvidia() -> Self {
        Self { reasoning: ReasoningParam::Template, ..Self::default() }
    }

    /// Perplexity. <https://docs.perplexity.ai/api-reference/chat-completions-post>: the user and the model speak in
    /// turn.
    #[must_use]
    pub fn perplexity() -> Self {
        Self {
            reasoning_replay: ReasoningReplay::Never,
            texts: Texts::Joined,
            turns: Turns::Alternate,
            cost: CostFigure::Dollars,
            ..Self::default()
        }
    }

    /// SambaNova. <https://docs.sambanova.ai/docs/en/api-reference/endpoints/chat>
    #[must_use]
    pub fn sambanova() -> Self {
        Self::default()
    }

    /// Together. <https://docs.together.ai/reference/chat-completions-1>
    #[must_use]
    pub fn together() -> Self {
        Self::default()
    }

    /// Z.ai. <https://docs.z.ai/api-reference/llm/chat-completion>: reasoning is switched with `thinking`, and JSON can be
    /// forced, but no schema.
    #[must_use]
    pub fn zai() -> Self {
        Self { reasoning: ReasoningParam::Thinking, structured: Structured::JsonObject, ..Self::default() }
    }

    /// vLLM. <https://docs.vllm.ai/en/latest/serving/openai_compatible_server/>
    #[must_use]
    pub fn vllm() -> Self {
        Self { reasoning: ReasoningParam::Template, ..Self::default() }
    }

    /// LM Studio. <https://lmstudio.ai/docs/developer/openai-compat>: a tool choice is one of three words.
    #[must_use]
    pub fn lmstudio() -> Self {
        Self { no_text: NoText::Empty, named_choice: NamedChoice::Ignored, ..Self::default() }
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
