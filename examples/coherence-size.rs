//! How large ring, batch and bus must be, for the numbers of a system:
//! `cargo run --example coherence-size -- 100000 0.01 300 8.5 4000 1 0.06 5`
//!
//! traces a second, share wanted, instances, parts of a trace, bytes of a part, longest trace that matters (s), batch
//! age (s), how long the bus may be away (s). What is left out at the end is as in the first of the sizes that it prints
//! without arguments. The chapter "Across services" explains it.

use std::error::Error;

/// What one core of a server delivers in a second.
const NATS: f64 = 150_000.0;
const REDIS: f64 = 300_000.0;
/// Notices that a service remembers, unless told otherwise, and for how long.
const REMEMBERED: f64 = 65_536.0;
const REMEMBERED_FOR: f64 = 60.0;
/// How far back a ring reaches (s), and the most memory of it, unless told otherwise.
const RING_REACH: f64 = 10.0;
const RING_CAP: f64 = 256.0 * 1_048_576.0;
/// A message's beginning, with what NATS and Redis put around it, and one notice.
const MESSAGE_BYTES: f64 = 75.0;
const NOTICE_BYTES: f64 = 16.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut asked = [10_000.0, 0.01, 50.0, 8.5, 860.0, 1.0, 0.06, 5.0];
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.len() > asked.len() {
        return Err(format!("{} numbers are given: give eight at most", words.len()).into());
    }
    for (number, word) in asked.iter_mut().zip(&words) {
        *number = word.parse().map_err(|_| format!("{word} is no number: give up to eight"))?;
    }
    size(asked);
    if words.is_empty() {
        size([100_000.0, 0.01, 300.0, 8.5, 860.0, 1.0, 0.06, 5.0]);
        size([100_000.0, 0.01, 300.0, 8.5, 860.0, 1.0, 1.0, 5.0]);
        size([1_000_000.0, 0.01, 3_000.0, 8.5, 860.0, 1.0, 1.0, 5.0]);
    }
    Ok(())
}

fn size([traces, share, instances, parts, bytes, longest, batch, away]: [f64; 8]) {
    let notices = traces * share;
    let messages = notices.min(instances / batch);
    let deliveries = messages * instances;
    let into_each = notices * NOTICE_BYTES + messages * MESSAGE_BYTES;
    // After an outage what was kept is repeated when all are back: 2.2 s, spread over a second.
    let reach = longest + batch + 0.5 + if away > 0.0 { away + 3.2 } else { 0.0 };
    let ring = traces * parts / instances * bytes * reach;
    let remembered = notices * REMEMBERED_FOR;
    println!("{traces} traces/s, {} % wanted, {instances} instances:", share * 100.0);
    println!("  notices            {notices:>12.0} /s");
    println!("  messages           {messages:>12.0} /s, with a batch age of {batch} s");
    println!("  deliveries         {deliveries:>12.0} /s");
    println!("  into each instance {:>12.1} kB/s", into_each / 1e3);
    let (nats, redis) = (deliveries / NATS, deliveries / REDIS);
    println!("  cores of a server  {nats:>12.2} with NATS, {redis:.2} with Redis");
    let mebibytes = ring / 1_048_576.0;
    println!("  ring               {mebibytes:>12.1} MiB each, to reach {reach:.1} s back");
    if reach > RING_REACH {
        println!("  That is further than the default: set `Coherence::with_ring_reach`.");
    }
    if ring > RING_CAP {
        println!("  That is more than the default cap: set `Coherence::with_ring_cap`.");
    }
    if remembered > REMEMBERED {
        println!(
            "  remembered ids     {remembered:>12.0}: more than the default, which holds {:.1} s",
            REMEMBERED / notices
        );
    }
    if deliveries > NATS {
        println!(
            "  One server is not enough: a longer batch, or leaf nodes or a cluster of the bus's own."
        );
    }
    println!();
}
