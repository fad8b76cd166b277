//! A decision as text.

use std::fmt;

use super::{AttemptOutcome, Lacking, Rejection, RouteDecision};
use crate::model::Capability;

impl fmt::Display for RouteDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.chosen {
            Some(chosen) => write!(f, "{}: `{chosen}`", self.router)?,
            None => write!(f, "{}: nobody", self.router)?,
        }
        if let [first, second, ..] = self.scores.as_slice() {
            let (one, two) = (first.score, second.score);
            write!(f, " (`{}` {one:.3}, then `{}` {two:.3})", first.candidate, second.candidate)?;
        }
        for attempt in &self.attempts {
            write!(f, "; asked `{}`: {}", attempt.candidate, attempt.outcome)?;
            if let Some(ended) = attempt.ended {
                write!(f, " after {} ms", attempt.started.until(ended).as_millis())?;
            }
        }
        if self.waited_ms > 0 {
            write!(f, "; waited {} ms", self.waited_ms)?;
        }
        for rejected in &self.rejected {
            write!(f, "; not `{}`: {}", rejected.candidate, rejected.why)?;
        }
        if self.omitted > 0 {
            write!(f, "; and {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl fmt::Display for AttemptOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("answering"),
            Self::Answered { usage } => write!(f, "answered ({} + {} tokens)", usage.input, usage.output),
            Self::Failed { kind } => write!(f, "{kind}"),
            Self::Outrun => f.write_str("outrun"),
        }
    }
}

fn ability(capability: Capability) -> &'static str {
    match capability {
        Capability::Tools => "call tools",
        Capability::ImageInput => "take images",
        Capability::DocumentInput => "take documents",
        Capability::AudioInput => "take sound",
        Capability::StructuredOutput => "keep to a JSON Schema",
        Capability::Reasoning => "think",
        Capability::PromptCache => "cache prompts",
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacks { capability } => write!(f, "it cannot {}", ability(*capability)),
            Self::Unsure { capability } => write!(
                f,
                "nobody said that it can {} (say so with `Candidate::capabilities`)",
                ability(*capability)
            ),
            Self::TooLong { tokens, window } => {
                write!(f, "about {tokens} tokens do not fit its window of {window}")
            }
            Self::Cooling { until, cause: Some(cause) } => {
                write!(f, "it cools down until {until} after `{cause}`")
            }
            Self::Cooling { until, cause: None } => write!(f, "it cools down until {until}"),
            Self::Probing { until } => {
                write!(f, "one call finds out whether it is well again, until {until} at the latest")
            }
            Self::Requests { limit, until } => {
                write!(f, "its {limit} requests a minute are used up until {until}")
            }
            Self::Tokens { limit, until: Some(until) } => {
                write!(f, "its {limit} tokens a minute are used up until {until}")
            }
            Self::Tokens { limit, until: None } => {
                write!(f, "the request needs more than its {limit} tokens a minute")
            }
            Self::Busy { limit } => write!(f, "it answers {limit} calls, as many as it may"),
            Self::Tags => f.write_str("its tags are not those that the call asks for"),
            Self::Region { region: Some(region) } => {
                write!(f, "it is in `{region}`, where the call may not go")
            }
            Self::Region { region: None } => f.write_str("nobody said in which region it is"),
            Self::Retention { days: Some(days) } => {
                write!(f, "it keeps data for {days} days, longer than the call allows")
            }
            Self::Retention { days: None } => f.write_str("nobody said for how long it keeps data"),
            Self::Budget { budget, left, most, until: Some(until) } => write!(
                f,
                "the call may cost {most}, and {left} are left of the budget `{budget}` until {until}"
            ),
            Self::Budget { budget, left, most, until: None } => {
                write!(f, "the call may cost {most}, and {left} are left of the budget `{budget}`")
            }
            Self::Reserved { budget, left, most } => write!(
                f,
                "the call may cost {most}, and calls that are going on leave {left} of the budget `{budget}`"
            ),
            Self::Unbounded { budget, lacking } => {
                let (what, how) = match lacking {
                    Lacking::Price => ("what it costs", "`Candidate::price`"),
                    Lacking::Prompt => ("how long the prompt can be", "`Candidate::window`"),
                    Lacking::Answer => ("how long its answer can be", "`ModelParams::max_output_tokens`"),
                };
                write!(
                    f,
                    "it is charged to the budget `{budget}`, and nobody said {what} (say so with {how})"
                )
            }
            Self::Asking => f.write_str("it is being asked"),
            Self::Asked => f.write_str("it was asked as often as it may be in one call"),
            Self::NotAFallback => f.write_str("the policy for this failure does not fall back to it"),
        }
    }
}
