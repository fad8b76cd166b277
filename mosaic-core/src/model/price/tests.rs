use proptest::prelude::*;

use super::{Price, Rates};
use crate::message::{Cost, Usage};

/// $3 in, $15 out, a tenth for a read, a quarter more for a write, twice for one of an hour.
const CLAUDE: Rates = Rates {
    cached_input: Some(300_000),
    cache_write: Some(3_750_000),
    cache_write_1h: Some(6_000_000),
    ..Rates::new(3_000_000, 15_000_000)
};

fn usage(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

/// litellm#11364: an answer of Claude Opus 4.5 in Europe for $0.047, where its parts are $0.40.
#[test]
fn a_cached_token_is_priced_once_and_at_the_cached_rate() {
    let opus = Rates {
        cached_input: Some(550_000),
        cache_write: Some(6_875_000),
        ..Rates::new(5_500_000, 27_500_000)
    };
    let usage = Usage { cached_input: 66_360, cache_write: 32_435, reasoning: 1_710, ..usage(98_805, 5_120) };
    assert_eq!(Price::new(opus).cost(&usage), Cost(55 + 36_498 + 222_991 + 140_800));
}

/// litellm#9812: $0.091 for an answer that Anthropic charged $0.0544 for. The written tokens were in the sum twice, at the
/// input rate and at theirs.
#[test]
fn a_token_written_to_the_cache_is_not_paid_for_twice() {
    let usage = Usage { cache_write: 12_304, ..usage(12_307, 550) };
    assert_eq!(Price::new(CLAUDE).cost(&usage), Cost(9 + 46_140 + 8_250));
}

/// litellm#35127: $0.86 in place of $0.166250; litellm#33772: written tokens left out.
#[test]
fn reads_and_writes_are_taken_out_of_the_prompt_before_it_is_priced() {
    let rates = Rates {
        cached_input: Some(500_000),
        cache_write: Some(6_250_000),
        ..Rates::new(5_000_000, 30_000_000)
    };
    let usage = Usage { cached_input: 155_000, cache_write: 3_000, ..usage(172_000, 0) };
    assert_eq!(Price::new(rates).cost(&usage), Cost(166_250));
}

#[test]
fn a_write_for_an_hour_has_its_own_rate() {
    let usage = Usage { cache_write: 200_000, cache_write_1h: 50_000, ..usage(200_000, 0) };
    assert_eq!(Price::new(CLAUDE).cost(&usage), Cost(562_500 + 300_000));
}

#[test]
fn reasoning_is_part_of_the_answer_and_not_added_to_it() {
    let usage = Usage { reasoning: 60_000, ..usage(0, 100_000) };
    assert_eq!(Price::new(CLAUDE).cost(&usage), Cost(1_500_000));
    let apart = Rates { reasoning: Some(3_000_000), ..CLAUDE };
    assert_eq!(Price::new(apart).cost(&usage), Cost(600_000 + 180_000));
}

#[test]
fn a_rate_that_nobody_told_is_the_one_that_it_is_a_discount_of_and_never_nothing() {
    let price = Price::new(Rates::new(2_000_000, 8_000_000));
    let cached = Usage { cached_input: 500_000, cache_write: 250_000, ..usage(1_000_000, 0) };
    assert_eq!(price.cost(&cached), price.cost(&usage(1_000_000, 0)));
    let hour = Usage { cache_write: 100_000, cache_write_1h: 100_000, ..usage(100_000, 0) };
    let no_hour = Rates { cache_write_1h: None, ..CLAUDE };
    assert_eq!(Price::new(no_hour).cost(&hour), Cost(375_000), "as a write of five minutes");
}

#[test]
fn above_a_tier_the_whole_request_has_the_rates_of_the_tier() {
    let price = Price::new(Rates::new(1_250_000, 10_000_000))
        .above(500_000, Rates::new(5_000_000, 20_000_000))
        .above(200_000, Rates::new(2_500_000, 15_000_000));
    assert_eq!(price.cost(&usage(200_000, 1_000)), Cost(250_000 + 10_000), "at the limit: not above it");
    assert_eq!(
        price.cost(&usage(200_001, 1_000)),
        Cost(500_003 + 15_000),
        "all of the prompt, and the answer"
    );
    assert_eq!(price.cost(&usage(600_000, 0)), Cost(3_000_000), "the highest that it is above");
}

/// litellm#16377: above the limit, cached tokens kept the rate from below it.
#[test]
fn the_cached_part_of_a_prompt_counts_for_its_tier() {
    let long = Rates { cached_input: Some(600_000), ..Rates::new(6_000_000, 22_500_000) };
    let price = Price::new(CLAUDE).above(200_000, long);
    let usage = Usage { cached_input: 250_000, ..usage(251_000, 0) };
    assert_eq!(price.cost(&usage), Cost(6_000 + 150_000));
}

#[test]
fn a_fraction_of_a_millionth_is_rounded_and_not_cut_off() {
    let price = Price::new(Rates::new(75_000, 300_000));
    assert_eq!(price.cost(&usage(7, 0)), Cost(1), "0.525 millionths");
    assert_eq!(price.cost(&usage(6, 0)), Cost(0), "0.45 millionths");
}

#[test]
fn figures_that_do_not_add_up_are_not_a_panic() {
    let beside = Usage { cached_input: 1_000_000, reasoning: 9, cache_write_1h: 5, ..usage(10, 3) };
    assert_eq!(Price::new(CLAUDE).cost(&beside), Cost(300_000 + 45));
    let all = u64::MAX;
    let most = Rates { cached_input: Some(all), cache_write: Some(all), ..Rates::new(all, all) };
    let usage = Usage {
        input: all,
        output: all,
        cached_input: all,
        cache_write: all,
        cache_write_1h: all,
        reasoning: all,
    };
    assert_eq!(Price::new(most).cost(&usage), Cost(all));
}

#[test]
fn a_price_is_small_as_json_and_its_least_form_is_two_numbers() {
    let price: Price = serde_json::from_str(r#"{"input":150000,"output":600000}"#).unwrap();
    assert_eq!(price, Price::new(Rates::new(150_000, 600_000)));
    let tiered = Price::new(CLAUDE).above(200_000, Rates::new(6_000_000, 22_500_000));
    let text = serde_json::to_string(&tiered).unwrap();
    assert_eq!(
        text,
        r#"{"input":3000000,"output":15000000,"cached_input":300000,"cache_write":3750000,"cache_write_1h":6000000,"tiers":[{"above":200000,"input":6000000,"output":22500000}]}"#
    );
    assert_eq!(serde_json::from_str::<Price>(&text).unwrap(), tiered);
}

prop_compose! {
    fn rates()(input in 0..100_000_000_u64, output in 0..100_000_000_u64, parts in any::<[Option<u32>; 4]>()) -> Rates {
        let [cached_input, cache_write, cache_write_1h, reasoning] = parts.map(|part| part.map(u64::from));
        Rates { input, output, cached_input, cache_write, cache_write_1h, reasoning }
    }
}

prop_compose! {
    /// As providers report them: parts are not more than what they are parts of.
    fn usages()(fresh in 0..2_000_000_u64, cached_input in 0..2_000_000_u64, five in 0..500_000_u64, hour in 0..500_000_u64,
        said in 0..500_000_u64, reasoning in 0..500_000_u64) -> Usage {
        let cache_write = five + hour;
        Usage { input: fresh + cached_input + cache_write, output: said + reasoning, cached_input, cache_write,
            cache_write_1h: hour, reasoning }
    }
}

proptest! {
    /// One more token of any kind never makes a call cheaper.
    #[test]
    fn the_cost_grows_with_each_count(rates in rates(), usage in usages(), more in 0..1_000_000_u64) {
        let price = Price::new(rates);
        let cost = price.cost(&usage);
        let grown = [
            Usage { input: usage.input + more, ..usage },
            Usage { output: usage.output + more, ..usage },
            Usage { input: usage.input + more, cached_input: usage.cached_input + more, ..usage },
            Usage { input: usage.input + more, cache_write: usage.cache_write + more, ..usage },
            Usage { output: usage.output + more, reasoning: usage.reasoning + more, ..usage },
        ];
        for grown in grown {
            prop_assert!(price.cost(&grown) >= cost, "{grown:?}");
        }
    }

    /// The figures of two answers that are told apart cost what their sum does, but for the rounding of each.
    #[test]
    fn the_cost_of_the_parts_is_that_of_the_sum(rates in rates(), one in usages(), other in usages()) {
        let price = Price::new(rates);
        let mut sum = one;
        sum += other;
        let apart = price.cost(&one).0 + price.cost(&other).0;
        prop_assert!(apart.abs_diff(price.cost(&sum).0) <= 1);
    }

    /// Every token once: with one rate for all, only the totals count.
    #[test]
    fn with_one_rate_for_all_only_the_totals_count(rate in 0..100_000_000_u64, usage in usages()) {
        let cost = Price::new(Rates::new(rate, rate)).cost(&usage);
        let total = u128::from(usage.input + usage.output) * u128::from(rate);
        prop_assert_eq!(u128::from(cost.0), (total + 500_000) / 1_000_000);
    }
}
