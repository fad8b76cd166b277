//! What budgets promise.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use proptest::prelude::*;

use super::account::Account;
use super::*;
use crate::error::ErrorKind;
use crate::message::{Cost, Group, Part, Usage};
use crate::model::{ChatModel, ModelCall, ModelError, ModelEvent, ModelInfo, ModelRequest, Price, Rates};
use crate::router::simulate::{Load, Plan, Simulation};
use crate::router::{Candidate, Lacking, RetryPolicy, RouteHints, Router};
use crate::runtime::{Runtime, Timestamp};
use crate::testing::{Answer, ScriptedModel, TestRuntime};

/// A dollar a token of the answer, nothing a token of the prompt.
fn price() -> Price {
    Price::new(Rates::new(0, 1_000_000_000_000))
}

fn model(answers: impl IntoIterator<Item = Answer>) -> ScriptedModel {
    ScriptedModel::new(answers)
        .with_info(ModelInfo { price: Some(price()), ..ModelInfo::new("acme", "large") })
}

/// An answer of so many tokens.
fn tokens(output: u64) -> Answer {
    Answer::text("hi").usage(Usage { output, ..Usage::default() })
}

/// A call that may cost so many dollars.
fn call(dollars: u64) -> ModelCall {
    let mut request = ModelRequest::default();
    request.params.max_output_tokens = Some(dollars);
    ModelCall::new(request)
}

fn for_user(dollars: u64, user: &str) -> ModelCall {
    let mut call = call(dollars);
    call.route = RouteHints::new().user(user);
    call
}

struct Setting {
    runtime: TestRuntime,
    budgets: Budgets,
    router: Router,
    model: ScriptedModel,
}

fn setting(budgets: impl IntoIterator<Item = Budget>, model: ScriptedModel) -> Setting {
    let runtime = TestRuntime::new(1);
    let budgets = Budgets::new(budgets).unwrap();
    let router = Router::builder(Arc::new(runtime.clone()))
        .candidate(Candidate::new("only", Arc::new(model.clone())).tag("dear"))
        .budgets(budgets.clone())
        .build()
        .unwrap();
    Setting { runtime, budgets, router, model }
}

async fn say(router: &Router, call: ModelCall) -> Result<(), ModelError> {
    let mut stream = router.stream(call).await.unwrap();
    while let Some(event) = stream.next().await {
        event?;
    }
    Ok(())
}

impl Setting {
    async fn say(&self, call: ModelCall) -> Result<(), ModelError> {
        say(&self.router, call).await
    }

    fn spent(&self) -> Vec<(String, u64, u64)> {
        let all = self.budgets.spent(self.runtime.now());
        let name = |one: &Spent| match &one.user {
            Some(user) => format!("{} of {user}", one.budget),
            None => one.budget.to_string(),
        };
        all.iter().map(|one| (name(one), one.spent.0 / 1_000_000, one.reserved.0 / 1_000_000)).collect()
    }
}

#[tokio::test]
async fn calls_that_start_at_once_do_not_overshoot() {
    // The router of record adds spend up after the answer, so that all of these would be let through.
    let gates: Vec<crate::testing::Gate> = (0..10).map(|_| crate::testing::Gate::new()).collect();
    let answers = gates
        .iter()
        .map(|gate| Answer::new().hold(gate).then_text("hi").usage(Usage { output: 3, ..Usage::default() }));
    let all = setting([Budget::new("all", Cost::dollars(10))], model(answers.collect::<Vec<_>>()));
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let router = all.router.clone();
            tokio::spawn(async move { say(&router, call(3)).await })
        })
        .collect();
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    // Three may cost nine dollars; the fourth could cost more than is left.
    assert_eq!(all.model.requests().len(), 3);
    assert_eq!(all.spent(), [("all".to_owned(), 0, 9)]);
    gates.iter().for_each(crate::testing::Gate::open);
    let ended = join_all(calls).await;
    let answered = ended.iter().filter(|end| end.as_ref().unwrap().is_ok()).count();
    assert_eq!((answered, all.spent()), (3, vec![("all".to_owned(), 9, 0)]));
}

#[tokio::test]
async fn a_call_waits_for_what_others_have_reserved_and_not_used() {
    let gate = crate::testing::Gate::new();
    let slow = Answer::new().hold(&gate).then_text("hi").usage(Usage { output: 1, ..Usage::default() });
    let all = setting([Budget::new("all", Cost::dollars(10))], model([slow, tokens(9)]));
    let router = all.router.clone();
    let first = tokio::spawn(async move { say(&router, call(9)).await });
    tokio::task::yield_now().await;
    let router = all.router.clone();
    let second = tokio::spawn(async move { say(&router, call(9)).await });
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(all.model.requests().len(), 1);
    gate.open();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(all.spent(), [("all".to_owned(), 10, 0)]);
}

#[tokio::test]
async fn a_used_up_budget_is_an_error_that_says_so_and_when_it_is_filled_again() {
    let all =
        setting([Budget::new("daily", Cost::dollars(5)).per(Period::Day)], model([tokens(4), tokens(4)]));
    all.say(call(5)).await.unwrap();
    let error = all.say(call(5)).await.unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Budget, false));
    assert!(error.message.contains("$5.00") && error.message.contains("`daily`"), "{error}");
    assert!(error.message.contains("$1.00 are left"), "{error}");
    // 2026-01-01 00:00 has just begun.
    assert_eq!(error.retry_after, Some(Duration::from_secs(86_400)));
    all.runtime.advance(Duration::from_secs(86_400)).await;
    all.say(call(5)).await.unwrap();
    assert_eq!(all.spent(), [("daily".to_owned(), 4, 0)]);
    // No day is long enough for this one.
    assert_eq!(all.say(call(6)).await.unwrap_err().retry_after, None);
}

#[tokio::test]
async fn a_call_goes_to_a_candidate_whose_budget_is_not_used_up() {
    let (dear, cheap) = (model([]), model([tokens(1)]));
    let router = Router::builder(Arc::new(TestRuntime::new(1)))
        .candidate(Candidate::new("dear", Arc::new(dear.clone())).tag("dear"))
        .candidate(Candidate::new("cheap", Arc::new(cheap.clone())).priority(1))
        .budgets(Budgets::new([Budget::new("dear ones", Cost::dollars(1)).of_tag("dear")]).unwrap())
        .build()
        .unwrap();
    say(&router, call(2)).await.unwrap();
    assert_eq!((dear.requests().len(), cheap.requests().len()), (0, 1));
}

#[tokio::test]
async fn each_user_has_a_budget_and_pays_for_nobody_else() {
    let each = Budget::new("each", Cost::dollars(3)).each_user();
    let ada = Budget::new("ada", Cost::dollars(1)).of_user("ada");
    let all = setting([each, ada], model((0..9).map(|_| tokens(1))));
    all.say(for_user(1, "ada")).await.unwrap();
    assert_eq!(all.say(for_user(1, "ada")).await.unwrap_err().kind, ErrorKind::Budget);
    for _ in 0..3 {
        all.say(for_user(1, "bob")).await.unwrap();
    }
    assert_eq!(all.say(for_user(1, "bob")).await.unwrap_err().kind, ErrorKind::Budget);
    all.say(call(1)).await.unwrap();
    let expected = [("ada", 1), ("each of ", 1), ("each of ada", 1), ("each of bob", 3)];
    let spent: Vec<(String, u64)> = all.spent().into_iter().map(|(name, spent, _)| (name, spent)).collect();
    assert_eq!(spent, expected.map(|(name, spent)| (name.to_owned(), spent)));
}

#[tokio::test]
async fn budgets_are_about_models_providers_and_candidates() {
    let of = |budget: Budget| async {
        let all = setting([budget], model([tokens(1)]));
        all.say(call(1)).await.is_err()
    };
    let none = || Budget::new("none", Cost(0));
    assert!(of(none()).await && of(none().of_model("large")).await && of(none().of_provider("acme")).await);
    assert!(of(none().of_candidate("only").of_tag("dear")).await);
    assert!(!of(none().of_model("small")).await && !of(none().of_provider("other")).await);
    assert!(!of(none().of_candidate("only").of_tag("cheap")).await);
}

#[tokio::test]
async fn a_failure_before_the_first_event_costs_nothing_and_a_cut_answer_what_was_shown() {
    let failing = |kind| Answer::error(ModelError::new(kind, "no"));
    let cut = Answer::text("four").fail(ModelError::new(ErrorKind::Transport, "gone"));
    let all = setting([Budget::new("all", Cost::dollars(100))], model([failing(ErrorKind::Auth), cut]));
    assert!(all.say(call(50)).await.is_err());
    assert_eq!(all.spent(), []);
    all.runtime.advance(Duration::from_secs(10)).await;
    assert!(all.say(call(50)).await.is_err());
    assert_eq!(all.spent(), [("all".to_owned(), 4, 0)]);
}

#[tokio::test]
async fn a_cancelled_call_is_charged_with_what_it_showed() {
    let all = setting([Budget::new("all", Cost::dollars(100))], model([Answer::text("three").then_never()]));
    let mut stream = all.router.stream(call(50)).await.unwrap();
    while let Some(Ok(event)) = stream.next().await {
        if matches!(event, ModelEvent::End { .. } | ModelEvent::Text { .. }) {
            break;
        }
    }
    drop(stream);
    assert_eq!(all.spent(), [("all".to_owned(), 5, 0)]);
}

#[tokio::test]
async fn an_unknown_price_or_length_is_refused_and_named_and_is_never_nothing() {
    let budget = || [Budget::new("all", Cost::dollars(1_000_000))];
    let lacking = |info: ModelInfo, request: ModelRequest| {
        let all = setting(budget(), ScriptedModel::new([]).with_info(info));
        let decision = all.router.explain(&request, &RouteHints::new());
        decision.rejected.first().map(|rejected| rejected.why.clone())
    };
    let unbounded = |lacking| Some(crate::router::Rejection::Unbounded { budget: "all".into(), lacking });
    let info = ModelInfo::new("acme", "large");
    assert_eq!(lacking(info.clone(), call(1).request), unbounded(Lacking::Price));
    let priced = ModelInfo { price: Some(price()), ..info };
    assert_eq!(lacking(priced.clone(), ModelRequest::default()), unbounded(Lacking::Answer));
    let media = crate::message::Media {
        media_type: "application/pdf".into(),
        data: crate::message::MediaData::Url { url: "https://example.org/a.pdf".into() },
        name: None,
    };
    let groups = Arc::new(vec![Group::user(vec![Part::Media(media)])]);
    let document = ModelRequest { groups, ..call(1).request };
    let able = priced.able([crate::model::Capability::DocumentInput]);
    assert_eq!(lacking(able.clone(), document.clone()), unbounded(Lacking::Prompt));
    // With a window there is a most that everything can be.
    assert_eq!(lacking(ModelInfo { window: Some(100_000), ..able }, document), None);
}

#[tokio::test]
async fn an_answer_without_figures_is_charged_as_reserved() {
    let all = setting([Budget::new("all", Cost::dollars(10))], model([Answer::text("hi")]));
    all.say(call(4)).await.unwrap();
    assert_eq!(all.spent(), [("all".to_owned(), 4, 0)]);
}

#[tokio::test]
async fn what_was_spent_outlives_the_process() {
    let budgets = || {
        [
            Budget::new("all", Cost::dollars(5)).per(Period::Month),
            Budget::new("each", Cost::dollars(9)).each_user(),
        ]
    };
    let old = setting(budgets(), model([tokens(4)]));
    old.say(for_user(4, "ada")).await.unwrap();
    let kept = serde_json::to_string(&old.budgets.spent(old.runtime.now())).unwrap();

    let new = setting(budgets(), model([tokens(4)]));
    new.budgets.restore(serde_json::from_str::<Vec<Spent>>(&kept).unwrap());
    assert_eq!(new.spent(), [("all".to_owned(), 4, 0), ("each of ada".to_owned(), 4, 0)]);
    assert_eq!(new.say(for_user(4, "ada")).await.unwrap_err().kind, ErrorKind::Budget);
    // What is over is not restored into the month that goes on.
    new.runtime.advance(Duration::from_secs(40 * 86_400)).await;
    new.budgets.restore(serde_json::from_str::<Vec<Spent>>(&kept).unwrap());
    assert!(new.spent().iter().all(|(name, ..)| name != "all"), "{:?}", new.spent());
}

#[tokio::test]
async fn accounts_of_users_who_spent_nothing_lately_are_forgotten() {
    // litellm#12685, #27954: memory that grows with every key that was ever seen
    let all = setting([Budget::new("each", Cost::dollars(1)).per(Period::Day).each_user()], model([]));
    for user in 0..20_000_u32 {
        let _ = all.budgets.accounts(&RouteHints::new().user(user.to_string()), all.runtime.now());
    }
    assert!(all.budgets.accounts_of_users() <= 4_096, "{}", all.budgets.accounts_of_users());
}

#[test]
fn bad_budgets_are_refused() {
    let twice = Budgets::new([Budget::new("a", Cost(1)), Budget::new("a", Cost(2))]).unwrap_err();
    assert!(twice.to_string().contains("`a`"));
    let never = Budget::new("a", Cost(1)).per(Period::Every(Duration::ZERO));
    assert!(Budgets::new([never]).unwrap_err().to_string().contains("no time at all"));
}

#[test]
fn months_begin_on_their_first_day() {
    let day = |days: u64| Timestamp(days * 86_400_000);
    // 2000-02-29, 2000-03-01, 2024-02-29, 2026-12-31, 2100-02-28, 2100-03-01: days since 1970.
    for (last, first) in [(11_016, 11_017), (19_782, 19_783), (20_818, 20_819), (47_540, 47_541)] {
        let (before, after) = (Period::Month.number(day(last)), Period::Month.number(day(first)));
        assert_eq!(after, before + 1);
        assert_eq!(Period::Month.start(after), day(first));
        assert_eq!(Period::Month.end(before), Some(day(first)));
    }
    assert_eq!(Period::Month.number(day(0)), 1970 * 12);
    assert_eq!(Period::Ever.end(0), None);
}

proptest! {
    #[test]
    fn a_point_in_time_lies_in_its_period(at in 0..10_000_000_000_000_u64, length in 1..10_000_000_u64) {
        for period in [Period::Day, Period::Month, Period::Every(Duration::from_millis(length))] {
            let number = period.number(Timestamp(at));
            let (start, end) = (period.start(number), period.end(number).unwrap());
            prop_assert!(start.0 <= at && at < end.0, "{:?} {:?} {:?}", period, start, end);
            prop_assert_eq!(period.number(start), number);
            prop_assert_eq!(period.number(end), number + 1);
        }
    }

    #[test]
    fn an_account_is_never_overdrawn_and_nothing_stays_reserved(
        limit in 0..100_u64, steps in prop::collection::vec((0..40_u64, 0..3_u8, 0..30_u64), 1..60),
    ) {
        let budget = Budget::new("b", Cost(limit)).per(Period::Every(Duration::from_millis(50)));
        let (account, mut now, mut held) = (Account::default(), Timestamp(0), Vec::new());
        for (amount, what, more) in steps {
            match what {
                0 => held.extend(account.reserve(&budget, amount, now).map(|number| (number, amount))),
                1 if !held.is_empty() => {
                    let (number, amount) = held.remove(0);
                    account.settle(number, amount, amount.min(more));
                }
                _ => now = now.after(Duration::from_millis(more)),
            }
            let window = account.window(&budget, now);
            prop_assert!(window.spent + window.reserved <= limit);
        }
        for (number, amount) in held {
            account.settle(number, amount, amount);
        }
        prop_assert_eq!(account.window(&budget, now).reserved, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn no_budget_is_overshot_whatever_the_fleet_does(
        seed: u64, limit in 100..20_000_u64, errors in 0.0..0.5_f64, out in 0..30_u64, every in 1..40_u64,
    ) {
        let price = |rate| Price::new(Rates::new(rate, rate * 5));
        let at = Duration::from_secs;
        let fleet = vec![
            Plan { errors, ..Plan::new("dear", price(3_000_000), 300, 5) },
            Plan { outages: vec![at(out)..at(out + 10)], ..Plan::new("cheap", price(1_000_000), 500, 5) },
        ];
        let load = Load { calls: 80, rate: 6.0, prompt: 100, answer: 40, ..Load::default() };
        let budgets = Budgets::new([
            Budget::new("dear", Cost(limit)).of_candidate("dear"),
            Budget::new("all", Cost(limit)).per(Period::Every(at(every))),
        ])
        .unwrap();
        let outcomes = Simulation { fleet, load, seed }
            .run(|builder| builder.budgets(budgets.clone()).retry(RetryPolicy::default()))
            .unwrap();
        prop_assert_eq!(outcomes.len(), 80);
        // Looked at from the beginning of time: nothing rolls over, so the last period stands.
        for spent in budgets.spent(Timestamp(0)) {
            prop_assert!(spent.spent.0 <= limit, "{:?}", spent);
            prop_assert_eq!(spent.reserved, Cost(0));
        }
        let dear = |outcome: &&crate::router::simulate::Outcome| outcome.attempts.last().is_some_and(|of| of.deployment == 0);
        let cost: u64 = outcomes.iter().filter(dear).map(|outcome| outcome.cost.0).sum();
        let booked = budgets.spent(Timestamp(0)).iter().find(|of| &*of.budget == "dear").map_or(0, |of| of.spent.0);
        prop_assert!(cost <= booked && booked <= limit, "{} {}", cost, booked);
        let mut periods = std::collections::HashMap::new();
        for outcome in outcomes.iter().filter(|outcome| outcome.failure.is_none()) {
            let asked = TestRuntime::START.after(outcome.attempts.last().unwrap().at);
            let answered = Period::Every(at(every)).number(asked);
            *periods.entry(answered).or_insert(0) += outcome.cost.0;
        }
        // A period is charged with the calls that were asked in it.
        for (period, cost) in periods {
            prop_assert!(cost <= limit, "{} in {}", cost, period);
        }
    }
}

#[test]
fn what_a_clock_that_is_ahead_has_spent_is_kept_until_its_period_is_over() {
    let budget = Budget::new("b", Cost(9)).per(Period::Every(Duration::from_millis(10)));
    let account = Account::default();
    account.add(5, Cost(3));
    for (now, number, spent) in [(39, 5, 3), (55, 5, 3), (60, 6, 0)] {
        let window = account.window(&budget, Timestamp(now));
        assert_eq!((window.number, window.spent), (number, spent), "{now}");
    }
}

#[test]
fn the_most_that_a_prompt_can_be_counts_all_that_is_sent() {
    use crate::message::{Media, MediaData, Origin};
    use crate::router::{QuarterBytes, TokenEstimator};

    let most = |request: &ModelRequest| {
        let mut total = crate::message::Measure::default();
        request.groups.iter().for_each(|group| total += *group.measure());
        QuarterBytes.most(request, &total).unwrap()
    };
    let with = |parts: Vec<Part>| {
        let groups = Arc::new(vec![Group::assistant(parts, None::<Origin>, Vec::new()).unwrap()]);
        ModelRequest { groups, ..ModelRequest::default() }
    };
    let nothing = most(&ModelRequest::default());
    assert!(most(&with(vec![Part::text("é".repeat(1_000))])) >= nothing + 2_000);
    let signed = Part::Reasoning { text: String::new(), opaque: Some("x".repeat(3_000).into()) };
    assert!(most(&with(vec![signed])) >= nothing + 3_000);
    let data = MediaData::Url { url: "https://example.org/a.png".into() };
    let image = Part::Media(Media { media_type: "image/png".into(), data, name: None });
    // A photo of 12 megapixels: 14,364 tokens where it is billed most.
    assert!(most(&with(vec![image])) >= nothing + 14_364);
}

#[test]
fn what_calls_of_a_process_that_died_had_reserved_counts_as_spent() {
    let budgets = Budgets::new([Budget::new("all", Cost(9))]).unwrap();
    let (budget, since) = ("all".into(), Timestamp(0));
    budgets.restore([Spent { budget, user: None, since, spent: Cost(2), reserved: Cost(3) }]);
    let spent = budgets.spent(Timestamp(1));
    assert_eq!((spent[0].spent, spent[0].reserved), (Cost(5), Cost(0)));
}
