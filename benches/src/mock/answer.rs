//! What the model says, as bytes of the wire.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::model::Mode;

/// The request, as far as an answer depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) model: &'a str,
    pub(super) streamed: bool,
    pub(super) wants_usage: bool,
    pub(super) last_role: &'a str,
}

/// Eight bytes, as in all chunks.
pub const WORD: &str = "mosaics ";

/// The answer after a tool's result, in chunks.
const AFTER_TOOL: usize = 4;

/// Providers never use a call's id twice.
static CALLS: AtomicU64 = AtomicU64::new(1);

/// A streamed answer: some events, one event repeated, some events.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Streamed {
    pub(super) first: Vec<String>,
    pub(super) repeated: (String, usize),
    pub(super) last: Vec<String>,
}

/// The answer as events. An event is `data: ...` with its empty line.
pub(super) fn streamed(mode: Mode, asked: Asked<'_>) -> Streamed {
    let event = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"{}\",\
             \"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n",
            asked.model
        )
    };
    let text = event(&format!("{{\"content\":\"{WORD}\"}}"), "null");
    let role = event(r#"{"role":"assistant","content":""}"#, "null");
    let (first, repeated, finish) = match (mode, asked.last_role) {
        (Mode::Tool, "user") => {
            let head = format!(
                r#"{{"role":"assistant","content":null,"tool_calls":[{{"index":0,"id":"call_m{}","type":"function","function":{{"name":"weather","arguments":""}}}}]}}"#,
                CALLS.fetch_add(1, Relaxed)
            );
            let piece = |arguments: &str| {
                event(
                    &format!(r#"{{"tool_calls":[{{"index":0,"function":{{"arguments":"{arguments}"}}}}]}}"#),
                    "null",
                )
            };
            let call = vec![event(&head, "null"), piece(r#"{\"city\":"#), piece(r#"\"Oslo\"}"#)];
            (call, (text, 0), "\"tool_calls\"")
        }
        (Mode::Tool, _) => (vec![role], (text, AFTER_TOOL), "\"stop\""),
        (Mode::Stream(count), _) => (vec![role], (text, count), "\"stop\""),
    };
    let mut last = vec![event("{}", finish)];
    if asked.wants_usage {
        last.push(format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"{}\",\
             \"choices\":[],\"usage\":{}}}\n\n",
            asked.model,
            usage(repeated.1)
        ));
    }
    last.push("data: [DONE]\n\n".to_owned());
    Streamed { first, repeated, last }
}

/// The answer as one body.
pub(super) fn whole(mode: Mode, asked: Asked<'_>) -> String {
    let words = match mode {
        Mode::Tool => AFTER_TOOL,
        Mode::Stream(count) => count,
    };
    let (message, finish) = if mode == Mode::Tool && asked.last_role == "user" {
        let call = format!(
            r#"{{"id":"call_m{}","type":"function","function":{{"name":"weather","arguments":"{{\"city\":\"Oslo\"}}"}}}}"#,
            CALLS.fetch_add(1, Relaxed)
        );
        (format!(r#"{{"role":"assistant","content":null,"tool_calls":[{call}]}}"#), "tool_calls")
    } else {
        (format!(r#"{{"role":"assistant","content":"{}"}}"#, WORD.repeat(words)), "stop")
    };
    let mut body = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        body,
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"{}","choices":[{{"index":0,"message":{message},"finish_reason":"{finish}"}}],"usage":{}}}"#,
        asked.model,
        usage(words)
    );
    body
}

fn usage(words: usize) -> String {
    format!(r#"{{"prompt_tokens":100,"completion_tokens":{words},"total_tokens":{}}}"#, words + 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(last_role: &str) -> Asked<'_> {
        Asked { model: "tool", streamed: true, wants_usage: true, last_role }
    }

    #[test]
    fn every_event_is_json_and_the_stream_ends_with_done() {
        for role in ["user", "tool"] {
            let answer = streamed(Mode::Tool, asked(role));
            let mut events = answer.first;
            events.push(answer.repeated.0);
            events.extend(answer.last);
            assert_eq!(events.pop().as_deref(), Some("data: [DONE]\n\n"));
            for event in events {
                let json = event.strip_prefix("data: ").and_then(|event| event.strip_suffix("\n\n")).unwrap();
                serde_json::from_str::<serde_json::Value>(json).unwrap();
            }
        }
    }

    #[test]
    fn a_call_answers_a_user_and_a_text_answers_a_tool() {
        let call: serde_json::Value = serde_json::from_str(&whole(Mode::Tool, asked("user"))).unwrap();
        let arguments = &call["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"];
        assert_eq!(arguments, r#"{"city":"Oslo"}"#);
        let text: serde_json::Value = serde_json::from_str(&whole(Mode::Tool, asked("tool"))).unwrap();
        assert_eq!(text["choices"][0]["message"]["content"], WORD.repeat(AFTER_TOOL));
    }
}
