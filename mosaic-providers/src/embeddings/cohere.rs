//! Cohere's embeddings, version 2 of the API.
//!
//! Source: <https://docs.cohere.com/reference/embed>

use mosaic_core::{
    EmbedCodec, EmbedError, EmbedRequest, EmbedderInfo, Embeddings, EncodeError, Headers, HttpRequest,
    Purpose,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::vector::{self, Vector};
use crate::wire::lenient::{Int, List, Maybe};
use crate::wire::url;

/// The codec.
#[derive(Debug, Clone, Copy, Default)]
pub struct CohereEmbeddings;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    embeddings: Option<Forms>,
    #[serde(default)]
    meta: Maybe<Meta>,
}

/// The vectors in the forms that were asked for; or, from the older API and from some gateways, bare.
#[derive(Deserialize)]
#[serde(untagged)]
enum Forms {
    Named {
        #[serde(default)]
        float: Option<List<Vector>>,
        #[serde(default)]
        base64: Option<List<Vector>>,
    },
    Bare(Vec<Vector>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    billed_units: Maybe<Billed>,
}

#[derive(Deserialize)]
struct Billed {
    #[serde(default)]
    input_tokens: Int,
}

impl Forms {
    fn vectors(self) -> Option<Vec<Vector>> {
        match self {
            Self::Named { float, base64 } => float.or(base64).map(|list| list.0),
            Self::Bare(vectors) => Some(vectors),
            Self::Other(_) => None,
        }
    }
}

impl EmbedCodec for CohereEmbeddings {
    fn api(&self) -> &'static str {
        "cohere-embed"
    }

    fn encode(
        &self,
        base_url: &str,
        info: &EmbedderInfo,
        request: &EmbedRequest,
    ) -> Result<HttpRequest, EncodeError> {
        // Required, and there is none for a text of no purpose.
        let input_type = match request.purpose {
            Purpose::Query => "search_query",
            _ => "search_document",
        };
        let mut out = vector::writer(&request.inputs);
        out.raw("{").key("model").string(&info.model);
        out.key("input_type").string(input_type);
        out.key("embedding_types").raw(r#"["float"]"#);
        // Unless told so it cuts the end of a long text away.
        out.key("truncate").string("NONE");
        if let Some(dimensions) = request.dimensions {
            out.key("output_dimension").value("output_dimension", &dimensions)?;
        }
        out.key("texts");
        vector::list(&mut out, &request.inputs);
        out.raw("}");
        Ok(vector::post(url::versioned(base_url, "/v2", "/embed"), out))
    }

    fn decode(&self, info: &EmbedderInfo, body: &[u8]) -> Result<Embeddings, EmbedError> {
        let body: Body = vector::parsed(body, |body: &Body| {
            !matches!(
                body.embeddings,
                None | Some(Forms::Other(_) | Forms::Named { float: None, base64: None })
            )
        })?;
        let vectors = body.embeddings.and_then(Forms::vectors).unwrap_or_default();
        let billed = body.meta.0.and_then(|meta| meta.billed_units.0);
        let tokens = billed.map_or(0, |billed| billed.input_tokens.or_zero());
        vector::answer(vectors, tokens, None, info)
    }

    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> EmbedError {
        vector::refused(status, headers, body)
    }
}
