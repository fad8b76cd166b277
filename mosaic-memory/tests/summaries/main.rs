//! Sessions become episodes: jobs over a store in RAM and over a file, killed in the middle, run twice, rewound, erased.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod compacting;
mod killed;
mod rolling;
mod troubled;
mod world;
