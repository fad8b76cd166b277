//! Prints what each strategy of the router makes of a simulated fleet, as tables: strategies, hedges, and rules by kind of
//! task. The argument is the seed; 7 unless given. `cargo xtask simulate` runs it.

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::router::simulate::{Load, Outcome, Row, Simulation, fleet, table};
use mosaic_core::router::{
    Hedge, Heuristics, RetryPolicy, RouterBuilder, RouterError, Score, Strategy, TaskKind, TaskRule,
};

fn main() -> Result<(), RouterError> {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(7);
    strategies(seed)?;
    hedges(seed)?;
    rules(seed)
}

fn strategies(seed: u64) -> Result<(), RouterError> {
    let simulation = Simulation { fleet: fleet(), load: Load::default(), seed };
    let mut rows = vec![Row::of("baseline: plain shuffle", &simulation.baseline())];
    for score in [Score::Weighted, Score::Sticky, Score::Cost, Score::Latency, Score::LeastBusy] {
        let name = score.name();
        rows.push(Row::of(name, &simulation.run(|builder| builder.strategy(Strategy::of(score)))?));
    }
    show("Strategies", &rows);
    Ok(())
}

/// The same, with a second request for calls that take long.
fn hedges(seed: u64) -> Result<(), RouterError> {
    let simulation = Simulation { fleet: fleet(), load: Load::default(), seed };
    let run = |hedge: Option<Hedge>| {
        let retry = RetryPolicy { hedge, ..RetryPolicy::default() };
        simulation.run(|builder| builder.strategy(Strategy::of(Score::Sticky)).retry(retry))
    };
    let hedge = Hedge::after_p95(Duration::from_millis(500));
    let rows = [
        Row::of("sticky", &run(None)?),
        Row::of("sticky, hedged after p95", &run(Some(hedge.clone()))?),
        Row::of("the same, no share too large", &run(Some(Hedge { share: 1.0, ..hedge }))?),
    ];
    show("Hedges", &rows);
    Ok(())
}

/// Half of the calls are simple. What rules save, beside a fleet that always asks the best model first.
fn rules(seed: u64) -> Result<(), RouterError> {
    let load = Load { simple: 0.5, ..Load::default() };
    let simulation = Simulation { fleet: fleet(), load, seed };
    let run = |build: fn(RouterBuilder) -> RouterBuilder| -> Result<Vec<Outcome>, RouterError> {
        // The quick one is the dear one, and the best.
        let best = Strategy::of(Score::by(|standing| f64::from(standing.candidate.id() != "quick")));
        simulation.run(|builder| build(builder.strategy(best)))
    };
    let rows = [
        Row::of("the best first", &run(|builder| builder)?),
        Row::of(
            "the same, simple ones to the cheap one",
            &run(|builder| {
                builder.classifier(Arc::new(Heuristics)).rule(TaskRule::new(TaskKind::Simple).to("cheap"))
            })?,
        ),
        Row::of(
            "the same, simple ones to the one in the middle",
            &run(|builder| {
                builder.classifier(Arc::new(Heuristics)).rule(TaskRule::new(TaskKind::Simple).to("middle"))
            })?,
        ),
    ];
    show("Rules, where half of the calls are simple", &rows);
    Ok(())
}

fn show(title: &str, rows: &[Row]) {
    println!("{title}\n\n{}", table(rows));
}
