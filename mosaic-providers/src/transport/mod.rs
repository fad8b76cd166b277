//! Transports of this crate. A host that brings its own needs none of them: the feature `reqwest` can be left out.

#[cfg(feature = "reqwest")]
mod reqwest;

#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestTransport;
