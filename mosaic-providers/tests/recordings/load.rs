//! Finding and reading the recordings.

use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use mosaic_core::{Codec, Delivery, Headers, ModelInfo, Origin, Profile};
use serde_json::Value;

use crate::apis::Api;

/// One exchange.
pub(crate) struct Recording {
    pub(crate) id: String,
    pub(crate) api: &'static Api,
    pub(crate) provider: String,
    pub(crate) request: Value,
    pub(crate) input: Value,
    pub(crate) expected: Value,
    response: Value,
    body: Vec<u8>,
}

/// The folder, or the reason why there is none.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/recordings");
    let folder = std::env::var_os("MOSAIC_RECORDINGS").map_or(beside, PathBuf::from);
    if folder.join("openai-chat").is_dir() {
        return Some(folder);
    }
    println!("skipped: no recordings in {}; set MOSAIC_RECORDINGS to their folder", folder.display());
    None
}

pub(crate) fn recordings(folder: &Path, api: &'static Api) -> Vec<Recording> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder.join(api.name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    paths.iter().map(|path| one(path, api)).collect()
}

fn one(path: &Path, api: &'static Api) -> Recording {
    let mut json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut take = |name: &str| json.get_mut(name).map(Value::take).unwrap_or_default();
    let response = take("response");
    let body = match response["body_b64"].as_str() {
        Some(text) => BASE64_STANDARD.decode(text).unwrap(),
        None => response["body"].as_str().unwrap().as_bytes().to_vec(),
    };
    Recording {
        id: path.file_stem().unwrap().to_string_lossy().into_owned(),
        api,
        provider: take("provider").as_str().unwrap().to_owned(),
        request: take("request"),
        input: take("input"),
        expected: take("expected"),
        response,
        body,
    }
}

impl Recording {
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn status(&self) -> u16 {
        u16::try_from(self.response["status"].as_u64().unwrap()).unwrap()
    }

    pub(crate) fn headers(&self) -> Headers {
        let mut headers = Headers::default();
        for (name, value) in self.response["headers"].as_object().into_iter().flatten() {
            headers.push(name.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        headers
    }

    /// What was asked for, where the request is there; else what came.
    pub(crate) fn delivery(&self) -> Delivery {
        match &self.request {
            _ if self.status() != 200 => Delivery::Whole,
            Value::Null if self.body.trim_ascii_start().starts_with(b"{") => Delivery::Whole,
            Value::Null => Delivery::Streamed,
            request => (self.api.delivery)(request),
        }
    }

    /// The origin of what the model said before is the model that is asked, so reasoning is replayed.
    pub(crate) fn profile(&self) -> Profile {
        let model = self.input["model"].as_str().unwrap_or("model");
        let origin = Origin {
            api: self.api.name.into(),
            provider: self.provider.as_str().into(),
            model: model.into(),
        };
        Profile { origin, info: ModelInfo::new(self.provider.as_str(), model) }
    }

    pub(crate) fn codec(&self) -> Box<dyn Codec> {
        (self.api.codec)(&self.provider)
    }
}
