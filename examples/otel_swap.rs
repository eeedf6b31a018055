//! features: otel,otlp
//! 300 requests under OpenTelemetry's SDK, before and after two of its lines are swapped: a sampler that cannot know
//! how a request ends, and a tail that does, which sends to an OTLP receiver at localhost:4318, else to the console.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime};

use opentelemetry::Context;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::trace::{Span as _, SpanBuilder, Status, TraceContextExt, Tracer as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider};
use tailtrace::otel::{HeadSampler, OtelExporter, TailSpanProcessor};
use tailtrace::pipeline::PipelineBuilder;
use tailtrace::{
    ConsoleExporter, Errors, Fraction, OtlpExporter, Pipeline, SlowerThan, TailSampler,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
const SLOW: Duration = Duration::from_millis(500);

fn main() -> Result<()> {
    let seen = InMemorySpanExporter::default(); // any exporter of OpenTelemetry's
    let before = SdkTracerProvider::builder()
        .with_sampler(Sampler::TraceIdRatioBased(0.01))
        .with_batch_exporter(seen.clone())
        .build();
    serve("before", &before, &seen)?;

    let tail = TailSampler::new().keep(Errors).keep(SlowerThan(SLOW)).keep(Fraction::new(0.01)?);
    let seen = InMemorySpanExporter::default();
    let pipeline = Pipeline::builder("shop").with_tail(tail);
    let pipeline = pipeline.with_exporter(OtelExporter::new(seen.clone()));
    let pipeline = with_receiver(pipeline)?.start()?;
    let after = SdkTracerProvider::builder()
        .with_sampler(HeadSampler::new(&pipeline)) // instead of the ratio
        .with_span_processor(TailSpanProcessor::new(&pipeline)) // instead of the batch exporter
        .build();
    serve("after", &after, &seen)?;
    after.shutdown()?; // Shuts the pipeline down, too.
    println!("{}", pipeline.stats());
    Ok(())
}

/// The receiver that agents and collectors run here, if one does.
fn with_receiver(builder: PipelineBuilder) -> Result<PipelineBuilder> {
    let receiver = SocketAddr::from(([127, 0, 0, 1], 4318));
    if TcpStream::connect_timeout(&receiver, Duration::from_millis(200)).is_ok() {
        println!("an OTLP receiver listens at {receiver}: kept traces go there");
        return Ok(builder.with_exporter(OtlpExporter::builder().build()?));
    }
    println!("no OTLP receiver listens at {receiver}: kept traces are drawn here");
    Ok(builder.with_exporter(ConsoleExporter::stdout()))
}

/// Serves 300 requests by the times they claim, of which two fail and three are slow; says what was seen of them.
fn serve(when: &str, provider: &SdkTracerProvider, seen: &InMemorySpanExporter) -> Result<()> {
    let (tracer, start, mut wanted) = (provider.tracer("shop"), SystemTime::now(), Vec::new());
    let named = |name| SpanBuilder::from_name(name).with_start_time(start);
    for order in 0..300 {
        let (fails, is_slow) = (order % 150 == 99, order % 110 == 42);
        let request = Context::new().with_span(tracer.build(named("POST /orders")));
        let mut charge = tracer.build_with_context(named("charge_card"), &request);
        if fails {
            charge.set_status(Status::error("card declined"));
        }
        if fails || is_slow {
            wanted.push(request.span().span_context().trace_id());
        }
        let end = start + if is_slow { SLOW } else { Duration::from_millis(7) };
        charge.end_with_timestamp(end);
        request.span().end_with_timestamp(end);
    }
    provider.force_flush()?;
    let spans = seen.get_finished_spans()?;
    wanted.retain(|id| spans.iter().any(|span| span.span_context.trace_id() == *id));
    let (all, five) = (spans.len() / 2, wanted.len());
    println!("{when}: {all} of 300 traces kept, {five} of the 5 that failed or were slow");
    Ok(())
}
