//! Runs.

mod divergence;
mod hold;
mod line;
mod pen;
mod read;
mod recorder;
mod replay;
mod request;
mod stage;

use serde_json::Value;

pub use divergence::{Divergence, Recorded, RunReplayError};
pub(crate) use pen::Pen;
pub(crate) use recorder::Recording;
pub use recorder::RunRecorder;
pub use replay::{Replayed, ReplayedSession, RunReplay};

use crate::transport::record::Secrets;

/// Takes the secrets out of all texts of a value.
fn clean(value: &mut Value, secrets: &Secrets) {
    if secrets.is_empty() {
        return;
    }
    match value {
        Value::String(text) => secrets.clean(text),
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, secrets)),
        Value::Object(members) => {
            for (mut name, mut member) in std::mem::take(members) {
                secrets.clean(&mut name);
                clean(&mut member, secrets);
                members.insert(name, member);
            }
        }
        _ => {}
    }
}
