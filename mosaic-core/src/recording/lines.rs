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
        if self.is_closed() {
            return;
        }
        match to_line(line) {
            Ok(bytes) => self.write_all(&bytes),
            Err(error) => self.fail(error),
        }
    }

    /// The same for whole lines that were made before. Those of one call stand together.
    pub(crate) fn write_all(&self, lines: &[u8]) {
        let state = &mut *self.lock();
        let Some(writer) = &mut state.writer else { return };
        if let Err(error) = writer.write_all(lines).and_then(|()| writer.flush()) {
            state.fail(error);
        }
    }

    /// What is recorded cannot be written: the recording ends here.
    pub(crate) fn fail(&self, error: io::Error) {
        self.lock().fail(error);
    }

    /// Whether nothing is written any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().writer.is_none()
    }

    /// Takes no more lines, and says what went wrong.
    pub(crate) fn close(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.writer = None;
        state.failed.take().map_or(Ok(()), Err)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fail(&mut self, error: io::Error) {
        if self.writer.take().is_some() {
            tracing::warn!(%error, "a recording cannot be written and ends here");
            self.failed = Some(error);
        }
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}

/// A line as it is written.
pub(crate) fn to_line(line: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// What was read of a file of lines.
pub(crate) struct Numbered<T> {
    /// The lines, and their numbers from 1.
    pub(crate) lines: Vec<(usize, T)>,
    /// The number of a last line that was cut off.
    pub(crate) torn: Option<usize>,
}

/// Reads all lines. A last line that was cut off, because the process died while it wrote, is left out.
pub(crate) fn read_lines<T: DeserializeOwned>(reader: impl BufRead) -> Result<Vec<T>, RecordingError> {
    let read = read_numbered(reader, |_, bytes| serde_json::from_slice(bytes))?;
    Ok(read.lines.into_iter().map(|(_, line)| line).collect())
}

/// The same, with their numbers, and read by a function.
pub(crate) fn read_numbered<T>(
    mut reader: impl BufRead,
    read: impl Fn(usize, &[u8]) -> serde_json::Result<T>,
) -> Result<Numbered<T>, RecordingError> {
    let mut lines = Vec::new();
    // Bytes, not text: a line may be cut off within a letter.
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let len = reader.read_until(b'\n', &mut bytes).map_err(|source| RecordingError::Read { source })?;
        if len == 0 {
            break;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match read(number, &bytes) {
            Ok(line) => lines.push((number, line)),
            Err(source) if source.is_eof() && bytes.last() != Some(&b'\n') => {
                return Ok(Numbered { lines, torn: Some(number) });
            }
            Err(source) => return Err(RecordingError::Line { line: number, source }),
        }
    }
    Ok(Numbered { lines, torn: None })
}
