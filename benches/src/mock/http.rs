//! As much of HTTP/1.1 as clients of models use: keep-alive, bodies with a length or in chunks.

use std::io;
use std::sync::atomic::Ordering::Relaxed;

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Counters;
use super::answer::{self, Asked, Streamed};
use super::model::{Mode, ModelName};
use crate::api::{Api, Script};

/// Answers requests until the client goes away.
pub(super) async fn serve_connection(mut stream: TcpStream, counters: &Counters) -> io::Result<()> {
    counters.connections.fetch_add(1, Relaxed);
    let mut input = Vec::with_capacity(16 * 1024);
    while let Some(request) = read_request(&mut stream, &mut input).await? {
        if request.path == "/stats" {
            // Not a client of the model: its connection is not counted.
            counters.connections.fetch_sub(1, Relaxed);
            return respond(&mut stream, "200 OK", &counters.json()).await;
        }
        counters.requests.fetch_add(1, Relaxed);
        counters.received.fetch_add(request.body.len() as u64, Relaxed);
        answer(&mut stream, &request).await?;
    }
    Ok(())
}

async fn answer(stream: &mut TcpStream, request: &Request) -> io::Result<()> {
    let (path, body) = (request.path.as_str(), request.body.as_slice());
    let named = text_member(body, "\"model\"", End::First).map(str::to_owned);
    let name = named.or_else(|| named_in(path)).unwrap_or_default();
    let asked = Asked {
        model: &name,
        streamed: member(body, "\"stream\"", End::First).is_some_and(|rest| rest.starts_with(b"true")),
        wants_usage: memmem::find(body, b"\"include_usage\"").is_some(),
        last_role: text_member(body, "\"role\"", End::Last).unwrap_or_default(),
    };
    let model: ModelName = match asked.model.parse() {
        Ok(model) => model,
        Err(unknown) => {
            let body =
                serde_json::json!({"error": {"message": format!("{unknown}"), "code": "model_not_found"}});
            return respond(stream, "404 Not Found", &body.to_string()).await;
        }
    };
    if !model.think.is_zero() {
        tokio::time::sleep(model.think).await;
    }
    let api = Api::of_path(path).unwrap_or(Api::first());
    let other = (api.name != Api::first().name).then_some(api);
    if other.is_none() && !asked.streamed {
        return respond(stream, "200 OK", &answer::whole(model.mode, asked)).await;
    }
    let streamed = match (other, model.mode) {
        (Some(api), Mode::Stream(count)) => (api.script)(asked.model, count),
        (Some(_), Mode::Tool) => {
            let body = r#"{"error":{"message":"the mock calls tools over Chat Completions only"}}"#;
            return respond(stream, "400 Bad Request", body).await;
        }
        (None, mode) => {
            let Streamed { first, repeated, last } = answer::streamed(mode, asked);
            Script::of_texts(first, repeated, last)
        }
    };
    let mut output = Vec::with_capacity(4096);
    let content_type = api.content_type;
    output.extend_from_slice(
        format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n")
            .as_bytes(),
    );
    streamed.first.iter().for_each(|event| chunk(event, &mut output));
    let (event, count) = &streamed.repeated;
    if model.mode == Mode::Tool {
        // A short answer goes out in one write, so that what a turn costs does not depend on the moment.
        (0..*count).for_each(|_| chunk(event, &mut output));
    } else {
        stream.write_all(&output).await?;
        output.clear();
        let mut piece = Vec::new();
        (0..model.join).for_each(|_| chunk(event, &mut piece));
        for _ in 0..count / model.join {
            stream.write_all(&piece).await?;
        }
        (0..count % model.join).for_each(|_| chunk(event, &mut output));
    }
    streamed.last.iter().for_each(|event| chunk(event, &mut output));
    output.extend_from_slice(b"0\r\n\r\n");
    stream.write_all(&output).await
}

fn chunk(event: &[u8], output: &mut Vec<u8>) {
    output.extend_from_slice(format!("{:x}\r\n", event.len()).as_bytes());
    output.extend_from_slice(event);
    output.extend_from_slice(b"\r\n");
}

async fn respond(stream: &mut TcpStream, status: &str, body: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).await
}

struct Request {
    path: String,
    body: Vec<u8>,
}

/// The next request; `None` when the client closed the connection. What was read beyond it stays in `input`.
async fn read_request(stream: &mut TcpStream, input: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(end) = memmem::find(input, b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(input).await? == 0 {
            return Ok(None);
        }
    };
    let head: Vec<u8> = input.drain(..end).collect();
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let body = if header("transfer-encoding:") == Some("chunked") {
        let mut body = Vec::new();
        loop {
            let size = read_line(stream, input).await?;
            let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            body.extend(read_exactly(stream, input, size).await?);
            read_line(stream, input).await?;
            if size == 0 {
                break body;
            }
        }
    } else {
        let length = header("content-length:").map_or(Ok(0), str::parse).map_err(io::Error::other)?;
        read_exactly(stream, input, length).await?
    };
    Ok(Some(Request { path, body }))
}

async fn read_line(stream: &mut TcpStream, input: &mut Vec<u8>) -> io::Result<String> {
    loop {
        if let Some(end) = memchr::memchr(b'\n', input) {
            return Ok(String::from_utf8_lossy(&input.drain(..=end).collect::<Vec<u8>>()).into_owned());
        }
        if stream.read_buf(input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn read_exactly(stream: &mut TcpStream, input: &mut Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
    input.reserve(length.saturating_sub(input.len()));
    while input.len() < length {
        if stream.read_buf(input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let rest = input.split_off(length);
    Ok(std::mem::replace(input, rest))
}

/// The model in a path, where an API puts it there: `/models/stream:4:streamGenerate`, escaped or not.
fn named_in(path: &str) -> Option<String> {
    let path = path.replace("%3a", ":").replace("%2b", "+");
    let segment = path.split('/').find(|segment| segment.starts_with("stream:"))?;
    // The method follows a colon, too; numbers and the words of the mock do not begin with those letters.
    let end = segment.match_indices(':').find_map(|(at, _)| {
        let after = segment.get(at + 1..)?;
        (!after.starts_with(|c: char| c.is_ascii_digit())).then_some(at)
    });
    segment.get(..end.unwrap_or(segment.len())).map(str::to_owned)
}

/// Which of several members of one name.
#[derive(Clone, Copy)]
enum End {
    First,
    Last,
}

/// What follows `"name":` in a JSON text, without reading the text: parsing half a megabyte for a word would make the mock
/// the slow one. A quote inside a string is escaped, so that a name with its quotes is never part of one.
fn member<'a>(body: &'a [u8], name: &str, end: End) -> Option<&'a [u8]> {
    let value = |at: usize| {
        let rest = body.get(at + name.len()..)?.trim_ascii_start();
        rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start)
    };
    match end {
        End::First => memmem::find_iter(body, name).find_map(value),
        End::Last => {
            memmem::rfind_iter(body, name).find_map(|at| value(at).filter(|rest| rest.starts_with(b"\"")))
        }
    }
}

fn text_member<'a>(body: &'a [u8], name: &str, end: End) -> Option<&'a str> {
    let rest = member(body, name, end)?.strip_prefix(b"\"")?;
    std::str::from_utf8(rest.get(..memchr::memchr(b'"', rest)?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_may_be_named_in_the_path() {
        for path in [
            "/v1/models/stream:4+join:4:streamgeneratecontent",
            "/model/stream%3a4%2bjoin%3a4/converse-stream",
        ] {
            assert_eq!(named_in(path).as_deref(), Some("stream:4+join:4"));
        }
        assert_eq!(named_in("/v1/messages"), None);
    }

    #[test]
    fn members_are_found_without_parsing_and_not_inside_strings() {
        let body = br#"{"messages":[{"role":"user","content":"say \"role\":\"tool\""},{"role": "tool"}],
            "tools":[{"properties":{"role":{"type":"string"}}}], "stream" : true,"model":"stream:3"}"#;
        assert_eq!(text_member(body, "\"role\"", End::First), Some("user"));
        assert_eq!(text_member(body, "\"role\"", End::Last), Some("tool"));
        assert_eq!(text_member(body, "\"model\"", End::First), Some("stream:3"));
        assert!(member(body, "\"stream\"", End::First).unwrap().starts_with(b"true"));
    }
}
