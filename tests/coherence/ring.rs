//! The ring that the three lines of coherence give.

use std::time::Duration;

use tailtrace::coherence::{Coherence, MemoryBus};
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::record::{KeepOutcome, RecordLimits};
use tailtrace::{InMemoryExporter, Pipeline, TailSampler, TraceId};

use crate::support::PLENTY;
use crate::warnings;
use crate::world::{Service, tail};

const MIB: usize = 1024 * 1024;

fn coherence(bus: &MemoryBus) -> Coherence {
    Coherence::new(bus.clone()).with_group("test")
}

fn start(change: impl FnOnce(PipelineBuilder) -> PipelineBuilder) -> Service {
    Service::start_with("shop", &MemoryBus::new(), |builder| change(builder.with_tail(tail())))
}

/// Drops so many traces; the ids of the first and the last.
fn drop_traces(service: &Service, count: usize) -> (TraceId, TraceId) {
    let ids: Vec<TraceId> = (0..count).map(|_| TraceId::new()).collect();
    for id in &ids {
        let root = service.root("dropped", *id);
        for step in 0..4 {
            root.child("step").set_tag("step", step);
        }
    }
    (ids[0], ids[count - 1])
}

#[test]
fn the_ring_holds_more_than_the_default_without_coherence_and_what_its_cap_says() {
    // Some 25 MiB.
    const TRACES: usize = 30_000;
    let service = start(|builder| builder);
    let (first, _) = drop_traces(&service, TRACES);
    assert_eq!(service.pipeline.keep(first), KeepOutcome::Exported);
    let bus = MemoryBus::new();
    let capped = coherence(&bus).with_ring_cap(2 * MIB);
    let service = start(|builder| builder.with_coherence(capped));
    let (first, last) = drop_traces(&service, TRACES);
    assert_eq!(service.pipeline.keep(first), KeepOutcome::Unknown);
    assert_eq!(service.pipeline.keep(last), KeepOutcome::Exported);
    assert!(service.pipeline.stats().ring_bytes <= 2 * MIB as u64 + 128 * 1024);
}

#[test]
fn the_ring_reaches_ten_seconds_back_and_what_its_reach_says() {
    let after = |service: &Service, seconds| {
        let (first, _) = drop_traces(service, 1);
        service.clock.advance(Duration::from_secs(seconds));
        service.pipeline.keep(first)
    };
    let service = start(|builder| builder);
    assert_eq!(after(&service, 9), KeepOutcome::Exported);
    assert_eq!(after(&service, 11), KeepOutcome::Unknown);
    let bus = MemoryBus::new();
    let reaching = coherence(&bus).with_ring_reach(Duration::from_secs(20));
    let service = start(|builder| builder.with_coherence(reaching));
    assert_eq!(after(&service, 19), KeepOutcome::Exported);
    assert_eq!(after(&service, 21), KeepOutcome::Unknown);
}

#[test]
fn a_ring_that_the_program_sized_itself_stays_so() {
    let limits = RecordLimits::default().with_ring_reach(Duration::from_secs(40), MIB);
    let service = start(|builder| builder.with_limits(limits));
    let (first, last) = drop_traces(&service, 5_000);
    service.clock.advance(Duration::from_secs(39));
    assert_eq!(service.pipeline.keep(first), KeepOutcome::Unknown);
    assert_eq!(service.pipeline.keep(last), KeepOutcome::Exported);
}

#[test]
fn a_ring_that_falls_short_of_the_longest_traces_and_three_seconds_is_told_with_the_number_to_set()
{
    let told = warnings::told();
    assert!(!told.text().contains("with_ring_cap"));
    let bus = MemoryBus::new();
    let capped = coherence(&bus).with_ring_cap(MIB);
    let service = start(|builder| builder.with_coherence(capped));
    // 5,000 traces a second of a millisecond each: a mebibyte reaches some 0.25 s back, and 3 s are needed.
    let line = warnings::wait_for("with_ring_cap", || {
        service.clock.advance(Duration::from_secs(10));
        for _ in 0..5_000 {
            let root = service.root("dropped", TraceId::new());
            service.clock.advance(Duration::from_micros(200));
            drop(root);
        }
    });
    let number = line.split("to ").last().and_then(|rest| rest.split(' ').next());
    let mebibytes: usize = number.unwrap().parse().unwrap();
    // With that number it does reach that far.
    let enough = coherence(&bus).with_ring_cap(mebibytes * MIB);
    let service = start(|builder| builder.with_coherence(enough));
    let first = TraceId::new();
    drop(service.root("dropped", first));
    for _ in 0..15_000 {
        service.clock.advance(Duration::from_micros(200));
        drop(service.root("dropped", TraceId::new()));
    }
    assert_eq!(service.pipeline.keep(first), KeepOutcome::Exported, "{line}");
}

#[test]
fn a_reach_that_falls_short_of_the_longest_traces_and_three_seconds_is_told_with_the_number_to_set()
{
    warnings::told();
    let service = start(|builder| builder);
    // The ring has room for all of them, and lets go of them after ten seconds.
    let line = warnings::wait_for("with_ring_reach", || {
        let open: Vec<_> = (0..2_000).map(|_| service.root("long", TraceId::new())).collect();
        service.clock.advance(Duration::from_secs(8));
        drop(open);
        service.clock.advance(Duration::from_secs(11));
        service.pipeline.flush(PLENTY).unwrap();
    });
    assert!(!line.contains("with_ring_cap"), "{line}");
    let number = line.split("to ").last().and_then(|rest| rest.split(' ').next());
    let seconds: u64 = number.unwrap().parse().unwrap();
    assert!((11..=15).contains(&seconds), "{line}");
}

#[test]
fn three_lines_are_enough_to_start() {
    let pipeline = Pipeline::builder("shop")
        .with_tail(TailSampler::new().keep(tailtrace::Errors))
        .with_coherence(Coherence::new(MemoryBus::new()).with_group("prod"))
        .with_exporter(InMemoryExporter::new())
        .start();
    assert!(pipeline.is_ok());
}
