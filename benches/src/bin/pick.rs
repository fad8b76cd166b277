//! How long a router takes to pick one of 100 deployments while 1,000 calls are going on.
//!
//! ```sh
//! cargo run --release -p mosaic-benches --bin pick
//! ```
//!
//! Every candidate has tags, a region, limits a minute, a limit of calls at once, a price and a past; the call asks for a
//! tag and has tools. "alone" is one thread that picks; "crowd" is the same while another thread opens and drops calls
//! of the same router as fast as it can. CPU of the picking thread, so that other work on the machine counts less. The budget is 5 us (`docs/benchmarks.md`).

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mosaic::testing::{Answer, ScriptedModel};
use mosaic_benches::measure::thread_time;
use mosaic_core::router::{Budget, Budgets, Candidate, Period, RouteHints, Router, Score, Strategy};
use mosaic_core::{
    Capability, ChatModel, Cost, Group, ModelCall, ModelInfo, ModelRequest, Part, Price, Rates, Runtime,
    TokioRuntime, ToolSpec, ToolSpecs,
};

const CANDIDATES: u64 = 100;
const CALLS: usize = 1_000;
const PICKS: usize = 20_000;
const REPEATS: usize = 7;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!(
        "one of {CANDIDATES} candidates, {CALLS} calls going on; median (range) of {REPEATS} times {PICKS} picks\n"
    );
    println!("| strategy | alone | crowd |\n| --- | ---: | ---: |");
    let plain = [Score::Weighted, Score::Sticky, Score::Cost, Score::Latency, Score::LeastBusy];
    let mut rows: Vec<(String, Strategy, bool)> =
        plain.into_iter().map(|score| (score.name().to_owned(), Strategy::of(score), false)).collect();
    let mix = Strategy::of(Score::Cost).and(Score::Latency, 0.5).and(Score::LeastBusy, 0.2);
    rows.push(("cost, latency and least_busy".to_owned(), mix, false));
    rows.push(("sticky, with two budgets".to_owned(), Strategy::of(Score::Sticky), true));
    for (name, strategy, budgets) in rows {
        let router = router(strategy, budgets)?;
        let held = crowd(&router).await?;
        let alone = show(times(&router)?);
        let stop = Arc::new(AtomicBool::new(false));
        let other = std::thread::spawn({
            let (router, stop) = (router.clone(), stop.clone());
            move || busy(&router, &stop)
        });
        let crowded = show(times(&router)?);
        stop.store(true, Ordering::Relaxed);
        other.join().map_err(|_| "the other thread panicked")??;
        println!("| {name} | {alone} | {crowded} |");
        drop(held);
    }
    Ok(())
}

fn router(strategy: Strategy, budgets: bool) -> Result<Router> {
    let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime::current()?);
    let mut builder = Router::builder(runtime).strategy(strategy);
    for number in 0..CANDIDATES {
        let info = ModelInfo {
            window: Some(200_000),
            max_output: Some(8_192),
            price: Some(Price::new(Rates::new(1_000_000 + number, 5_000_000))),
            ..ModelInfo::new("bench", format!("model-{number}"))
        };
        let model = ScriptedModel::from_fn(|_| Answer::text("hi").then_never());
        let model = model.with_info(info.able([Capability::Tools, Capability::ImageInput]));
        let candidate = Candidate::new(format!("deployment-{number}"), Arc::new(model) as Arc<dyn ChatModel>)
            .weight(1.0 + number as f64)
            .tag(if number % 2 == 0 { "even" } else { "odd" })
            .tag("production")
            .region("eu")
            .requests_per_minute(1_000_000_000)
            .tokens_per_minute(1_000_000_000_000)
            .max_parallel(1_000_000);
        builder = builder.candidate(candidate);
    }
    if budgets {
        let large = Cost::dollars(1_000_000_000);
        builder = builder.budgets(Budgets::new([
            Budget::new("all", large).per(Period::Month),
            Budget::new("each", large).per(Period::Day).each_user(),
        ])?);
    }
    Ok(builder.build()?)
}

fn call() -> Result<ModelCall> {
    let spec: ToolSpec = serde_json::from_value(serde_json::json!({
        "name": "weather", "description": "Weather of a city.", "input_schema": {"type": "object"},
    }))?;
    let mut call = ModelCall::new(ModelRequest {
        groups: Arc::new(vec![Group::user(vec![Part::text("Rain in Oslo?")])]),
        tools: Arc::new(ToolSpecs::new(vec![spec])),
        ..ModelRequest::default()
    });
    call.route = RouteHints::new().session("ada/1").user("ada").tag("production").region("eu");
    Ok(call)
}

/// Calls that have begun and do not end.
async fn crowd(router: &Router) -> Result<Vec<mosaic_core::ModelStream>> {
    let mut held = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        held.push(router.stream(call()?).await?);
    }
    Ok(held)
}

/// Opens and drops calls.
fn busy(router: &Router, stop: &AtomicBool) -> std::result::Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        while !stop.load(Ordering::Relaxed) {
            let call = call().map_err(|error| error.to_string())?;
            drop(router.stream(call).await.map_err(|error| error.to_string())?);
        }
        Ok(())
    })
}

fn times(router: &Router) -> Result<Vec<Duration>> {
    let call = call()?;
    let mut times = Vec::with_capacity(REPEATS);
    for _ in 0..REPEATS {
        let start = thread_time();
        for _ in 0..PICKS {
            let chosen = router.choose(black_box(&call.request), black_box(&call.route));
            black_box(chosen.ok_or("nobody was chosen")?);
        }
        times.push(thread_time().saturating_sub(start) / u32::try_from(PICKS)?);
    }
    Ok(times)
}

/// Median and range in microseconds.
fn show(mut times: Vec<Duration>) -> String {
    times.sort();
    let us = |index: usize| times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6);
    format!("{:.2} us ({:.2} to {:.2})", us(times.len() / 2), us(0), us(times.len().saturating_sub(1)))
}
