//! Two sessions of one user in two processes: what the first one learns, the second one knows.

use std::error::Error as StdError;
use std::process::Command;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use mosaic::memory::Embedder;
use mosaic::memory::embed::HashingEmbedder;
use mosaic::memory::{MemoryPage, Scope};
use mosaic::prelude::*;
use mosaic::{Body, Seq};

use crate::options::Options;
use crate::{agent, show};

const TAUGHT: [&str; 2] = ["My favourite drink is green tea.", "Remember that my boat is called Miso."];
const ASKED: [&str; 2] = ["What is my favourite drink?", "What is the name of my boat?"];
/// What must be in the answers.
const KNOWN: [&str; 2] = ["green tea", "miso"];

/// Starts one process after the other, with a user that nobody has met before.
pub(crate) fn conduct() -> Result<(), Box<dyn StdError>> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let user = format!("user-{seconds}");
    for (part, title) in
        [("--teaching", "process 1, session `monday`"), ("--asking", "process 2, session `tuesday`")]
    {
        println!("== {title}");
        let mut process = Command::new(std::env::current_exe()?);
        let status = process.args(std::env::args_os().skip(1)).args([part, &user]).status()?;
        if !status.success() {
            return Err(format!("the process failed ({status})").into());
        }
    }
    println!("== the second session knew what the first one was told");
    Ok(())
}

/// The first session: it is told something.
pub(crate) async fn teach(options: &Options, user: &str) -> Result<(), Box<dyn StdError>> {
    let mosaic = agent::opening(options)?.memory(setup(options).await?).open(agent::url(options)).await?;
    let session = open(&mosaic, options, user, "monday").await?;
    for text in TAUGHT {
        println!("> {text}");
        show::follow(&session, session.send(text).await?).await?;
    }
    // What follows a run happens in the background.
    mosaic.idle().await?;
    let memories =
        mosaic.memory()?.places().memories.list(&Scope::default().user(user), MemoryPage::default()).await?;
    println!("[remembered]");
    memories.iter().for_each(|memory| println!("  {:10} {}", memory.body.kind().as_str(), memory.document()));
    mosaic.close().await?;
    Ok(())
}

/// The second session: it is asked.
pub(crate) async fn ask(options: &Options, user: &str) -> Result<(), Box<dyn StdError>> {
    let mosaic = agent::opening(options)?.memory(setup(options).await?).open(agent::url(options)).await?;
    let session = open(&mosaic, options, user, "tuesday").await?;
    for (text, known) in ASKED.into_iter().zip(KNOWN) {
        println!("> {text}");
        show::follow(&session, session.send(text).await?).await?;
        let entries = session.entries(Seq(1)).await?;
        let said = entries.iter().rev().find_map(|entry| match &entry.body {
            Body::Assistant { parts, .. } => Some(parts.iter().filter_map(Part::as_text).collect::<String>()),
            _ => None,
        });
        if !said.unwrap_or_default().to_lowercase().contains(known) {
            let told = entries.iter().rev().find_map(|entry| match &entry.body {
                Body::Context { parts, .. } => Some(format!("{parts:?}")),
                _ => None,
            });
            return Err(
                format!("the model did not say `{known}`; it was told {}", told.unwrap_or_default()).into()
            );
        }
    }
    mosaic.close().await?;
    Ok(())
}

async fn open(
    mosaic: &Mosaic,
    options: &Options,
    user: &str,
    session: &str,
) -> Result<Session, Box<dyn StdError>> {
    let memory = mosaic.memory()?;
    // A small model calls every tool that it sees; recall and learning need none.
    let agent = agent::plain(options)?.context(memory.context()).on_run_end(memory.after_run()).build()?;
    Ok(mosaic.session(SessionKey::new(format!("{user}/{session}")).user(user), &agent).await?)
}

async fn setup(options: &Options) -> Result<MemorySetup, Box<dyn StdError>> {
    Ok(MemorySetup::new(embedder(options).await?))
}

#[cfg(feature = "minilm")]
async fn embedder(options: &Options) -> Result<Arc<dyn Embedder>, Box<dyn StdError>> {
    use mosaic::TokioRuntime;
    use mosaic::memory::embed::MiniLm;
    Ok(match &options.embedder {
        Some(folder) => Arc::new(MiniLm::open(folder, Arc::new(TokioRuntime::current()?)).await?),
        None => Arc::new(HashingEmbedder::new(256)),
    })
}

#[cfg(not(feature = "minilm"))]
async fn embedder(options: &Options) -> Result<Arc<dyn Embedder>, Box<dyn StdError>> {
    match &options.embedder {
        Some(_) => Err("this build has no MiniLM; build the example with the feature `minilm`".into()),
        None => Ok(Arc::new(HashingEmbedder::new(256))),
    }
}
