//! Where the database lies and how it is kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mosaic_core::StoreError;

/// What survives what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Durability {
    /// What was acknowledged survives the death of the process and a power cut.
    #[default]
    Full,
    /// What was acknowledged survives the death of the process. A power cut may take the newest rows; never others, and
    /// never a part of an append.
    Process,
}

/// Where the database lies and how it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// The file. Made when it does not exist; its folder is not.
    pub path: PathBuf,
    /// What survives what.
    pub durability: Durability,
    /// How long to wait for another program that has locked the database. 5 seconds.
    pub busy_timeout: Duration,
    /// At most so many bytes may the file grow to; beyond, appends fail with [`StoreError::Full`]. No limit.
    pub max_bytes: Option<u64>,
    /// About so many bytes of RAM may the index of memories take: what was not searched for long is let go of, and loaded
    /// again when it is. What is being searched is never let go of. 256 MB.
    pub memory_index_bytes: usize,
    /// From so many vectors of a model on, for one user of a tenant (or for what the tenant has of its own), searches go through a
    /// graph (HNSW), which misses some percent of the best (6 in a measurement); `None`: never, and nothing is missed. Below, and until a thread in the
    /// background has made the graph, all vectors are looked at. The graph lies in RAM, 130 bytes a vector, and is made anew when the
    /// index is loaded. A million.
    pub memory_graph_from: Option<usize>,
}

impl SqliteOptions {
    /// A file, kept with [`Durability::Full`].
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            durability: Durability::Full,
            busy_timeout: Duration::from_secs(5),
            max_bytes: None,
            memory_index_bytes: 256 << 20,
            memory_graph_from: Some(1_000_000),
        }
    }

    /// Sets what survives what.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets how long to wait for another program that has locked the database.
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Limits the size of the file.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Limits the RAM that the index of memories takes.
    #[must_use]
    pub fn memory_index_bytes(mut self, bytes: usize) -> Self {
        self.memory_index_bytes = bytes;
        self
    }

    /// Sets from how many vectors on searches go through a graph.
    #[must_use]
    pub fn memory_graph_from(mut self, vectors: impl Into<Option<usize>>) -> Self {
        self.memory_graph_from = vectors.into();
        self
    }

    /// Reads an address: `sqlite:app.db` or `sqlite://app.db` (from the working folder), `sqlite:///var/lib/app.db`.
    /// `%20` and the like are read as the characters they stand for.
    ///
    /// | option | values |
    /// | --- | --- |
    /// | `durability` | `full`, `process` |
    /// | `busy_timeout_ms` | milliseconds |
    /// | `max_bytes` | bytes |
    ///
    /// ```
    /// use mosaic_storage::sqlite::{Durability, SqliteOptions};
    ///
    /// let options = SqliteOptions::from_url("sqlite://data/app.db?durability=process")?;
    /// assert_eq!(options.path, std::path::Path::new("data/app.db"));
    /// assert_eq!(options.durability, Durability::Process);
    /// # Ok::<(), mosaic_core::StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError::Address`].
    pub fn from_url(url: &str) -> Result<Self, StoreError> {
        let bad = |reason: String| StoreError::Address { url: url.into(), reason };
        let rest =
            url.strip_prefix("sqlite:").ok_or_else(|| bad("it does not begin with `sqlite:`".into()))?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = decode(path)
            .ok_or_else(|| bad("a `%` in it is not followed by two hexadecimal digits".into()))?;
        match path.as_str() {
            "" => return Err(bad("it names no file; write `sqlite://app.db`".into())),
            ":memory:" => return Err(bad("a store that keeps nothing is `memory:`".into())),
            _ => {}
        }
        let mut options = Self::new(path);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            options.set(name, value).map_err(bad)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number =
            || value.parse::<u64>().map_err(|_| format!("`{name}` is a whole number, not `{value}`"));
        match (name, value) {
            ("durability", "full") => self.durability = Durability::Full,
            ("durability", "process") => self.durability = Durability::Process,
            ("durability", _) => return Err(format!("`durability` is `full` or `process`, not `{value}`")),
            ("busy_timeout_ms", _) => self.busy_timeout = Duration::from_millis(number()?),
            ("max_bytes", _) => self.max_bytes = Some(number()?),
            _ => {
                return Err(format!(
                    "there is no option `{name}`; there are `durability`, `busy_timeout_ms` and `max_bytes`"
                ));
            }
        }
        Ok(())
    }

    /// The store's name for itself in errors.
    pub(super) fn name(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    /// Whether the path can be that of a database.
    pub(super) fn check_path(&self) -> Result<(), StoreError> {
        let bad = |reason: String| StoreError::Address { url: self.name(), reason };
        if self.path.is_dir() {
            return Err(bad("it is a folder; name a file in it".into()));
        }
        match self.path.parent() {
            Some(folder) if folder != Path::new("") && !folder.is_dir() => {
                Err(bad(format!("there is no folder `{}`; make it first", folder.display())))
            }
            _ => Ok(()),
        }
    }
}

/// `%20` to a space, and so on. `None` where it is no such thing, or not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let (high, low) = (hex(rest.next()?)?, hex(rest.next()?)?);
            high << 4 | low
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests;
