//! Showing a run while it goes on.

use std::collections::HashMap;
use std::io::Write;

use mosaic::prelude::*;
use mosaic::{Body, CallId, RunEnd, ToolStatus};

/// What was seen of a run.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The tools that were called.
    pub(crate) tools: Vec<String>,
}

/// Prints the events of a run as they come, until it ends.
pub(crate) async fn follow(mut run: Run) -> Result<Seen, Error> {
    let mut seen = Seen::default();
    let mut names: HashMap<CallId, String> = HashMap::new();
    while let Some(event) = run.try_next().await? {
        match event {
            Event::Text { delta, .. } => print!("{delta}"),
            Event::Restarted { .. } => println!(" ..."),
            Event::Entry { entry } => match &entry.body {
                Body::Assistant { parts, .. } => {
                    for call in parts.iter().filter_map(Part::as_call) {
                        print!("[{} {}] ", call.name, call.arguments);
                        names.insert(call.id.clone(), call.name.clone());
                        seen.tools.push(call.name.clone());
                    }
                }
                Body::ToolEnd { call, status, content, .. } => {
                    let text: String = content.iter().filter_map(Part::as_text).collect();
                    let name = names.get(call).map_or("call", String::as_str);
                    match status {
                        ToolStatus::Ok => println!("-> {text}"),
                        other => println!("[{name}: {other:?}] {text}"),
                    }
                }
                Body::ModelFailed { error, retry_at, .. } => {
                    let next = if retry_at.is_some() { "; trying again" } else { "" };
                    println!("[the model failed: {error}{next}]");
                }
                Body::RunEnd { end, .. } => match end {
                    RunEnd::Done => println!(),
                    other => println!("[the run ended: {other:?}]"),
                },
                _ => {}
            },
            _ => {}
        }
        // Pieces are not lines: without this they would show when the line ends.
        let _ = std::io::stdout().flush();
    }
    Ok(seen)
}
