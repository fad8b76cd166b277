//! Finding and reading the recordings.

use std::path::{Path, PathBuf};

use mosaic_core::{Codec, Delivery, Headers, ModelInfo, Origin, Profile};
use mosaic_providers::anthropic::Anthropic;
use mosaic_providers::openai_chat::OpenAiChat;
use serde_json::Value;

/// One exchange.
pub(crate) struct Recording {
    pub(crate) id: String,
    pub(crate) api: String,
    pub(crate) provider: String,
    pub(crate) request: Value,
    pub(crate) input: Value,
    pub(crate) expected: Value,
    response: Value,
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

pub(crate) fn recordings(folder: &Path, api: &str) -> Vec<Recording> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder.join(api))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    paths.iter().map(|path| one(path, api)).collect()
}

fn one(path: &Path, api: &str) -> Recording {
    let mut json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut take = |name: &str| json.get_mut(name).map(Value::take).unwrap_or_default();
    Recording {
        id: path.file_stem().unwrap().to_string_lossy().into_owned(),
        api: api.to_owned(),
        provider: take("provider").as_str().unwrap().to_owned(),
        request: take("request"),
        input: take("input"),
        expected: take("expected"),
        response: take("response"),
    }
}

impl Recording {
    pub(crate) fn body(&self) -> &[u8] {
        self.response["body"].as_str().unwrap().as_bytes()
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

    /// What came is what was asked for, in all of them.
    pub(crate) fn delivery(&self) -> Delivery {
        let body = self.body().trim_ascii_start();
        if body.starts_with(b"{") || self.status() != 200 { Delivery::Whole } else { Delivery::Streamed }
    }

    /// The origin of what the model said before is the model that is asked, so reasoning is replayed.
    pub(crate) fn profile(&self) -> Profile {
        let model = self.input["model"].as_str().unwrap_or("model");
        let origin = Origin {
            api: self.api.as_str().into(),
            provider: self.provider.as_str().into(),
            model: model.into(),
        };
        Profile { origin, info: ModelInfo::new(self.provider.as_str(), model) }
    }
}

pub(crate) fn codec(api: &str) -> Box<dyn Codec> {
    match api {
        "openai-chat" => Box::new(OpenAiChat::default()),
        _ => Box::new(Anthropic::default()),
    }
}
