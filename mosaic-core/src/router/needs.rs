//! What a request needs of a model.

use super::{Candidate, TokenEstimator};
use crate::message::Measure;
use crate::model::{Capability, ModelRequest, ToolChoice};

/// What a request needs of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Tokens of the prompt, estimated.
    pub prompt: u64,
    /// Tokens of the answer, where the host set a limit.
    pub answer: Option<u64>,
    abilities: Abilities,
}

impl Needs {
    pub(super) fn of(request: &ModelRequest, estimator: &dyn TokenEstimator) -> Self {
        let mut total = Measure::default();
        for group in request.groups.iter() {
            total += *group.measure();
        }
        let abilities = [
            (!request.tools.is_empty() && request.tool_choice != ToolChoice::None, Capability::Tools),
            (request.output.is_some(), Capability::StructuredOutput),
            (total.images > 0, Capability::ImageInput),
            (total.documents > 0, Capability::DocumentInput),
            (total.sounds > 0, Capability::AudioInput),
        ];
        let abilities = abilities
            .into_iter()
            .filter(|(needed, _)| *needed)
            .fold(Abilities::default(), |all, (_, one)| all.with(one));
        Self {
            prompt: estimator.prompt(request, &total),
            answer: request.params.max_output_tokens,
            abilities,
        }
    }

    /// What it needs beyond text.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> {
        let all = self.abilities;
        CHECKED.into_iter().filter(move |capability| all.has(*capability))
    }

    pub(super) fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// Tokens that must fit into a window: the answer counts only where the host set a limit, because only then do providers
    /// refuse a prompt that fits.
    pub(super) fn span(&self) -> u64 {
        self.prompt.saturating_add(self.answer.unwrap_or(0))
    }
}

/// The capabilities that requests can need.
const CHECKED: [Capability; 5] = [
    Capability::Tools,
    Capability::ImageInput,
    Capability::DocumentInput,
    Capability::AudioInput,
    Capability::StructuredOutput,
];

/// A set of capabilities in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Abilities(u8);

impl Abilities {
    /// What a candidate is known to be able to do, and what it is known not to. The rest nobody knows.
    pub(super) fn of(candidate: &Candidate) -> (Self, Self) {
        CHECKED.into_iter().fold((Self::default(), Self::default()), |(can, cannot), one| {
            match candidate.can(one) {
                Some(true) => (can.with(one), cannot),
                Some(false) => (can, cannot.with(one)),
                None => (can, cannot),
            }
        })
    }

    fn bit(capability: Capability) -> u8 {
        match capability {
            Capability::Tools => 1,
            Capability::ImageInput => 2,
            Capability::DocumentInput => 4,
            Capability::AudioInput => 8,
            Capability::StructuredOutput => 16,
            Capability::Reasoning => 32,
            Capability::PromptCache => 64,
        }
    }

    fn with(self, capability: Capability) -> Self {
        Self(self.0 | Self::bit(capability))
    }

    pub(super) fn has(self, capability: Capability) -> bool {
        self.0 & Self::bit(capability) != 0
    }

    /// The first one of these that `others` have too.
    pub(super) fn shared_with(self, others: Self) -> Option<Capability> {
        let shared = Self(self.0 & others.0);
        if shared.0 == 0 { None } else { CHECKED.into_iter().find(|one| shared.has(*one)) }
    }

    /// The first one of these that `others` do not have.
    pub(super) fn missing_in(self, others: Self) -> Option<Capability> {
        self.shared_with(Self(!others.0))
    }
}
