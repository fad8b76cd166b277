//! Whose a memory is.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::SessionKey;

/// Whose something is: of a tenant, and perhaps of one user, one agent, one session of it. Part of every read and write.
///
/// A scope *contains* another when every part that it names is the same in the other. `acme` contains `acme/user ann`, and
/// that contains `acme/user ann/agent cook`. No scope contains anything of another tenant.
///
/// ```
/// use mosaic_core::memory::Scope;
///
/// let acme = Scope::of("acme");
/// let ann = acme.clone().user("ann");
/// assert!(acme.contains(&ann) && !ann.contains(&acme));
/// assert!(!ann.contains(&acme.clone().user("bob")));
/// assert!(!Scope::of("globex").contains(&ann));
/// assert_eq!(ann.agent("cook").to_string(), "acme/user ann/agent cook");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Scope {
    /// Whose it is. A store never returns another tenant's rows.
    pub tenant: Arc<str>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<str>>,
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Arc<str>>,
    /// The session, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Arc<str>>,
}

impl Scope {
    /// Everything of a tenant.
    pub fn of(tenant: impl Into<Arc<str>>) -> Self {
        Self { tenant: tenant.into(), user: None, agent: None, session: None }
    }

    /// Where what is learnt in a session is kept: with the user whose session it is, so that the user's other sessions know it;
    /// or with the session alone, where nobody said whose it is.
    #[must_use]
    pub fn of_session(session: &SessionKey, user: Option<&Arc<str>>) -> Self {
        let tenant = Self::of(session.tenant.clone());
        match user {
            Some(user) => tenant.user(user.clone()),
            None => tenant.session(session.name.clone()),
        }
    }

    /// What a session sees, for [`SearchQuery`](super::SearchQuery) and the like: what is kept with its user, whichever session it
    /// was learnt in, and what all of the tenant knows; or what is kept with the session alone, where nobody said whose it is.
    ///
    /// Every part is named, also the agent: with [`Reach::Inherited`], a part that is left out would see the rows of all.
    #[must_use]
    pub fn sight_of_session(
        session: &SessionKey,
        user: Option<&Arc<str>>,
        agent: &Arc<str>,
    ) -> (Self, Reach) {
        let here = Self::of_session(session, user);
        match user {
            Some(_) => (here.agent(agent.clone()).session(session.name.clone()), Reach::Inherited),
            None => (here, Reach::Within),
        }
    }

    /// Narrowed to a user.
    #[must_use]
    pub fn user(mut self, user: impl Into<Arc<str>>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Narrowed to an agent.
    #[must_use]
    pub fn agent(mut self, agent: impl Into<Arc<str>>) -> Self {
        self.agent = Some(agent.into());
        self
    }

    /// Narrowed to a session.
    #[must_use]
    pub fn session(mut self, session: impl Into<Arc<str>>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// Whether the other is this one, or a narrower one in it.
    #[must_use]
    pub fn contains(&self, other: &Scope) -> bool {
        let within = |outer: &Option<Arc<str>>, inner: &Option<Arc<str>>| outer.is_none() || outer == inner;
        self.tenant == other.tenant
            && within(&self.user, &other.user)
            && within(&self.agent, &other.agent)
            && within(&self.session, &other.session)
    }

    /// Whether somebody who reads this scope so sees what is filed under the other.
    #[must_use]
    pub fn sees(&self, reach: Reach, other: &Scope) -> bool {
        let meet = |ours: &Option<Arc<str>>, theirs: &Option<Arc<str>>| {
            ours.is_none() || theirs.is_none() || ours == theirs
        };
        match reach {
            Reach::Within => self.contains(other),
            Reach::Inherited => {
                self.tenant == other.tenant
                    && meet(&self.user, &other.user)
                    && meet(&self.agent, &other.agent)
                    && meet(&self.session, &other.session)
            }
        }
    }
}

impl Default for Scope {
    /// The tenant of hosts that have only one.
    fn default() -> Self {
        Self::of(SessionKey::DEFAULT_TENANT)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tenant)?;
        for (name, part) in [("user", &self.user), ("agent", &self.agent), ("session", &self.session)] {
            if let Some(part) = part {
                write!(f, "/{name} {part}")?;
            }
        }
        Ok(())
    }
}

/// How far a read of a scope reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reach {
    /// To what is in the scope.
    #[default]
    Within,
    /// Also to what is filed more widely and so holds here too: an agent that works for a user sees what is known of the user
    /// whichever agent learned it, and what is known to all of the tenant, but nothing of other users, agents or sessions.
    ///
    /// A part that the scope leaves out is no limit, here as in [`Within`](Self::Within): name the user, or all users are seen.
    Inherited,
}
