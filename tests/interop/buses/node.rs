//! One of the services: a process of its own, which makes its parts of traces that all of them know.

use std::env;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tailtrace::coherence::{Coherence, NatsBus, RedisBus};
use tailtrace::delivery::DeliveryConfig;
use tailtrace::export::{Batching, OtlpProtocol};
use tailtrace::{
    AlwaysOn, Errors, OtlpExporter, Pipeline, SpanId, Status, TailSampler, TraceContext, TraceId,
    Tracer,
};

use crate::{PLENTY, pause};

/// How many services there are.
pub(crate) const SERVICES: u64 = 5;
/// The variable with the job of a process that is a service.
pub(crate) const JOB: &str = "TAILTRACE_BUSES_JOB";
/// The variable with the authority of the bus, for TLS.
pub(crate) const AUTHORITY: &str = "TAILTRACE_BUSES_AUTHORITY";

/// What a service says before its CPU time, in microseconds.
pub(crate) const CPU_MICROS: &str = "cpu micros: ";

/// What a service is to do.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) index: u64,
    /// The address of the bus; `none` for none, and `all` for none and a service that exports every trace.
    pub(crate) bus: String,
    pub(crate) group: String,
    pub(crate) collector: String,
    pub(crate) per_second: u64,
    pub(crate) traces: u64,
    /// Of this many traces one is wanted.
    pub(crate) one_of: u64,
    /// When the first trace begins, in milliseconds since the Unix epoch.
    pub(crate) start: u64,
    /// How long the service waits after its last trace before it ends, in milliseconds.
    pub(crate) linger: u64,
    /// How long kept traces gather before they are sent to the collector, in milliseconds.
    pub(crate) batch: u64,
}

impl Job {
    pub(crate) fn to_text(&self) -> String {
        let Self { index, bus, group, collector, per_second, traces, one_of, start, linger, batch } =
            self;
        format!(
            "{index} {per_second} {traces} {one_of} {start} {linger} {batch} {group} {collector} {bus}"
        )
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut number = || words.next()?.parse().ok();
        Some(Self {
            index: number()?,
            per_second: number()?,
            traces: number()?,
            one_of: number()?,
            start: number()?,
            linger: number()?,
            batch: number()?,
            group: words.next()?.to_owned(),
            collector: words.next()?.to_owned(),
            bus: words.next()?.to_owned(),
        })
    }

    /// When the trace of this number begins, after the first.
    fn due(&self, number: u64) -> Duration {
        Duration::from_micros(number * 1_000_000 / self.per_second)
    }

    /// Does it; prints the account of coherence and the process's CPU time.
    fn run(&self) {
        let exporter = OtlpExporter::builder().with_protocol(OtlpProtocol::HttpProtobuf);
        let exporter = exporter.with_endpoint(self.collector.clone()).build().unwrap();
        let pipeline =
            Pipeline::builder(format!("service-{}", self.index))
                .with_delivery(DeliveryConfig::default().with_batching(
                    Batching::default().with_max_age(Duration::from_millis(self.batch)),
                ))
                .with_exporter(exporter);
        let pipeline = match &*self.bus {
            "all" => pipeline.with_sampler(AlwaysOn),
            _ => pipeline.with_tail(TailSampler::new().keep(Errors)),
        };
        let pipeline = match self.coherence() {
            Some(coherence) => pipeline.with_coherence(coherence),
            None => pipeline,
        };
        let pipeline = pipeline.start().unwrap();
        let tracer = pipeline.tracer();
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let begin = Instant::now() + Duration::from_millis(self.start).saturating_sub(since_epoch);
        for number in 0..self.traces {
            let due = begin + self.due(number);
            if let Some(wait) = due.checked_duration_since(Instant::now()) {
                // Batches of a millisecond, as a busy service has.
                pause(wait.max(Duration::from_millis(1)));
            }
            self.trace(&tracer, number);
        }
        pause(Duration::from_millis(self.linger));
        println!("{CPU_MICROS}{}", cpu_micros(std::process::id()));
        pipeline.shutdown(PLENTY).unwrap();
        let stats = pipeline.stats();
        assert!(stats.balances(), "{stats}");
        println!("{stats}");
    }

    fn coherence(&self) -> Option<Coherence> {
        let authority = env::var(AUTHORITY).ok();
        let coherence = match self.bus.split_once("://")?.0 {
            "nats" | "tls" => {
                let bus = NatsBus::new(&self.bus).unwrap();
                Coherence::new(match authority {
                    Some(pem) => bus.with_ca_certificate(pem).unwrap(),
                    None => bus,
                })
            }
            _ => {
                let bus = RedisBus::new(&self.bus).unwrap();
                Coherence::new(match authority {
                    Some(pem) => bus.with_ca_certificate(pem).unwrap(),
                    None => bus,
                })
            }
        };
        Some(coherence.with_group(self.group.clone()))
    }

    /// This service's part of a trace: five spans, the first of which fails in one service of a wanted trace.
    fn trace(&self, tracer: &Tracer, number: u64) {
        let parent = TraceContext::new(trace_id(&self.group, number), SpanId::new()).remote();
        let root = tracer.start_span_with_context("work", parent);
        for step in 0..4 {
            root.child("step").set_tag("step", step);
        }
        if number.is_multiple_of(self.one_of) && number / self.one_of % SERVICES == self.index {
            root.set_status(Status::error("wanted"));
        }
    }
}

/// The id of a trace, which all services know: spread as random ids are.
pub(crate) fn trace_id(group: &str, number: u64) -> TraceId {
    let group = group.bytes().fold(7u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte));
    let mix = |seed: u64| {
        let mut bits = (seed ^ group).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits ^ (bits >> 31)
    };
    let bits = u128::from(mix(2 * number + 1)) << 64 | u128::from(mix(2 * number + 2));
    TraceId::from_bits(bits | 1).unwrap()
}

/// What the threads of a process have used, in microseconds; those that have ended do not count.
pub(crate) fn cpu_micros(process: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let nanos = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    nanos.sum::<u64>() / 1_000
}

/// The process of a service, where the variable says what to do; else a test that does nothing.
#[test]
fn service() {
    if let Ok(text) = env::var(JOB) {
        Job::read(&text).expect("a job").run();
    }
}
