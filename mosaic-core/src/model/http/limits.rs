//! How long a model may be silent.

use std::time::Duration;

use crate::model::{Delivery, ModelCall};
use crate::runtime::Timestamp;

/// How long a model may be silent. Every wait has a deadline; none of them limits an answer that goes on.
///
/// The defaults lie among those of the providers' own clients: 5 s to connect and 600 s for a whole answer in OpenAI's
/// Python client, 600 s in Anthropic's, 300 s of silence in Codex. A model on a slow CPU that reads a prompt of 4,000
/// tokens at 15 a second is silent for 270 s before its first word, so the first piece has the longer limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection. 10 s.
    pub connect: Duration,
    /// Until the first piece of a streamed answer, from when the request is sent. 300 s. A whole answer
    /// ([`Delivery::Whole`]) has twice that, because it is silent until it is done.
    pub first_byte: Duration,
    /// Between two pieces. 120 s. Comments that a server sends to keep the connection alive count as pieces.
    pub between: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(300),
            between: Duration::from_secs(120),
        }
    }
}

/// The limits of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) first_byte: Duration,
    pub(crate) between: Duration,
    pub(crate) deadline: Option<Timestamp>,
    /// The tokens that the answer may have.
    pub(crate) answer: Option<u64>,
}

impl Timeouts {
    /// Of a call whose answer is one body.
    pub(crate) fn of_whole(&self, deadline: Option<Timestamp>) -> Limits {
        Limits { first_byte: self.first_byte, between: self.between, deadline, answer: None }
    }

    pub(crate) fn of_call(&self, call: &ModelCall, delivery: Delivery) -> Limits {
        let first_byte = match delivery {
            Delivery::Streamed => self.first_byte,
            Delivery::Whole => self.first_byte.saturating_mul(2),
        };
        Limits {
            first_byte: call.stall.unwrap_or(first_byte),
            between: call.stall.unwrap_or(self.between),
            deadline: call.deadline,
            answer: call.request.params.max_output_tokens,
        }
    }
}
