//! A file of JSON lines.

use std::fmt;
use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::RecordingError;

/// Where lines go. Cheap to clone; clones write to the same place.
///
/// Recording must not make fail what it records: the first error is kept for [`close`](Lines::close), and nothing is
/// written after it.
#[derive(Clone)]
pub(crate) struct Lines(Arc<Mutex<State>>);

struct State {
    writer: Option<Box<dyn Write + Send>>,
    failed: Option<io::Error>,
}

impl Lines {
    pub(crate) fn new(writer: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(State { writer: Some(Box::new(writer)), failed: None })))
    }

    /// Writes a line and hands it on to the system, so that a process that dies loses none that was written.
    pub(crate) fn write(&self, line: &impl Serialize) {
        let state = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = &mut state.writer else { return };
        let written = serde_json::to_vec(line).map_err(io::Error::other).and_then(|mut bytes| {
            bytes.push(b'\n');
            writer.write_all(&bytes)?;
            writer.flush()
        });
        if let Err(error) = written {
            tracing::warn!(%error, "a recording cannot be written and ends here");
            state.failed = Some(error);
            state.writer = None;
        }
    }

    /// Takes no more lines, and says what went wrong.
    pub(crate) fn close(&self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.writer = None;
        state.failed.take().map_or(Ok(()), Err)
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}

/// Reads all lines. A last line that was cut off, because the process died while it wrote, is left out.
pub(crate) fn read_lines<T: DeserializeOwned>(reader: impl BufRead) -> Result<Vec<T>, RecordingError> {
    let mut read = Vec::new();
    let mut damaged = None;
    for (index, text) in reader.lines().enumerate() {
        let text = text.map_err(|source| RecordingError::Read { source })?;
        if let Some(error) = damaged.take() {
            return Err(error);
        }
        if text.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(&text) {
            Ok(line) => read.push(line),
            Err(source) => {
                let cut = source.is_eof();
                let error = RecordingError::Line { line: index.saturating_add(1), source };
                if !cut {
                    return Err(error);
                }
                damaged = Some(error);
            }
        }
    }
    Ok(read)
}
