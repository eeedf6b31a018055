//! A build without OTLP, which is the default exporter.

use tailtrace::InMemoryExporter;

use super::pipeline::{PLENTY, hearing};
use super::{fine, read, warned};

#[test]
fn asking_for_otlp_is_warned_about_with_the_feature() {
    let settings = read(&[("OTEL_TRACES_EXPORTER", "otlp,console")]);
    assert_eq!(warned(&settings), ["OTEL_TRACES_EXPORTER"]);
    let line = settings.warnings()[0].to_string();
    assert!(line.contains("`otlp`") && line.contains("the rest exports"), "{line}");
    assert_eq!(settings.exporters().unwrap().len(), 1);
    let settings = read(&[("OTEL_TRACES_EXPORTER", "otlp")]);
    assert!(settings.warnings()[0].to_string().contains("nothing is recorded"));
    assert!(settings.exporters().unwrap().is_empty());
}

#[test]
fn a_default_that_is_not_there_is_told_where_it_is_missed() {
    let pipeline = fine(&[]).pipeline().unwrap().start().unwrap();
    let heard = hearing(|| {
        assert!(!pipeline.tracer().start_span("op").is_recording());
        pipeline.shutdown(PLENTY).unwrap();
    });
    assert!(heard.contains("nothing is recorded") && heard.contains("`otlp`"), "{heard}");
}

#[test]
fn a_program_with_an_exporter_of_its_own_does_not_miss_the_default() {
    let memory = InMemoryExporter::new();
    let builder = fine(&[]).pipeline().unwrap().with_exporter(memory.clone());
    let pipeline = builder.start().unwrap();
    let heard = hearing(|| {
        drop(pipeline.tracer().start_span("op"));
        pipeline.shutdown(PLENTY).unwrap();
    });
    assert_eq!((memory.traces().len(), heard.as_str()), (1, ""));
}
