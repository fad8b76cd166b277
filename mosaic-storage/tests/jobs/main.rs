//! Jobs in the stores of this crate: the contract, a comparison with the model, processes that are killed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(all(feature = "sqlite", unix))]
mod kill;
mod places;
#[cfg(feature = "postgres")]
mod postgres;
mod random;

use mosaic_core::queue::conformance;
use places::Places;

#[tokio::test(flavor = "multi_thread")]
async fn the_ram_store_keeps_the_contract_of_jobs() {
    conformance::check_all(&Places::ram()).await.unwrap();
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_keeps_the_contract_of_jobs() {
    conformance::check_all(&Places::sqlite()).await.unwrap();
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_sqlite_store_keeps_the_contract_of_jobs_on_one_thread() {
    conformance::check_all(&Places::sqlite()).await.unwrap();
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn the_postgres_store_keeps_the_contract_of_jobs() {
    let Some(places) = Places::postgres().await else { return };
    conformance::check_all(&places).await.unwrap();
}
