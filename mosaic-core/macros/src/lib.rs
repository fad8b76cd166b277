//! The `#[tool]` attribute of Mosaic. Use it through `mosaic::tool` or `mosaic_core::tool`; it is documented there.
#![forbid(unsafe_code)]

mod expand;
mod function;
mod options;

use proc_macro::TokenStream;

/// Makes a tool of a function.
///
/// The doc comment becomes the description that the model reads, the parameters become the schema of the input, and the
/// function's name becomes the tool: a unit struct that is given to an agent. The function itself stays callable as
/// `name::function(..)`.
///
/// ```
/// use mosaic_core::{Effect, Tool, ToolContext, ToolError, tool};
///
/// #[derive(serde::Serialize)]
/// struct Forecast {
///     rain: bool,
/// }
///
/// /// Weather of a city.
/// #[tool(effect = ReadOnly, timeout = "10s")]
/// async fn weather(
///     /// The name of the city, without the country.
///     city: String,
///     days: Option<u8>,
///     ctx: &ToolContext,
/// ) -> Result<Forecast, ToolError> {
///     ctx.progress("looking");
///     Ok(Forecast { rain: city == "Bergen" || days > Some(7) })
/// }
///
/// assert_eq!(&*weather.spec().description, "Weather of a city.");
/// assert_eq!(weather.spec().effect, Effect::ReadOnly);
/// assert_eq!(weather.spec().input_schema["required"], serde_json::json!(["city"]));
/// ```
///
/// # Options
///
/// | option | meaning | unless set |
/// | --- | --- | --- |
/// | `effect = ReadOnly`, `Idempotent` or `Once` | what running it twice would do | `Once` |
/// | `timeout = "10s"` | how long it may take: a number with `ms`, `s`, `m` or `h` | the agent's limit |
/// | `approval = Never` or `Always` | whether a human is asked first | `Never` |
/// | `name = "..."` | its name for the model | the function's |
/// | `description = "..."` | what the model reads | the doc comment |
/// | `blocking` | a plain `fn` runs on a thread where blocking does no harm | it runs in place |
/// | `crate = path` | where Mosaic is, if it was renamed | the crate that the attribute comes from |
///
/// # Parameters
///
/// Each is a name with an owned type that is `Deserialize` and `JsonSchema`. Its doc comment becomes its description. An
/// `Option` need not be given; `#[tool(default)]` or `#[tool(default = 10)]` on a parameter makes it so for other types.
/// A parameter of type `&ToolContext` may stand anywhere; it is not part of the input. Unknown members of the input are
/// refused, and the model is told.
///
/// # What it returns
///
/// Anything that is `Serialize` (a string as it is, the rest as JSON), a `ToolOutput`, or a `Result` of one of these with
/// any error that is a `ToolError`, becomes one, or can be displayed. The model sees the error's text.
///
/// # Functions that are not async
///
/// They run in place, on the thread that drives the session, and must be quick. One that reads files or computes for
/// more than a millisecond says `blocking`; such a call cannot be stopped, only abandoned.
#[proc_macro_attribute]
pub fn tool(options: TokenStream, function: TokenStream) -> TokenStream {
    expand::expand(options.into(), function.into(), "mosaic_core").into()
}

/// [`macro@tool`] for users of the facade: the same, for the crate `mosaic`.
#[proc_macro_attribute]
pub fn facade_tool(options: TokenStream, function: TokenStream) -> TokenStream {
    expand::expand(options.into(), function.into(), "mosaic").into()
}
