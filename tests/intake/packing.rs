//! Spans of another tracer that wait for an exporter which does not keep up.

use std::time::Duration;

use tailtrace::adapter::{
    Ended, Intake, Original, Outline, PackedOriginal, PackedOriginals, SpanMut,
};
use tailtrace::delivery::DeliveryConfig;
use tailtrace::export::Batching;
use tailtrace::ledger::{Reason, Stats};
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::{InMemoryExporter, Pipeline, TraceId, TraceView, Verdict};

use super::foreign::{Foreign, child, root};

const LONG: Duration = Duration::from_secs(60);

fn keep_all(_: &TraceView<'_>) -> Verdict {
    Verdict::keep()
}

/// The bytes from which on a queue packs.
const FILLING: usize = 1024;

/// A span that can be packed.
#[derive(Clone)]
struct Packable(Foreign);

/// One that tells by its name that it was packed.
#[derive(Clone)]
struct Packed(Foreign);

impl Original for Packable {
    fn outline(&self) -> Outline<'_> {
        self.0.outline()
    }

    fn describe(&self, span: &mut SpanMut<'_>) {
        self.0.describe(span);
    }

    fn pack(originals: Vec<Self>) -> Result<PackedOriginals<Self>, Vec<Self>> {
        if originals.iter().any(|original| original.0.name == "stays") {
            return Err(originals);
        }
        assert!(originals.iter().all(|original| original.0.name != "breaks when packed"));
        Ok(PackedOriginals::new(originals.into_iter().map(|Self(span)| Packed(span)).collect()))
    }
}

impl PackedOriginal for Packed {
    type Original = Packable;

    fn unpack(mut self, trace_id: TraceId) -> Packable {
        assert_eq!(self.0.trace_id, trace_id);
        assert_ne!(self.0.name, "breaks when unpacked");
        self.0.name = format!("{}, unpacked", self.0.name).into();
        Packable(self.0)
    }
}

fn end(intake: &Intake, span: Foreign) {
    let ended = Ended {
        trace_id: span.trace_id,
        span_id: span.span_id,
        bytes: size_of::<Packable>(),
        is_error: false,
    };
    intake.ended_as(ended, span, Packable);
}

/// Sends a trace of one span until the queue is filling, then one of each of these names and one with a child; the names
/// of the spans that arrived after the first ones, and the account.
fn sent(exporters: usize, names: &[&'static str]) -> (Vec<Vec<String>>, Stats) {
    let memories: Vec<_> = (0..exporters).map(|_| InMemoryExporter::new()).collect();
    let at_the_end = Batching::default().with_max_age(Duration::from_secs(3_600));
    let delivery =
        DeliveryConfig::default().with_batching(at_the_end).with_max_queued_bytes(16 * FILLING);
    let builder = Pipeline::builder("packing").with_tail(keep_all).with_delivery(delivery);
    let with =
        |builder: PipelineBuilder, memory: &InMemoryExporter| builder.with_exporter(memory.clone());
    let pipeline = memories.iter().fold(builder, with).start().unwrap();
    let intake = pipeline.intake();
    for _ in 0..2 {
        end(&intake, root(&intake, TraceId::new(), "first"));
    }
    for name in names {
        end(&intake, root(&intake, TraceId::new(), name));
    }
    let parent = root(&intake, TraceId::new(), "parent");
    let step = child(&intake, &parent, "step");
    end(&intake, step);
    end(&intake, parent);
    let _ = pipeline.shutdown(LONG);
    let arrived = memories.iter().map(|memory| {
        let traces = memory.traces();
        let names = traces.iter().flat_map(|trace| {
            trace.spans().map(|span| span.operation_name().to_owned()).collect::<Vec<_>>()
        });
        names.skip(2).collect()
    });
    let arrived = arrived.collect();
    let stats = pipeline.stats();
    assert!(stats.balances(), "{stats}");
    (arrived, stats)
}

#[test]
fn where_a_queue_fills_spans_wait_packed_and_arrive_unpacked_in_every_exporter() {
    for exporters in [1, 2] {
        let (arrived, stats) = sent(exporters, &["one", "stays"]);
        let expected = ["one, unpacked", "stays", "parent, unpacked", "step, unpacked"];
        assert_eq!(arrived, vec![expected.map(str::to_owned).to_vec(); exporters]);
        assert_eq!((stats.exported, stats.lost()), (6, 0));
    }
}

#[test]
fn an_adapter_that_panics_while_it_packs_costs_that_trace_which_is_counted() {
    let (arrived, stats) = sent(1, &["breaks when packed"]);
    assert_eq!(arrived, [["parent, unpacked", "step, unpacked"]]);
    assert_eq!((stats.exported, stats.dropped_by(Reason::ExporterPanicked)), (4, 1));
}

#[test]
fn an_adapter_that_panics_while_it_unpacks_costs_that_batch_which_is_counted() {
    let (arrived, stats) = sent(1, &["breaks when unpacked"]);
    assert!(arrived[0].is_empty(), "{arrived:?}");
    assert_eq!((stats.exported, stats.dropped_by(Reason::ExporterPanicked)), (0, 5));
}
