//! The parser: bytes in, borrowed events out.

use memchr::memchr2;
use thiserror::Error;

/// A stream that is no stream of events, or one that would fill the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SseError {
    /// A line, or the data of one event, is longer than the limit.
    #[error("an event of the stream is longer than {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
}

/// One event. Borrowed from the pushed bytes where its data is one line inside them, else from the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SseEvent<'a> {
    /// The value of the last `event` line; empty where there is none (the rules call that event `message`).
    pub name: &'a [u8],
    /// The data lines, joined by LF.
    pub data: &'a [u8],
    /// The last id seen in the stream so far; empty where there is none.
    pub id: &'a [u8],
}

/// Reads server-sent events out of bytes that are cut anywhere.
#[derive(Debug)]
pub struct SseParser {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// The data of the event being read, where it is not one line inside the pushed bytes.
    data: Vec<u8>,
    name: Vec<u8>,
    id: Vec<u8>,
    retry: Option<u64>,
    /// Whether the event being read has a data line. An empty one counts.
    has_data: bool,
    /// Whether the last event was handed out, so that its buffers are to be cleared before the next line.
    dispatched: bool,
    /// Whether the last byte was a CR, so that an LF now belongs to it.
    after_cr: bool,
    /// Whether a BOM may still come: nothing but a part of one was seen.
    at_start: bool,
    limit: usize,
}

impl Default for SseParser {
    fn default() -> Self {
        Self::new()
    }
}

impl SseParser {
    /// The default limit of a line and of an event's data: 32 MiB. Generated images come as one line of base64.
    pub const DEFAULT_LIMIT: usize = 32 * 1024 * 1024;

    /// A parser at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }

    /// A parser that refuses lines, and data of one event, longer than `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            data: Vec::new(),
            name: Vec::new(),
            id: Vec::new(),
            retry: None,
            has_data: false,
            dispatched: false,
            after_cr: false,
            at_start: true,
            limit,
        }
    }

    /// Takes the next bytes. The events in them come out of [`Feed::next`], which must be called until it returns
    /// `None`: what is left in a dropped feed is lost.
    pub fn feed<'p, 'b>(&'p mut self, bytes: &'b [u8]) -> Feed<'p, 'b> {
        Feed { parser: self, rest: bytes, borrowed: None }
    }

    /// How long the server asks to wait before a reconnect, in milliseconds.
    #[must_use]
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    /// What is left at the end of the stream: an event whose empty line never came, its last line perhaps cut. By the
    /// rules it is to be discarded.
    ///
    /// # Errors
    /// When it is too long.
    pub fn finish(&mut self) -> Result<Option<SseEvent<'_>>, SseError> {
        self.clear_dispatched();
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.whole_line(strip_bom(&line, self.at_start))?;
        }
        if !self.has_data {
            return Ok(None);
        }
        self.has_data = false;
        self.dispatched = true;
        Ok(Some(SseEvent { name: &self.name, data: &self.data, id: &self.id }))
    }

    fn clear_dispatched(&mut self) {
        if self.dispatched {
            self.dispatched = false;
            self.data.clear();
            self.name.clear();
        }
    }

    fn check(&self, length: usize) -> Result<(), SseError> {
        if length > self.limit { Err(SseError::TooLong { limit: self.limit }) } else { Ok(()) }
    }

    /// Takes a line that is not empty, keeping its data in the parser.
    fn whole_line(&mut self, line: &[u8]) -> Result<(), SseError> {
        if let Field::Data(value) = self.field(line) {
            self.append(value)?;
        }
        Ok(())
    }

    fn append(&mut self, value: &[u8]) -> Result<(), SseError> {
        if self.has_data {
            self.data.push(b'\n');
        }
        self.check(self.data.len().saturating_add(value.len()))?;
        self.data.extend_from_slice(value);
        self.has_data = true;
        Ok(())
    }

    /// Reads a line; all but data is kept here at once.
    fn field<'l>(&mut self, line: &'l [u8]) -> Field<'l> {
        // `data:` first: nearly every line of a provider's stream is one.
        if let Some(value) = line.strip_prefix(b"data:") {
            return Field::Data(value.strip_prefix(b" ").unwrap_or(value));
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = match colon.and_then(|at| line.split_at_checked(at)) {
            Some((name, value)) => {
                let value = value.strip_prefix(b":").unwrap_or(value);
                (name, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        match name {
            b"data" => return Field::Data(value),
            b"event" => replace(&mut self.name, value),
            b"id" if !value.contains(&0) => replace(&mut self.id, value),
            b"retry" => {
                let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
                let parsed = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                self.retry = if digits { parsed.or(self.retry) } else { self.retry };
            }
            // A comment has an empty name; unknown fields are ignored by the rules.
            _ => {}
        }
        Field::Other
    }
}

enum Field<'l> {
    Data(&'l [u8]),
    Other,
}

fn replace(buffer: &mut Vec<u8>, value: &[u8]) {
    buffer.clear();
    buffer.extend_from_slice(value);
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

fn strip_bom(line: &[u8], at_start: bool) -> &[u8] {
    if at_start { line.strip_prefix(BOM).unwrap_or(line) } else { line }
}

/// The events in the bytes of one [`SseParser::feed`].
#[derive(Debug)]
pub struct Feed<'p, 'b> {
    parser: &'p mut SseParser,
    rest: &'b [u8],
    /// The one data line of the event being read, while it lies inside the pushed bytes.
    borrowed: Option<&'b [u8]>,
}

impl<'b> Feed<'_, 'b> {
    /// The next event, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// When a line or an event is too long. Nothing more comes then.
    #[allow(clippy::should_implement_trait)] // lends from itself, which `Iterator` cannot
    pub fn next(&mut self) -> Result<Option<SseEvent<'_>>, SseError> {
        self.parser.clear_dispatched();
        while let Some(end) = self.next_end() {
            self.parser.check(self.parser.line.len().saturating_add(end.len()))?;
            if self.line(end)? {
                self.parser.has_data = false;
                self.parser.dispatched = true;
                let parser = &*self.parser;
                let data = self.borrowed.take().unwrap_or(&parser.data);
                return Ok(Some(SseEvent { name: &parser.name, data, id: &parser.id }));
            }
        }
        self.keep_rest()?;
        Ok(None)
    }

    /// The bytes up to the next line end, which is eaten. `None` when there is no line end in what is left.
    fn next_end(&mut self) -> Option<&'b [u8]> {
        if self.parser.after_cr && !self.rest.is_empty() {
            self.parser.after_cr = false;
            self.rest = self.rest.strip_prefix(b"\n").unwrap_or(self.rest);
        }
        let (line, rest) = self.rest.split_at_checked(memchr2(b'\n', b'\r', self.rest)?)?;
        // A CR may be half of a CRLF whose LF comes with the next bytes.
        self.parser.after_cr = rest.first() == Some(&b'\r');
        self.rest = rest.get(1..).unwrap_or_default();
        Some(line)
    }

    /// Takes the end of a line; `true` when it dispatches an event.
    fn line(&mut self, end: &'b [u8]) -> Result<bool, SseError> {
        let at_start = std::mem::take(&mut self.parser.at_start);
        if self.parser.line.is_empty() {
            return self.whole_line(strip_bom(end, at_start));
        }
        let mut held = std::mem::take(&mut self.parser.line);
        held.extend_from_slice(end);
        let line = strip_bom(&held, at_start);
        let dispatch = if line.is_empty() {
            self.end_of_event()
        } else {
            self.own_borrowed()?;
            self.parser.whole_line(line)?;
            false
        };
        held.clear();
        self.parser.line = held;
        Ok(dispatch)
    }

    fn whole_line(&mut self, line: &'b [u8]) -> Result<bool, SseError> {
        if line.is_empty() {
            return Ok(self.end_of_event());
        }
        if let Field::Data(value) = self.parser.field(line) {
            if self.parser.has_data {
                self.own_borrowed()?;
                self.parser.append(value)?;
            } else {
                self.parser.has_data = true;
                self.borrowed = Some(value);
            }
        }
        Ok(false)
    }

    /// An empty line: dispatches if there is a data line, else forgets the name.
    fn end_of_event(&mut self) -> bool {
        if !self.parser.has_data {
            self.parser.name.clear();
        }
        self.parser.has_data
    }

    /// Copies a borrowed data line into the parser, because more belongs to it or the bytes are at their end.
    fn own_borrowed(&mut self) -> Result<(), SseError> {
        let Some(value) = self.borrowed.take() else { return Ok(()) };
        self.parser.has_data = false;
        self.parser.append(value)
    }

    fn keep_rest(&mut self) -> Result<(), SseError> {
        self.own_borrowed()?;
        let rest = std::mem::take(&mut self.rest);
        self.parser.check(self.parser.line.len().saturating_add(rest.len()))?;
        self.parser.line.extend_from_slice(rest);
        Ok(())
    }
}
