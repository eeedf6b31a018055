//! A bus that is away, and settings that are wrong.

use tailtrace::coherence::{Coherence, MemoryBus};
use tailtrace::pipeline::StartError;
use tailtrace::{InMemoryExporter, Pipeline, TraceId};

use crate::support::PLENTY;
use crate::world::Service;

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
