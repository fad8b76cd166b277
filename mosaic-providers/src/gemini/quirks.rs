//! Where the servers of this API differ, as data.
//!
//! | | AI Studio (the default) | Vertex AI |
//! | --- | --- | --- |
//! | a file's id | `files/abc` of the Files API | `gs://bucket/object` |
//! | `:countTokens` | the request inside `generateContentRequest` | the request's members |
//!
//! Sources: <https://ai.google.dev/api/files>, <https://ai.google.dev/api/tokens>,
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/projects.locations.endpoints/countTokens>

/// The dialect in which schemas are written. What each takes, and what is done with the rest, is told in the
/// documentation of [`Quirks::schemas`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Schemas {
    /// JSON Schema, in `parametersJsonSchema` and `responseJsonSchema`.
    #[default]
    JsonSchema,
    /// The subset of OpenAPI 3.0, in `parameters` and `responseSchema`: gateways and older versions of the API.
    OpenApi,
}

/// How an answer is streamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Streams {
    /// As server-sent events (`alt=sse`).
    #[default]
    Events,
    /// As one JSON array: for gateways that do not pass `alt=sse` on. Both are always read.
    Array,
}

/// What the id of an uploaded file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Files {
    /// A name in Google's Files API, `files/abc`, or its whole URI.
    #[default]
    FilesApi,
    /// A `gs://` URI.
    CloudStorage,
}

/// The shape of a request to count tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Counting {
    /// Inside `generateContentRequest`.
    #[default]
    Wrapped,
    /// As it is.
    Plain,
}

/// The differences of one server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quirks {
    /// The dialect of schemas.
    ///
    /// | a schema's | JSON Schema | OpenAPI subset |
    /// | --- | --- | --- |
    /// | `$ref` | written out | written out |
    /// | a reference to itself, `false` | refused | refused |
    /// | `allOf` | joined; refused where its parts disagree | the same |
    /// | `oneOf` | `anyOf` | `anyOf` |
    /// | `const` | `enum` of one | the same |
    /// | `enum` of numbers | as it is | told in the description |
    /// | `type` with `null` | as it is | `nullable` |
    /// | several types | `anyOf` | `anyOf` |
    /// | an array without `items` | as it is | refused |
    /// | `minLength`, `maxLength`, `pattern`, `minProperties`, ... | told in the description | as they are |
    /// | `additionalProperties` | as it is | left out, or told if it is a schema |
    /// | `format` | as it is | `enum`, `date-time` and those of numbers; others told |
    /// | `exclusiveMinimum`, `multipleOf`, `uniqueItems`, `not`, `patternProperties`, ... | told | told |
    /// | `$schema`, `$id`, `examples`, unknown keywords | left out | left out |
    ///
    /// *Told* is in words at the end of the description. Nothing is lost by it: the library checks arguments against the
    /// whole schema. *Refused* is an [`EncodeError`](mosaic_core::EncodeError) that names the tool and the place.
    pub schemas: Schemas,
    /// How an answer is streamed.
    pub streams: Streams,
    /// What the id of an uploaded file is.
    pub files: Files,
    /// The shape of a request to count tokens.
    pub counting: Counting,
}

impl Quirks {
    /// Vertex AI.
    #[must_use]
    pub fn vertex() -> Self {
        Self { files: Files::CloudStorage, counting: Counting::Plain, ..Self::default() }
    }
}
