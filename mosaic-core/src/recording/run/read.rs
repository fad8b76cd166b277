//! A recording, read.

use std::io::BufRead;

use super::line::{FORMAT, Header, KIND, Read};
use crate::recording::RecordingError;
use crate::recording::lines::read_numbered;

/// All lines of a recording, with their numbers.
#[derive(Debug)]
pub(super) struct File {
    pub(super) version: String,
    pub(super) lines: Vec<(usize, Read)>,
    pub(super) torn: Option<usize>,
}

impl File {
    pub(super) fn read(mut reader: impl BufRead) -> Result<Self, RecordingError> {
        let mut first = Vec::new();
        reader.read_until(b'\n', &mut first).map_err(|source| RecordingError::Read { source })?;
        let header = header(&first)?;
        let read = read_numbered(reader, |_, bytes| serde_json::from_slice(bytes));
        let read = read.map_err(|error| match error {
            RecordingError::Line { line, source } => {
                RecordingError::Line { line: line.saturating_add(1), source }
            }
            other => other,
        })?;
        let lines = read.lines.into_iter().map(|(number, line)| (number.saturating_add(1), line)).collect();
        Ok(Self { version: header.version, lines, torn: read.torn.map(|number| number.saturating_add(1)) })
    }
}

fn header(bytes: &[u8]) -> Result<Header, RecordingError> {
    let other = |reason: String| RecordingError::Other { wanted: "recording of runs", reason };
    if bytes.is_empty() {
        return Err(other("it is empty".into()));
    }
    let header: Header = serde_json::from_slice(bytes)
        .map_err(|error| other(format!("its first line is no header: {error}")))?;
    if header.recording != KIND {
        return Err(other(format!("its first line calls it `{}`, not `{KIND}`", header.recording)));
    }
    if header.v > FORMAT {
        return Err(RecordingError::Newer { found: header.v, known: FORMAT });
    }
    Ok(header)
}
