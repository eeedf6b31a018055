//! Heads that drop what their callers did not sample.

use tailtrace::coherence::MemoryBus;
use tailtrace::{AlwaysOff, AlwaysOn, FixedRateSampler, ParentBasedSampler, Sampler, TraceId};

use crate::parts::native;
use crate::world::{Service, meet, tail};

fn with_head(bus: &MemoryBus, sampler: impl Sampler + 'static) -> Service {
    Service::start_with("bank", bus, |builder| builder.with_sampler(sampler).with_tail(tail()))
}

#[test]
fn what_a_caller_did_not_sample_is_recorded_and_kept_for_a_notice() {
    let bus = MemoryBus::new();
    let shop = Service::start("shop", &bus);
    let bank = with_head(&bus, ParentBasedSampler::new(FixedRateSampler::new(0.0).unwrap()));
    let id = TraceId::new();
    meet(&[&shop, &bank]);
    drop(bank.root("unsampled", id));
    let before = bank.stats();
    shop.keep(id);
    bank.wait(|now| now.kept_from_ring > before.kept_from_ring);
    assert_eq!(bank.exported(), [["unsampled"]]);
}

#[test]
fn a_service_without_a_tail_records_what_its_caller_did_not_sample() {
    let bus = MemoryBus::new();
    let shop = Service::start("shop", &bus);
    let bank = Service::start_with("bank", &bus, |builder| builder);
    let id = TraceId::new();
    drop(bank.root("unsampled", id));
    assert_eq!(bank.pipeline.stats().held, 1);
    drop(shop);
}

#[test]
fn what_the_program_drops_on_purpose_stays_dropped() {
    let bus = MemoryBus::new();
    let on_purpose = ParentBasedSampler::new(AlwaysOn).with_remote_parent_not_sampled(AlwaysOff);
    for bank in [with_head(&bus, on_purpose), with_head(&bus, AlwaysOff)] {
        drop(bank.root("unsampled", TraceId::new()));
        assert_eq!(bank.pipeline.stats().sampled_out, 1);
    }
}

#[test]
fn a_sampler_that_still_drops_what_callers_did_not_sample_is_told_at_the_start() {
    let bus = MemoryBus::new();
    crate::warnings::told();
    let on_purpose = ParentBasedSampler::new(AlwaysOn).with_remote_parent_not_sampled(AlwaysOff);
    let _bank = with_head(&bus, on_purpose);
    let line = crate::warnings::wait_for("their callers did not sample", || {});
    assert!(line.contains("AlwaysRecord"), "{line}");
}

/// By whichever way a trace comes in that its caller did not sample, it is recorded and kept for a notice.
fn is_recorded_and_kept(part: impl Fn(&Service, TraceId)) {
    let bus = MemoryBus::new();
    let shop = Service::start("shop", &bus);
    let bank = with_head(&bus, ParentBasedSampler::new(FixedRateSampler::new(0.0).unwrap()));
    meet(&[&shop, &bank]);
    let id = TraceId::new();
    part(&bank, id);
    let before = bank.stats();
    shop.keep(id);
    bank.wait(|now| now.kept_from_ring > before.kept_from_ring);
    assert_eq!(bank.exported(), [["part"]]);
}

#[test]
fn the_native_tracer_records_what_a_caller_did_not_sample() {
    is_recorded_and_kept(native);
}

#[test]
#[cfg(feature = "layer")]
fn the_layer_records_what_a_caller_did_not_sample() {
    is_recorded_and_kept(crate::parts::layer);
}

#[test]
#[cfg(feature = "otel")]
fn the_sdk_records_what_a_caller_did_not_sample() {
    let providers = crate::parts::sdk::Providers::default();
    is_recorded_and_kept(|service, id| providers.part(service, id));
}
