//! What becomes of the parts of a trace that another service keeps: the table of states in the chapter `record`.

use std::time::Duration;

use tailtrace::TraceId;
use tailtrace::coherence::MemoryBus;
use tailtrace::record::RecordLimits;

use crate::support::PLENTY;
use crate::world::{Service, fail, meet};

fn two() -> (Service, Service) {
    let bus = MemoryBus::new();
    let shop = Service::start("shop", &bus);
    let bank = Service::start("bank", &bus);
    meet(&[&shop, &bank]);
    (shop, bank)
}

#[test]
fn a_part_in_the_ring_is_exported_without_threshold_and_names_policy_and_service() {
    let (shop, bank) = two();
    let id = TraceId::new();
    drop(shop.root("held", id));
    let before = shop.stats();
    bank.keep(id);
    shop.wait(|now| now.kept_from_ring > before.kept_from_ring);
    assert_eq!(shop.exported(), [["held"]]);
    let held = &shop.memory.traces()[0];
    assert_eq!((held.kept_by(), held.threshold()), ("Errors of bank", None));
    assert!(held.trace_state().threshold().is_none());
}

#[test]
fn a_part_that_runs_is_kept_when_it_is_complete() {
    let (shop, bank) = two();
    let id = TraceId::new();
    let running = shop.root("running", id);
    let before = shop.stats();
    bank.keep(id);
    shop.wait(|now| now.kept_while_running > before.kept_while_running);
    assert!(shop.exported().is_empty());
    drop(running);
    assert_eq!(shop.exported(), [["running"]]);
    assert_eq!(shop.memory.traces()[0].kept_by(), "Errors of bank");
}

#[test]
fn a_part_that_comes_later_is_kept_and_so_is_a_second_one() {
    let (shop, bank) = two();
    let id = TraceId::new();
    let before = shop.stats();
    bank.keep(id);
    shop.wait(|now| now.unknown_here > before.unknown_here);
    drop(shop.root("first", id));
    drop(shop.root("second", id));
    assert_eq!(shop.exported(), [["first"], ["second"]]);
    assert_eq!(shop.memory.traces()[0].kept_by(), "Errors of bank");
    assert_eq!(shop.stats().kept_when_they_came, before.kept_when_they_came + 2);
}

#[test]
fn an_id_is_forgotten_after_its_time() {
    let (shop, bank) = two();
    let id = TraceId::new();
    let before = shop.stats();
    bank.keep(id);
    shop.wait(|now| now.unknown_here > before.unknown_here);
    shop.clock.advance(Duration::from_secs(61));
    drop(shop.root("too late", id));
    assert!(shop.exported().is_empty());
}

#[test]
fn earlier_and_later_parts_in_the_service_that_keeps_are_kept_too() {
    let (shop, _bank) = two();
    let id = TraceId::new();
    drop(shop.root("earlier", id));
    let before = shop.stats();
    shop.keep(id);
    shop.wait(|now| now.kept_from_ring > before.kept_from_ring);
    drop(shop.root("later", id));
    assert_eq!(shop.exported(), [["earlier"], ["failed"], ["later"]]);
    let now = shop.stats();
    assert_eq!((now.announced, now.heard), (before.announced + 1, before.heard));
}

#[test]
fn a_part_that_is_kept_already_is_kept_once() {
    let (shop, bank) = two();
    let id = TraceId::new();
    shop.keep(id);
    bank.wait(|now| now.unknown_here > 0);
    // Heard first, so it is not announced.
    let announced = bank.stats().announced;
    bank.keep(id);
    assert_eq!(bank.stats().announced, announced);
    assert_eq!((shop.exported().len(), bank.exported().len()), (1, 1));
}

#[test]
fn a_notice_never_beats_a_drop_on_purpose() {
    let (shop, bank) = two();
    let (gone, running) = (TraceId::new(), TraceId::new());
    drop(shop.root("purpose gone", gone));
    let open = shop.root("purpose running", running);
    let before = shop.stats();
    bank.keep(gone);
    bank.keep(running);
    shop.wait(|now| {
        now.dropped_on_purpose > before.dropped_on_purpose
            && now.kept_while_running > before.kept_while_running
    });
    drop(open);
    drop(shop.root("purpose later", gone));
    assert!(shop.exported().is_empty());
    drop(shop.root("another part", gone));
    assert_eq!(shop.exported(), [["another part"]]);
}

#[test]
fn spans_that_were_open_when_their_part_was_dropped_follow() {
    let (shop, bank) = two();
    let id = TraceId::new();
    let root = shop.root("root", id);
    let straggler = root.child("straggler");
    drop(root);
    shop.clock.advance(RecordLimits::default().linger);
    shop.pipeline.flush(PLENTY).unwrap();
    let before = shop.stats();
    bank.keep(id);
    shop.wait(|now| now.kept_from_ring > before.kept_from_ring);
    drop(straggler);
    assert_eq!(shop.exported(), [["root"], ["straggler"]]);
    assert_eq!(shop.memory.traces()[1].kept_by(), "Errors of bank");
}

#[test]
fn one_notice_takes_64_parts_out_of_the_ring_and_counts_the_rest() {
    let (shop, bank) = two();
    let id = TraceId::new();
    (0..100).for_each(|_| drop(shop.root("one of many", id)));
    let before = shop.stats();
    bank.keep(id);
    shop.wait(|now| now.kept_from_ring > before.kept_from_ring);
    assert_eq!(shop.exported().len(), 64);
    assert_eq!(shop.stats().over_budget, before.over_budget + 36);
}

#[test]
fn a_running_trace_that_is_known_to_be_kept_tells_whom_it_calls() {
    let (shop, bank) = two();
    let id = TraceId::new();
    let running = shop.root("running", id);
    assert!(!running.context().is_sampled());
    let before = shop.stats();
    bank.keep(id);
    shop.wait(|now| now.kept_while_running > before.kept_while_running);
    let call = running.child("call");
    assert!(call.context().is_sampled() && running.context().is_sampled());
    assert!(call.context().trace_state.threshold().is_none());
    fail(&call);
}
