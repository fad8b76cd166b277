//! The typed headers of a message.

/// The value of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderValue<'a> {
    /// Types 0 and 1.
    Bool(bool),
    /// Type 2.
    Byte(i8),
    /// Type 3.
    Short(i16),
    /// Type 4.
    Int(i32),
    /// Type 5.
    Long(i64),
    /// Type 6.
    Bytes(&'a [u8]),
    /// Type 7.
    Text(&'a str),
    /// Type 8: milliseconds since 1970.
    Time(i64),
    /// Type 9.
    Uuid([u8; 16]),
}

/// The headers of a message, in order. They were checked when the message was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageHeaders<'a>(&'a [u8]);

impl<'a> MessageHeaders<'a> {
    /// The headers, or how many of the bytes are good.
    pub(super) fn checked(bytes: &'a [u8]) -> Result<Self, usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let good = bytes.len() - rest.len();
            rest = split(rest).ok_or(good)?.2;
        }
        Ok(Self(bytes))
    }

    /// The first value of that name, if it is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let mut headers = *self;
        headers.find_map(|(found, value)| match value {
            HeaderValue::Text(text) if found == name => Some(text),
            _ => None,
        })
    }
}

impl<'a> Iterator for MessageHeaders<'a> {
    type Item = (&'a str, HeaderValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value, rest) = split(self.0)?;
        self.0 = rest;
        Some((name, value))
    }
}

/// The first header, and what follows it.
fn split(bytes: &[u8]) -> Option<(&str, HeaderValue<'_>, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    let (kind, rest) = rest.split_first()?;
    let (value, rest) = match *kind {
        0 => (HeaderValue::Bool(true), rest),
        1 => (HeaderValue::Bool(false), rest),
        2 => fixed(rest, |bytes| HeaderValue::Byte(i8::from_be_bytes(bytes)))?,
        3 => fixed(rest, |bytes| HeaderValue::Short(i16::from_be_bytes(bytes)))?,
        4 => fixed(rest, |bytes| HeaderValue::Int(i32::from_be_bytes(bytes)))?,
        5 => fixed(rest, |bytes| HeaderValue::Long(i64::from_be_bytes(bytes)))?,
        6 => counted(rest).map(|(bytes, rest)| (HeaderValue::Bytes(bytes), rest))?,
        7 => {
            let (bytes, rest) = counted(rest)?;
            (HeaderValue::Text(std::str::from_utf8(bytes).ok()?), rest)
        }
        8 => fixed(rest, |bytes| HeaderValue::Time(i64::from_be_bytes(bytes)))?,
        9 => fixed(rest, HeaderValue::Uuid)?,
        _ => return None,
    };
    Some((name, value, rest))
}

fn fixed<'a, const N: usize>(
    bytes: &'a [u8],
    value: impl FnOnce([u8; N]) -> HeaderValue<'a>,
) -> Option<(HeaderValue<'a>, &'a [u8])> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    Some((value(*head), rest))
}

fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
