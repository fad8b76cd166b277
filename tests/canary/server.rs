//! Providers and an authority that repeat every secret that they are sent, in whatever they answer.

use std::sync::{Arc, Mutex, PoisonError};

use mosaic::testing::{Gate, Reply, ScriptedTransport};
use mosaic::{HttpRequest, TransportError};
use serde_json::{Value, json};

use crate::secrets::{ACCESS_TOKEN, ROTATED_TOKEN};

/// How providers answer.
#[derive(Debug, Clone)]
pub(crate) enum Scene {
    Fine,
    /// A call of the tool, then an answer.
    ToolCall,
    Unauthorized,
    /// 500 with a page whose title and text have it.
    Page,
    /// Bytes that are no text, in small pieces.
    Garbage,
    /// The transport fails, and its words hold what it was to send.
    Broken,
    /// An error in a stream that has status 200.
    InStream,
    /// One host answers, Anthropic's tells an error in its stream, and the others refuse.
    LastIsFine(&'static str),
    /// The transport fails in the middle.
    BrokenStream,
    /// It stops in the middle until the gate is open.
    Held(Gate),
}

/// How the authority answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grants {
    Fine,
    Refused,
    Page,
    Broken,
    /// Status 200, and the tokens stand where nobody expects them.
    Malformed,
}

/// What is played now. Clones share it.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Mutex<(Scene, Grants)>>);

impl Stage {
    pub(crate) fn new(grants: Grants) -> Self {
        Self(Arc::new(Mutex::new((Scene::Fine, grants))))
    }

    pub(crate) fn play(&self, scene: Scene) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = scene;
    }

    pub(crate) fn transport(&self) -> ScriptedTransport {
        let stage = self.clone();
        ScriptedTransport::from_fn(move |request| {
            let (scene, grants) = stage.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if request.url.contains("//login.") {
                granted(grants, request)
            } else {
                answered(&scene, request)
            }
        })
    }
}

/// All that a request holds, in the forms in which servers repeat things.
pub(crate) fn echo(request: &HttpRequest) -> String {
    let mut text = format!("sent to {}", request.url);
    for line in request.headers.iter() {
        text += &format!(" {}: {}", line.name, line.expose());
    }
    if request.url.contains("//login.") {
        text += &format!(" {}", String::from_utf8_lossy(&request.body_bytes()));
    }
    text
}

fn broken(request: &HttpRequest) -> TransportError {
    TransportError::Broken { host: "host".into(), source: echo(request).into() }
}

fn failed(request: &HttpRequest) -> TransportError {
    TransportError::Host { class: "ConnectionError".into(), message: echo(request) }
}

fn page(status: u16, request: &HttpRequest) -> Reply {
    let echo = echo(request);
    Reply::status(status).body(format!("<html><title>{echo}</title><body>{echo}</body></html>"))
}

fn granted(grants: Grants, request: &HttpRequest) -> Reply {
    match grants {
        Grants::Fine => Reply::ok(
            json!({ "access_token": ACCESS_TOKEN, "expires_in": 3600, "refresh_token": ROTATED_TOKEN })
                .to_string(),
        ),
        Grants::Refused => {
            let error = json!({ "error": "invalid_client", "error_description": echo(request) });
            Reply::status(401).header("x-request-id", echo(request)).body(error.to_string())
        }
        Grants::Page => page(500, request),
        Grants::Broken => Reply::error(failed(request)),
        Grants::Malformed => Reply::ok(
            json!({ "access_token": { "value": ACCESS_TOKEN }, "refresh_token": [ROTATED_TOKEN] })
                .to_string(),
        ),
    }
}

fn answered(scene: &Scene, request: &HttpRequest) -> Reply {
    let body: Value = serde_json::from_slice(&request.body_bytes()).unwrap_or(Value::Null);
    if request.url.contains("/embeddings") && matches!(scene, Scene::Fine | Scene::ToolCall) {
        return Reply::ok(r#"{"data":[{"index":0,"embedding":[0.6,0.8]}]}"#);
    }
    if request.url.contains("/count_tokens") && matches!(scene, Scene::Fine | Scene::ToolCall) {
        return Reply::ok(r#"{"input_tokens":7}"#);
    }
    let wire = Wire::of(request);
    let ok = |text: String| Reply::ok(text).header("x-request-id", "req-1");
    match scene {
        Scene::Fine => ok(wire.text("Hello") + wire.end()),
        Scene::ToolCall if body.to_string().contains("the tool broke") => ok(wire.text("Hello") + wire.end()),
        Scene::ToolCall => ok(wire.call() + wire.end()),
        Scene::Unauthorized => {
            let error = json!({ "error": { "message": echo(request), "type": "authentication_error" } });
            Reply::status(401)
                .header("x-request-id", echo(request))
                .body(error.to_string().replace('/', "\\/"))
        }
        Scene::Page => page(500, request),
        Scene::Garbage => {
            let mut bytes = vec![0xff, 0xfe];
            bytes.extend_from_slice(echo(request).as_bytes());
            Reply::status(502).body(bytes).cut_every(7)
        }
        Scene::Broken => Reply::error(failed(request)),
        Scene::InStream => ok(wire.text("Hel") + &wire.error(&echo(request))).cut_every(11),
        Scene::LastIsFine(host) if request.url.contains(host) => ok(wire.text("Hello") + wire.end()),
        Scene::LastIsFine(_) if request.url.contains("anthropic") => ok(wire.error(&echo(request))),
        Scene::LastIsFine(_) => answered(&Scene::Unauthorized, request),
        Scene::BrokenStream => ok(wire.text("Hel")).then_error(broken(request)),
        Scene::Held(gate) => ok(wire.text("Hel")).hold(gate).body(wire.end()),
    }
}

/// The two ways of streaming that are spoken here.
enum Wire {
    Chat,
    Messages,
}

impl Wire {
    fn of(request: &HttpRequest) -> Self {
        if request.url.ends_with("/messages") { Self::Messages } else { Self::Chat }
    }

    fn event(&self, data: &Value) -> String {
        match self {
            Self::Chat => format!("data: {data}\n\n"),
            Self::Messages => format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap()),
        }
    }

    fn text(&self, text: &str) -> String {
        match self {
            Self::Chat => self.event(&json!({ "choices": [{ "delta": { "content": text } }] })),
            Self::Messages => {
                let start = json!({ "type": "message_start", "message": { "id": "m", "usage": {} } });
                let block = json!({ "type": "text", "text": "" });
                let block = json!({ "type": "content_block_start", "index": 0, "content_block": block });
                let delta = json!({ "type": "text_delta", "text": text });
                let delta = json!({ "type": "content_block_delta", "index": 0, "delta": delta });
                [start, block, delta].iter().map(|event| self.event(event)).collect()
            }
        }
    }

    fn call(&self) -> String {
        match self {
            Self::Chat => {
                let call =
                    json!({ "index": 0, "id": "c1", "function": { "name": "break", "arguments": "{}" } });
                self.event(&json!({ "choices": [{ "delta": { "tool_calls": [call] } }] }))
            }
            Self::Messages => {
                let start = json!({ "type": "message_start", "message": { "id": "m", "usage": {} } });
                let block = json!({ "type": "tool_use", "id": "c1", "name": "break", "input": {} });
                let block = json!({ "type": "content_block_start", "index": 0, "content_block": block });
                [start, block].iter().map(|event| self.event(event)).collect()
            }
        }
    }

    fn end(&self) -> &'static str {
        match self {
            Self::Chat => {
                "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
            }
            Self::Messages => {
                "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n\
                 event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{}}\n\n\
                 event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
            }
        }
    }

    fn error(&self, message: &str) -> String {
        self.event(&json!({ "type": "error", "error": { "type": "api_error", "message": message } }))
    }
}
