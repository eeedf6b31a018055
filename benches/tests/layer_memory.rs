//! What open spans of the layer take, and what is left of them.

use tailtrace::record::RecordLimits;
use tailtrace::{Pipeline, TailSampler};
use tailtrace_benches::heap::{self, Counting};
use tailtrace_benches::setups::pipeline;
use tracing::{Dispatch, Span, Subscriber, dispatcher, info, info_span, span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

#[global_allocator]
static HEAP: Counting = Counting;

/// How many spans are open at a time.
const SPANS: usize = 200_000;

/// How many of them are in a trace.
const SIZES: [usize; 3] = [1, 10, 100];

/// The most bytes of an open span with three fields, the registry's and its handle's included, in traces
/// of these sizes.
const MOST_PER_SPAN: [u64; 3] = [880, 600, 600];

/// The most bytes that a burst leaves besides the ring: what the pools of all stripes may keep, 2 MiB for each of 16,
/// and the tables.
const MOST_BESIDES_RING: u64 = (32 + 4) * 1024 * 1024;

/// A layer that only lets roots wait for their end, as ours does. What remains with it is the
/// registry's, which keeps its memory.
struct Waiting;

struct WaitsInRoot;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Waiting {
    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(&id)
            && span.parent().is_none()
        {
            span.extensions_mut().insert(WaitsInRoot);
        }
    }
}

/// Opens spans in traces of `size`, each with three fields and, if `rich`, an event.
fn open(size: usize, rich: bool) -> Vec<Span> {
    let mut all: Vec<Span> = Vec::with_capacity(SPANS);
    let mut root = Span::none();
    for number in 0..SPANS {
        let span = if number % size == 0 {
            root = info_span!(parent: None, "root", route = "/orders/{id}", id = 4711, ok = true);
            root.clone()
        } else {
            info_span!(parent: &root, "step", route = "/orders/{id}", id = 4711, ok = true)
        };
        if rich {
            info!(parent: &span, items = 3, "in stock");
        }
        all.push(span);
    }
    all
}

/// By how many bytes the heap has grown after a burst of open spans that have closed.
fn left_by_a_burst(dispatch: &Dispatch, size: usize) -> u64 {
    dispatcher::with_default(dispatch, || {
        // The first span makes what is made once.
        drop(info_span!("span"));
        let before = heap::bytes();
        drop(open(size, true));
        heap::bytes().saturating_sub(before)
    })
}

fn start() -> (Pipeline, Dispatch) {
    let limits = RecordLimits::default().with_live_traces(SPANS).with_live_bytes(usize::MAX);
    let builder = pipeline::builder().with_limits(limits).with_tail(TailSampler::new());
    let pipeline = builder.start().expect("this machine starts threads");
    let subscriber = tracing_subscriber::registry().with(pipeline.layer());
    (pipeline, Dispatch::new(subscriber))
}

// One test, because the heap is one.
#[test]
fn open_spans_are_small_and_leave_no_more_than_pool_and_ring_may_hold() {
    let ring = RecordLimits::default().ring_bytes as u64;
    for (size, most) in SIZES.into_iter().zip(MOST_PER_SPAN) {
        let waiting = Dispatch::new(tracing_subscriber::registry().with(Waiting));
        let of_registry = left_by_a_burst(&waiting, size);
        let (_pipeline, ours) = start();
        let left = left_by_a_burst(&ours, size).saturating_sub(of_registry);
        eprintln!("in traces of {size}: {left} bytes are left");
        assert!(left <= ring + MOST_BESIDES_RING, "in traces of {size}: {left} bytes are left");

        let (_pipeline, ours) = start();
        let before = heap::bytes();
        let spans = dispatcher::with_default(&ours, || open(size, false));
        let per_span = heap::bytes().saturating_sub(before) / SPANS as u64;
        dispatcher::with_default(&ours, || drop(spans));
        eprintln!("in traces of {size}: {per_span} bytes per open span");
        assert!(per_span <= most, "in traces of {size}: {per_span} bytes per open span");
    }
}
