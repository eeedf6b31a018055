//! features: coherence-redis
//! Three services keep their parts of a trace because the last one fails, over a Redis server:
//! `cargo run --example across_redis --features coherence-redis -- redis://127.0.0.1:6379`
//!
//! Without an address it only says so. `across_services` does the same in the memory of one program.

#[path = "across/shop.rs"]
mod shop;

use std::process::ExitCode;

use tailtrace::coherence::RedisBus;

const USAGE: &str = "Three services keep one trace together over Redis, although only the last of them fails.
Give the address of a server, such as redis://127.0.0.1:6379; `docker run --rm -p 6379:6379 redis` is one.";

fn main() -> ExitCode {
    shop::run(USAGE, |address| Ok(RedisBus::new(address)?))
}
