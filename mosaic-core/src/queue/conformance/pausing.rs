//! Pauses.

use super::Factory;
use super::help::{Check, add, at, claim, claim_of, claim_one, ensure_eq, ids, new};
use crate::queue::{Outcome, Pause};

/// Others start.
pub async fn a_paused_kind_does_not_start(factory: &dyn Factory) -> Check {
    let (store, beside) = (factory.open("pause_kind").await?, factory.open("pause_kind").await?);
    let id = add(&*store, new()).await?;
    let mut other = new();
    other.kind = "other".into();
    let other = add(&*store, other).await?;
    let pause = Pause::Kind("k".into());
    store.pause(&pause).await?;
    store.pause(&pause).await?;
    ensure_eq!(store.paused().await?, std::slice::from_ref(&pause), "what is paused");
    ensure_eq!(ids(&claim_of(&*beside, &["k", "other"], 9, at(9)).await?), [other], "what starts");
    beside.resume(&pause).await?;
    store.resume(&pause).await?;
    ensure_eq!(store.paused().await?, [], "what is paused");
    ensure_eq!(claim_one(&*store, at(9)).await?.id, id, "what starts after");
    Ok(())
}

/// And a kind besides: each pause ends by itself.
pub async fn everything_can_be_paused(factory: &dyn Factory) -> Check {
    let store = factory.open("pause_all").await?;
    let id = add(&*store, new()).await?;
    store.pause(&Pause::Everything).await?;
    store.pause(&Pause::Kind("k".into())).await?;
    ensure_eq!(store.paused().await?, [Pause::Everything, Pause::Kind("k".into())], "what is paused");
    store.resume(&Pause::Kind("k".into())).await?;
    ensure_eq!(claim(&*store, 9, at(9)).await?, [], "what starts in a pause");
    store.resume(&Pause::Everything).await?;
    ensure_eq!(claim_one(&*store, at(9)).await?.id, id, "what starts after");
    Ok(())
}

/// Only starting is paused.
pub async fn what_runs_goes_on_in_a_pause(factory: &dyn Factory) -> Check {
    let store = factory.open("pause_running").await?;
    add(&*store, new()).await?;
    let claimed = claim_one(&*store, at(0)).await?;
    store.pause(&Pause::Everything).await?;
    store.heartbeat(claimed.lease(), at(99)).await?;
    store.settle(claimed.lease(), Outcome::Done).await?;
    add(&*store, new()).await?;
    Ok(())
}
