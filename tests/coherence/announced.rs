//! What is announced, and what is not.

use std::time::Duration;

use tailtrace::coherence::MemoryBus;
use tailtrace::record::KeepOutcome;
use tailtrace::tail::PerSecond;
use tailtrace::{AlwaysOn, Errors, Fraction, SlowerThan, TailPolicy, TailSampler, TraceId};

use crate::support::PLENTY;
use crate::world::{Service, fail};

/// Of three plain traces, a service with this tail announces as many as expected.
#[track_caller]
fn announces(tail: impl TailPolicy + 'static, expected: u64) {
    let bus = MemoryBus::new();
    let service = Service::start_with("shop", &bus, |builder| builder.with_tail(tail));
    (0..3).for_each(|_| drop(service.root("plain", TraceId::new())));
    service.pipeline.flush(PLENTY).unwrap();
    service.wait(|now| now.announced >= expected);
    assert_eq!(service.stats().announced, expected);
}

#[test]
fn what_content_or_a_budget_keeps_is_announced_and_what_randomness_keeps_everywhere_is_not() {
    announces(SlowerThan(Duration::ZERO), 3);
    announces(PerSecond::new(2.0).unwrap(), 2);
    announces(TailSampler::new().keep(Errors), 0);
    announces(Fraction::new(1.0).unwrap(), 0);
    let both = TailSampler::new().keep(Fraction::new(1.0).unwrap()).keep(Errors);
    announces(both.keep(PerSecond::new(3.0).unwrap()), 0);
}

#[test]
fn what_the_head_alone_keeps_is_not_announced() {
    let bus = MemoryBus::new();
    let service = Service::start_with("shop", &bus, |builder| {
        builder.with_sampler(AlwaysOn).with_tail(TailSampler::new().keep(Errors))
    });
    drop(service.root("plain", TraceId::new()));
    service.pipeline.flush(PLENTY).unwrap();
    assert_eq!(service.stats().announced, 0);
    fail(&service.root("failed", TraceId::new()));
    service.wait(|now| now.announced == 1);
}

#[test]
fn what_a_person_asked_for_is_announced_where_a_policy_keeps_it() {
    let service = Service::start("shop", &MemoryBus::new());
    for (fails, announced) in [(false, 0), (true, 1)] {
        let id = TraceId::new();
        let running = service.root("running", id);
        assert_eq!(service.pipeline.keep(id), KeepOutcome::WhenComplete);
        if fails {
            fail(&running);
        }
        drop(running);
        service.pipeline.flush(PLENTY).unwrap();
        assert_eq!(service.stats().announced, announced);
    }
}
