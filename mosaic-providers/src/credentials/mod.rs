//! Keys and tokens that are not always the same: from a function of the host's, or from an authority that hands them out for
//! some time.
//!
//! A key out of the environment needs none of this. But a vault rotates keys, an identity service hands out tokens for an
//! hour, and a server that runs for weeks must renew them while a hundred calls are under way, without asking a hundred
//! times, without stopping for it, and without showing them.
//!
//! ```text
//!                    ┌─ Credential::from_fn     the host's function, each time or each N minutes
//! TokenSource ───────┼─ OAuth                   client credentials, refresh token (RFC 6749)
//! (gives a token)    ├─ ServiceAccount          a signed assertion (RFC 7523), as Google has it
//!                    └─ the host's own
//!        │
//! Credential ── how long it is kept, where it is put
//!        │  .over(transport, runtime)
//! Authenticator ── one renewal for all who wait, in time; one more after a 401; a failure counts for a while
//! ```
//!
//! ```
//! # use std::sync::Arc;
//! use mosaic_core::testing::{Reply, ScriptedTransport, TestRuntime};
//! use mosaic_core::{ModelCall, ModelRequest, ModelSource};
//! use mosaic_providers::credentials::{Credential, OAuth};
//! use mosaic_providers::endpoint::Providers;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let transport = ScriptedTransport::new([
//!     Reply::ok(r#"{"access_token":"ya29.1","token_type":"Bearer","expires_in":3600}"#),
//!     Reply::ok("data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"),
//! ]);
//! let azure = OAuth::client_credentials("https://login.example/token", "our-app", "its secret").scope("models");
//! let providers = Providers::new(|_| None, Arc::new(transport.clone()), Arc::new(TestRuntime::new(1)))
//!     .credential("openai", Credential::new(azure));
//!
//! let model = providers.resolve(&"openai:gpt-4o-mini".parse()?)?;
//! model.stream(ModelCall::new(ModelRequest::default())).await?;
//!
//! let asked = transport.requests();
//! assert_eq!(asked[0].url, "https://login.example/token"); // through the host's own transport
//! assert!(asked[1].headers.iter().any(|line| line.expose() == "Bearer ya29.1"));
//! assert!(!format!("{asked:?} {providers:?}").contains("ya29.1"));
//! # Ok(())
//! # }
//! ```
//!
//! | file | what |
//! | --- | --- |
//! | `token` | a token, and what gives one: [`TokenSource`] |
//! | `credential` | a source with what is done with its tokens: [`Credential`] |
//! | `callback`, `oauth`, `google` | the sources |
//! | `kept` | the table of when a token is renewed, and for whom |
//! | `failure` | a failure that many wait for, and how long it counts |
//! | `pay` | puts a token into a request, and finds it there when it was refused |

mod callback;
mod credential;
mod failure;
mod google;
mod kept;
mod oauth;
mod pay;
#[cfg(test)]
mod tests;
mod token;

pub use credential::{Credential, Place};
#[cfg(feature = "service-account")]
pub use google::ServiceAccount;
pub use oauth::{ClientAuth, OAuth};
pub use token::{Means, Token, TokenSource};
