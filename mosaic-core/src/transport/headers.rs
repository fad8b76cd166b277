//! Header lines, with secrets that do not show.

use std::borrow::Cow;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// One header line.
#[derive(Clone)]
pub struct Header {
    /// The name.
    pub name: Cow<'static, str>,
    value: Value,
}

#[derive(Clone)]
enum Value {
    Plain(Cow<'static, str>),
    Secret(SecretString),
}

impl Header {
    /// The value, secret or not. For transports only.
    #[must_use]
    pub fn expose(&self) -> &str {
        match &self.value {
            Value::Plain(value) => value,
            Value::Secret(value) => value.expose_secret(),
        }
    }

    /// Whether the value is secret.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self.value, Value::Secret(_))
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.is_secret() { "[secret]" } else { self.expose() };
        write!(f, "{}: {value}", self.name)
    }
}

/// Header lines in order. Names are compared without regard to case.
///
/// ```
/// use mosaic_core::Headers;
/// let mut headers = Headers::default();
/// headers.push("accept", "text/event-stream");
/// headers.push_secret("authorization", "Bearer abc");
/// assert_eq!(headers.get("Accept"), Some("text/event-stream"));
/// assert!(!format!("{headers:?}").contains("abc"));
/// ```
#[derive(Clone, Default)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// Adds a line.
    pub fn push(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) {
        self.0.push(Header { name: name.into(), value: Value::Plain(value.into()) });
    }

    /// Adds a line whose value must not show anywhere.
    pub fn push_secret(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<SecretString>) {
        self.0.push(Header { name: name.into(), value: Value::Secret(value.into()) });
    }

    /// Puts a line in place of all lines of its name.
    pub fn set(&mut self, header: Header) {
        self.0.retain(|other| !other.name.eq_ignore_ascii_case(&header.name));
        self.0.push(header);
    }

    /// The first value of that name that is not secret.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name) && !header.is_secret())
            .map(Header::expose)
    }

    /// All lines.
    pub fn iter(&self) -> impl Iterator<Item = &Header> {
        self.0.iter()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}
