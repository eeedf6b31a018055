//! A trace that is decided in parts while another service keeps it.

use std::time::Duration;

use tailtrace::coherence::MemoryBus;
use tailtrace::record::KeepOutcome;
use tailtrace::{SpanGuard, TraceId};

use crate::support::PLENTY;
use crate::world::{Service, meet};

/// A root that has been open for so long that its trace is decided in parts.
fn long_root(service: &Service, id: TraceId) -> SpanGuard {
    let root = service.root("stream", id);
    service.clock.advance(Duration::from_secs(60));
    service.pipeline.flush(PLENTY).unwrap();
    root
}

#[test]
fn a_part_that_ends_after_another_service_told_of_its_trace_is_kept() {
    let bus = MemoryBus::new();
    let (shop, bank) = (Service::start("shop", &bus), Service::start("bank", &bus));
    meet(&[&shop, &bank]);
    let id = TraceId::new();
    let root = long_root(&bank, id);
    let heard = bank.stats().heard;
    shop.keep(id);
    bank.wait(|stats| stats.heard > heard);
    // It has begun after the notice came.
    bank.clock.advance(Duration::from_secs(1));
    drop(root.child("message"));
    assert_eq!(bank.exported(), [["message"]]);
    drop(root);
    assert_eq!(bank.exported(), [["message"], ["stream"]]);
}

#[test]
fn a_notice_gives_a_persons_request_nothing_that_began_after_it() {
    let bus = MemoryBus::new();
    let (shop, bank) = (Service::start("shop", &bus), Service::start("bank", &bus));
    meet(&[&shop, &bank]);
    let id = TraceId::new();
    let root = long_root(&bank, id);
    let earlier = root.child("purpose earlier");
    assert_eq!(bank.pipeline.keep(id), KeepOutcome::WhenComplete);
    bank.clock.advance(Duration::from_secs(1));
    let later = root.child("purpose later");
    bank.clock.advance(Duration::from_secs(1));
    let heard = bank.stats().heard;
    shop.keep(id);
    bank.wait(|stats| stats.heard > heard);
    drop(later);
    drop(earlier);
    // A person's word counts more than a drop on purpose, and a notice less.
    assert_eq!(bank.exported(), [["purpose earlier"]]);
}
