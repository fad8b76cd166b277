//! The state of a breaker as data.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::error::ErrorKind;
use crate::runtime::Timestamp;

/// No time in a state lies further ahead. Providers' own times are believed up to 31 days.
const FARTHEST: Duration = Duration::from_secs(31 * 24 * 3600);

/// The state of one candidate's breaker, as processes share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Health {
    /// Failures in a row, when it opened.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// How often it opened since the last whole answer; each time doubles the cooldown.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub opened: u32,
    /// Open: left alone until then, and then probed. None: closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The call that finds out. It stays here after it has closed the breaker by its first event, until it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// Why it opened. A kind that this version does not know reads as none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known")]
    pub cause: Option<ErrorKind>,
    /// When this was written, by the writer's clock.
    pub at: Timestamp,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ErrorKind>, D::Error> {
    let kind = Option::<serde_json::Value>::deserialize(from)?;
    Ok(kind.and_then(|kind| serde_json::from_value(kind).ok()))
}

/// A call that finds out whether a candidate is well again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The router that makes it; each has an id of its own.
    pub owner: Uuid,
    /// Which of that router's.
    pub number: u64,
    /// Once this has passed without a first event another one may find out.
    pub lease_until: Timestamp,
}

impl Health {
    /// Whether two say the same, whenever they were written.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Self { at: other.at, ..*self } == *other
    }

    /// Closed, with nothing to remember.
    pub(in super::super) fn is_spotless(&self) -> bool {
        self.until.is_none() && self.opened == 0 && self.probe.is_none()
    }

    /// As it is stored.
    pub(super) fn text(&self) -> String {
        // Cannot fail: there are numbers and texts in it only.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what is stored. The clock of whoever wrote it may be ahead: no time in it lasts longer from now than it was meant to
    /// from then.
    ///
    /// # Errors
    /// Why it cannot be what a breaker wrote.
    pub(super) fn read(text: &str, now: Timestamp) -> Result<Self, String> {
        let mut health: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let at = health.at;
        for time in health.times() {
            let lasts = at.until(*time);
            if lasts > FARTHEST {
                return Err(format!("a time in it lies {} s ahead of when it was written", lasts.as_secs()));
            }
            *time = (*time).min(now.after(lasts));
        }
        Ok(health)
    }

    fn times(&mut self) -> impl Iterator<Item = &mut Timestamp> {
        let lease = self.probe.as_mut().map(|probe| &mut probe.lease_until);
        self.until.as_mut().into_iter().chain(lease)
    }
}
