//! How what crosses the port is shown: hosts log it. Bodies and addresses may hold secrets.

use std::fmt;

use super::message::{Batch, RequestKind, Response};
use crate::transport::shown;

impl fmt::Debug for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToolCall { handle, tool, session, user, run, call, attempt, idempotency_key, input } => f
                .debug_struct("ToolCall")
                .field("handle", handle)
                .field("tool", tool)
                .field("session", session)
                .field("user", user)
                .field("run", run)
                .field("call", call)
                .field("attempt", attempt)
                .field("idempotency_key", idempotency_key)
                .field("input", input)
                .finish(),
            Self::ToolRelease {} => f.write_str("ToolRelease"),
            Self::HttpOpen { method, url, headers, body, connect_timeout_ms, window } => f
                .debug_struct("HttpOpen")
                .field("method", method)
                .field("url", &shown(url))
                .field("headers", headers)
                .field("body", body)
                .field("connect_timeout_ms", connect_timeout_ms)
                .field("window", window)
                .finish(),
            Self::Embed { handle, model, purpose, texts, dimensions } => f
                .debug_struct("Embed")
                .field("handle", handle)
                .field("model", model)
                .field("purpose", purpose)
                // What users said is not for logs.
                .field("texts", &texts.len())
                .field("dimensions", dimensions)
                .finish(),
            Self::EmbedRelease {} => f.write_str("EmbedRelease"),
            Self::HttpCredit { bytes } => f.debug_struct("HttpCredit").field("bytes", bytes).finish(),
            Self::Cancel {} => f.write_str("Cancel"),
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths: Vec<usize> = self.buffers.iter().map(bytes::Bytes::len).collect();
        f.debug_struct("Batch").field("requests", &self.requests).field("bytes of buffers", &lengths).finish()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Progress { update } => f.debug_struct("Progress").field("update", update).finish(),
            Self::HttpHead { status, headers } => {
                f.debug_struct("HttpHead").field("status", status).field("headers", headers).finish()
            }
            Self::HttpChunk { bytes } => write!(f, "HttpChunk({} bytes)", bytes.len()),
            Self::Vectors { vectors } => write!(f, "Vectors({})", vectors.len()),
            Self::End { content } => f.debug_struct("End").field("content", content).finish(),
            Self::Error { class, message, fatal, token } => f
                .debug_struct("Error")
                .field("class", class)
                .field("message", message)
                .field("fatal", fatal)
                .field("token", token)
                .finish(),
        }
    }
}
