//! The account of coherence, and what an operator learns from it.

use tailtrace::TraceId;
use tailtrace::coherence::{Coherence, MemoryBus};

use crate::lossy_bus::LossyBus;
use crate::support::PLENTY;
use crate::world::{Service, fail, meet, tail};

/// Of traces that another service keeps, the share that is kept here, and what the account estimates; where the ring
/// has lost a third when the notices come, and the bus loses a tenth of these.
fn kept_and_estimated() -> (f64, f64) {
    const TRACES: usize = 6_000;
    let bus = MemoryBus::new();
    let ample = |coherence: Coherence| {
        coherence
            .with_group("test")
            .with_announced_per_second(1_000_000)
            .with_accepted_per_second(1_000_000)
    };
    let bank = Service::start_with("bank", &bus, |builder| {
        builder.with_tail(tail()).with_coherence(ample(Coherence::new(bus.clone())))
    });
    let lossy = LossyBus::new(&bus);
    let small = ample(Coherence::new(lossy)).with_ring_cap(900_000);
    let shop = Service::start_with("shop", &bus, |builder| {
        builder.with_tail(tail()).with_coherence(small)
    });
    meet(&[&shop, &bank]);
    let before = shop.stats();
    let ids: Vec<TraceId> = (0..TRACES).map(|_| TraceId::new()).collect();
    ids.iter().for_each(|id| drop(shop.root("dropped", *id)));
    for batch in ids.chunks(20) {
        batch.iter().for_each(|id| fail(&bank.root("failed", *id)));
        bank.pipeline.flush(PLENTY).unwrap();
    }
    let came = |now: &tailtrace::ledger::CoherenceStats| {
        let missed = now.missed_on_the_bus - before.missed_on_the_bus;
        (now.heard - before.heard + missed) as usize
    };
    shop.wait(|now| came(now) == TRACES);
    shop.exported();
    let now = shop.stats();
    let kept = (now.kept_from_ring - before.kept_from_ring) as f64 / TRACES as f64;
    (kept, now.kept_share().unwrap())
}

#[test]
fn the_estimate_of_what_is_kept_is_unbiased_where_a_tenth_of_the_notices_is_lost() {
    const RUNS: usize = 6;
    let runs: Vec<(f64, f64)> = (0..RUNS).map(|_| kept_and_estimated()).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| runs.iter().map(of).sum::<f64>() / RUNS as f64;
    let (kept, estimated) = (mean(|run| run.0), mean(|run| run.1));
    assert!((0.3..0.9).contains(&kept), "{runs:?}");
    // One run watches some 90 traces, so the mean of six is off by 0.02 as a rule, and hardly ever by four times that.
    assert!((kept - estimated).abs() < 0.08, "{kept} and {estimated}: {runs:?}");
}

#[test]
fn the_account_has_the_columns_that_are_promised() {
    let shop = Service::start("shop", &MemoryBus::new());
    let stats = shop.stats();
    let rows: Vec<&str> = stats.rows().map(|(name, _)| name).collect();
    for promised in [
        "announced",
        "over budget",
        "lost on the way out",
        "heard",
        "kept from the ring",
        "kept while running",
        "kept when they came",
        "already kept",
        "unknown here",
        "dropped on purpose",
        "missed on the bus",
        "malformed",
    ] {
        assert!(rows.contains(&promised), "{promised}");
    }
}

#[test]
fn what_a_notice_keeps_says_by_whom_to_every_exporter() {
    let bus = MemoryBus::new();
    let (shop, bank) = (Service::start("shop", &bus), Service::start("bank", &bus));
    meet(&[&shop, &bank]);
    let id = TraceId::new();
    drop(shop.root("dropped", id));
    let before = shop.stats();
    bank.keep(id);
    shop.wait(|now| now.kept_from_ring > before.kept_from_ring);
    // OTLP, Jaeger and Zipkin write these beside the root's own tags.
    let notes: Vec<(String, String)> = shop.memory.traces()[0]
        .notes()
        .map(|(key, value)| (key.to_owned(), value.to_string()))
        .collect();
    assert!(notes.contains(&("tailtrace.kept_by".into(), "Errors of bank".into())), "{notes:?}");
}
