//! A session's rows as a file, and back: gzip of JSON lines, with a line at the end that says what must have come before.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use mosaic_core::{Row, Seq, SessionKey, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The version of the format that this version writes, and the newest that it reads.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Line {
    /// The first.
    Session { format: u32, key: SessionKey },
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

/// The file of a session.
pub(super) fn pack(key: &SessionKey, rows: &[Row]) -> std::io::Result<Bytes> {
    let mut lines = Vec::new();
    write(&mut lines, &Line::Session { format: FORMAT, key: key.clone() })?;
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
    // No name and no time, so that the same rows give the same bytes.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&lines)?;
    Ok(encoder.finish()?.into())
}

fn write(lines: &mut Vec<u8>, line: &Line) -> std::io::Result<()> {
    serde_json::to_writer(&mut *lines, line)?;
    lines.push(b'\n');
    Ok(())
}

/// The rows of a session's file; the error says what is wrong with it.
pub(super) fn unpack(key: &SessionKey, bytes: &Bytes) -> Result<Vec<Row>, String> {
    let mut lines = String::new();
    GzDecoder::new(&**bytes).read_to_string(&mut lines).map_err(|error| error.to_string())?;
    let (mut rows, mut before, mut ended) = (Vec::new(), 0, false);
    for (number, line) in (1..).zip(lines.split_inclusive('\n')) {
        let parsed = serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
        match parsed {
            _ if ended => return Err(format!("line {number} follows the end")),
            Line::Session { format, .. } if format > FORMAT => {
                return Err(format!(
                    "a newer version of Mosaic wrote it (format {format}, this one knows {FORMAT})"
                ));
            }
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

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
