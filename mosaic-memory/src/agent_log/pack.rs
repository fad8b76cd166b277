//! Rows as the bytes of a segment, and back.
//!
//! A segment is a gzip file of JSON lines, oldest first: `zcat` reads it. It is made of one gzip member for each user, so that the rows of
//! one can be read, and left out, without touching those of others.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use mosaic_core::agent_log::{AgentLogError, Day, Frame, LogRow, Segment, from_lines, to_lines};
use mosaic_core::{StoreError, Timestamp};
use sha2::{Digest, Sha256};

/// Bytes with the frames that they are made of.
#[derive(Debug, Default)]
pub(super) struct Pack {
    pub(super) bytes: Vec<u8>,
    pub(super) frames: Vec<Frame>,
}

/// The rows, each user's in a frame of its own.
pub(super) fn pack(rows: &[LogRow]) -> Result<Pack, AgentLogError> {
    let mut users: BTreeMap<Option<&Arc<str>>, Vec<&LogRow>> = BTreeMap::new();
    for row in rows {
        users.entry(row.scope.user.as_ref()).or_default().push(row);
    }
    let mut pack = Pack::default();
    for (user, mut rows) in users {
        rows.sort_unstable_by_key(|row| row.id);
        pack.add(user.cloned(), &rows)?;
    }
    Ok(pack)
}

impl Pack {
    /// Adds a frame of rows.
    pub(super) fn add(&mut self, user: Option<Arc<str>>, rows: &[&LogRow]) -> Result<(), AgentLogError> {
        let lines = to_lines(rows.iter().copied())?;
        let packed = gzip(lines.as_bytes()).map_err(|error| StoreError::Other {
            store: "a segment".into(),
            action: "compressing",
            source: error.into(),
        })?;
        let frame = Frame {
            user,
            offset: 0,
            bytes: 0,
            raw: lines.len() as u64,
            rows: rows.len() as u64,
            digest: hex(&packed),
        };
        self.keep(frame, &packed);
        Ok(())
    }

    /// Adds a frame as it is.
    pub(super) fn keep(&mut self, frame: Frame, bytes: &[u8]) {
        let (offset, length) = (self.bytes.len() as u64, bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        self.frames.push(Frame { offset, bytes: length, ..frame });
    }

    /// The segment that these bytes are, under a name.
    pub(super) fn segment(&self, name: Arc<str>, day: Day, first: Timestamp, last: Timestamp) -> Segment {
        Segment {
            name,
            day,
            first,
            last,
            rows: self.frames.iter().map(|frame| frame.rows).sum(),
            bytes: self.bytes.len() as u64,
            counted: true,
            frames: self.frames.clone(),
        }
    }
}

/// The rows of a frame, of its bytes in the file.
pub(super) fn unpack(name: &str, frame: &Frame, bytes: &Bytes) -> Result<Vec<LogRow>, AgentLogError> {
    let damaged = |why: String| AgentLogError::Damaged { name: name.into(), why };
    if hex(bytes) != frame.digest {
        return Err(damaged("its bytes are not those that were written".into()));
    }
    // No more than was packed, whatever the bytes say that they hold.
    let mut lines = String::new();
    let read = GzDecoder::new(&**bytes).take(frame.raw.saturating_add(1)).read_to_string(&mut lines);
    read.map_err(|error| damaged(error.to_string()))?;
    if lines.len() as u64 != frame.raw {
        return Err(damaged(format!("{} bytes were packed, {} come out", frame.raw, lines.len())));
    }
    let rows: Vec<LogRow> =
        from_lines(&lines).collect::<Result<_, _>>().map_err(|error| damaged(error.to_string()))?;
    if rows.len() as u64 != frame.rows {
        return Err(damaged(format!("{} rows were packed, {} come out", frame.rows, rows.len())));
    }
    Ok(rows)
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    // No name and no time, so that the same rows give the same bytes.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// SHA-256 in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
