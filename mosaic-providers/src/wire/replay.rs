//! What codecs must do with the parts of an old answer so that a provider takes it back.

use std::borrow::Cow;

use mosaic_core::{Origin, Part, Profile, ToolCall, ToolResult};
use serde_json::Value;
use serde_json::value::RawValue;

/// The arguments as JSON text of an object. What was cut off goes back inside a valid form, under the key that
/// Anthropic's documentation of fine-grained tool streaming proposes for it.
pub(crate) fn arguments(call: &ToolCall) -> Cow<'_, str> {
    let text = call.arguments.trim();
    if text.is_empty() {
        return "{}".into();
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) if text.starts_with('{') => text.into(),
        _ => {
            let kept: String = text.chars().take(2_000).collect();
            serde_json::json!({ "INVALID_JSON": kept }).to_string().into()
        }
    }
}

/// The longest name of a tool that every provider takes.
const LONGEST_NAME: usize = 64;

/// The name of the called tool. One that a model made up, or another provider took, is made to fit: the whole conversation
/// would be refused for it.
pub(crate) fn name(call: &ToolCall) -> Cow<'_, str> {
    let name = call.name.as_str();
    if !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(plain) {
        return name.into();
    }
    let replaced = |c: char| if u8::try_from(c).is_ok_and(plain) { c } else { '_' };
    let fitting: String = name.chars().map(replaced).take(LONGEST_NAME).collect();
    if fitting.is_empty() { "unnamed".into() } else { fitting.into() }
}

/// `[a-zA-Z0-9_-]`, of names and of some providers' ids.
pub(crate) fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The list that the provider gave beside the part at that place: the block of that kind right behind it. Sources of a text
/// are kept so, because a text has no place for them.
pub(crate) fn beside<'a>(parts: &'a [Part], at: usize, of: &str) -> Option<&'a Value> {
    match parts.get(at + 1) {
        Some(Part::Provider { kind, data: data @ Value::Array(list) }) if kind == of && !list.is_empty() => {
            Some(data)
        }
        _ => None,
    }
}

/// The ids of a group's calls on the wire, in order.
#[derive(Debug)]
pub(crate) struct Ids(Vec<String>);

impl Ids {
    /// The provider's ids where they fit and tell the calls apart, else ours.
    pub(crate) fn choose(
        parts: &[Part],
        origin: Option<&Origin>,
        profile: &Profile,
        fits: impl Fn(&str) -> bool,
        ours: impl Fn(&ToolCall) -> String,
    ) -> Self {
        let same = origin
            .is_some_and(|from| from.api == profile.origin.api && from.provider == profile.origin.provider);
        let calls = || parts.iter().filter_map(Part::as_call);
        let theirs: Vec<&str> = calls().filter_map(|call| call.wire_id.as_deref()).collect();
        let apart =
            theirs.iter().enumerate().all(|(at, id)| !theirs.iter().take(at).any(|other| other == id));
        let usable = same
            && apart
            && theirs.len() == calls().count()
            && theirs.iter().all(|id| !id.is_empty() && fits(id));
        Self(if usable {
            theirs.into_iter().map(str::to_owned).collect()
        } else {
            calls().map(ours).collect()
        })
    }

    /// Of the call at that place among the calls.
    pub(crate) fn of_call(&self, index: usize, call: &ToolCall) -> String {
        self.0.get(index).cloned().unwrap_or_else(|| call.id.to_string())
    }

    /// Of the result at that place: a group's results are in the order of its calls.
    pub(crate) fn of_result(&self, index: usize, result: &ToolResult) -> String {
        self.0.get(index).cloned().unwrap_or_else(|| result.call.to_string())
    }
}
