//! A trace of very many parts, of which a few fail.

use std::time::Duration;

use tailtrace::TraceContext;
use tailtrace::coherence::MemoryBus;
use tailtrace::record::RecordLimits;

use crate::world::{Service, fail, meet, tail};

const MESSAGES: usize = 10_000;
const FAILING: usize = 100;

#[test]
fn of_ten_thousand_messages_below_one_root_few_are_kept_beside_those_that_fail() {
    (0..3).for_each(|failing| few_are_kept_beside_those_that_fail_in(failing, Duration::ZERO));
}

#[test]
fn few_are_kept_beside_those_that_fail_however_slowly_the_messages_come() {
    // A quarter of an hour: a whole trace is announced again each time its id is forgotten.
    let apart = Duration::from_millis(100);
    (0..2).for_each(|failing| few_are_kept_beside_those_that_fail_in(failing, apart));
}

/// One message in a hundred fails in one of the services; they follow each other in this time.
fn few_are_kept_beside_those_that_fail_in(failing: usize, apart: Duration) {
    let bus = MemoryBus::new();
    let limits = RecordLimits::default().with_ring_bytes(64 * 1024 * 1024);
    let start = |name| {
        Service::start_with(name, &bus, |builder| builder.with_tail(tail()).with_limits(limits))
    };
    let services = ["shop", "bank", "ledger"].map(start);
    let [shop, bank, ledger] = &services;
    meet(&[shop, bank, ledger]);
    let root = shop.pipeline.tracer().start_span("import");
    let serve = |service: &Service, caller: &TraceContext| {
        service.pipeline.tracer().start_span_with_context("message", caller.clone().remote())
    };
    for number in 0..MESSAGES {
        let sent = root.child("send");
        let received = serve(bank, &sent.context());
        let written = serve(ledger, &received.context());
        if number % (MESSAGES / FAILING) == 0 {
            fail([&sent, &received, &written][failing]);
        }
        drop(written);
        drop(received);
        drop(sent);
        services.iter().for_each(|service| service.clock.advance(apart));
        if number % 500 == 0 {
            services.iter().for_each(|service| drop(service.exported()));
        }
    }
    services.iter().for_each(|service| drop(service.exported()));
    drop(root);
    services.iter().for_each(|service| drop(service.exported()));
    let kept = |service: &Service, fails: bool| {
        let traces = service.memory.traces();
        traces.iter().filter(|trace| trace.has_errors() == fails).count()
    };
    assert_eq!(kept(&services[failing], true), FAILING);
    let beside: Vec<usize> = services.iter().map(|service| kept(service, false)).collect();
    assert!(beside.iter().sum::<usize>() <= 2 * FAILING, "{beside:?}");
    for (service, beside) in services.iter().zip(beside) {
        assert!((1..=64).contains(&beside), "{beside}: {}", service.stats());
    }
}
