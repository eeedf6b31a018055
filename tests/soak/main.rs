//! Minutes of random faults: nothing is unaccounted for in any sample, and the heap does not grow.
//!
//! `benches/soak.sh`; no part of the usual run.

// A program of its own, because it counts the bytes of all threads.

#[path = "../otlp/server.rs"]
mod server;

mod peers;
mod samples;

use std::alloc::System;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use cap::Cap;
use peers::Peers;
use samples::Samples;
use tailtrace::delivery::Spool;
use tailtrace::export::OtlpProtocol;
use tailtrace::record::RecordLimits;
use tailtrace::{Errors, Fraction, OtlpExporter, Pipeline, SpanGuard, Status, TailSampler, Tracer};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Spans a second, of both pipelines, unless told otherwise.
const RATE: u64 = 300;
/// How often spans are made.
const STEP: Duration = Duration::from_millis(100);
/// How long faults go on before everything is well and the heap is measured.
const CYCLE: Duration = Duration::from_secs(10);
/// How long a pipeline may take to come to rest when everything is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What is traced: requests of a few spans, one in five of which fails, and a root that never ends.
struct Work {
    tracer: Tracer,
    _open: SpanGuard,
    next: u64,
}

impl Work {
    fn new(pipeline: &Pipeline, first: u64) -> Self {
        let tracer = pipeline.tracer();
        Self { _open: tracer.start_span("consumer"), tracer, next: first }
    }

    /// One trace; how many spans it has. Each has a number of its own.
    fn trace(&mut self, dice: &mut Dice) -> u64 {
        let spans = 1 + dice.below(9);
        let root = self.tracer.start_span("request");
        for number in self.next..self.next + spans {
            let child = root.child("step");
            child.set_tag("n", i64::try_from(number).unwrap());
            child.set_tag("text", "x".repeat(dice.below(200) as usize));
        }
        if dice.below(5) == 0 {
            root.set_status(Status::error("declined"));
        }
        self.next += spans;
        spans + 1
    }
}

fn limits() -> RecordLimits {
    // A ring that is full soon, so that it is not what grows.
    RecordLimits::default().with_ring_bytes(256 * 1024)
}

fn builder(service: &str) -> tailtrace::pipeline::PipelineBuilder {
    let tail = TailSampler::new().keep(Errors).keep(Fraction::new(0.3).unwrap());
    Pipeline::builder(service).with_limits(limits()).with_tail(tail)
}

fn over_memory(peers: &Peers) -> Pipeline {
    let http = OtlpExporter::builder().with_endpoint(peers.http.url("/v1/traces"));
    let grpc = OtlpExporter::builder().with_protocol(OtlpProtocol::Grpc);
    let grpc = grpc.with_endpoint(peers.grpc.url(""));
    let builder = builder("memory").with_exporter(http.build().unwrap());
    builder.with_exporter(grpc.build().unwrap()).start().unwrap()
}

fn over_a_spool(peers: &Peers, directory: &PathBuf) -> Pipeline {
    let http = OtlpExporter::builder().with_endpoint(peers.spooled.url("/v1/traces"));
    let spool = Spool::new(directory, http.build().unwrap()).unwrap();
    builder("spool").with_exporter(spool).start().unwrap()
}

/// How many spans should have been made. Ten times as many come at first, so that pools and buffers find their sizes.
fn due(elapsed: Duration, warm_up: Duration, rate: u64) -> u64 {
    let in_haste = elapsed.min(warm_up) * 9;
    (elapsed + in_haste).as_millis() as u64 * rate / 1_000
}

/// Waits until both have sent everything.
fn rest(pipelines: &[&Pipeline], peers: &Peers) {
    let end = Instant::now() + PATIENCE;
    for pipeline in pipelines {
        let _ = pipeline.flush(PATIENCE);
        loop {
            peers.drain();
            let stats = pipeline.stats();
            if stats.queued + stats.spooled == 0 && stats.balances() {
                break;
            }
            assert!(Instant::now() < end, "it does not come to rest: {stats}");
            thread::park_timeout(STEP);
        }
    }
}

#[test]
#[ignore = "takes minutes: benches/soak.sh"]
fn random_faults_leave_nothing_unaccounted_for_and_the_heap_as_it_was() {
    let setting = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let seconds = setting("TAILTRACE_SOAK_SECONDS", 600);
    let rate = setting("TAILTRACE_SOAK_RATE", RATE);
    let seed = setting("TAILTRACE_SOAK_SEED", u64::from(std::process::id()));
    println!("\n{rate} spans a second for {seconds} s, TAILTRACE_SOAK_SEED={seed}");
    let mut dice = Dice(seed);
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("soak-{seed}"));
    let most = 8 * rate * seconds + 100_000;
    let peers = Peers::start(seed, most);
    let memory = over_memory(&peers);
    let spool = over_a_spool(&peers, &directory);
    let mut work = [Work::new(&memory, 0), Work::new(&spool, most / 2)];
    let length = Duration::from_secs(seconds);
    let mut samples = Samples::new(length, CYCLE);
    let start = Instant::now();
    let mut made = 0;
    let mut next_rest = CYCLE;
    while start.elapsed() < length {
        while made < due(start.elapsed(), samples.warm_up(), rate) {
            let which = dice.below(2) as usize;
            made += work[which].trace(&mut dice);
        }
        if dice.below(100) == 0 {
            let _ = memory.flush(Duration::from_millis(dice.below(300)));
        }
        peers.drain();
        samples.check_accounts(&[&memory, &spool]);
        if start.elapsed() >= next_rest {
            peers.set_well(true);
            rest(&[&memory, &spool], &peers);
            samples.measure(start.elapsed(), HEAP.allocated(), &[&memory, &spool]);
            peers.set_well(false);
            next_rest = start.elapsed() + CYCLE;
        }
        thread::park_timeout(STEP);
    }
    peers.set_well(true);
    rest(&[&memory, &spool], &peers);
    for pipeline in [&memory, &spool] {
        println!("{}\n", pipeline.stats());
    }
    let lost: u64 = [&memory, &spool].iter().map(|pipeline| pipeline.stats().lost()).sum();
    assert_eq!(lost, 0, "no fault was one that costs spans");
    peers.check_arrived(&[&memory, &spool]);
    drop(work);
    for pipeline in [memory, spool] {
        pipeline.shutdown(PATIENCE).unwrap();
    }
    let _ = std::fs::remove_dir_all(directory);
    samples.check_slope();
}
