//! What the codecs share.
//!
//! ```text
//! framing   bytes -> the data of each event, each object of a JSON stream (values), or one whole body
//! decode    the decoder that all JSON APIs share: frames go to a codec's Reader
//! lenient   JSON members of any type: what is not of the expected one is taken for absent
//! parts     numbered parts: pieces in, ModelEvents out
//! functions tools as functions, schemas told in words
//! replay    ids and arguments of old calls, made acceptable
//! error     status, headers and body -> ModelError; retry and limits read their figures out of it
//! turn      a group: what a user says, or an answer with its results
//! url       a base URL and a path
//! request   a body: settings, lists joined from fragments, headers
//! schema    what a provider takes at the root of a schema
//! write     JSON text without an intermediate value
//! ```

pub(crate) mod decode;
pub(crate) mod error;
pub(crate) mod framing;
pub(crate) mod functions;
pub(crate) mod lenient;
mod limits;
pub(crate) mod parts;
pub(crate) mod replay;
pub(crate) mod request;
mod retry;
pub(crate) mod schema;
mod scrub;
pub(crate) mod turn;
pub(crate) mod url;
mod values;
pub(crate) mod write;
