//! `bench`: the driver, the mock and the measured processes in one program.
//!
//! ```text
//! bench [--runs N] [--only C,D] [--json FILE]     all of it, as a table
//! bench run WORKLOAD SIDE --url URL               one measurement, as a line of JSON
//! bench mock [--port N]                           the model server
//! ```

use std::process::ExitCode;

use mosaic_benches::allocator::Counting;
use mosaic_benches::workload::{Side, Workload};
use mosaic_benches::{Result, driver, floor, library, mock};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["mock", rest @ ..] => serve(rest),
        ["run", workload, side, rest @ ..] => run(workload, side, rest),
        ["help" | "--help", ..] => {
            println!("{USAGE}");
            Ok(())
        }
        rest => driver::Options::parse(rest).and_then(|options| driver::drive(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "bench [--runs N] [--only C,D] [--json FILE]
bench run WORKLOAD floor|mosaic --url URL
bench mock [--port N]";

fn serve(words: &[&str]) -> Result<()> {
    let port = option(words, "--port").unwrap_or("0").parse::<u16>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        println!("listening on {}", listener.local_addr()?);
        Ok(mock::serve(listener, Default::default()).await?)
    })
}

fn run(workload: &str, side: &str, words: &[&str]) -> Result<()> {
    let workload: Workload = workload.parse()?;
    let side: Side = side.parse()?;
    let url = option(words, "--url").unwrap_or("http://127.0.0.1:1").to_owned();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // As a task on the workers, where a server's work runs. On the main thread, outside the workers, every small read
    // would wake a thread, and that is what would be measured.
    let measured = runtime.block_on(runtime.spawn(async move {
        match side {
            Side::Floor => floor::run(workload, &url).await,
            Side::Mosaic => library::run(workload, &url).await,
            other => Err(format!("{workload} {} is not measured by this program", other.name()).into()),
        }
    }))??;
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.iter().zip(words.iter().skip(1)).find_map(|(word, value)| (*word == name).then_some(*value))
}
