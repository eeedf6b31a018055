//! The heap against the limits, for each kind of text that a span of OpenTelemetry's SDK brings.

use std::borrow::Cow;
use std::time::Duration;

use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{SdkTracerProvider, Span};
use tailtrace::Pipeline;
use tailtrace::otel::TailSpanProcessor;
use tailtrace::record::RecordLimits;

use crate::holders::{Holder, LIMIT, excess};
use crate::{HEAP, MIB, alone, at_rest, dropping, grown_since};

/// Writes one kind of text into a span; the number is another for each.
type Write = fn(&mut Span, u64);

/// A trace state of so many members, each with a value of so many bytes.
fn state(members: usize, len: usize) -> TraceState {
    let members = (0..members).map(|member| (format!("k{member}"), "v".repeat(len)));
    TraceState::from_key_value(members).unwrap()
}

fn context(number: u64, state: TraceState) -> SpanContext {
    let trace_id = TraceId::from_bytes((u128::from(number) + 1).to_be_bytes());
    let span_id = SpanId::from_bytes((number + 1).to_be_bytes());
    SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, state)
}

fn list(values: Array) -> Value {
    Value::Array(values)
}

/// Each kind, with about what one span takes.
const KINDS: [(&str, usize, Write); 13] = [
    ("bare", 500, |_, _| {}),
    ("names", 10_000, |span, number| {
        let mut name = String::with_capacity(10_000);
        name.push_str(&number.to_string());
        span.update_name(name);
    }),
    ("statuses", 10_000, |span, number| {
        span.set_status(Status::error(format!("{number:010000}")));
    }),
    ("attributes one by one", 8_000, |span, _| {
        for _ in 0..65 {
            span.set_attribute(KeyValue::new("key", 1));
        }
    }),
    ("owned keys", 16_000, |span, number| {
        for tag in 0..128 {
            span.set_attribute(KeyValue::new(format!("{number}/{tag:0100}"), true));
        }
    }),
    ("texts", 16_000, |span, number| {
        for tag in 0..65 {
            span.set_attribute(KeyValue::new("key", format!("{number}/{tag:0100}")));
        }
    }),
    ("arrays", 60_000, |span, number| {
        let numbers = vec![number as i64; 2_000];
        span.set_attribute(KeyValue::new("numbers", list(Array::I64(numbers))));
        let mut switches = Vec::with_capacity(16_000);
        switches.push(true);
        span.set_attribute(KeyValue::new("switches", list(Array::Bool(switches))));
        let texts = vec![StringValue::from(String::from("a")); 1_000];
        span.set_attribute(KeyValue::new("texts", list(Array::String(texts))));
    }),
    ("events", 10_000, |span, _| {
        for _ in 0..65 {
            span.add_event("event", Vec::new());
        }
    }),
    ("attributes of events", 20_000, |span, number| {
        for event in 0..3 {
            let mut attributes = Vec::with_capacity(128);
            let all = (0..65).map(|tag| KeyValue::new(format!("{number}/{tag:020}"), event));
            attributes.extend(all);
            span.add_event(format!("{event:02000}"), attributes);
        }
    }),
    ("links", 12_000, |span, number| {
        for _ in 0..65 {
            span.add_link(context(number, TraceState::NONE), Vec::new());
        }
    }),
    ("links with long states", 40_000, |span, number| {
        for link in 0..4 {
            let attributes = (0..32).map(|tag| KeyValue::new(format!("{tag:030}"), link));
            span.add_link(context(number, state(31, 250)), attributes.collect());
        }
    }),
    ("links with short states", 60_000, |span, number| {
        for link in 0..20 {
            span.add_link(context(number, state(17, 1 + link)), Vec::new());
        }
    }),
    ("owned texts that are short", 8_000, |span, _| {
        for _ in 0..64 {
            let key: Cow<'static, str> = Cow::Owned("a key that is made".to_owned());
            span.set_attribute(KeyValue::new(String::from(key), String::from("v")));
        }
    }),
];

/// How many children a root has where it is held open. The memory of open spans is the SDK's and not ours: there are few.
const CHILDREN: u64 = 8;

/// How many spans fill a holder three times over.
fn spans_of(bytes: usize) -> u64 {
    (3 * LIMIT / bytes) as u64
}

/// Starts traces whose root stays open where that is asked for, and whose children end with what is written into
/// each.
fn hold(
    holder: Holder,
    provider: &SdkTracerProvider,
    bytes: usize,
    scope: impl Fn(u64) -> InstrumentationScope,
    write: Write,
) -> Vec<Context> {
    let tracer = provider.tracer("shop");
    let traces = (0..spans_of(bytes) / CHILDREN).map(|trace| {
        let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
        for number in trace * CHILDREN..(trace + 1) * CHILDREN {
            let tracer = provider.tracer_with_scope(scope(number));
            write(&mut tracer.start_with_context("child", &root), number);
        }
        matches!(holder, Holder::Live).then_some(root)
    });
    traces.flatten().collect()
}

fn found_for(
    kind: &str,
    bytes: usize,
    scope: impl Fn(u64) -> InstrumentationScope,
    write: Write,
) -> Vec<String> {
    let of = |holder| {
        let open_roots = match holder {
            Holder::Live => {
                let before = at_rest();
                let provider = SdkTracerProvider::builder().build();
                let held = hold(holder, &provider, bytes, &scope, |_, _| {});
                // Less where something of before is given back meanwhile: the limit is the stricter for it.
                let roots = HEAP.allocated().saturating_sub(before);
                drop(held);
                roots
            }
            Holder::Ring | Holder::Queue => 0,
        };
        excess(holder, kind, open_roots, |pipeline| {
            let processor = TailSpanProcessor::new(pipeline);
            let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
            (hold(holder, &provider, bytes, &scope, write), provider)
        })
    };
    [Holder::Live, Holder::Ring, Holder::Queue].into_iter().filter_map(of).collect()
}

#[test]
fn whatever_a_span_of_the_sdk_brings_is_weighed_by_all_who_hold_it() {
    let _alone = alone();
    let scope = |_| InstrumentationScope::builder("shop").build();
    let found =
        KINDS.iter().flat_map(|(kind, bytes, write)| found_for(kind, *bytes, scope, *write));
    let found: Vec<_> = found.collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn spans_of_the_sdk_that_are_traces_of_their_own_are_weighed() {
    let _alone = alone();
    let make = |pipeline: &Pipeline| {
        let processor = TailSpanProcessor::new(pipeline);
        let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
        let tracer = provider.tracer("shop");
        (0..spans_of(500)).for_each(|_| drop(tracer.start("GET")));
        provider
    };
    // What is remembered of the last traces that were decided, for late spans, has a limit of its own.
    let before = at_rest();
    let pipeline = dropping(RecordLimits::default().with_ring_bytes(0)).0;
    let provider = make(&pipeline);
    let remembered = grown_since(before);
    drop((provider, pipeline));
    let of = |holder| excess(holder, "traces of one span", remembered, make);
    let found: Vec<_> = [Holder::Ring, Holder::Queue].into_iter().filter_map(of).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_scopes_of_spans_of_the_sdk_are_weighed() {
    let _alone = alone();
    let scope = |number| {
        InstrumentationScope::builder(format!("{number:01000}"))
            .with_version(format!("{number:01000}"))
            .with_schema_url(format!("{number:01000}"))
            .with_attributes([KeyValue::new("key", format!("{number:01000}"))])
            .build()
    };
    let short = |number: u64| InstrumentationScope::builder(number.to_string()).build();
    let mut found = found_for("scopes", 8_000, scope, |_, _| {});
    found.extend(found_for("short scopes", 1_500, short, |_, _| {}));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_trace_states_that_came_with_traces_of_the_sdk_are_weighed() {
    let _alone = alone();
    let states = |holder| {
        excess(holder, "trace states", 0, |pipeline| {
            let processor = TailSpanProcessor::new(pipeline);
            let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
            let tracer = provider.tracer("shop");
            for number in 0..(4 * LIMIT / 8_000) as u64 {
                let caller =
                    Context::new().with_remote_span_context(context(number, state(31, 250)));
                drop(tracer.start_with_context("GET", &caller));
            }
            provider
        })
    };
    let found: Vec<_> = [Holder::Ring, Holder::Queue].into_iter().filter_map(states).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_pipeline_that_ended_holds_nothing_of_the_sdk() {
    let _alone = alone();
    let before = HEAP.allocated();
    for _ in 0..4 {
        let pipeline = dropping(RecordLimits::default()).0;
        let processor = TailSpanProcessor::new(&pipeline);
        let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
        let tracer = provider.tracer("shop");
        (0..2_000).for_each(|_| drop(tracer.start("GET")));
        pipeline.shutdown(Duration::from_secs(60)).unwrap();
    }
    let left = HEAP.allocated().saturating_sub(before);
    assert!(left < MIB, "{} KiB", left / 1024);
}
