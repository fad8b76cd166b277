//! How long it takes to go on with a long session: 10,000 entries in SQLite, the last run interrupted in a tool call.
//!
//! ```sh
//! cargo run --release -p mosaic-benches --bin resume
//! ```

use std::time::{Duration, Instant};

use mosaic::testing::{Answer, ScriptedModel};
use mosaic::{
    Agent, Body, CallId, Entry, InputDelivery, Mosaic, Part, RunEnd, RunId, Seq, SessionKey, StopReason,
    Timestamp, ToolStatus, Usage,
};

const ENTRIES: u64 = 10_000;
const REPEATS: usize = 7;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A log of turns with one tool call each. The last one was interrupted after its call had started.
fn entries(key: &SessionKey) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut push = |run: Option<RunId>, body: Body| {
        let seq = Seq(entries.len() as u64 + 1);
        entries.push(Entry { seq, v: 1, at: Timestamp(1_767_225_600_000 + seq.0), run, body });
        seq.0
    };
    let mut last = push(None, Body::Created { key: key.clone(), forked_from: None });
    for turn in 0u64.. {
        let run = Some(RunId(serde_json::from_value(format!("00000000-0000-7000-8000-{turn:012}").into())?));
        let step = turn * 2 + 1;
        let call = CallId::derive(step, 0);
        let assistant = |step, parts, stop| Body::Assistant {
            step,
            parts,
            stop,
            usage: Usage { input: 900, output: 40, ..Usage::default() },
            cost: None,
            origin: None,
            route: None,
        };
        push(
            run,
            Body::Input {
                parts: vec![Part::text(format!(
                    "Question {turn}: how warm is it in Oslo, and what should I wear?"
                ))],
                delivery: InputDelivery::Start,
                output: None,
                limits: None,
            },
        );
        let arguments = r#"{"city":"Oslo","unit":"celsius","detailed":true}"#;
        let asks = vec![Part::text("Let me look."), Part::call(call.0.clone(), "weather", arguments)];
        push(run, assistant(step, asks, StopReason::ToolCalls));
        let start = serde_json::from_value(serde_json::json!({
            "type": "tool_start",
            "calls": [{"call": call, "attempt": 1, "effect": "once", "key": format!("{turn}:{call}")}],
        }))?;
        last = push(run, start).max(last);
        if last + 3 > ENTRIES {
            break;
        }
        let content = vec![Part::text(
            "Minus three degrees, light snow, wind from the north-west with 4 m/s. ".repeat(3),
        )];
        push(run, Body::ToolEnd { call, attempt: 1, status: ToolStatus::Ok, content });
        let says = vec![Part::text(
            "It is three below zero with some snow; a warm coat, a hat and gloves are a good idea.",
        )];
        push(run, assistant(step + 1, says, StopReason::Stop));
        push(run, Body::RunEnd { end: RunEnd::Done, usage: Usage::default(), cost: None });
    }
    Ok(entries)
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("mosaic-resume-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = measure(&folder).await;
    std::fs::remove_dir_all(&folder)?;
    result
}

async fn measure(folder: &std::path::Path) -> Result<()> {
    let (mut opened, mut resumed) = (Vec::new(), Vec::new());
    for repeat in 0..REPEATS {
        let url = format!("sqlite://{}", folder.join(format!("{repeat}.db")).display());
        let key = SessionKey::new("long");
        let rows = entries(&key)?.iter().map(Entry::to_row).collect::<std::result::Result<Vec<_>, _>>()?;
        let count = rows.len();
        let writer = Mosaic::open(&url).await?;
        writer.store().create(&key, rows).await?;
        writer.close().await?;

        let mosaic = Mosaic::open(&url).await?;
        let agent = Agent::builder("bench").model(ScriptedModel::new([Answer::text("done")])).build()?;
        let start = Instant::now();
        let session = mosaic.session(&key, &agent).await?;
        opened.push(start.elapsed());
        let run = session.resume().await?.ok_or("nothing was interrupted")?;
        resumed.push(start.elapsed());
        let reply = run.finish().await?;
        assert_eq!((reply.text.as_str(), count as u64 > ENTRIES - 6), ("done", true));
        mosaic.close().await?;
    }
    println!(
        "a session of {ENTRIES} entries, {REPEATS} times: opened in {}, resumed in {}",
        show(opened),
        show(resumed)
    );
    Ok(())
}

/// Median and range in milliseconds.
fn show(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |index: usize| times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    format!("{:.1} ms ({:.1} to {:.1})", ms(times.len() / 2), ms(0), ms(times.len().saturating_sub(1)))
}
