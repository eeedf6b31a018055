//! A bus that is away, and settings that are wrong.

use tailtrace::coherence::{Coherence, MemoryBus};
use tailtrace::pipeline::StartError;
use tailtrace::{InMemoryExporter, Pipeline, TraceId};

use crate::support::PLENTY;
use crate::world::{Service, fail, meet, tail};

#[test]
fn a_bus_that_is_away_leaves_decisions_local() {
    let bus = MemoryBus::new();
    bus.set_available(false);
    let shop = Service::start("shop", &bus);
    shop.keep(TraceId::new());
    drop(shop.root("dropped", TraceId::new()));
    assert_eq!(shop.exported(), [["failed"]]);
    shop.wait(|now| now.announced == 1);
    assert_eq!(shop.pipeline.stats().held, 1);
    shop.pipeline.shutdown(PLENTY).unwrap();
}

#[test]
fn a_group_that_is_no_group_does_not_start() {
    let coherence = Coherence::new(MemoryBus::new()).with_group("a.b");
    let builder = Pipeline::builder("shop").with_exporter(InMemoryExporter::new());
    let refused = builder.with_coherence(coherence).start().unwrap_err();
    assert!(matches!(refused, StartError::Coherence(_)), "{refused}");
    assert!(refused.to_string().contains("\"a.b\""), "{refused}");
}

#[test]
fn the_account_shows_the_table_of_coherence_where_there_is_something_to_tell() {
    let shop = Service::start("shop", &MemoryBus::new());
    assert!(!shop.pipeline.stats().to_string().contains("coherence"));
    shop.keep(TraceId::new());
    shop.wait(|now| now.announced == 1);
    let shown = shop.pipeline.stats().to_string();
    assert!(shown.contains("coherence, in traces"), "{shown}");
}

#[test]
fn a_ring_that_is_too_small_shows_in_the_share_that_is_kept() {
    let bus = MemoryBus::new();
    let coherence =
        || Coherence::new(bus.clone()).with_group("test").with_announced_per_second(100_000);
    let bank = Service::start_with("bank", &bus, |builder| {
        builder.with_tail(tail()).with_coherence(coherence())
    });
    let shop = Service::start_with("shop", &bus, |builder| {
        builder.with_tail(tail()).with_coherence(coherence().with_ring_cap(300_000))
    });
    meet(&[&shop, &bank]);
    let ids: Vec<TraceId> = (0..4_000).map(|_| TraceId::new()).collect();
    ids.iter().for_each(|id| drop(shop.root("dropped", *id)));
    let before = shop.stats();
    ids[..1_000].iter().chain(&ids[3_000..]).for_each(|id| fail(&bank.root("failed", *id)));
    bank.pipeline.flush(PLENTY).unwrap();
    shop.wait(|now| now.heard == before.heard + 2_000);
    let now = shop.stats();
    assert!(now.watched_too_late > 0 && now.watched_in_time > 0, "{now}");
    let share = now.kept_share().unwrap();
    assert!((0.2..0.8).contains(&share), "{share}");
}
