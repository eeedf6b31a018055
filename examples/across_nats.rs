//! features: coherence-nats
//! Three services keep their parts of a trace because the last one fails, over a NATS server:
//! `cargo run --example across_nats --features coherence-nats -- nats://127.0.0.1:4222`
//!
//! Without an address it only says so. `across_services` does the same in the memory of one program.

#[path = "across/shop.rs"]
mod shop;

use std::process::ExitCode;

use tailtrace::coherence::NatsBus;

const USAGE: &str = "Three services keep one trace together over NATS, although only the last of them fails.
Give the address of a server, such as nats://127.0.0.1:4222; `docker run --rm -p 4222:4222 nats` is one.";

fn main() -> ExitCode {
    shop::run(USAGE, |address| Ok(NatsBus::new(address)?))
}
