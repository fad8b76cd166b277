//! The name of a region.

use std::fmt;
use std::sync::Arc;

use mosaic_core::{ErrorKind, ModelError};

/// The name of a region, `eu-central-1` for one. It becomes part of a host name, so nothing else is taken.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Region(Arc<str>);

impl Region {
    /// A region of that name; whether there is one is not known here.
    ///
    /// # Errors
    /// `invalid_request` for a name that no region can have.
    pub fn new(name: &str) -> Result<Self, ModelError> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let edges = name.starts_with('-') || name.ends_with('-');
        if name.is_empty() || name.len() > 63 || edges || !name.bytes().all(inner) {
            let shown: String = name.chars().take(40).flat_map(char::escape_default).collect();
            return Err(ModelError::new(
                ErrorKind::InvalidRequest,
                format!(
                    "`{shown}` is no AWS region: those are of lower-case letters, digits and `-`, as `eu-central-1`"
                ),
            ));
        }
        Ok(Self(name.into()))
    }

    /// Out of `AWS_REGION`, else `AWS_DEFAULT_REGION`. `variable` reads an environment variable.
    ///
    /// # Errors
    /// `invalid_request` when neither is set, or the name is none.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ModelError> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        match set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")) {
            Some(name) => Self::new(name.trim()),
            None => Err(ModelError::new(
                ErrorKind::InvalidRequest,
                "AWS is asked in a region; set the environment variable AWS_REGION, to `eu-central-1` for one",
            )),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
