use mosaic_core::summary::{Passage, SummaryUse, Who, conformance};
use mosaic_core::{Seq, Timestamp};
use proptest::prelude::*;

use super::*;

fn passages(said: &[(Who, &str)]) -> Vec<Passage> {
    let passage = |(seq, (who, text)): (u64, &(Who, &str))| Passage {
        seq: Seq(seq),
        who: who.clone(),
        text: (*text).into(),
        at: Timestamp(seq),
    };
    (1..).zip(said).map(passage).collect()
}

async fn summary(request: &SummaryRequest) -> Summary {
    ExtractiveSummarizer::default().summarize(request).await.expect("a summary")
}

#[tokio::test]
async fn it_does_what_every_summariser_does() {
    conformance::run(&ExtractiveSummarizer::default()).await.unwrap();
}

#[tokio::test]
async fn what_the_talk_is_about_is_said_and_thanks_are_not() {
    let said = passages(&[
        (Who::User, "Hello! Thanks for your time."),
        (Who::User, "I want to take the ferry from Kiel to Oslo on 3 March with my bicycle."),
        (Who::Agent, "Sure. The ferry from Kiel to Oslo on 3 March takes bicycles for 10 euros."),
        (Who::User, "Great. Thanks!"),
        (Who::User, "The ferry must cost less than 200 euros, bicycle included."),
        (Who::Agent, "You are welcome."),
    ]);
    let found = summary(&SummaryRequest::new(said, SummaryUse::Episode).max_tokens(75)).await;
    let text = found.text();
    assert!(text.contains("Oslo on 3 March") && text.contains("200 euros"), "{text}");
    assert!(!text.contains("Thanks") && !text.contains("welcome"), "{text}");
    assert_eq!(found.claims[0].cites, [Seq(2)]);
}

#[tokio::test]
async fn the_budget_is_kept() {
    let long: Vec<(Who, String)> = (0..200)
        .map(|n| (Who::User, format!("Item {n} of the list costs {} euros in shop {}.", n * 3, n % 7)))
        .collect();
    let said: Vec<(Who, &str)> = long.iter().map(|(who, text)| (who.clone(), text.as_str())).collect();
    let request = SummaryRequest::new(passages(&said), SummaryUse::Compaction).max_tokens(100);
    let found = summary(&request).await;
    assert!(found.claims.len() > 2);
    assert!(Estimate.tokens(&found.text()) <= 100);
}

#[tokio::test]
async fn an_earlier_summary_is_rolled_on_with_what_it_cites() {
    let earlier =
        Summary::new(vec![Claim::new("Ann wants to take the ferry from Kiel to Oslo.", [Seq(41), Seq(43)])]);
    let said = passages(&[(Who::User, "The ferry from Kiel to Oslo must take my bicycle.")]);
    let found = summary(&SummaryRequest::new(said, SummaryUse::Session).earlier(earlier)).await;
    assert_eq!(found.claims[0].cites, [Seq(41), Seq(43)]);
    assert_eq!(found.claims.len(), 2);
}

#[tokio::test]
async fn what_was_said_twice_is_claimed_once_and_cites_both() {
    let said = passages(&[
        (Who::User, "The ferry to Oslo leaves at two."),
        (Who::User, "It rains in Bergen all the time."),
        (Who::User, "The ferry to Oslo leaves at two!"),
    ]);
    let found = summary(&SummaryRequest::new(said, SummaryUse::Episode)).await;
    assert_eq!(found.claims.len(), 2, "{found:?}");
    assert_eq!(found.claims[0].cites, [Seq(1), Seq(3)]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_said_every_claim_can_be_checked_and_comes_out_the_same(
        said in prop::collection::vec("(\\PC|[a-c .!?\n]){0,60}", 1..12),
        tokens in 0_u64..200,
    ) {
        let said: Vec<(Who, &str)> =
            said.iter().filter(|text| !text.trim().is_empty()).map(|text| (Who::User, text.as_str())).collect();
        prop_assume!(!said.is_empty());
        let request = SummaryRequest::new(passages(&said), SummaryUse::Episode).max_tokens(tokens);
        let make = || futures_util::FutureExt::now_or_never(ExtractiveSummarizer::default().summarize(&request));
        let once = make().expect("at once").expect("a summary");
        prop_assert_eq!(request.check(&once), Ok(()));
        prop_assert_eq!(once, make().expect("at once").expect("a summary"));
    }
}
