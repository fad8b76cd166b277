use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt;
use mosaic_core::testing::{Reply, ScriptedTransport, TestRuntime};
use mosaic_core::{
    Capability, ChatModel, Cost, Delivery, ModelCall, ModelEvent, ModelInfo, ModelRequest, ModelSource, Usage,
};
use proptest::prelude::*;

use super::names::{self, Worth};
use super::{Catalogue, row};
use crate::anthropic::Anthropic;
use crate::endpoint::{Endpoint, Providers};

fn listed<'a>(model: &'a str, rows: &'a [&'a str]) -> Option<(&'a str, Worth)> {
    names::find(model, |name| rows.contains(&name), || rows.iter().copied())
}

#[test]
fn the_file_is_whole_and_says_where_it_is_from() {
    let catalogue = Catalogue::get();
    assert_eq!(catalogue.date().len(), "2026-11-25".len());
    assert!(
        catalogue.source.contains("litellm 1.") && catalogue.source.contains("genai-prices 0."),
        "{catalogue:?}"
    );
    let providers: Vec<&str> = catalogue.models.keys().copied().collect();
    for provider in
        ["anthropic", "bedrock", "cohere", "deepseek", "gemini", "groq", "mistral", "openai", "openrouter"]
    {
        assert!(providers.contains(&provider), "{provider}");
    }
    for (provider, rows) in &catalogue.models {
        for name in rows.keys() {
            let row = row(rows, name).unwrap_or_else(|| panic!("{provider}:{name} cannot be read"));
            assert!(row.can.iter().all(|ability| !row.cannot.contains(ability)), "{provider}:{name}");
            if let Some(price) = row.price {
                assert!(price.rates.input > 0 || name.ends_with(":free"), "{provider}:{name} costs nothing");
                // $1,000 a million tokens: a slip of the unit is a factor of a thousand or a million.
                assert!(price.rates.input <= 1_000_000_000, "{provider}:{name}");
                assert!(price.tiers.is_sorted_by_key(|tier| tier.above), "{provider}:{name}");
            }
        }
    }
}

/// Figures that can be checked against the providers' own pages of that day.
#[test]
fn well_known_models_have_their_well_known_facts() {
    let info = |provider, model| Catalogue::get().info(provider, model);
    let mini = info("openai", "gpt-4o-mini");
    assert_eq!((mini.window, mini.max_output), (Some(128_000), Some(16_384)));
    let million = Usage { input: 1_000_000, output: 1_000_000, cached_input: 500_000, ..Usage::default() };
    assert_eq!(mini.price.unwrap().cost(&million).0, 75_000 + 37_500 + 600_000);

    let haiku = info("anthropic", "claude-haiku-4-5");
    assert_eq!((haiku.window, haiku.max_output), (Some(200_000), Some(64_000)));
    let rates = haiku.price.clone().unwrap().rates;
    assert_eq!(
        (rates.input, rates.cached_input, rates.cache_write),
        (1_000_000, Some(100_000), Some(1_250_000))
    );
    assert_eq!(rates.cache_write_1h, Some(2_000_000));
    assert_eq!(haiku.can(Capability::ImageInput), Some(true));

    let five = info("openai", "gpt-5");
    assert_eq!((five.window, five.max_input, five.max_output), (Some(400_000), Some(272_000), Some(128_000)));

    let pro = info("gemini", "gemini-2.5-pro").price.unwrap();
    assert_eq!(pro.rates(200_000).input, 1_250_000);
    assert_eq!(pro.rates(200_001).output, 15_000_000, "above 200,000 tokens of prompt");

    let small = info("openai", "text-embedding-3-small");
    let texts = Usage { input: 1_000_000, ..Usage::default() };
    assert_eq!(small.price.unwrap().cost(&texts).0, 20_000);
}

#[test]
fn what_no_source_says_is_unknown_and_neither_there_nor_denied() {
    let info = |provider, model| Catalogue::get().info(provider, model);
    // litellm has no mark for images on this row, and the model takes them.
    assert_eq!(info("bedrock", "mistral.pixtral-large-2502-v1:0").can(Capability::ImageInput), None);
    assert_eq!(info("openai", "gpt-audio").can(Capability::ImageInput), Some(false), "this one is denied");
    assert_eq!(
        info("openai", "gpt-audio").price,
        None,
        "its sound has a price of its own, which usage does not tell"
    );
    assert_eq!(info("lab", "m"), ModelInfo::new("lab", "m"));
    assert_eq!(info("openai", "no-such-model"), ModelInfo::new("openai", "no-such-model"));
    // The name of a deployment is the host's own; whatever it says, nothing is known of it.
    assert_eq!(info("azure", "gpt-4o"), ModelInfo::new("azure", "gpt-4o"));
}

#[test]
fn a_name_as_a_host_writes_it_finds_its_row() {
    let catalogue = Catalogue::get();
    for (provider, model) in [
        ("anthropic", "claude-haiku-4-5-20251001"),
        ("anthropic", "claude-3-5-sonnet-20241022"),
        ("anthropic", "claude-3-5-haiku-latest"),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("bedrock", "anthropic.claude-opus-4-7-v1:0"),
        (
            "bedrock",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("deepseek", "deepseek-chat"),
        ("gemini", "models/gemini-2.5-pro"),
        ("google", "gemini-2.5-flash"),
        ("groq", "llama-3.3-70b-versatile"),
        ("mistral", "mistral-large-latest"),
        ("openai", "gpt-4o-2024-08-06"),
        ("openai", "gpt-5-2025-08-07"),
        ("openai", "ft:gpt-4o-mini-2024-07-18:team::abc"),
        ("openrouter", "anthropic/claude-sonnet-4.5"),
        ("vertex", "publishers/google/models/gemini-2.5-pro"),
        ("xai", "grok-4.5-latest"),
    ] {
        let info =
            catalogue.find(provider, model).unwrap_or_else(|| panic!("{provider}:{model} is not found"));
        assert_eq!((&*info.provider, &*info.model), (provider, model), "as it was asked for");
        assert!(info.price.is_some(), "{provider}:{model}");
    }
}

#[test]
fn a_variant_or_a_region_that_is_not_listed_has_no_price() {
    let rows = ["vendor/m", "anthropic.claude-x", "gpt"];
    assert_eq!(listed("vendor/m:nitro", &rows), Some(("vendor/m", Worth::NoPrice)));
    assert_eq!(
        listed("eu.anthropic.claude-x-20260101-v1:0", &rows),
        Some(("anthropic.claude-x", Worth::NoPrice))
    );
    assert_eq!(
        listed("anthropic.claude-x-v2:0:200k", &rows),
        Some(("anthropic.claude-x", Worth::Everything))
    );
    assert_eq!(listed("ft:gpt:me::1", &rows), Some(("gpt", Worth::NoPrice)));
    let mine = ["ft:gpt", "gpt"];
    assert_eq!(listed("ft:gpt:me::1", &mine), Some(("ft:gpt", Worth::Everything)));
}

#[test]
fn a_model_without_its_price_keeps_its_other_facts() {
    let listed = Catalogue::get().info("openrouter", "anthropic/claude-sonnet-4.5");
    let faster = Catalogue::get().info("openrouter", "anthropic/claude-sonnet-4.5:faster");
    assert!(listed.price.is_some());
    assert_eq!((faster.window, faster.price), (listed.window, None));
}

#[test]
fn a_model_of_the_table_is_resolved_with_its_facts() {
    let transport = Arc::new(ScriptedTransport::new([]));
    let providers = Providers::new(|_| Some("key".to_owned()), transport, Arc::new(TestRuntime::default()));
    let model = providers.resolve(&"groq:llama-3.3-70b-versatile".parse().unwrap()).unwrap();
    assert!(model.info().price.is_some() && model.info().source.is_some());
}

#[test]
fn a_date_may_be_left_out_and_put_in_but_a_generation_may_not() {
    let rows = ["a", "b-20250101", "b-20260101", "c-2025-08-07", "d-latest", "e-2411", "f"];
    assert_eq!(listed("a-20300101", &rows).map(|it| it.0), Some("a"));
    assert_eq!(listed("a-latest", &rows).map(|it| it.0), Some("a"));
    assert_eq!(listed("a@20300101", &rows).map(|it| it.0), Some("a"));
    assert_eq!(listed("b", &rows).map(|it| it.0), Some("b-20260101"), "the newest");
    assert_eq!(listed("b-latest", &rows).map(|it| it.0), Some("b-20260101"));
    assert_eq!(listed("c", &rows).map(|it| it.0), Some("c-2025-08-07"));
    assert_eq!(listed("d-20260101", &rows).map(|it| it.0), Some("d-latest"));
    assert_eq!(listed("e", &rows), None);
    assert_eq!(listed("e-2502", &rows), None);
    assert_eq!(listed("f-0613", &rows), None);
    assert_eq!(listed("a-mini", &rows), None, "another model");
}

#[test]
fn a_broken_file_knows_no_model_and_does_no_harm() {
    let broken = Catalogue::of("{");
    assert_eq!(broken.info("openai", "gpt-4o"), ModelInfo::new("openai", "gpt-4o"));
}

/// The codec for Anthropic sends a limit with every request; the provider refuses one above the model's own.
#[test]
fn the_limits_of_answers_are_those_that_the_provider_takes() {
    for (model, limit) in
        [("claude-sonnet-4-5", 64_000), ("claude-opus-4-5", 64_000), ("claude-opus-4-7", 128_000)]
    {
        assert_eq!(Catalogue::get().info("anthropic", model).max_output, Some(limit), "{model}");
    }
    for model in Catalogue::get().models("anthropic") {
        let info = Catalogue::get().info("anthropic", model);
        if let (Some(limit), Some(window)) = (info.max_output, info.window) {
            assert!(limit < window, "{model}");
        }
    }
}

/// litellm#11789: read from the cache, 2,455 tokens were charged in full where the answer was streamed; $0.002059 in place of
/// $0.000292.
#[tokio::test]
async fn an_answer_costs_the_same_in_pieces_and_whole() {
    let usage = r#""usage":{"input_tokens":4,"cache_read_input_tokens":2455,"cache_creation_input_tokens":0,"output_tokens":23}"#;
    let whole = format!(
        r#"{{"id":"m","type":"message","role":"assistant","content":[{{"type":"text","text":"Hi"}}],"stop_reason":"end_turn",{usage}}}"#
    );
    let pieces = [
        format!(
            r#"{{"type":"message_start","message":{{"id":"m","content":[],{}}}}}"#,
            usage.replace(":23", ":1")
        ),
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Hi"}}"#.to_owned(),
        r#"{"type":"content_block_stop","index":0}"#.to_owned(),
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":23}}"#
            .to_owned(),
        r#"{"type":"message_stop"}"#.to_owned(),
    ];
    let pieces: String = pieces.iter().map(|piece| format!("data: {piece}\n\n")).collect();
    for (delivery, body) in [(Delivery::Whole, whole), (Delivery::Streamed, pieces)] {
        let transport = Arc::new(ScriptedTransport::new([Reply::ok(body)]));
        let endpoint = Endpoint::new("anthropic", "http://host/v1", Arc::new(Anthropic::default()));
        let info = Catalogue::get().info("anthropic", "claude-3-5-haiku-20241022");
        let model = endpoint.model_with(info, transport, Arc::new(TestRuntime::default())).delivery(delivery);
        let mut events = model.stream(ModelCall::new(ModelRequest::default())).await.unwrap();
        let mut cost = None;
        while let Some(event) = events.next().await {
            if let ModelEvent::Done(end) = event.unwrap() {
                cost = end.cost;
            }
        }
        assert_eq!(cost, Some(Cost(292)), "{delivery:?}");
    }
}

proptest! {
    /// Whatever a host writes: no panic, and the name stays as it was written.
    #[test]
    fn any_name_can_be_asked_for(provider in "[a-z]{0,8}|openai|bedrock|openrouter", model in ".{0,40}|(ft:|us\\.|models/)?[a-z0-9.:@/-]{0,30}") {
        let info = Catalogue::get().info(&provider, &model);
        prop_assert_eq!((&*info.provider, &*info.model), (provider.as_str(), model.as_str()));
    }

    /// A listed name is its own row, whatever else is listed.
    #[test]
    fn a_listed_name_is_found_as_itself(names in proptest::collection::hash_set("[a-z0-9.:@/-]{1,20}", 1..20)) {
        let rows: HashMap<&str, ()> = names.iter().map(|name| (name.as_str(), ())).collect();
        for name in &names {
            let found = names::find(name, |name| rows.contains_key(name), || rows.keys().copied());
            prop_assert_eq!(found, Some((name.as_str(), Worth::Everything)));
        }
    }
}
