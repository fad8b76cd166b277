//! Where runs are recorded.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};

use super::line::{FORMAT, Header, KIND};
use super::pen::Pen;
use crate::id::SessionKey;
use crate::recording::Lines;
use crate::transport::record::Secrets;

/// Records runs into a file. Cheap to clone; clones write to the same place.
///
/// An engine that was given one (`record_runs`) writes a line for everything that its sessions' drivers see, on the task
/// that drives the session; the pieces of an answer are written in batches, as they came. Errors of the writer harm no run:
/// the recording ends, and [`close`](RunRecorder::close) says why. A writer that may block for long (a pipe, a network
/// drive) blocks the runs: give it a buffer or a thread of its own.
///
/// What hosts, models and tools say is written as it is. Name what must not stand in the file with
/// [`secret`](RunRecorder::secret).
#[derive(Clone)]
pub struct RunRecorder {
    pub(super) lines: Lines,
    secrets: Arc<RwLock<Secrets>>,
    sessions: Arc<AtomicU64>,
}

impl RunRecorder {
    /// Writes to any writer, a file or a buffer.
    pub fn new(to: impl Write + Send + 'static) -> Self {
        let lines = Lines::new(to);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        lines.write(&Header { recording: KIND.to_owned(), v: FORMAT, version });
        Self { lines, secrets: Arc::default(), sessions: Arc::default() }
    }

    /// Writes to a new file; one that is there is overwritten.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::new(File::create(path)?))
    }

    /// Leaves out this value, wherever it stands, also where it comes in pieces: `[secret]` is written in its place. It must
    /// have 8 characters or more. Name it before the first run that it may stand in, and to the
    /// [replay](super::RunReplay::secret) as well.
    #[must_use]
    pub fn secret(self, secret: impl Into<SecretString>) -> Self {
        let secret = secret.into();
        self.secrets.write().unwrap_or_else(PoisonError::into_inner).learn(secret.expose_secret());
        self
    }

    /// Writes nothing more.
    ///
    /// # Errors
    /// What went wrong with the writer since the beginning: the recording ends there.
    pub fn close(&self) -> io::Result<()> {
        self.lines.close()
    }

    pub(super) fn secrets(&self) -> std::sync::RwLockReadGuard<'_, Secrets> {
        self.secrets.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RunRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunRecorder").field("closed", &self.lines.is_closed()).finish_non_exhaustive()
    }
}

/// Whether, and where, an engine records.
#[derive(Debug, Default)]
pub(crate) struct Recording(Mutex<Option<Attached>>);

/// A recorder, and what of each session of the engine is in its file.
#[derive(Debug)]
struct Attached {
    recorder: RunRecorder,
    pens: HashMap<SessionKey, Arc<Pen>>,
}

impl Recording {
    pub(crate) fn set(&self, recorder: Option<RunRecorder>) {
        *self.lock() = recorder.map(|recorder| Attached { recorder, pens: HashMap::new() });
    }

    /// What writes down the runs of a session; nothing, when nothing is recorded.
    pub(crate) fn pen(&self, key: &SessionKey) -> Option<Arc<Pen>> {
        let mut attached = self.lock();
        let Attached { recorder, pens } = attached.as_mut()?;
        if recorder.lines.is_closed() {
            *attached = None;
            return None;
        }
        if let Some(pen) = pens.get(key) {
            return Some(Arc::clone(pen));
        }
        let session = recorder.sessions.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let pen = Arc::new(Pen::new(recorder.clone(), session, key.clone()));
        pens.insert(key.clone(), Arc::clone(&pen));
        Some(pen)
    }

    /// A session is erased: what may come under its key is another one.
    pub(crate) fn forget(&self, key: &SessionKey) {
        if let Some(attached) = self.lock().as_mut() {
            attached.pens.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Attached>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
