//! What holds of the router, whatever the fleet does.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::router::health::RamHealthStore;
use crate::router::{BreakerPolicy, Budget, Budgets, Hedge, MidAnswer, RetryPolicy, Score, Strategy as By};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn well(id: &str) -> Plan {
    Plan { errors: 0.0, ..Plan::new(id, Price::default(), 200, 5) }
}

fn priced(id: &str) -> Plan {
    Plan { price: Price::new(crate::model::Rates::new(1_000_000, 4_000_000)), ..well(id) }
}

fn by(which: usize) -> By {
    let scores = [Score::Weighted, Score::Sticky, Score::Cost, Score::Latency, Score::LeastBusy];
    By::of(scores.into_iter().nth(which % 5).unwrap())
}

fn load(calls: usize, rate: f64) -> Load {
    Load { calls, rate, prompt: 20, answer: 50, ..Load::default() }
}

#[test]
fn one_seed_gives_one_table() {
    let rows = |seed| {
        let simulation = Simulation { fleet: fleet(), load: load(200, 2.0), seed };
        let routed = simulation.run(|builder| builder.strategy(by(3))).unwrap();
        table(&[Row::of("baseline", &simulation.baseline()), Row::of("latency", &routed)])
    };
    assert_eq!(rows(7), rows(7));
    assert_ne!(rows(7), rows(8));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn no_call_is_lost_and_none_is_tried_too_often(
        seed: u64, which in 0..5_usize, errors in 0.0..1.0_f64, limit in 1..40_u32, out in 0..60_u64,
    ) {
        let fleet = vec![
            Plan { errors, ..well("one") },
            Plan { limit: Some(limit), ..well("two") },
            Plan { outages: vec![at(out)..at(out + 30)], ..well("three") },
        ];
        let simulation = Simulation { fleet, load: load(80, 4.0), seed };
        let outcomes = simulation.run(|builder| builder.strategy(by(which))).unwrap();
        prop_assert_eq!(outcomes.len(), 80);
        for outcome in outcomes {
            prop_assert!(outcome.failure != Some(ErrorKind::Internal));
            prop_assert!(outcome.attempts.len() <= 5);
            let mut each = HashMap::new();
            for attempt in outcome.attempts {
                *each.entry(attempt.deployment).or_insert(0) += 1;
            }
            prop_assert!(each.values().all(|asked| *asked <= 2));
        }
    }

    #[test]
    fn hedges_and_restarts_lose_no_call_and_stay_within_attempts_and_budgets(
        seed: u64, errors in 0.0..0.6_f64, out in 0..60_u64, share in 0.01..1.0_f64, limit in 500..50_000_u64,
    ) {
        let fleet = vec![
            Plan { errors, brownouts: vec![Brownout { during: at(0)..at(60), slower: 9.0, errors }], ..priced("one") },
            Plan { outages: vec![at(out)..at(out + 5), at(out + 8)..at(out + 12)], ..priced("two") },
            priced("three"),
        ];
        let simulation = Simulation { fleet, load: load(80, 4.0), seed };
        let hedge = Hedge { share, most: 2, ..Hedge::after(Duration::from_millis(250)) };
        let retry = RetryPolicy { hedge: Some(hedge), mid_answer: MidAnswer::Restart, ..RetryPolicy::default() };
        let budgets = Budgets::new([Budget::new("one", Cost(limit)).of_candidate("one")]).unwrap();
        let outcomes = simulation
            .run(|builder| builder.strategy(by(0)).retry(retry).budgets(budgets.clone()))
            .unwrap();
        prop_assert_eq!(outcomes.len(), 80);
        for outcome in &outcomes {
            prop_assert!(outcome.attempts.len() <= 5, "{:?}", outcome);
            prop_assert!(!matches!(outcome.failure, Some(ErrorKind::Internal | ErrorKind::Budget)));
        }
        for spent in budgets.spent(crate::runtime::Timestamp(0)) {
            prop_assert!(spent.spent.0 <= limit && spent.reserved == Cost(0), "{:?}", spent);
        }
    }

    #[test]
    fn an_outage_of_one_of_three_costs_a_call_at_most_one_failed_attempt(
        seed: u64, which in 0..5_usize, out in 0..20_u64,
    ) {
        let fleet = vec![Plan { outages: vec![at(out)..at(out + 20)], ..well("one") }, well("two"), well("three")];
        let simulation = Simulation { fleet, load: load(80, 4.0), seed };
        for outcome in simulation.run(|builder| builder.strategy(by(which))).unwrap() {
            let failed = outcome.attempts.iter().filter(|attempt| attempt.failure.is_some()).count();
            prop_assert!(failed <= 1, "{:?}", outcome);
        }
    }

    #[test]
    fn routers_over_one_store_make_one_probe_at_a_time_together(
        seed: u64, rate in 1.0..40.0_f64, routers in 2..6_usize,
    ) {
        let fleet = vec![Plan { outages: vec![at(0)..at(100_000)], ..well("down") }, well("well")];
        let simulation = Simulation { fleet, load: load(150, rate), seed };
        let store = std::sync::Arc::new(RamHealthStore::new());
        // Each call looks before it asks.
        let policy = BreakerPolicy { failures: 1, refresh: at(0), ..BreakerPolicy::default() };
        let outcomes = simulation
            .run_many(routers, |builder| builder.strategy(by(0)).breaker(policy.clone()).health(store.clone()))
            .unwrap();
        prop_assert_eq!(outcomes.len(), 150);
        let mut asked: Vec<Duration> = outcomes
            .iter()
            .flat_map(|outcome| &outcome.attempts)
            .filter(|attempt| attempt.deployment == 0)
            .map(|attempt| attempt.at)
            .collect();
        asked.sort();
        let Some(first) = asked.first().copied() else { return Ok(()) };
        // A failure takes 50 ms; until the first has shown, more calls may set out.
        let (mut closed_at, mut alone) = (first + Duration::from_millis(50), at(5));
        for probe in asked.into_iter().filter(|one| *one > first + Duration::from_millis(50)) {
            prop_assert!(probe >= closed_at + alone, "{:?} {:?}", probe, closed_at);
            (closed_at, alone) = (probe + Duration::from_millis(50), (alone * 2).min(at(300)));
        }
    }

    #[test]
    fn an_open_breaker_lets_only_its_probes_through(seed: u64, rate in 1.0..40.0_f64) {
        let fleet = vec![Plan { outages: vec![at(0)..at(100_000)], ..well("down") }, well("well")];
        let simulation = Simulation { fleet, load: load(150, rate), seed };
        let outcomes = simulation.run(|builder| builder.strategy(by(0))).unwrap();
        let mut asked: Vec<Duration> = outcomes
            .iter()
            .flat_map(|outcome| &outcome.attempts)
            .filter(|attempt| attempt.deployment == 0)
            .map(|attempt| attempt.at)
            .collect();
        asked.sort();
        let Some(third) = asked.get(2).copied() else { return Ok(()) };
        // A failure takes 50 ms; until the third has shown, more calls may set out.
        let (mut closed_at, mut alone) = (third + Duration::from_millis(50), at(5));
        for probe in asked.into_iter().filter(|one| *one > third + Duration::from_millis(50)) {
            prop_assert!(probe >= closed_at + alone, "{:?} {:?}", probe, closed_at);
            (closed_at, alone) = (probe + Duration::from_millis(50), (alone * 2).min(at(300)));
        }
    }
}
