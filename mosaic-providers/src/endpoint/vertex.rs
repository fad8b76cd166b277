//! Vertex AI: the address holds the project and the region, and a token of Google's OAuth pays.
//!
//! Source: <https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations>

use std::sync::Arc;

use super::Endpoint;
use crate::gemini::{Gemini, Quirks};

impl Endpoint {
    /// Gemini on Vertex AI, without a token: give one with [`auth`](Endpoint::auth). The location is a region, or
    /// `global`.
    ///
    /// ```
    /// use mosaic_core::Auth;
    /// use mosaic_providers::endpoint::Endpoint;
    ///
    /// let vertex = Endpoint::vertex("my-project", "europe-west4").auth(Auth::bearer("ya29.token"));
    /// assert!(vertex.base_url().starts_with("https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/my-project/"));
    /// ```
    #[must_use]
    pub fn vertex(project: &str, location: &str) -> Self {
        Self::new("vertex", base_url(project, location), Arc::new(Gemini::new(Quirks::vertex())))
    }
}

/// Where the models of Google are for that project in that location.
pub(super) fn base_url(project: &str, location: &str) -> String {
    let host = match location {
        "global" => "aiplatform.googleapis.com".to_owned(),
        // Multi-regions have hosts of another form.
        "us" | "eu" => format!("aiplatform.{location}.rep.googleapis.com"),
        region => format!("{region}-aiplatform.googleapis.com"),
    };
    format!("https://{host}/v1beta1/projects/{project}/locations/{location}/publishers/google")
}

/// The address of a project; `GOOGLE_CLOUD_LOCATION` is `global` unless it is set.
pub(super) fn address(project: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let location = variable("GOOGLE_CLOUD_LOCATION");
    base_url(project.trim(), location.as_deref().unwrap_or("global").trim())
}
