//! A session's rows as a file, and back: gzip of JSON lines. The first, a gzip member of its own, says whose session it is, so that a list needs
//! no more than that; the last says what must have come before.

use std::io::{Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::{GzDecoder, MultiGzDecoder};
use flate2::write::GzEncoder;
use mosaic_core::{Row, Seq, SessionInfo, SessionKey, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The version of the format that this version writes, and the newest that it reads.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Line {
    /// The first.
    Session {
        format: u32,
        key: SessionKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Arc<str>>,
        last: Seq,
        created: Timestamp,
        updated: Timestamp,
    },
    Row {
        seq: Seq,
        v: u16,
        kind: String,
        at: Timestamp,
        /// What the row holds, where it is text; entries are JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// In hexadecimal, where it is not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hex: Option<String>,
    },
    /// The last.
    End { rows: u64, digest: String },
}

/// A session that is in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchivedSession {
    /// What its store would tell of it.
    pub info: SessionInfo,
    /// Whose it is.
    pub user: Option<Arc<str>>,
}

/// The file of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) bytes: Bytes,
    /// Bytes of its head.
    pub(super) head: u64,
}

/// Makes the file of a session. The same rows give the same bytes.
pub(super) fn pack(key: &SessionKey, user: Option<&Arc<str>>, rows: &[Row]) -> std::io::Result<Packed> {
    let at = |row: Option<&Row>| row.map(|row| row.at).unwrap_or_default();
    let mut lines = Vec::new();
    let head = Line::Session {
        format: FORMAT,
        key: key.clone(),
        user: user.cloned(),
        last: rows.last().map(|row| row.seq).unwrap_or_default(),
        created: at(rows.first()),
        updated: at(rows.last()),
    };
    write(&mut lines, &head)?;
    let mut bytes = gzip(&lines)?;
    let (head, body) = (bytes.len() as u64, lines.len());
    for row in rows {
        let (text, hex) = match std::str::from_utf8(&row.bytes) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(to_hex(&row.bytes))),
        };
        let kind = row.kind.clone().into_owned();
        write(&mut lines, &Line::Row { seq: row.seq, v: row.v, kind, at: row.at, text, hex })?;
    }
    let digest = to_hex(&Sha256::digest(&lines));
    write(&mut lines, &Line::End { rows: rows.len() as u64, digest })?;
    bytes.extend(gzip(lines.get(body..).unwrap_or_default())?);
    Ok(Packed { bytes: bytes.into(), head })
}

/// A gzip member, without a name and a time.
fn gzip(lines: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(lines)?;
    encoder.finish()
}

fn write(lines: &mut Vec<u8>, line: &Line) -> std::io::Result<()> {
    serde_json::to_writer(&mut *lines, line)?;
    lines.push(b'\n');
    Ok(())
}

/// The rows of a session's file; the error says what is wrong with it.
pub(super) fn unpack(key: &SessionKey, bytes: &Bytes) -> Result<Vec<Row>, String> {
    let mut lines = String::new();
    MultiGzDecoder::new(&**bytes).read_to_string(&mut lines).map_err(|error| error.to_string())?;
    let (mut rows, mut before, mut ended) = (Vec::new(), 0, false);
    for (number, line) in (1..).zip(lines.split_inclusive('\n')) {
        let parsed = serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
        match parsed {
            _ if ended => return Err(format!("line {number} follows the end")),
            Line::Session { format, .. } if format > FORMAT => return Err(newer(format)),
            Line::Session { key: found, .. } if number == 1 && found == *key => {}
            Line::Row { seq, v, kind, at, text, hex } if number > 1 => {
                let bytes = match (text, hex) {
                    (Some(text), None) => text.into_bytes(),
                    (None, Some(hex)) => {
                        from_hex(&hex).ok_or_else(|| format!("line {number} is no hexadecimal"))?
                    }
                    _ => return Err(format!("line {number} is no row")),
                };
                rows.push(Row { seq, v, kind: kind.into(), at, bytes: bytes.into() });
            }
            Line::End { rows: due, digest } => {
                let whole = lines.as_bytes().get(..before).unwrap_or_default();
                if due != rows.len() as u64 || digest != to_hex(&Sha256::digest(whole)) {
                    return Err("it is not what was written".into());
                }
                ended = true;
            }
            _ => return Err(format!("line {number} is not one of session `{key}`")),
        }
        before += line.len();
    }
    if ended { Ok(rows) } else { Err("its end is missing".into()) }
}

/// What a file's head says; the error says what is wrong with it.
pub(super) fn unpack_head(bytes: &Bytes) -> Result<ArchivedSession, String> {
    let mut line = String::new();
    GzDecoder::new(&**bytes).read_to_string(&mut line).map_err(|error| error.to_string())?;
    match serde_json::from_str(&line) {
        Ok(Line::Session { format, .. }) if format > FORMAT => Err(newer(format)),
        Ok(Line::Session { key, user, last, created, updated, .. }) => {
            Ok(ArchivedSession { info: SessionInfo { key, last, created, updated }, user })
        }
        Ok(_) => Err("it does not begin with a session".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn newer(format: u32) -> String {
    format!("a newer version of Mosaic wrote it (format {format}, this one knows {FORMAT})")
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
