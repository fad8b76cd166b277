//! The command line.

use std::path::PathBuf;

use mosaic::ToolMode;

pub(crate) const HELP: &str = "\
demo [OPTIONS]: a chat with an agent that has tools. Without a terminal, a scripted conversation with a kill in it.
  --model PROVIDER:NAME  the model; its key is taken from the environment
  --base-url URL         where an OpenAI-compatible server answers, http://127.0.0.1:8080/v1 for one
  --tool-mode MODE       native, json_schema (for small local models) or text
  --no-tools             chat only
  --folder PATH          where the database and the notes are kept (.cache/demo)
  --scripted             the scripted conversation, at a terminal too
  --memory               two sessions in two processes: the second knows what the first was told
  --embedder FOLDER      with --memory: all-MiniLM-L6-v2, in a build with the feature `minilm`";

/// What a process of a demonstration does.
#[derive(Clone, Debug)]
pub(crate) enum Worker {
    /// Holds a session until it is killed.
    Killed(String),
    /// Goes on with that session.
    Resuming(String),
    /// Holds the session in which a user says something.
    Teaching(String),
    /// Holds the session in which the user asks for it.
    Asking(String),
}

/// What was asked for on the command line.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) model: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) tool_mode: ToolMode,
    pub(crate) tools: bool,
    pub(crate) folder: PathBuf,
    pub(crate) scripted: bool,
    pub(crate) memory: bool,
    pub(crate) embedder: Option<PathBuf>,
    /// This process is one of several of a demonstration.
    pub(crate) worker: Option<Worker>,
    pub(crate) help: bool,
}

impl Options {
    pub(crate) fn read(args: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            model: None,
            base_url: None,
            tool_mode: ToolMode::Native,
            tools: true,
            folder: PathBuf::from(".cache/demo"),
            scripted: false,
            memory: false,
            embedder: None,
            worker: None,
            help: false,
        };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} wants a value; see --help"));
            match arg.as_str() {
                "--model" => options.model = Some(value()?),
                "--base-url" => options.base_url = Some(value()?),
                "--tool-mode" => options.tool_mode = tool_mode(&value()?)?,
                "--folder" => options.folder = PathBuf::from(value()?),
                "--no-tools" => options.tools = false,
                "--scripted" => options.scripted = true,
                "--memory" => options.memory = true,
                "--embedder" => options.embedder = Some(PathBuf::from(value()?)),
                "--killed" => options.worker = Some(Worker::Killed(value()?)),
                "--resuming" => options.worker = Some(Worker::Resuming(value()?)),
                "--teaching" => options.worker = Some(Worker::Teaching(value()?)),
                "--asking" => options.worker = Some(Worker::Asking(value()?)),
                "-h" | "--help" => options.help = true,
                _ => return Err(format!("unknown option `{arg}`; see --help")),
            }
        }
        if options.model.is_none() && options.base_url.is_none() && !options.help {
            return Err(
                "say which model: --model openai:gpt-4o-mini for one, or --base-url of a server; or run \
                        `cargo xtask demo`, which brings its own"
                    .to_owned(),
            );
        }
        Ok(options)
    }
}

fn tool_mode(name: &str) -> Result<ToolMode, String> {
    match name {
        "native" => Ok(ToolMode::Native),
        "json_schema" => Ok(ToolMode::JsonSchema),
        "text" => Ok(ToolMode::Text),
        _ => Err(format!("there is no tool mode `{name}`; there are native, json_schema and text")),
    }
}
