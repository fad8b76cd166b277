//! What `config.json` says of the encoder, and whether it is one that is understood.

use mosaic_core::{EmbedError, ErrorKind};
use serde::Deserialize;

/// The sizes of a BERT encoder.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Config {
    /// Numbers a token.
    #[serde(rename = "hidden_size")]
    pub(super) width: usize,
    #[serde(rename = "num_hidden_layers")]
    pub(super) layers: usize,
    #[serde(rename = "num_attention_heads")]
    pub(super) heads: usize,
    #[serde(rename = "max_position_embeddings")]
    pub(super) positions: usize,
    #[serde(rename = "layer_norm_eps")]
    pub(super) epsilon: f64,
    #[serde(rename = "hidden_act")]
    activation: String,
    model_type: String,
}

impl Config {
    /// Reads it.
    pub(super) fn of(json: &[u8]) -> Result<Self, EmbedError> {
        let config: Self = serde_json::from_slice(json).map_err(|error| {
            let message = format!("`config.json` does not describe an encoder: {error}");
            EmbedError::new(ErrorKind::Unsupported, message)
        })?;
        let fits = config.model_type == "bert"
            && config.activation == "gelu"
            && config.heads > 0
            && config.width.is_multiple_of(config.heads)
            && config.positions >= 3;
        if fits {
            return Ok(config);
        }
        let message = format!(
            "`config.json` describes a model (`{}`, activation `{}`, {} heads over {} numbers) that is not one of the \
             BERT family; only those of all-MiniLM's kind are understood",
            config.model_type, config.activation, config.heads, config.width
        );
        Err(EmbedError::new(ErrorKind::Unsupported, message))
    }

    /// Numbers a token and head.
    pub(super) fn head(&self) -> usize {
        self.width / self.heads.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "layer_norm_eps": 1e-12,
        "max_position_embeddings": 16, "hidden_act": "gelu", "model_type": "bert"}"#;

    #[test]
    fn another_kind_of_model_is_refused_with_what_it_is() {
        assert_eq!(Config::of(SMALL.as_bytes()).unwrap().head(), 4);
        let other = SMALL.replace("\"bert\"", "\"gpt2\"");
        let error = Config::of(other.as_bytes()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains("gpt2"), "{error}");
        assert!(Config::of(b"{}").unwrap_err().message.contains("hidden_size"));
    }
}
