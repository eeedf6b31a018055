//! Spans that start with more than a name.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tailtrace::model::{Link, TagRef};
use tailtrace::{
    InMemoryExporter, SamplingRequest, SamplingResult, SpanId, SpanKind, TagValue, TraceContext,
    TraceId, Tracer,
};

use super::support::{PLENTY, names};
use super::{only, tracer};

#[test]
fn what_a_builder_says_reaches_the_sampler_and_the_span() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let sampler = move |request: &SamplingRequest<'_>| {
        seen.lock().unwrap().push((
            request.name.to_owned(),
            request.kind,
            request.tag("tenant").cloned(),
            request.links.len(),
            request.parent.map(|parent| parent.span_id),
        ));
        SamplingResult::sample().with_tag("sampler", "was here").with_tag("tenant", "ours")
    };
    let memory = InMemoryExporter::new();
    let tracer = Tracer::new("test", sampler, memory.clone());
    let caller = TraceContext::new(TraceId::new(), SpanId::new()).remote();
    let other = TraceContext::new(TraceId::new(), SpanId::new());
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    let span = tracer
        .span_builder("consume")
        .with_parent_context(&caller)
        .with_kind(SpanKind::Consumer)
        .with_tag("tenant", "first")
        .with_tag("tenant", "last")
        .with_tag("rows", 3)
        .with_link(Link::new(other.clone()).with_tag("why", "batch"))
        .with_start_time(start)
        .start();
    drop(span.child("child"));
    drop(span);
    let expected = (
        "consume".to_owned(),
        SpanKind::Consumer,
        Some(TagValue::from("last")),
        1,
        Some(caller.span_id),
    );
    assert_eq!(*asked.lock().unwrap(), [expected], "the sampler is asked once a local trace");
    let trace = only(&tracer, &memory);
    let root = trace.root().unwrap();
    assert_eq!((trace.trace_id(), root.parent_span_id()), (caller.trace_id, Some(caller.span_id)));
    assert_eq!((root.kind(), root.start_time()), (SpanKind::Consumer, start));
    let tags: Vec<_> = root.tags().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(tags, ["tenant=ours", "rows=3", "sampler=was here"]);
    let link = root.links().next().unwrap();
    assert_eq!(link.context(), &other);
    assert_eq!(link.tags().collect::<Vec<_>>(), [("why", TagRef::Str("batch"))]);
}

#[test]
fn a_builder_starts_children_with_all_it_says() {
    let (tracer, memory) = tracer();
    let root = tracer.start_span("root");
    let other = TraceContext::new(TraceId::new(), SpanId::new());
    let earlier = SystemTime::UNIX_EPOCH + Duration::from_secs(5);
    let child = tracer
        .span_builder("child")
        .with_parent_context(root.context())
        .with_kind(SpanKind::Client)
        .with_tag("rows", 3)
        .with_link(other.clone())
        .with_start_time(earlier)
        .start();
    drop((child, root));
    let trace = only(&tracer, &memory);
    assert_eq!(names(&trace), ["child", "root"], "in the order of their start times");
    let child = trace.spans().next().unwrap();
    assert_eq!((child.kind(), child.tag("rows")), (SpanKind::Client, Some(TagRef::I64(3))));
    assert_eq!(child.links().next().unwrap().context(), &other);
    assert_eq!(child.start_time(), earlier);
    assert_eq!(trace.root().unwrap().operation_name(), "root");
}

#[test]
fn a_start_in_the_future_makes_no_negative_duration() {
    let (tracer, memory) = tracer();
    let future = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000_000_000);
    drop(tracer.span_builder("future").with_start_time(future).start());
    drop(tracer.span_builder("ancient").with_start_time(SystemTime::UNIX_EPOCH - PLENTY).start());
    tracer.flush(PLENTY).unwrap();
    let traces = memory.traces();
    assert_eq!(traces[0].duration(), Duration::ZERO);
    assert_eq!(traces[0].root().unwrap().start_time(), future);
    assert_eq!(traces[1].root().unwrap().start_time(), SystemTime::UNIX_EPOCH);
}
