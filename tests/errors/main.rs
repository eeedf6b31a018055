//! Every public error prints by `Debug` what it prints by `Display`, followed by its causes: a program
//! whose `main` returns an error shows a person the cure and not a struct.

use std::error::Error;
use std::io;
use std::time::Duration;

use async_trait::async_trait;

use tailtrace::config::ConfigError;
use tailtrace::export::{Batch, ExportError};
use tailtrace::model::{Baggage, Randomness, SettingError, Threshold, TraceState};
use tailtrace::pipeline::FlushError;
use tailtrace::sampling::RateLimitingSampler;
use tailtrace::tail::{PerSecond, Slowest};
use tailtrace::{
    AdaptiveSampler, AlwaysOn, Exporter, FileExporter, Fraction, InMemoryExporter, LogLevel,
    Pipeline, SpanId, TraceId, Tracer,
};

/// Checks how an error prints, and that it tells what the text asks for.
#[track_caller]
fn check(error: &dyn Error, expected: &str) {
    let mut text = error.to_string();
    assert!(text.contains(expected), "{text}");
    let mut source = error.source();
    while let Some(cause) = source {
        if !text.contains(&cause.to_string()) {
            text = format!("{text}: {cause}");
        }
        source = cause.source();
    }
    assert_eq!(format!("{error:?}"), text);
    assert_eq!(format!("{error:#?}"), text);
}

#[test]
fn ids_and_levels() {
    check(&TraceId::from_hex("12").unwrap_err(), "32 hexadecimal digits");
    check(&SpanId::from_hex("12345678901234zz").unwrap_err(), "'z'");
    check(&SpanId::from_hex("0000000000000000").unwrap_err(), "only zeros");
    check(&"loud".parse::<LogLevel>().unwrap_err(), "\"loud\"");
}

#[test]
fn thresholds_and_randomness() {
    check(&"xyz".parse::<Threshold>().unwrap_err(), "\"xyz\"");
    check(&"12".parse::<Randomness>().unwrap_err(), "14 lower-case hex digits");
}

#[test]
fn what_travels_in_headers() {
    check(&Baggage::new().with("no name", "x").unwrap_err(), "\"no name\"");
    let too_long = "x".repeat(Baggage::MAX_BYTES);
    check(&Baggage::new().with("name", &too_long).unwrap_err(), "remove members");
    check(&TraceState::default().insert("NO", "x").unwrap_err(), "\"NO\"");
    check(&TraceState::default().insert("ok", "a,b").unwrap_err(), "\"a,b\"");
    check(&"member".parse::<TraceState>().unwrap_err(), "key=value");
}

#[test]
fn settings_out_of_range() {
    let refused: [(SettingError, &str); 10] = [
        (Fraction::new(1.5).unwrap_err(), "rate 1.5"),
        (Threshold::from_probability(0.0).unwrap_err(), "probability 0"),
        (AdaptiveSampler::per_second(0.0).unwrap_err(), "target of 0 traces per second"),
        (RateLimitingSampler::per_second(-1.0).unwrap_err(), "limit of -1 traces per second"),
        (PerSecond::new(f64::NAN).unwrap_err(), "budget of NaN traces per second"),
        (PerSecond::new(1.0).unwrap().with_burst(0).unwrap_err(), "burst of 0 traces"),
        (Slowest::percentile(99.0).unwrap_err(), "such as 0.99"),
        (adaptive().with_interval(Duration::ZERO).unwrap_err(), "interval 0ns"),
        (adaptive().with_bounds(1.0, 0.5).unwrap_err(), "bounds 1 to 0.5"),
        (adaptive().with_max_operations(100_000).unwrap_err(), "use 65536 or fewer"),
    ];
    for (error, expected) in refused {
        check(&error, expected);
    }
}

fn adaptive() -> AdaptiveSampler {
    AdaptiveSampler::per_second(1.0).unwrap()
}

#[test]
fn a_pipeline_that_does_not_start() {
    check(&Pipeline::builder("shop").start().unwrap_err(), "with_exporter");
    assert!(Pipeline::builder("shop").with_exporter(InMemoryExporter::new()).start().is_ok());
}

/// Never takes a batch.
struct Refusing;

#[async_trait]
impl Exporter for Refusing {
    async fn export(&self, _: Batch) -> Result<(), ExportError> {
        let source = io::Error::other("disk on fire");
        Err(ExportError::permanent("the backend refused").with_source(source))
    }
}

#[test]
fn what_an_exporter_and_the_delivery_say() {
    let source = io::Error::other("disk on fire");
    let refused = ExportError::permanent("the backend refused").with_source(source);
    check(&refused, "the backend refused");
    assert!(format!("{refused:?}").ends_with(": disk on fire"));

    let tracer = Tracer::new("shop", AlwaysOn, Refusing);
    drop(tracer.start_span("flushed"));
    let lost = tracer.flush(Duration::from_secs(60)).unwrap_err();
    check(&lost, "the backend refused");
    if let FlushError::Lost { last_error: Some(failure), .. } = &lost {
        check(failure, "the backend refused");
    }
    drop(tracer.start_span("shut down"));
    check(&tracer.shutdown(Duration::from_secs(60)).unwrap_err(), "the backend refused");
}

#[test]
fn exporters_that_cannot_be_made() {
    let nowhere = FileExporter::new("no such folder/spans.json").unwrap_err();
    check(&nowhere, "its folder must exist");
    let source = Box::new(nowhere);
    check(&ConfigError::Exporter { name: "file", source }, "its folder must exist");
}

#[cfg(feature = "otlp")]
#[test]
fn endpoints_that_are_none() {
    check(&tailtrace::OtlpExporter::new("nowhere at all").unwrap_err(), "nowhere at all");
}

#[cfg(feature = "layer")]
#[test]
fn parents_that_are_not_set() {
    use tailtrace::layer::SetParentError;
    check(&SetParentError::LayerNotFound, "pipeline.layer()");
    check(&SetParentError::AlreadyStarted, "set its parent first");
    check(&SetParentError::SpanDisabled, "filters");
}
