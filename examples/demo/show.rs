//! Showing a run while it goes on.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use mosaic::prelude::*;
use mosaic::{About, Body, CallId, Decision, ToolStatus};

use crate::tools;

/// Prints the events of a run as they come, until it ends.
///
/// After a crash nobody knows whether a note was written. The program can find out, so it is asked, and looks.
pub(crate) async fn follow(session: &Session, mut run: Run) -> Result<(), Error> {
    let mut names: HashMap<CallId, String> = HashMap::new();
    let mut keys: HashMap<CallId, Arc<str>> = HashMap::new();
    while let Some(event) = run.try_next().await? {
        match event {
            Event::Text { delta, .. } => print!("{delta}"),
            Event::Restarted { .. } => println!(" ..."),
            Event::Entry { entry } => match &entry.body {
                Body::Assistant { parts, .. } => {
                    for call in parts.iter().filter_map(Part::as_call) {
                        print!("[{} {}] ", call.name, call.arguments);
                        names.insert(call.id.clone(), call.name.clone());
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
                Body::ToolStart { calls } => {
                    keys.extend(calls.iter().map(|start| (start.call.clone(), start.key.clone())));
                }
                Body::Question { about: About::Recovery { call }, .. } => {
                    let found = keys.get(call).is_some_and(|key| tools::is_noted(key));
                    println!(
                        "\n[the process died in this call; the note is {}]",
                        if found { "there" } else { "not there" }
                    );
                    let decision = match found {
                        true => Decision::Give { content: vec!["The note is saved.".into()] },
                        false => Decision::Retry,
                    };
                    session.answer(entry.seq, "demo", decision).await?;
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
    Ok(())
}
