//! Whole runs, written down as they happen and replayed offline to the same steps and entries.
//!
//! An agent that went wrong in production cannot be asked again: the model says something else, the tools have done what they
//! did. And a change of instructions, tools or library is only safe when the conversations of yesterday still go the way
//! they went. A recording holds all that a session's driver was told, and all that it made of it. A replay tells the
//! [machine](crate::session::machine) the same, and compares:
//!
//! ```text
//! once:  host, model, tools, clock ──> driver ──> machine ──> steps, entries
//!                    └────────────────── runs.jsonl ───────────────┘
//! then:  runs.jsonl ── told ──> machine ──> steps, entries  ==  runs.jsonl ── made ?      no model, no tool, no network
//! ```
//!
//! What is replayed is the code that runs agents: the request is built from the log and the agent, the events of the model are
//! folded to an answer, the machine decides. So an agent with other instructions or tools, or another version of the library,
//! diverges where it first counts, and the [`Divergence`] says at which line, what was recorded and what came.
//!
//! # Lines
//!
//! JSON, one object a line, written as things happen. The first line is the header,
//! `{"recording":"mosaic.runs","v":1,"version":"0.1.0"}`; the others have a `type` and the number of their `session` in the
//! file. One file takes all sessions of an engine, as their lines come. `at` is what the session's clock said.
//!
//! | type | members | what happened | in a replay |
//! | --- | --- | --- | --- |
//! | `begin` | `at`, `key`, `since` | a driver became the writer of the session; it began to work at `since` | told |
//! | `history` | `entry` | an entry that the recording did not hold: from before it, or of another process | told |
//! | `bind` | `at`, `agent`, `digest`, `model`, `compaction`, `noted` | the agent, and when its conversations are compacted, if they are; `noted` when an entry says so | told |
//! | `outcome` | `at`, `outcome` | what the machine was told: an [`Outcome`](crate::session::machine::Outcome). Input, cancel and answer of the host are some, and the ends of model calls and tools, and time | an answer, and what had been said by a failure, a cancel or a tick, are made again of the events and compared; the rest is told |
//! | `entry` | `entry` | an [`Entry`](crate::Entry) was appended | made again and compared; `label`, `custom` and `rewind` are the host's, and told |
//! | `steps` | `at`, `steps`, `request` | other steps are wanted; `request` has digests of what a model is asked where that begins | made again and compared |
//! | `event` | `at`, `step`, `event` | a model said something: a [`ModelEvent`](crate::ModelEvent), route decisions with all their attempts included | told |
//! | `end` | `at`, `error` | nothing is left to do, or the run waits for a human, or the store failed | told |
//!
//! There is no seed to record: all that is random in the machine is the id of a run, which stands in the `input`, and what is
//! derived from it. A line that was edited diverges there if it is made again, and else where something first follows from
//! it; pieces of text are only for showing, and nothing follows from those of a part that became whole.
//!
//! # An example
//!
//! ```
//! use mosaic_core::Agent;
//! use mosaic_core::recording::run::RunReplay;
//!
//! // Made by `engine.record_runs(RunRecorder::create("runs.jsonl")?)`, or `Mosaic::builder().record_runs(&recorder)`.
//! let runs = concat!(
//!     r#"{"recording":"mosaic.runs","v":1,"version":"0.1.0"}"#, "\n",
//!     r#"{"type":"begin","session":1,"at":7,"key":{"tenant":"default","name":"user-42"},"since":7}"#, "\n",
//!     r#"{"type":"bind","session":1,"at":7,"agent":"assistant","digest":"0","model":"any:model","noted":true}"#, "\n",
//!     r#"{"type":"entry","session":1,"entry":{"seq":1,"v":1,"at":7,"body":{"type":"bound","agent":"assistant","#,
//!     r#""digest":"51140d585cf6ab22","instructions":"Be brief.","tools":[],"model":"any:model"}}}"#, "\n",
//! );
//!
//! let agent = Agent::builder("assistant").model("any:model").instructions("Be brief.").build()?;
//! let replayed = RunReplay::read(runs.as_bytes())?.replay(&agent)?;
//! assert_eq!(replayed.session("user-42").map(|session| session.entries.len()), Some(1));
//! assert!(!replayed.is_complete(), "its process died here");
//!
//! let changed = Agent::builder("assistant").model("any:model").instructions("Be long.").build()?;
//! let error = RunReplay::read(runs.as_bytes())?.replay(&changed).unwrap_err();
//! let divergence = error.divergence().expect("the agent is another one");
//! assert_eq!((divergence.line, divergence.difference.pointer.as_str()), (4, "/body/instructions"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `docs/recordings.md` says how to test an agent with it, and when to record HTTP instead.

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
