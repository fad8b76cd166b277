//! What routers over one store promise.

mod help;
mod keeping;
mod racing;
mod sharing;
mod troubled;
