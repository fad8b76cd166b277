//! Under which names a model may be listed.
//!
//! | asked for | looked up as | worth |
//! | --- | --- | --- |
//! | `gpt-4o` | itself | everything |
//! | `models/gemini-2.5-pro`, `arn:aws:bedrock:...:inference-profile/us.x`, `accounts/fireworks/models/x` | what is behind the path | everything |
//! | `claude-haiku-4-5-20251001`, `gpt-5-2025-08-07`, `x@20250514`, `x-latest` | without the end; or the newest that has another end | everything |
//! | `anthropic.claude-opus-4-7-v1:0`, `...-v1:0:200k` | without the version of the offer | everything |
//! | `us.anthropic.x`, `eu.x`, `global.x` | without the region | all but the price: regions cost more |
//! | `vendor/model:free`, `:nitro`, `:online` | without the variant | all but the price |
//! | `ft:gpt-4o-mini-2024-07-18:team::id` | `ft:gpt-4o-mini-2024-07-18`; else the model it was made of | everything; all but the price |
//!
//! Four digits at the end (`mistral-large-2411`, `gpt-4-0613`) are no date that may be left out: models of other
//! generations are told apart by them.

/// What of the facts holds for the name that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// All of them.
    Everything,
    /// All but the price.
    NoPrice,
}

/// A provider as the catalogue names it. Hosts and tables have more than one name for some.
pub(super) fn provider(name: &str) -> &str {
    match name {
        "amazon-bedrock" | "aws" => "bedrock",
        "fireworks-ai" => "fireworks",
        "google" | "google-gemini" => "gemini",
        "google-vertex" | "vertex-ai" => "vertex",
        "moonshotai" => "moonshot",
        "openai-chat" | "openai-responses" => "openai",
        "together-ai" => "together",
        other => other,
    }
}

/// The listed name of a model. `listed` tells whether a name is; `all` are the listed ones.
pub(super) fn find<'a, I: Iterator<Item = &'a str>>(
    model: &'a str,
    listed: impl Fn(&str) -> bool,
    all: impl Fn() -> I,
) -> Option<(&'a str, Worth)> {
    let ended = |name: &'a str| same_but_for_the_end(name, &listed, &all);
    let whole = |name: &'a str| if listed(name) { Some(name) } else { ended(name) };
    if let Some(name) = whole(model) {
        return Some((name, Worth::Everything));
    }
    let model = behind_path(model);
    if let Some(name) = whole(model).or_else(|| whole(without_offer(model)?)) {
        return Some((name, Worth::Everything));
    }
    if let Some(tuned) = model.strip_prefix("ft:") {
        let base = tuned.split(':').next().unwrap_or_default();
        let named = model.get(.."ft:".len() + base.len()).and_then(whole);
        return named
            .map(|name| (name, Worth::Everything))
            .or(whole(base).map(|name| (name, Worth::NoPrice)));
    }
    let less = [without_region(model), model.rsplit_once(':').map(|(name, _)| name)];
    let found =
        less.into_iter().flatten().find_map(|name| whole(name).or_else(|| whole(without_offer(name)?)));
    found.map(|name| (name, Worth::NoPrice))
}

/// What is behind the path of a resource.
fn behind_path(model: &str) -> &str {
    let resource = model.starts_with("arn:") || model.contains("models/");
    match model.rsplit_once('/') {
        Some((_, name)) if resource => name,
        _ => model,
    }
}

/// The same model with another end, or none: itself without its end, its latest, or the newest of those with a date.
fn same_but_for_the_end<'a, I: Iterator<Item = &'a str>>(
    model: &'a str,
    listed: impl Fn(&str) -> bool,
    all: impl Fn() -> I,
) -> Option<&'a str> {
    let stem = without_end(model);
    if stem != model && listed(stem) {
        return Some(stem);
    }
    let others = all().filter(|name| without_end(name) == stem);
    // `latest` sorts behind every date.
    others.max()
}

/// A name without its date, or `-latest`.
fn without_end(model: &str) -> &str {
    if let Some((name, version)) = model.rsplit_once('@')
        && !version.contains('/')
    {
        return name;
    }
    if let Some(name) = model.strip_suffix("-latest") {
        return name;
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let end = |pattern: &[usize]| {
        // The lengths of the parts between the dashes, from the front.
        let mut rest = model;
        for length in pattern.iter().rev() {
            let (before, part) = rest.rsplit_once('-')?;
            if part.len() != *length || !digits(part) {
                return None;
            }
            rest = before;
        }
        let date = model.get(rest.len() + 1..)?;
        (date.starts_with("20") && !rest.is_empty()).then_some(rest)
    };
    end(&[8]).or_else(|| end(&[4, 2, 2])).unwrap_or(model)
}

/// A name without the version of the offer (`-v1:0`, `:0`) and what follows it (`:200k`).
fn without_offer(model: &str) -> Option<&str> {
    let name = model.split(':').next()?;
    let bare = match name.rsplit_once("-v") {
        Some((bare, version)) if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) => {
            bare
        }
        _ => name,
    };
    // A vendor stands before the name: this is the form of one provider only.
    let vendor = bare
        .split_once('.')
        .is_some_and(|(vendor, _)| vendor.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
    (vendor && bare != model).then_some(bare)
}

/// A name without the region whose capacity it uses.
fn without_region(model: &str) -> Option<&str> {
    const REGIONS: [&str; 9] = ["apac", "au", "ca", "eu", "global", "jp", "sa", "us", "us-gov"];
    let (region, name) = model.split_once('.')?;
    (REGIONS.contains(&region) && name.contains('.')).then_some(name)
}
