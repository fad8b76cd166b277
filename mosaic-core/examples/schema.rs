//! Prints the JSON Schema of what bindings exchange with the library. `cargo xtask gen` writes it to a file.

fn main() {
    println!("{:#}", mosaic_core::port::schema());
}
