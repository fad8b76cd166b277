//! Why a candidate is not eligible, small enough to be made a hundred times a call; named only where somebody looks.

use std::sync::Arc;

use super::budget::Claim;
use super::deployment::Deployment;
use super::{Lacking, Rejection};
use crate::error::ErrorKind;
use crate::message::Cost;
use crate::model::Capability;
use crate::runtime::Timestamp;

/// Why a candidate is not eligible.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    Lacks(Capability),
    Unsure(Capability),
    TooLong { tokens: u64, window: u64 },
    Cooling { until: Timestamp, cause: Option<ErrorKind> },
    Probing { until: Timestamp },
    Requests { limit: u64, until: Timestamp },
    Tokens { limit: u64, until: Option<Timestamp> },
    Busy { limit: u32 },
    Tags,
    Region,
    Retention,
    Budget { budget: usize, left: Cost, most: Cost, until: Option<Timestamp> },
    Reserved { budget: usize, left: Cost, most: Cost },
    Unbounded { budget: usize, lacking: Lacking },
    Asked,
    Asking,
    NotAFallback,
}

impl Verdict {
    /// When time alone makes the candidate eligible again.
    pub(super) fn until(self) -> Option<Timestamp> {
        match self {
            Self::Cooling { until, .. } | Self::Probing { until } | Self::Requests { until, .. } => {
                Some(until)
            }
            Self::Tokens { until, .. } | Self::Budget { until, .. } => until,
            _ => None,
        }
    }

    /// Whether a call that ends may make the candidate eligible again.
    pub(super) fn waits_for_a_call(self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Reserved { .. })
    }

    /// The kind of an error whose reason is this; the more hope it leaves, the higher the number.
    pub(super) fn kind(self) -> Option<(u8, ErrorKind)> {
        Some(match self {
            Self::Requests { .. }
            | Self::Tokens { until: Some(_), .. }
            | Self::Cooling { cause: Some(ErrorKind::RateLimited), .. } => (4, ErrorKind::RateLimited),
            Self::Cooling { .. } | Self::Probing { .. } | Self::Busy { .. } | Self::Reserved { .. } => {
                (3, ErrorKind::Overloaded)
            }
            Self::Budget { .. } | Self::Unbounded { .. } => (2, ErrorKind::Budget),
            Self::TooLong { .. } => (1, ErrorKind::ContextOverflow),
            _ => return None,
        })
    }

    /// The same, for everybody to read.
    pub(super) fn named(self, deployment: &Deployment, claim: Option<&Claim>) -> Rejection {
        let candidate = &deployment.candidate;
        let name = |budget| claim.map_or_else(|| Arc::from(""), |claim| claim.name(budget));
        match self {
            Self::Lacks(capability) => Rejection::Lacks { capability },
            Self::Unsure(capability) => Rejection::Unsure { capability },
            Self::TooLong { tokens, window } => Rejection::TooLong { tokens, window },
            Self::Cooling { until, cause } => Rejection::Cooling { until, cause },
            Self::Probing { until } => Rejection::Probing { until },
            Self::Requests { limit, until } => Rejection::Requests { limit, until },
            Self::Tokens { limit, until } => Rejection::Tokens { limit, until },
            Self::Busy { limit } => Rejection::Busy { limit },
            Self::Tags => Rejection::Tags,
            Self::Region => Rejection::Region { region: candidate.region.clone() },
            Self::Retention => Rejection::Retention { days: candidate.retention_days },
            Self::Budget { budget, left, most, until } => {
                Rejection::Budget { budget: name(budget), left, most, until }
            }
            Self::Reserved { budget, left, most } => Rejection::Reserved { budget: name(budget), left, most },
            Self::Unbounded { budget, lacking } => Rejection::Unbounded { budget: name(budget), lacking },
            Self::Asked => Rejection::Asked,
            Self::Asking => Rejection::Asking,
            Self::NotAFallback => Rejection::NotAFallback,
        }
    }
}
