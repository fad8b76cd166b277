//! The process is killed (SIGKILL) at random moments, again and again, and each time another one goes on.
//!
//! After every kill: nothing that was acknowledged is lost, no tool with an effect ran twice, and what a model would be
//! sent is a valid conversation in both wire formats. `MOSAIC_KILLS=5000` runs longer, `MOSAIC_KILL_SEED` runs the same
//! choices again (the moments themselves are the machine's).
#![cfg(all(unix, feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod agent;
mod check;
mod child;
mod lane;
mod wire;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Processes that are killed side by side, each with a database of its own.
const LANES: u64 = 3;

#[test]
fn what_was_acknowledged_survives_sigkill_and_no_effect_is_doubled() {
    if child::is_one() {
        return child::main();
    }
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let kills = number("MOSAIC_KILLS").unwrap_or(500);
    let seed = number("MOSAIC_KILL_SEED")
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    println!("{kills} kills; MOSAIC_KILL_SEED={seed}");
    let start = Instant::now();
    let lanes: Vec<_> = (0..LANES)
        .map(|lane| {
            let share = kills / LANES + u64::from(lane < kills % LANES);
            std::thread::spawn(move || lane::run(share, seed ^ (lane << 32)))
        })
        .collect();
    let mut found = lane::Found::default();
    for lane in lanes {
        found += lane.join().expect("the lane says above what is wrong");
    }
    println!("{found:?} in {:.1} s", start.elapsed().as_secs_f64());
    assert_eq!(found.kills, kills);
    // A kill that hits nothing proves nothing.
    if kills >= 100 {
        assert!(found.during_runs > kills / 4, "too few kills hit a run: {found:?}");
        assert!(found.during_once > 0 && found.repeated > 0, "no kill hit a tool call: {found:?}");
    }
}
