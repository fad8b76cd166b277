//! Which session is to be opened, and whose it is.

use std::sync::Arc;

use crate::id::SessionKey;

/// Which session is to be opened, and whose it is. A name or a key alone will do.
///
/// ```
/// use mosaic_core::{SessionKey, SessionSpec};
/// let spec: SessionSpec = SessionKey::of("acme", "chat-7").user("ann");
/// assert_eq!(spec.user.as_deref(), Some("ann"));
/// assert_eq!(SessionSpec::from("chat-7").user, None);
/// ```
///
/// The user is written into the session's log. From then on the session is that user's: opening it for another is refused,
/// and opening it without a name opens it for the same user. What agents remember is kept with the user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionSpec {
    /// Which.
    pub key: SessionKey,
    /// Whose.
    pub user: Option<Arc<str>>,
}

impl SessionSpec {
    /// Says whose session it is.
    #[must_use]
    pub fn user(mut self, user: impl Into<Arc<str>>) -> Self {
        self.user = Some(user.into());
        self
    }
}

impl SessionKey {
    /// Says whose session it is: see [`SessionSpec`].
    #[must_use]
    pub fn user(self, user: impl Into<Arc<str>>) -> SessionSpec {
        SessionSpec::from(self).user(user)
    }
}

impl<K: Into<SessionKey>> From<K> for SessionSpec {
    fn from(key: K) -> Self {
        Self { key: key.into(), user: None }
    }
}
