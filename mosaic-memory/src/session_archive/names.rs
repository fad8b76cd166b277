//! The names of sessions' files, which tell nothing of whose they are to people who do not know what to look for.
//!
//! ```text
//! sessions/<tenant>/<session>/<user>-<content>-<bytes of the head>.jsonl.gz
//! ```
//!
//! All but the last are digests, so a tenant's, a session's and a user's files are found by their names alone. A name is never that of other
//! bytes.

use mosaic_core::SessionKey;
use sha2::{Digest, Sha256};

use super::pack::{Packed, to_hex};

/// What all of them begin with.
pub(super) const ROOT: &str = "sessions/";

/// What the names of a tenant's files begin with.
pub(super) fn of_tenant(tenant: &str) -> String {
    format!("{ROOT}{}/", short(&["tenant", tenant]))
}

/// What the names of a session's files begin with.
pub(super) fn of_session(key: &SessionKey) -> String {
    format!("{}{}/", of_tenant(&key.tenant), digest(&["session", &key.tenant, &key.name]))
}

/// A file's name.
pub(super) fn of_file(key: &SessionKey, user: Option<&str>, file: &Packed) -> String {
    let mut content = to_hex(&Sha256::digest(&file.bytes));
    content.truncate(16);
    format!("{}{}-{content}-{}.jsonl.gz", of_session(key), of_user(&key.tenant, user), file.head)
}

/// What a name says of the user.
pub(super) fn of_user(tenant: &str, user: Option<&str>) -> String {
    user.map_or_else(|| "nobody".into(), |user| short(&["user", tenant, user]))
}

/// What a name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told<'a> {
    /// As [`of_user`] has it.
    pub(super) user: &'a str,
    /// Bytes of the file's head.
    pub(super) head: u64,
}

/// What a name tells; `None` where it is not that of a session's file.
pub(super) fn told(name: &str) -> Option<Told<'_>> {
    let (_, file) = name.strip_prefix(ROOT)?.rsplit_once('/')?;
    let (user, rest) = file.strip_suffix(".jsonl.gz")?.split_once('-')?;
    let (_, head) = rest.split_once('-')?;
    Some(Told { user, head: head.parse().ok()? })
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    to_hex(&hash.finalize())
}

fn short(parts: &[&str]) -> String {
    let mut digest = digest(parts);
    digest.truncate(16);
    digest
}
