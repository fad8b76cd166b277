//! Prints what each strategy of the router makes of a simulated fleet, as a table. The argument is the seed; 7 unless
//! given. `cargo xtask simulate` runs it.

use mosaic_core::router::simulate::{Load, Row, Simulation, fleet, table};
use mosaic_core::router::{RouterError, Score, Strategy};

fn main() -> Result<(), RouterError> {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let simulation = Simulation { fleet: fleet(), load: Load::default(), seed };
    let mut rows = vec![Row::of("baseline: plain shuffle", &simulation.baseline())];
    for score in [Score::Weighted, Score::Sticky, Score::Cost, Score::Latency, Score::LeastBusy] {
        let name = score.name();
        rows.push(Row::of(name, &simulation.run(|builder| builder.strategy(Strategy::of(score)))?));
    }
    print!("{}", table(&rows));
    Ok(())
}
