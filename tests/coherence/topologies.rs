//! Random programs of several services: whatever calls whom, a notice causes no notice.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tailtrace::coherence::MemoryBus;
use tailtrace::{SpanGuard, TraceId};

use crate::support::PLENTY;
use crate::world::{Service, fail, meet};

const NAMES: [&str; 4] = ["shop", "bank", "ledger", "mail"];

/// The parts of a trace in the order in which they begin: the service of each, whether it ends before the next begins,
/// and whether it fails.
fn traces() -> impl Strategy<Value = Vec<Vec<(usize, bool, bool)>>> {
    let part = (0..NAMES.len(), any::<bool>(), prop::bool::weighted(0.15));
    prop::collection::vec(prop::collection::vec(part, 1..8), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_parts_of_a_trace_are_kept_and_no_more_is_announced_than_was_decided(traces in traces()) {
        let bus = MemoryBus::new();
        let services = NAMES.map(|name| Service::start(name, &bus));
        meet(&services.each_ref());
        let before: u64 = services.iter().map(|service| service.stats().announced).sum();
        let mut decided = 0;
        let mut wanted = services.each_ref().map(|_| 0_usize);
        for parts in &traces {
            let id = TraceId::new();
            let mut open = Vec::new();
            for (service, ends, fails) in parts {
                let span = services[*service].root("part", id);
                if *fails {
                    fail(&span);
                    decided += 1;
                }
                if !ends {
                    open.push(span);
                }
            }
            // The last to begin ends first, as calls do.
            while let Some(span) = open.pop() {
                drop(span);
            }
            if parts.iter().any(|(_, _, fails)| *fails) {
                parts.iter().for_each(|(service, ..)| wanted[*service] += 1);
            }
        }
        // The clocks stand still, so that no batch is due by itself.
        services.iter().for_each(|service| drop(service.pipeline.flush(PLENTY)));
        for (service, wanted) in services.iter().zip(wanted) {
            let start = Instant::now();
            while service.exported().len() < wanted {
                prop_assert!(start.elapsed() < PLENTY, "{}", service.stats());
                thread::park_timeout(Duration::from_millis(1));
            }
            prop_assert_eq!(service.exported().len(), wanted);
            let reasons: BTreeSet<String> =
                service.memory.traces().iter().map(|trace| trace.kept_by().to_owned()).collect();
            prop_assert!(reasons.iter().all(|reason| reason.starts_with("Errors")), "{:?}", reasons);
        }
        let announced: u64 = services.iter().map(|service| service.stats().announced).sum();
        prop_assert!(announced - before <= decided, "{} of {decided}", announced - before);
    }
}

/// Messages below a root that goes on: for each the services that it goes through, and which of them fails.
fn messages() -> impl Strategy<Value = Vec<Vec<(usize, bool)>>> {
    let stop = (0..NAMES.len(), prop::bool::weighted(0.15));
    prop::collection::vec(prop::collection::vec(stop, 1..5), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_a_trace_that_is_decided_in_parts_no_more_is_announced_than_a_policy_kept(messages in messages()) {
        let bus = MemoryBus::new();
        let services = NAMES.map(|name| Service::start(name, &bus));
        meet(&services.each_ref());
        let before: u64 = services.iter().map(|service| service.stats().announced).sum();
        let root = services[0].root("stream", TraceId::new());
        // Long enough for it to be decided in parts.
        services[0].clock.advance(Duration::from_secs(60));
        services[0].pipeline.flush(PLENTY).unwrap();
        for message in &messages {
            let mut calls: Vec<SpanGuard> = Vec::new();
            for (service, fails) in message {
                let call = match calls.last() {
                    None => root.child("message"),
                    Some(caller) => {
                        let tracer = services[*service].pipeline.tracer();
                        tracer.start_span_with_context("message", caller.context().remote())
                    }
                };
                if *fails {
                    fail(&call);
                }
                calls.push(call);
            }
            while calls.pop().is_some() {}
            services.iter().for_each(|service| drop(service.pipeline.flush(PLENTY)));
        }
        drop(root);
        services.iter().for_each(|service| drop(service.exported()));
        let decided = |service: &Service| {
            let traces = service.memory.traces();
            traces.iter().filter(|trace| trace.kept_by() == "Errors").count() as u64
        };
        let decided: u64 = services.iter().map(decided).sum();
        let announced: u64 = services.iter().map(|service| service.stats().announced).sum();
        prop_assert!(announced - before <= decided, "{} of {decided}", announced - before);
        let failing = messages.iter().flatten().filter(|(_, fails)| *fails).count() as u64;
        prop_assert!(decided <= failing, "{decided} of {failing}");
    }
}
