//! The heap against the limits, for every kind of text that a stranger or a program can bring: no limit is exceeded
//! by more than a fifth. A program of its own, because it counts the bytes of all threads.

mod holders;
#[cfg(feature = "otel")]
mod sdk_texts;
mod texts;

use std::alloc::System;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cap::Cap;
use tailtrace::delivery::DeliveryConfig;
use tailtrace::export::{Batch, ExportError};
use tailtrace::model::Link;
use tailtrace::record::RecordLimits;
use tailtrace::time::ManualClock;
use tailtrace::{
    AlwaysOn, Errors, Exporter, InMemoryExporter, Pipeline, SpanId, TailSampler, TraceContext,
    TraceId, Tracer,
};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const MIB: usize = 1024 * 1024;

/// What a pipeline takes before it holds anything: its threads, tables and pools.
const FIXED: usize = 3 * MIB;

/// One at a time: the heap is that of the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    at_rest();
    alone
}

/// The size of the heap once the threads of earlier pipelines have given back what they held: they go some time after the
/// pipeline was dropped. What the process keeps for its life may take a mebibyte beside what the first test found.
#[track_caller]
fn at_rest() -> usize {
    static FOUND: OnceLock<usize> = OnceLock::new();
    let found = *FOUND.get_or_init(|| HEAP.allocated());
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let size = HEAP.allocated();
        if size <= found + MIB {
            return size;
        }
        assert!(Instant::now() < deadline, "{} KiB are not given back", (size - found) / 1024);
        thread::yield_now();
    }
}

/// What the heap has grown by since it had this size. One that has shrunk gave memory back that was there before, and shows
/// nothing.
#[track_caller]
fn grown_since(before: usize) -> usize {
    HEAP.allocated().checked_sub(before).expect("nothing of an earlier test is given back")
}

/// The limit is held, and there is something to hold: text of headers may take an eighth of it.
#[track_caller]
fn assert_within(grown: usize, limit: usize) {
    assert!(grown <= limit + limit / 5 + FIXED, "{} KiB of {} KiB", grown / 1024, limit / 1024);
    assert!(grown >= limit / 8, "only {} KiB of {} KiB are held", grown / 1024, limit / 1024);
}

/// The longest trace state and baggage that headers may have, different for each request.
fn headers(request: u64) -> HashMap<String, String> {
    let id = format!("{:032x}", u128::from(request) + 1);
    let members = |len: usize| {
        let member = |at: u64| format!("k{at}={}", "v".repeat(len));
        (0..31).map(member).collect::<Vec<_>>().join(",")
    };
    HashMap::from([
        ("traceparent".to_owned(), format!("00-{id}-00f067aa0ba902b7-01")),
        ("tracestate".to_owned(), members(250)),
        ("baggage".to_owned(), members(250)),
    ])
}

/// Rejects nothing and never answers.
struct Stuck;

#[async_trait]
impl Exporter for Stuck {
    async fn export(&self, _: Batch) -> Result<(), ExportError> {
        std::future::pending().await
    }
}

fn dropping(limits: RecordLimits) -> (Pipeline, Tracer) {
    let nothing = |_: &tailtrace::TraceView<'_>| tailtrace::Verdict::pass();
    let builder = Pipeline::builder("shop").with_limits(limits);
    let builder = builder.with_tail(TailSampler::new().keep(nothing));
    let pipeline = builder.with_exporter(InMemoryExporter::new()).start().unwrap();
    let tracer = pipeline.tracer();
    (pipeline, tracer)
}

#[test]
fn the_ring_weighs_the_trace_states_of_dropped_traces() {
    let _alone = alone();
    let before = at_rest();
    let limit = 4 * MIB;
    let (pipeline, tracer) = dropping(RecordLimits::default().with_ring_bytes(limit));
    for request in 0..2_000 {
        drop(tracer.start_span_with_context("GET", tracer.extract(&headers(request))));
    }
    assert_within(grown_since(before), limit);
    drop(pipeline);
}

#[test]
fn the_ring_weighs_the_trace_states_of_links() {
    let _alone = alone();
    let before = at_rest();
    let limit = 4 * MIB;
    let (pipeline, tracer) = dropping(RecordLimits::default().with_ring_bytes(limit));
    for request in 0..100 {
        let mut span = tracer.span_builder("batch");
        for link in 0..128 {
            let context = tracer.extract_context(&headers(request * 128 + link)).unwrap();
            span = span.with_link(Link::new(context));
        }
        drop(span.start());
    }
    assert_within(grown_since(before), limit);
    drop(pipeline);
}

#[test]
fn the_queue_weighs_the_trace_states_of_kept_traces() {
    let _alone = alone();
    let before = at_rest();
    let limit = 4 * MIB;
    let delivery = DeliveryConfig::default().with_max_queued_bytes(limit);
    let pipeline = Pipeline::builder("shop")
        .with_sampler(AlwaysOn)
        .with_limits(RecordLimits::default().with_ring_bytes(0))
        .with_delivery(delivery)
        .with_exporter(Stuck)
        .start()
        .unwrap();
    let tracer = pipeline.tracer();
    for request in 0..2_000 {
        drop(tracer.start_span_with_context("GET", tracer.extract(&headers(request))));
    }
    assert_within(grown_since(before), limit);
    let _ = pipeline.shutdown(Duration::ZERO);
}

#[test]
fn open_spans_weigh_their_trace_states_and_their_baggage() {
    let _alone = alone();
    let before = at_rest();
    let limit = 32 * MIB;
    let (pipeline, tracer) =
        dropping(RecordLimits::default().with_live_bytes(limit).with_ring_bytes(0));
    let open: Vec<_> = (0..8_000)
        .map(|request| tracer.start_span_with_context("GET", tracer.extract(&headers(request))))
        .collect();
    assert_within(grown_since(before), limit);
    // What is at hand is carried on; what came with requests beyond the share is not.
    assert!(!open[0].baggage().is_empty());
    assert!(open[7_999].baggage().is_empty());
    drop(open);
    let later = tracer.start_span_with_context("GET", tracer.extract(&headers(7)));
    assert!(!later.baggage().is_empty(), "room that was given back is used again");
    drop(later);
    drop(pipeline);
}

/// Loops that go on, each of which has handled messages of so many spans.
#[track_caller]
fn assert_loops_weighed(messages: usize, steps: usize) {
    let before = at_rest();
    let limit = 16 * MIB;
    let clock = ManualClock::new();
    let limits = RecordLimits::default().with_live_bytes(limit).with_ring_bytes(0);
    let builder = Pipeline::builder("shop").with_clock(clock.clock()).with_limits(limits);
    let builder = builder.with_tail(Errors).with_exporter(InMemoryExporter::new());
    let pipeline = builder.start().unwrap();
    let tracer = pipeline.tracer();
    let loops: Vec<_> = (0..20_000).map(|_| tracer.start_span("loop")).collect();
    clock.advance(Duration::from_secs(60));
    pipeline.flush(Duration::from_secs(60)).unwrap();
    for of_loop in &loops {
        for _ in 0..messages {
            let message = of_loop.child("message");
            (0..steps).for_each(|_| drop(message.child("step")));
        }
    }
    assert_within(grown_since(before), limit);
    drop(loops);
    pipeline.flush(Duration::from_secs(60)).unwrap();
    let stats = pipeline.stats();
    assert!(stats.live == 0 && stats.balances(), "{stats}");
    drop(pipeline);
}

#[test]
fn loops_weigh_what_they_remember_of_their_messages() {
    let _alone = alone();
    assert_loops_weighed(0, 0);
    assert_loops_weighed(128, 0);
    assert_loops_weighed(16, 62);
    // Found by a search.
    assert_loops_weighed(1, 100);
}

#[cfg(feature = "layer")]
mod layer {
    //! What spans of `tracing` carry.

    use tailtrace::model::BaggageError;
    use tailtrace::pipeline::PipelineBuilder;
    use tailtrace::record::RecordLimits;
    use tailtrace::{AlwaysOff, AlwaysOn, InMemoryExporter, Pipeline, TraceSpanExt};
    use tracing::{Span, info_span};
    use tracing_subscriber::layer::SubscriberExt;

    use super::{HEAP, MIB, alone, assert_within, at_rest, grown_since, headers};

    const LIMIT: usize = 32 * MIB;

    /// Gives each of these spans baggage of its own while all of them are open.
    #[track_caller]
    fn assert_weighed(builder: PipelineBuilder, spans: impl FnOnce() -> Vec<Span>) {
        let limits = RecordLimits::default().with_live_bytes(LIMIT).with_ring_bytes(0);
        let pipeline = builder.with_limits(limits).with_exporter(InMemoryExporter::new());
        let pipeline = pipeline.start().unwrap();
        let subscriber = tracing_subscriber::registry().with(pipeline.layer());
        tracing::subscriber::with_default(subscriber, || {
            let before = HEAP.allocated();
            let open = spans();
            let value = "v".repeat(7_000);
            let results: Vec<_> = open.iter().map(|span| span.set_baggage("a", &value)).collect();
            assert_within(grown_since(before), LIMIT);
            let taken = results.iter().filter(|result| result.is_ok()).count() * value.len();
            assert!(taken <= LIMIT / 6 + value.len(), "{} KiB", taken / 1024);
            assert_eq!(results[0], Ok(()));
            assert_eq!(results.last(), Some(&Err(BaggageError::NoRoom)));
            assert!(open.last().unwrap().baggage().get("a").is_none_or(|value| value == "old"));
            assert_eq!(open.last().unwrap().set_baggage("tenant", "acme"), Ok(()));
            drop(open);
            assert_eq!(info_span!("later").set_baggage("a", &value), Ok(()), "room is used again");
        });
    }

    #[test]
    fn callers_have_a_share_for_their_baggage_that_the_programs_own_does_not_take() {
        let _alone = alone();
        let limits = RecordLimits::default().with_live_bytes(LIMIT).with_ring_bytes(0);
        let builder = Pipeline::builder("shop").with_sampler(AlwaysOn).with_limits(limits);
        let pipeline = builder.with_exporter(InMemoryExporter::new()).start().unwrap();
        let tracer = pipeline.tracer();
        let subscriber = tracing_subscriber::registry().with(pipeline.layer());
        tracing::subscriber::with_default(subscriber, || {
            let before = at_rest();
            let value = "v".repeat(7_000);
            let own: Vec<_> = (0..1_000).map(|_| info_span!("own")).collect();
            let refused = own.iter().filter(|span| span.set_baggage("a", &value).is_err()).count();
            assert!(refused > 0, "the program has filled its share");
            let start =
                |request| tracer.start_span_with_context("GET", tracer.extract(&headers(request)));
            let open: Vec<_> = (0..8_000).map(start).collect();
            let carrying = open.iter().filter(|span| !span.baggage().is_empty()).count();
            assert!((20..1_000).contains(&carrying), "{carrying} requests");
            assert_within(grown_since(before), LIMIT);
            // Room that the program gave back is its own again, however many callers there are.
            drop(own);
            assert_eq!(info_span!("later").set_baggage("a", &value), Ok(()));
            drop(open);
        });
    }

    #[test]
    fn baggage_that_a_program_sets_has_a_limit_however_many_spans_are_open() {
        let _alone = alone();
        let roots = || (0..16_000).map(|_| info_span!("root")).collect();
        let children = || {
            let root = info_span!("root");
            root.set_baggage("a", "old").unwrap();
            (0..8_000).map(|_| info_span!(parent: &root, "child")).collect()
        };
        assert_weighed(Pipeline::builder("shop").with_sampler(AlwaysOn), roots);
        assert_weighed(Pipeline::builder("shop").with_sampler(AlwaysOn), children);
        assert_weighed(Pipeline::builder("shop").with_sampler(AlwaysOff), roots);
        assert_weighed(Pipeline::builder("shop").with_sampler(AlwaysOff), children);
    }
}

#[cfg(feature = "tower")]
mod tower_layer {
    //! What requests hold whose spans are hidden.

    use std::future::pending;
    use std::io;

    use http::{Request, Response};
    use tailtrace::layer::http::HttpServerLayer;
    use tailtrace::record::RecordLimits;
    use tailtrace::{InMemoryExporter, Pipeline};
    use tower::{Layer, Service, service_fn};
    use tracing_subscriber::Layer as _;
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt;

    use super::{MIB, alone, assert_within, at_rest, grown_since, headers};

    const LIMIT: usize = 32 * MIB;

    /// What headers may take of it.
    const SHARE: usize = LIMIT / 8;

    /// How the heap grows by requests that stay open and whose spans are hidden, with those headers that are wanted.
    #[track_caller]
    fn grown_by(path: &str, wanted: impl Fn(&str) -> bool) -> usize {
        let before = at_rest();
        let limits = RecordLimits::default().with_live_bytes(LIMIT).with_ring_bytes(0);
        let builder = Pipeline::builder("shop").with_limits(limits);
        let pipeline = builder.with_exporter(InMemoryExporter::new()).start().unwrap();
        let layer = pipeline.layer().with_filter(LevelFilter::WARN);
        let subscriber = tracing_subscriber::registry().with(layer);
        let answer = service_fn(|_: Request<String>| pending::<io::Result<Response<String>>>());
        let mut service = HttpServerLayer::new().without_paths(["/health"]).layer(answer);
        let open: Vec<_> = tracing::subscriber::with_default(subscriber, || {
            let request = |number| {
                let mut request = Request::get(path);
                for (name, value) in headers(number).into_iter().filter(|(name, _)| wanted(name)) {
                    request = request.header(name, value);
                }
                service.call(request.body(String::new()).unwrap())
            };
            (0..8_000).map(request).collect()
        });
        let grown = grown_since(before);
        drop(open);
        drop(pipeline);
        grown
    }

    #[test]
    fn requests_whose_spans_are_hidden_hold_no_more_of_their_headers_than_others() {
        let _alone = alone();
        for path in ["/health", "/filtered"] {
            let bare = grown_by(path, |name| name == "traceparent");
            let grown = grown_by(path, |_| true);
            assert_within(grown, SHARE);
            // What the requests take without their headers is left out here.
            let held = grown - bare;
            assert!((SHARE / 2..=SHARE + SHARE / 5).contains(&held), "{} KiB", held / 1024);
        }
    }
}

#[test]
fn a_reason_to_keep_an_open_trace_is_cut() {
    let _alone = alone();
    let (pipeline, tracer) = dropping(RecordLimits::default());
    let open: Vec<_> = (0..200).map(|_| tracer.start_span("GET")).collect();
    let before = HEAP.allocated();
    for span in &open {
        pipeline.keep_as(span.context().trace_id, "why ".repeat(64 * 1024));
    }
    let grown = grown_since(before);
    assert!(grown < MIB, "{} KiB", grown / 1024);
    drop(open);
    drop(pipeline);
}

#[test]
fn a_trace_says_what_it_takes() {
    let _alone = alone();
    let memory = InMemoryExporter::new();
    let tracer = Tracer::new("shop", AlwaysOn, memory.clone());
    let mut span = tracer.span_builder("batch");
    for link in 0..128 {
        let context = tracer.extract_context(&headers(link)).unwrap();
        span = span.with_link(Link::new(context));
    }
    drop(span.start());
    let linked: TraceContext = TraceContext::new(TraceId::new(), SpanId::new());
    drop(tracer.span_builder("bare").with_link(Link::new(linked)).start());
    tracer.shutdown(Duration::from_secs(30)).unwrap();
    let traces = memory.traces();
    let bytes = |name: &str| {
        let of = |trace: &&tailtrace::Trace| trace.root().unwrap().operation_name() == name;
        traces.iter().find(of).unwrap().bytes()
    };
    assert!(bytes("batch") > 128 * 7_000, "{}", bytes("batch"));
    assert!(bytes("bare") < 2_000, "{}", bytes("bare"));
}

#[cfg(feature = "otlp")]
mod answers {
    //! What a collector's answer takes.

    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use tailtrace::export::{Batch, OtlpProtocol};
    use tailtrace::testing::{span, trace};
    use tailtrace::{Exporter, OtlpExporter};

    use super::{HEAP, MIB, alone};

    /// Answers each of two requests with this status and this body of JSON. Written in pieces of a page, so that the peer's
    /// own memory does not count.
    fn answering(status: &'static str, beginning: &'static str, item: &'static str) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().ok()?;
            let mut request = [0; 16 * 1024];
            let _begun = stream.read(&mut request).ok()?;
            let items = (4 * MIB - 64) / item.len();
            let len = beginning.len() + items * item.len() + 3;
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).ok()?;
            stream.write_all(beginning.as_bytes()).ok()?;
            for _ in 0..items {
                stream.write_all(item.as_bytes()).ok()?;
            }
            stream.write_all(b"0]}").ok()?;
            stream.read(&mut request).ok()
        });
        url
    }

    #[test]
    fn an_answer_of_json_takes_no_more_than_a_few_times_its_length() {
        let _alone = alone();
        for status in ["200 OK", "400 Bad Request"] {
            for (beginning, item) in
                [("{\"a\":[", "[],[],[],[],[],[],[],[],"), ("{\"a\":[", "{\"a\":0},{\"b\":1},")]
            {
                let url = answering(status, beginning, item);
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime.enable_all().build().unwrap();
                let builder = OtlpExporter::builder().with_protocol(OtlpProtocol::HttpJson);
                let exporter = builder.with_endpoint(url).build().unwrap();
                let before = HEAP.allocated();
                // An allocation above this ends the process.
                HEAP.set_limit(before + 5 * 4 * MIB).unwrap();
                let batch = Batch::from([trace(span("GET"))]);
                let result = runtime.block_on(exporter.export(batch));
                HEAP.set_limit(usize::MAX).unwrap();
                assert_eq!(result.is_ok(), status.starts_with('2'), "{result:?}");
            }
        }
    }
}
