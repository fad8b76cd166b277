//! Names as digests.
//!
//! Names are any text of up to 4 KiB. An index of a database holds no such thing, and a text of a database no NUL; a digest is
//! short, is compared byte by byte whatever the database's collation, and puts no name into the planner's statistics. 128 bits of
//! SHA-256: no two names meet.

use mosaic_core::memory::{Memory, Scope};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Of what a digest is, so that no two kinds meet.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Tenant,
    Part,
    Agent,
    Session,
    Lane,
    Block,
    Model,
    Tag,
}

/// The first bytes of a digest of names; one that is not there is unlike the empty one.
fn digest<const N: usize>(kind: Kind, names: &[Option<&str>]) -> [u8; N] {
    let mut hasher = Sha256::new();
    hasher.update([kind as u8]);
    for name in names {
        match name {
            None => hasher.update([0]),
            Some(name) => {
                hasher.update([1]);
                hasher.update((name.len() as u64).to_le_bytes());
                hasher.update(name.as_bytes());
            }
        }
    }
    hasher.finalize().first_chunk().copied().unwrap_or([0; N])
}

fn key(kind: Kind, names: &[Option<&str>]) -> Uuid {
    Uuid::from_bytes(digest(kind, names))
}

pub(super) fn tenant(scope: &Scope) -> Uuid {
    key(Kind::Tenant, &[Some(&scope.tenant)])
}

/// A tenant's user, or with `None` what the tenant has of its own.
pub(super) fn part(tenant: &str, user: Option<&str>) -> Uuid {
    key(Kind::Part, &[Some(tenant), user])
}

pub(super) fn agent(name: &str) -> Uuid {
    key(Kind::Agent, &[Some(name)])
}

pub(super) fn session(name: &str) -> Uuid {
    key(Kind::Session, &[Some(name)])
}

/// The conversation of a memory, within its scope.
pub(super) fn lane(memory: &Memory) -> Option<Uuid> {
    let Scope { tenant, user, agent, session } = &memory.scope;
    let conversation = &*memory.place.as_ref()?.conversation;
    let names = [Some(&**tenant), user.as_deref(), agent.as_deref(), session.as_deref(), Some(conversation)];
    Some(key(Kind::Lane, &names))
}

pub(super) fn block(scope: &Scope, name: &str) -> Uuid {
    let Scope { tenant, user, agent, session } = scope;
    key(Kind::Block, &[Some(&**tenant), user.as_deref(), agent.as_deref(), session.as_deref(), Some(name)])
}

pub(super) fn model(name: &str) -> Uuid {
    key(Kind::Model, &[Some(name)])
}

/// A name and a value of metadata as one number. Two may meet; whoever has the row looks again.
pub(super) fn tag(name: &str, value: &Value) -> i64 {
    let mut text = String::new();
    canonical(value, &mut text);
    i64::from_le_bytes(digest(Kind::Tag, &[Some(name), Some(&text)]))
}

/// The same text for values that are equal: JSON with sorted names.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(object) => {
            let mut names: Vec<_> = object.iter().collect();
            names.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in names {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        // Minus nought equals nought.
        Value::Number(number) if number.is_f64() && number.as_f64() == Some(0.0) => text.push_str("0.0"),
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_two_names_meet() {
        let a = Scope::of("a");
        let parts = [part("a", None), part("a", Some("")), part("", Some("a")), part("", None), tenant(&a)];
        for (at, one) in parts.iter().enumerate() {
            assert!(!parts[..at].contains(one), "{at} meets another");
        }
        assert_ne!(agent("a"), session("a"));
        assert_ne!(block(&a.clone().user("b"), "c"), block(&a.clone().agent("b"), "c"));
        assert_ne!(part("ab", Some("c")), part("a", Some("bc")));
        assert_ne!(part("a\u{1}b", Some("c")), part("a", Some("b\u{1}c")));
        assert_eq!(model("a\0b"), model("a\0b"));
    }

    #[test]
    fn equal_values_have_equal_tags() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":[0.0,{"c":null}]}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"b":[-0.0,{"c":null}],"a":1}"#).unwrap();
        assert_eq!(one, other);
        assert_eq!(tag("x", &one), tag("x", &other));
        for (one, other) in [(json!(1), json!("1")), (json!(1), json!(1.0)), (json!([1, 2]), json!([12]))] {
            assert_ne!(tag("x", &one), tag("x", &other));
        }
    }
}
