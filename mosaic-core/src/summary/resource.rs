//! Files and addresses in the arguments of calls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::Seq;

/// Something outside of the conversation that a call named: a file, an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resource {
    /// As the model wrote it.
    pub name: String,
    /// The tool that was called with it last.
    pub tool: String,
    /// The answer that made that call.
    pub seq: Seq,
}

/// No path and no address that somebody means is longer.
const LONGEST: usize = 300;
/// Members of arguments whose text is a resource even if it looks like a plain word.
const NAMES: [&str; 9] = ["path", "file", "filename", "filepath", "url", "uri", "dir", "directory", "folder"];

/// What the arguments of a call name, each once, in their order.
pub(super) fn named(arguments: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    look(arguments, "", &mut found);
    found
}

fn look<'a>(value: &'a Value, member: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => {
            let text = text.trim();
            if (is_address(text) || is_path(text) || (is_name(member) && is_word(text)))
                && !found.contains(&text)
            {
                found.push(text);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| look(item, member, found)),
        Value::Object(members) => members.iter().for_each(|(name, value)| look(value, name, found)),
        _ => {}
    }
}

/// `file_path`, `sourceUrl`, `paths`: by the last word of the name.
fn is_name(member: &str) -> bool {
    let small = member.to_ascii_lowercase();
    let singular = small.strip_suffix('s').unwrap_or(&small);
    NAMES.iter().any(|name| small.ends_with(name) || singular.ends_with(name))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.contains(['\n', '\r', '\t'])
}

fn is_address(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let fits = |scheme: &str| {
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    is_word(text) && !text.contains(' ') && scheme.is_some_and(fits)
}

/// `src/main.rs`, `/etc/hosts`, `./build`, `C:\notes.txt`: a slash, no blank, and an extension or a beginning that says so.
fn is_path(text: &str) -> bool {
    if !is_word(text) || text.contains(' ') || !text.contains(['/', '\\']) {
        return false;
    }
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let extended = last.rsplit_once('.').is_some_and(|(name, extension)| {
        !name.is_empty()
            && (1..=8).contains(&extension.len())
            && extension.chars().all(|c| c.is_ascii_alphanumeric())
            && extension.chars().any(|c| c.is_ascii_alphabetic())
    });
    extended
        || ["/", "./", "../", "~/"].iter().any(|begin| text.starts_with(begin) && text.len() > begin.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_and_addresses_are_found_wherever_they_stand() {
        let arguments = json!({
            "file_path": "Makefile",
            "edits": [{"to": "src/main.rs"}, {"to": "src/main.rs"}, {"to": "/etc/hosts"}],
            "sources": ["https://example.org/a?b=1", "s3://bucket/key"],
            "windows": "C:\\notes.txt",
        });
        let mut found = named(&arguments);
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "/etc/hosts",
                "C:\\notes.txt",
                "Makefile",
                "https://example.org/a?b=1",
                "s3://bucket/key",
                "src/main.rs"
            ]
        );
    }

    #[test]
    fn words_and_sentences_are_none() {
        let arguments = json!({
            "text": "see https://example.org for more",
            "either": "and/or", "share": "1/2.5", "date": "2026/11/26", "code": "fn main() {\n  a/b.rs\n}", "n": 4,
        });
        assert_eq!(named(&arguments), Vec::<&str>::new());
    }
}
