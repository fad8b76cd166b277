//! A group, as far as all codecs look at it alike.

use mosaic_core::{EncodeError, GroupBody, Origin, Part, Profile, ToolResult};

/// What a group holds.
#[derive(Debug)]
pub(crate) enum Turn<'a> {
    /// What a user says.
    User(&'a [Part]),
    /// What a model says, and the results of its calls.
    Answer {
        parts: &'a [Part],
        origin: Option<&'a Origin>,
        /// Whether it is this very model's: then its reasoning and its provider's blocks go back.
        same: bool,
        results: &'a [ToolResult],
    },
}

/// What the group holds. `own` are the kinds of provider blocks that this API takes from a user; any other is an error,
/// because a user's words are not to be lost.
pub(crate) fn turn<'a>(
    api: &'static str,
    group: &'a GroupBody,
    profile: &Profile,
    own: &[&str],
) -> Result<Turn<'a>, EncodeError> {
    let unsupported =
        |what: String, hint: &str| EncodeError::Unsupported { api, what, hint: hint.to_owned() };
    match group {
        GroupBody::User { parts } => {
            let foreign = parts.iter().find_map(|part| match part {
                Part::Provider { kind, .. } if !own.contains(&kind.as_str()) => Some(kind),
                _ => None,
            });
            match foreign {
                None => Ok(Turn::User(parts)),
                Some(kind) => Err(unsupported(
                    format!("a provider's block (`{kind}`) in what a user says"),
                    "say it as text, or ask the provider that knows it",
                )),
            }
        }
        GroupBody::Assistant { parts, origin, results } => {
            let same = origin.as_ref() == Some(&profile.origin);
            Ok(Turn::Answer { parts, origin: origin.as_ref(), same, results })
        }
        _ => Err(unsupported(
            "a group of this kind".to_owned(),
            "use versions of mosaic-core and mosaic-providers that belong together",
        )),
    }
}
