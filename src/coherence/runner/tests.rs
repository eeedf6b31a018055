//! Threads of coherence over the bus in memory.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::CoherenceHandle;
use crate::coherence::heard::{HeardNotice, HeardOutcome, KeepHeard};
use crate::coherence::{Coherence, MemoryBus, Notice};
use crate::kit::Random;
use crate::kit::unwind_safe::lock;
use crate::model::TraceId;
use crate::time::Clock;

const LONG: Duration = Duration::from_secs(60);

/// A recorder that knows no trace.
#[derive(Default)]
struct Heard {
    ids: Mutex<Vec<TraceId>>,
    came: Condvar,
}

impl KeepHeard for Heard {
    fn keep_heard(&self, heard: &HeardNotice) -> HeardOutcome {
        if !heard.is_own {
            lock(&self.ids).push(heard.notice.trace_id);
            self.came.notify_all();
        }
        HeardOutcome::Unknown
    }
}

impl Heard {
    fn wait_for(&self, id: TraceId) {
        let ids = lock(&self.ids);
        let waited = self.came.wait_timeout_while(ids, LONG, |ids| !ids.contains(&id)).unwrap();
        assert!(!waited.1.timed_out(), "{id} was not heard");
    }
}

fn service(bus: &MemoryBus, name: &str) -> (CoherenceHandle, Arc<Heard>) {
    let heard = Arc::<Heard>::default();
    let keeper: Arc<dyn KeepHeard> = Arc::clone(&heard) as _;
    let coherence = Coherence::new(bus.clone()).with_group("test");
    let handle =
        CoherenceHandle::start(&coherence, name, keeper, Clock::system(), Random::thread());
    (handle.unwrap(), heard)
}

/// Announces new traces until one is heard: a member that has not connected yet hears nothing.
fn meet(one: &CoherenceHandle, heard: &Heard) {
    for _ in 0..6_000 {
        one.announce(Notice::new(TraceId::new()));
        assert!(one.flush(LONG));
        let ids = lock(&heard.ids);
        let waited = heard
            .came
            .wait_timeout_while(ids, Duration::from_millis(10), |ids| ids.is_empty())
            .unwrap();
        if !waited.1.timed_out() {
            return;
        }
    }
    panic!("the two never met");
}

#[test]
fn what_one_pipeline_announces_the_other_hears_and_remembers() {
    let bus = MemoryBus::new();
    let (shop, _) = service(&bus, "shop");
    let (bank, heard) = service(&bus, "bank");
    meet(&shop, &heard);
    let id = TraceId::new();
    shop.announce(Notice::new(id));
    heard.wait_for(id);
    assert!(bank.remembered().contains(id, Clock::system().now()));
    bank.count_kept_when_it_came();
    assert_eq!(bank.stats().kept_when_they_came, 1);
    assert!(shop.shutdown(LONG) && bank.shutdown(LONG));
    shop.announce(Notice::new(id));
    assert_eq!(shop.stats().lost_on_the_way_out, 1, "after the end");
}

#[test]
fn a_bus_that_is_away_holds_up_neither_start_nor_flush_nor_end_and_comes_back() {
    let bus = MemoryBus::new();
    bus.set_available(false);
    let (shop, _) = service(&bus, "shop");
    let (bank, heard) = service(&bus, "bank");
    shop.announce(Notice::new(TraceId::new()));
    assert!(shop.flush(LONG));
    bus.set_available(true);
    meet(&shop, &heard);
    bus.set_available(false);
    assert!(bank.shutdown(LONG));
}

#[test]
fn what_waits_at_the_end_is_published() {
    let bus = MemoryBus::new();
    let (shop, _) = service(&bus, "shop");
    let (_bank, heard) = service(&bus, "bank");
    meet(&shop, &heard);
    let id = TraceId::new();
    shop.announce(Notice::new(id));
    assert!(shop.shutdown(LONG));
    heard.wait_for(id);
}
