use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::kit::{ManualClock, Random};
use crate::ledger::{Ledger, Reason};
use crate::model::{LogLevel, Status, TraceView};
use crate::model::{Resource, Trace};
use crate::sampling::{Sampler, SamplingDecision, SamplingRequest};
use crate::tail::{TailPolicy, Verdict};

struct Bench {
    recorder: Arc<Recorder>,
    clock: ManualClock,
    kept: Arc<Mutex<Vec<Trace>>>,
}

fn bench(
    limits: RecordLimits,
    tail: impl Fn(&TraceView<'_>) -> Verdict + Send + Sync + 'static,
) -> Bench {
    let clock = ManualClock::new();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let ledger = Arc::new(Ledger::default());
    let sink = {
        let (kept, ledger) = (Arc::clone(&kept), Arc::clone(&ledger));
        move |t: Trace| {
            ledger.queued(t.span_count() as u64);
            ledger.exported(t.span_count() as u64);
            kept.lock().unwrap().push(t);
        }
    };
    let recorder = Recorder::new(Parts {
        clock: clock.clock(),
        random: Random::seeded(1),
        ledger,
        limits,
        sampler: Arc::new(|_: &SamplingRequest<'_>| SamplingDecision::record()),
        tail: Some(Arc::new(tail)),
        resource: Arc::new(Resource::new("t")),
        sink: Box::new(sink),
    });
    Bench {
        recorder,
        clock,
        kept,
    }
}
#[test]
fn smoke() {
    let b = bench(RecordLimits::default(), |t| {
        if t.has_errors() {
            Verdict::keep()
        } else {
            Verdict::pass()
        }
    });
    for i in 0..3 {
        let root = b.recorder.start(Start::new("root".into()));
        for _ in 0..10 {
            let c = root.child("c".into());
            c.set_tag("k".into(), crate::model::TagRef::Str("v"));
            c.log(LogLevel::Info, "hello");
            if i == 1 {
                c.set_status(Status::error("x"));
            }
        }
    }
    assert_eq!(b.kept.lock().unwrap().len(), 1);
    let s = b.recorder.stats();
    println!("{s}\n{:?}", b.recorder.pool());
    assert!(s.balances());
    assert_eq!(s.held, 22);
    println!(
        "LocalTrace {} Live {}",
        size_of::<super::local::LocalTrace>(),
        size_of::<super::local::Live>()
    );
    println!(
        "head {} store {} active {}",
        size_of::<crate::model::head::TraceHead>(),
        size_of::<crate::model::store::SpanStore>(),
        size_of::<ActiveSpan>()
    );
    println!("span {} ", size_of::<crate::model::store::SpanRecord>());
}
