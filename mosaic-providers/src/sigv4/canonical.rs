//! The canonical form of a request.
//!
//! ```text
//! POST
//! /model/anthropic.claude%253A0/converse     each part of the path, encoded once more
//! a=1&b=2                                    the query, encoded and sorted
//! content-type:application/json              the signed headers: lower case, sorted, blanks joined
//! host:...
//!
//! content-type;host                          their names
//! e3b0c4...                                  SHA-256 of the body
//! ```
//!
//! All services but S3 encode the path twice: what is `%3A` in the address is `%253A` here.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::fmt::Write;

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Where a request goes.
#[derive(Debug)]
pub(super) struct Target {
    /// The value of `host`: lower case, without the scheme's own port.
    pub(super) host: String,
    path: String,
    query: String,
}

impl Target {
    /// Of an absolute URL. `None` for one that has no host, or a user in front of it.
    pub(super) fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let own_port = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return None,
        };
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, rest) = rest.split_at_checked(end)?;
        let host = host.strip_suffix(own_port).unwrap_or(host).to_ascii_lowercase();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        (!host.is_empty() && !host.contains('@')).then(|| Self {
            host,
            path: path.to_owned(),
            query: query.to_owned(),
        })
    }
}

/// A canonical form, and the names of the headers in it.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) text: String,
    pub(super) signed_headers: String,
}

/// The form of a request with those headers; their names are in lower case.
pub(super) fn form(method: &str, target: &Target, headers: Vec<(String, String)>, body: &[Bytes]) -> Form {
    let headers = merged(headers);
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let signed_headers = names.join(";");
    let mut text = format!("{method}\n{}\n{}\n", path(&target.path), query(&target.query));
    for (name, value) in &headers {
        text.push_str(name);
        text.push(':');
        text.push_str(value);
        text.push('\n');
    }
    let mut hash = Sha256::new();
    body.iter().for_each(|piece| hash.update(piece));
    text.push('\n');
    text.push_str(&signed_headers);
    text.push('\n');
    text.push_str(&hex(&hash.finalize()));
    Form { text, signed_headers }
}

/// Sorted by name; the values of one name joined by commas, blanks inside of values by one space.
fn merged(mut headers: Vec<(String, String)>) -> Vec<(String, String)> {
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut out: Vec<(String, String)> = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        match out.last_mut().filter(|(last, _)| *last == name) {
            Some((_, values)) => {
                values.push(',');
                values.push_str(&value);
            }
            None => out.push((name, value)),
        }
    }
    out
}

/// Without `.`, `..` and empty parts, each part encoded.
fn path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let mut out = String::with_capacity(path.len() + 16);
    for part in &parts {
        out.push('/');
        encode(part, &mut out);
    }
    if out.is_empty() || path.ends_with('/') {
        out.push('/');
    }
    out
}

/// Sorted by name, then by value. What is encoded already is not encoded again.
fn query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (once(name), once(value))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        encode(before, &mut out);
        let encoded = after.get(..3).filter(|code| code.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit()));
        match encoded {
            Some(code) => out.push_str(&code.to_ascii_uppercase()),
            None => out.push_str("%25"),
        }
        rest = after.get(encoded.map_or(1, str::len)..).unwrap_or_default();
    }
    encode(rest, &mut out);
    out
}

/// All bytes but letters, digits and `-._~`, as `%XX`.
pub(crate) fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            // Writing into a string cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
}

/// In lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}
