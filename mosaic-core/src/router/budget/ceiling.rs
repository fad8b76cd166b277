//! The most that a call can cost.

use crate::message::Cost;
use crate::model::{Price, Rates};

/// The most that a call of at most so many tokens can cost: each token at the dearest rate that it could be billed at, of
/// every tier that so long a prompt could reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::router) struct Ceiling(Vec<Tier>);

/// For prompts of more tokens than `above`: the dearest rates.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tier {
    above: Option<u64>,
    read: u64,
    said: u64,
}

/// Rates are millionths of a dollar a million tokens, so this is a millionth of a dollar.
const UNIT: u128 = 1_000_000;

impl Ceiling {
    pub(in crate::router) fn of(price: &Price) -> Self {
        let tier = |above, rates: &Rates| {
            let read = [rates.cached_input, rates.cache_write, rates.cache_write_1h];
            Tier {
                above,
                read: read.into_iter().flatten().fold(rates.input, u64::max),
                said: rates.output.max(rates.reasoning.unwrap_or(0)),
            }
        };
        let base = std::iter::once(tier(None, &price.rates));
        Self(base.chain(price.tiers.iter().map(|of| tier(Some(of.above), &of.rates))).collect())
    }

    /// Whether such a call could cost more. No division: a pick asks this of a hundred candidates.
    pub(super) fn exceeds(&self, prompt: u64, answer: u64, left: u64) -> bool {
        self.sum(prompt, answer) > u128::from(left) * UNIT
    }

    /// The most, rounded up.
    pub(super) fn cost(&self, prompt: u64, answer: u64) -> Cost {
        Cost(u64::try_from(self.sum(prompt, answer).div_ceil(UNIT)).unwrap_or(u64::MAX))
    }

    fn sum(&self, prompt: u64, answer: u64) -> u128 {
        let reached = self.0.iter().filter(|tier| tier.above.is_none_or(|above| prompt > above));
        let product = |tokens: u64, rate: u64| u128::from(tokens) * u128::from(rate);
        let sum = |tier: &Tier| product(prompt, tier.read).saturating_add(product(answer, tier.said));
        reached.map(sum).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::Usage;

    prop_compose! {
        fn rates()(
            rate in prop::array::uniform6(0..90_000_000_u64), known in prop::array::uniform4(any::<bool>()),
        ) -> Rates {
            let [input, output, rest @ ..] = rate;
            let mut rest = rest.into_iter().zip(known).map(|(rate, known)| known.then_some(rate));
            let mut next = || rest.next().flatten();
            Rates {
                cached_input: next(), cache_write: next(), cache_write_1h: next(), reasoning: next(),
                ..Rates::new(input, output)
            }
        }
    }

    proptest! {
        #[test]
        fn no_call_of_so_many_tokens_costs_more(
            base in rates(), long in rates(), above in 0..300_000_u64,
            prompt in 0..400_000_u64, answer in 0..100_000_u64, share in prop::array::uniform6(0.0..=1.0_f64),
        ) {
            let price = Price::new(base).above(above, long);
            let of = |whole: u64, share: f64| (whole as f64 * share) as u64;
            let [input, output, cached, written, hour, thought] = share;
            let (input, output) = (of(prompt, input), of(answer, output));
            let cached_input = of(input, cached);
            let cache_write = of(input - cached_input, written);
            let usage = Usage {
                input, output, cached_input, cache_write,
                cache_write_1h: of(cache_write, hour), reasoning: of(output, thought),
            };
            let most = Ceiling::of(&price);
            prop_assert!(price.cost(&usage) <= most.cost(prompt, answer));
        }

        #[test]
        fn what_exceeds_is_what_costs_more(base in rates(), prompt in 0..99_999_u64, answer in 0..9_999_u64, left: u64) {
            let most = Ceiling::of(&Price::new(base));
            let cost = most.cost(prompt, answer).0;
            for left in [left, cost, cost.saturating_sub(1)] {
                prop_assert_eq!(most.exceeds(prompt, answer, left), cost > left);
            }
        }
    }
}
