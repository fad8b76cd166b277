//! Entries as rows of a store, and back.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Body, Entry};
use crate::id::{RunId, Seq};
use crate::store::Row;

/// The version of the format that this version of Mosaic writes, and the newest that it reads.
pub const FORMAT: u16 = 1;

/// A row that is no entry.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EntryError {
    /// A newer version of Mosaic wrote it.
    #[error(
        "entry {seq} was written by a newer version of Mosaic (format {found}, this one knows {FORMAT}); upgrade"
    )]
    Newer {
        /// The entry.
        seq: Seq,
        /// Its format.
        found: u16,
    },
    /// Its bytes are not what was written.
    #[error("entry {seq} is damaged: {source}")]
    Damaged {
        /// The entry.
        seq: Seq,
        /// Why.
        source: serde_json::Error,
    },
    /// It cannot be written.
    #[error("an entry of kind `{kind}` cannot be written as JSON: {source}")]
    Unwritable {
        /// Its kind.
        kind: &'static str,
        /// Why.
        source: serde_json::Error,
    },
}

/// What the bytes of a row hold; the rest of an entry stands in the row's own columns.
#[derive(Serialize)]
struct Write<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
    body: &'a Body,
}

#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    run: Option<RunId>,
    body: Body,
}

impl Entry {
    /// The entry as a row.
    ///
    /// # Errors
    /// When it does not serialise.
    pub fn to_row(&self) -> Result<Row, EntryError> {
        let bytes = serde_json::to_vec(&Write { run: self.run, body: &self.body })
            .map_err(|source| EntryError::Unwritable { kind: self.body.kind(), source })?;
        Ok(Row {
            seq: self.seq,
            v: self.v,
            kind: self.body.kind().into(),
            at: self.at,
            bytes: Bytes::from(bytes),
        })
    }

    /// The entry of a row.
    ///
    /// # Errors
    /// When the row was written by a newer version, or is damaged.
    pub fn from_row(row: &Row) -> Result<Self, EntryError> {
        if row.v > FORMAT {
            return Err(EntryError::Newer { seq: row.seq, found: row.v });
        }
        let read: Read = serde_json::from_slice(&row.bytes)
            .map_err(|source| EntryError::Damaged { seq: row.seq, source })?;
        Ok(Self { seq: row.seq, v: row.v, at: row.at, run: read.run, body: read.body })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::runtime::Timestamp;

    fn row(bytes: &'static str) -> Row {
        let at = Timestamp(0);
        Row { seq: Seq(4), v: 1, kind: "".into(), at, bytes: Bytes::from_static(bytes.as_bytes()) }
    }

    #[test]
    fn rows_from_before_routers_are_read_and_written_as_they_were() {
        for old in [
            r#"{"body":{"type":"assistant","step":1,"parts":[],"stop":{"type":"stop"},"usage":{"input":3,"output":2}}}"#,
            r#"{"body":{"type":"model_failed","step":1,"error":{"kind":"server","message":"no","retryable":true}}}"#,
        ] {
            let entry = Entry::from_row(&row(old)).unwrap();
            let (Body::Assistant { route, .. } | Body::ModelFailed { route, .. }) = &entry.body else {
                unreachable!()
            };
            assert!(route.is_none());
            let written = entry.to_row().unwrap();
            assert!(!String::from_utf8_lossy(&written.bytes).contains("route"));
        }
    }
}
