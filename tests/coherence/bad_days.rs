//! A bus that is away, and settings that are wrong.

use std::thread;
use std::time::{Duration, Instant};

use tailtrace::coherence::{Coherence, MemoryBus};
use tailtrace::ledger::CoherenceStats;
use tailtrace::pipeline::StartError;
use tailtrace::{InMemoryExporter, Pipeline, TraceId};

use crate::lossy_bus::LossyBus;
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
fn settings_beyond_all_bounds_start_and_keep() {
    let changes: [fn(Coherence) -> Coherence; 4] = [
        |coherence| coherence.with_batch_age(Duration::MAX).with_ring_reach(Duration::MAX),
        |coherence| coherence.with_remembered(1, Duration::MAX).with_ring_cap(usize::MAX),
        |coherence| coherence.with_remembered(0, Duration::ZERO).with_ring_cap(0),
        |coherence| coherence.with_batch_age(Duration::ZERO).with_ring_reach(Duration::ZERO),
    ];
    for change in changes {
        let bus = MemoryBus::new();
        let coherence = change(Coherence::new(bus.clone()).with_group("test"));
        let shop = Service::start_with("shop", &bus, |builder| {
            builder.with_tail(tail()).with_coherence(coherence)
        });
        shop.keep(TraceId::new());
        shop.wait(|now| now.announced == 1);
        assert_eq!(shop.exported(), [["failed"]]);
    }
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

#[test]
fn what_was_kept_while_the_bus_was_away_is_told_when_it_is_back() {
    let bus = MemoryBus::new();
    let (shop, bank) = (Service::start("shop", &bus), Service::start("bank", &bus));
    meet(&[&shop, &bank]);
    let id = TraceId::new();
    drop(bank.root("dropped", id));
    bus.set_available(false);
    shop.keep(id);
    assert!(bank.exported().is_empty());
    bus.set_available(true);
    // Whoever is back first may speak before the other listens, and repeats what it said two seconds later. The ring
    // reaches ten seconds back, so the clocks must not run far ahead of the threads that connect again.
    let start = Instant::now();
    while bank.exported().is_empty() {
        assert!(start.elapsed() < PLENTY, "{}", bank.stats());
        thread::park_timeout(Duration::from_millis(10));
        [&shop, &bank].iter().for_each(|one| one.clock.advance(Duration::from_millis(15)));
        shop.pipeline.flush(PLENTY).unwrap();
    }
    assert_eq!(bank.exported(), [["dropped"]]);
}

#[test]
fn who_missed_notices_asks_for_them_and_they_are_repeated() {
    let bus = MemoryBus::new();
    let bank = Service::start("bank", &bus);
    let shop = Service::start_with("shop", &bus, |builder| {
        let coherence = Coherence::new(LossyBus::new(&bus)).with_group("test");
        builder.with_tail(tail()).with_coherence(coherence)
    });
    meet(&[&shop, &bank]);
    let ids: Vec<TraceId> = (0..100).map(|_| TraceId::new()).collect();
    ids.iter().for_each(|id| drop(shop.root("dropped", *id)));
    for batch in ids.chunks(5) {
        batch.iter().for_each(|id| fail(&bank.root("failed", *id)));
        bank.pipeline.flush(PLENTY).unwrap();
    }
    // Two of the twenty batches were lost, which the next one of each shows.
    shop.wait(|now| now.missed_on_the_bus >= 10);
    let start = Instant::now();
    while shop.stats().made_up_by_repeats < 10 {
        assert!(start.elapsed() < PLENTY, "{}", shop.stats());
        for service in [&shop, &bank] {
            service.clock.advance(Duration::from_millis(100));
            service.pipeline.flush(PLENTY).unwrap();
        }
        thread::park_timeout(Duration::from_millis(1));
    }
    let start = Instant::now();
    while shop.exported().len() < ids.len() {
        assert!(start.elapsed() < PLENTY, "{}", shop.stats());
        thread::park_timeout(Duration::from_millis(1));
    }
}

#[test]
fn of_a_storm_each_end_lets_through_what_its_budget_allows() {
    let bus = MemoryBus::new();
    let start = |name, change: fn(Coherence) -> Coherence| {
        Service::start_with(name, &bus, |builder| {
            let coherence = Coherence::new(bus.clone()).with_group("test");
            builder.with_tail(tail()).with_coherence(change(coherence))
        })
    };
    let shop = start("shop", |coherence| coherence.with_announced_per_second(400));
    let bank = start("bank", |coherence| coherence.with_accepted_per_second(50));
    meet(&[&shop, &bank]);
    // The clock stands still from here on, so each budget is that of one second.
    [&shop, &bank].iter().for_each(|service| service.clock.advance(Duration::from_secs(2)));
    let before = (shop.stats(), bank.stats());
    (0..1_000).for_each(|_| fail(&shop.root("failed", TraceId::new())));
    shop.pipeline.flush(PLENTY).unwrap();
    let announced = shop.stats().announced - before.0.announced;
    assert!((100..=400).contains(&announced), "{announced}");
    assert_eq!(announced + shop.stats().over_budget - before.0.over_budget, 1_000);
    let came =
        |now: &CoherenceStats| now.heard - before.1.heard + now.over_budget - before.1.over_budget;
    bank.wait(|now| came(now) == announced);
    assert!((10..=50).contains(&(bank.stats().heard - before.1.heard)), "{}", bank.stats());
    assert_eq!(shop.exported().len(), 1_000, "what is not announced is kept here all the same");
}
