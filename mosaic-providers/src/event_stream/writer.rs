//! Messages, written: for tests, and for servers that stand in for AWS (feature `testing`).

use super::HeaderValue;

/// A message. Names longer than 255 bytes and values longer than 65,535 are cut, as the format has no place for them.
#[must_use]
pub fn write_message(headers: &[(&str, HeaderValue<'_>)], payload: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        block.push(length);
        block.extend(name.bytes().take(usize::from(length)));
        write_value(*value, &mut block);
    }
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    let mut out = Vec::with_capacity(block.len() + payload.len() + 16);
    out.extend(length(block.len() + payload.len() + 16));
    out.extend(length(block.len()));
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out.extend(block);
    out.extend(payload);
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out
}

fn write_value(value: HeaderValue<'_>, out: &mut Vec<u8>) {
    match value {
        HeaderValue::Bool(true) => out.push(0),
        HeaderValue::Bool(false) => out.push(1),
        HeaderValue::Byte(value) => with(2, &value.to_be_bytes(), out),
        HeaderValue::Short(value) => with(3, &value.to_be_bytes(), out),
        HeaderValue::Int(value) => with(4, &value.to_be_bytes(), out),
        HeaderValue::Long(value) => with(5, &value.to_be_bytes(), out),
        HeaderValue::Bytes(value) => counted(6, value, out),
        HeaderValue::Text(value) => counted(7, value.as_bytes(), out),
        HeaderValue::Time(value) => with(8, &value.to_be_bytes(), out),
        HeaderValue::Uuid(value) => with(9, &value, out),
    }
}

fn with(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(bytes);
}

fn counted(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    with(kind, &length.to_be_bytes(), out);
    out.extend(bytes.iter().take(usize::from(length)));
}
