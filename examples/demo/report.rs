//! What the demo leaves behind.

use std::collections::BTreeMap;
use std::time::Duration;

use mosaic::prelude::*;
use mosaic::{Body, Seq, Usage};

use crate::agent;
use crate::options::Options;
use crate::tools;

/// Prints what is stored of a session, what it took, and where it lies.
pub(crate) async fn print(session: &Session, options: &Options, time: Duration) -> Result<(), Error> {
    let entries = session.entries(Seq(1)).await?;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut results: BTreeMap<String, usize> = BTreeMap::new();
    let (mut usage, mut runs) = (Usage::default(), 0);
    for entry in &entries {
        *kinds.entry(entry.body.kind()).or_default() += 1;
        match &entry.body {
            Body::ToolEnd { status, .. } => *results.entry(format!("{status:?}")).or_default() += 1,
            Body::RunEnd { usage: took, .. } => {
                usage += *took;
                runs += 1;
            }
            _ => {}
        }
    }
    let list = |counts: &[(String, usize)]| {
        counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    };
    let kinds: Vec<_> = kinds.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect();
    let results: Vec<_> = results.into_iter().collect();
    let notes = tools::notes(&options.folder);
    let lines = std::fs::read_to_string(&notes).map_or(0, |text| text.lines().count());
    println!("\n-- what is there now");
    println!("session   {} ({runs} runs)", session.key());
    println!("entries   {} ({})", entries.len(), list(&kinds));
    if !results.is_empty() {
        println!("calls     {}", list(&results));
    }
    println!("tokens    {} read, {} written", usage.input, usage.output);
    println!("time      {:.1} s", time.as_secs_f64());
    println!("database  {}", agent::database(options));
    println!("notes     {} ({lines} lines)", notes.display());
    Ok(())
}
