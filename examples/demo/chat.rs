//! The chat at a terminal.

use std::io::{BufRead, Write};
use std::time::Instant;

use mosaic::prelude::*;

use crate::options::Options;
use crate::{agent, report, show, tools};

/// One session that is always the same: a chat goes on where it ended, or where its process was killed.
const SESSION: &str = "chat";

pub(crate) async fn run(options: &Options) -> Result<(), Error> {
    let start = Instant::now();
    tools::place(&options.folder, false);
    let mosaic = agent::open(options).await?;
    let session = mosaic.session(SESSION, &agent::agent(options)?).await?;
    println!("An empty line ends it. Kill it whenever you like: started again, it goes on where it was.");
    if let Some(run) = session.resume().await? {
        println!("(going on with what was interrupted)");
        show::follow(&session, run).await?;
    }
    loop {
        print!("> ");
        let _ = std::io::stdout().flush();
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).map(|_| line)
        });
        let Ok(Ok(line)) = line.await else { break };
        if line.trim().is_empty() {
            break;
        }
        // A run that fails is told and stored; the session goes on.
        match session.send(line.trim()).await {
            Ok(run) => {
                if let Err(error) = show::follow(&session, run).await {
                    println!("[{error}]");
                }
            }
            Err(error) => println!("[{error}]"),
        }
    }
    report::print(&session, options, start.elapsed()).await?;
    mosaic.close().await?;
    Ok(())
}
