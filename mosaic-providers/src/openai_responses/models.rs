//! Which models reason, where the host has not said.
//!
//! Encrypted reasoning must not be asked of a model that does not reason ("Encrypted content is not supported with this
//! model"), and must be asked of one that does: without it, its reasoning is lost between two steps.
//!
//! Source: <https://platform.openai.com/docs/models>

use mosaic_core::{Capability, ModelInfo};

/// OpenAI's models without reasoning. All that came later reason.
const WITHOUT: &[&str] = &["gpt-3.5", "gpt-35", "gpt-4", "gpt-5-chat", "chatgpt-4o"];

/// Whether the model reasons.
pub(super) fn reasons(info: &ModelInfo, model: &str) -> bool {
    info.can(Capability::Reasoning).unwrap_or_else(|| !WITHOUT.iter().any(|name| model.contains(name)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mosaic_core::{Capability, ModelInfo};

    use super::reasons;

    #[test]
    fn what_the_host_says_counts_more_than_the_name() {
        let by_name = |name: &str| reasons(&ModelInfo::new("p", name), name);
        assert!(by_name("gpt-5.5") && by_name("o4-mini") && by_name("my-deployment"));
        assert!(!by_name("gpt-4o-mini") && !by_name("ft:gpt-4.1:acme") && !by_name("gpt-5-chat-latest"));
        let mut info = ModelInfo::new("p", "gpt-4-but-mine");
        info.capabilities = Some(BTreeSet::from([Capability::Reasoning]));
        assert!(reasons(&info, "gpt-4-but-mine"));
        info.capabilities = Some(BTreeSet::new());
        assert!(!reasons(&info, "o4-mini"));
    }
}
