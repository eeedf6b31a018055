//! The environment of a real process: this program, started again.

use std::ffi::OsString;
use std::time::Duration;

use tailtrace::Incoming;
use tailtrace::config::{self, EnvCarrier};
use tailtrace::propagation::{Propagator, TraceContextPropagator};
use tailtrace::{InMemoryExporter, SpanId, TraceContext, TraceId};

use super::own_process;

/// Set in the process that is started, which does nothing but to tell what it reads.
const IS_CHILD: &str = "TEST_OF_TAILTRACE_CHILD";

/// Runs the test once more, with these variables of OpenTelemetry and of this crate alone.
#[track_caller]
fn run<T>(test: T, vars: &[(&str, OsString)]) -> String {
    let mut child = own_process::command(test);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("OTEL_") || text.starts_with("TAILTRACE_") {
            child.env_remove(&name);
        }
    }
    child.env(IS_CHILD, "1").envs(vars.iter().map(|(name, value)| (*name, value)));
    String::from_utf8(own_process::run(child).stdout).unwrap()
}

fn is_child() -> bool {
    std::env::var_os(IS_CHILD).is_some()
}

#[test]
fn the_environment_of_the_process_is_read() {
    if is_child() {
        let settings = config::from_env();
        println!("name: {}", settings.resource().service_name());
        println!("endpoint: {}", settings.otlp().endpoint);
        println!("warnings: {}", settings.warnings().len());
        return;
    }
    let test = the_environment_of_the_process_is_read;
    let told = run(
        test,
        &[
            ("OTEL_SERVICE_NAME", "checkout".into()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318".into()),
            ("OTEL_SDK_DISABLED", "perhaps".into()),
        ],
    );
    assert!(told.contains("name: checkout\n"), "{told}");
    assert!(told.contains("endpoint: http://collector:4318/v1/traces\n"), "{told}");
    assert!(told.contains("warnings: 1\n"), "{told}");
    // No variable names the service, so the program's own name stands in.
    let told = run(test, &[]);
    assert!(told.contains("name: unknown_service:config-"), "{told}");
}

#[test]
fn exporters_of_the_environment_export_where_the_program_adds_none() {
    let adds = "TEST_OF_TAILTRACE_ADDS";
    if is_child() {
        let memory = InMemoryExporter::new();
        let mut builder = config::from_env().pipeline().unwrap();
        if std::env::var_os(adds).is_some() {
            builder = builder.with_exporter(memory.clone());
        }
        let pipeline = builder.start().unwrap();
        drop(pipeline.tracer().start_span("op"));
        pipeline.shutdown(Duration::from_secs(60)).unwrap();
        println!("exported: {}, ours: {}", pipeline.stats().exported, memory.traces().len());
        return;
    }
    let test = exporters_of_the_environment_export_where_the_program_adds_none;
    let vars = [
        ("OTEL_TRACES_EXPORTER", "console".into()),
        ("OTEL_SERVICE_NAME", "drawing".into()),
        (adds, "yes".into()),
    ];
    let told = run(test, &vars[..2]);
    assert!(told.contains("drawing · op") && told.contains("exported: 1, ours: 0\n"), "{told}");
    let told = run(test, &vars);
    assert!(!told.contains("drawing · op") && told.contains("exported: 1, ours: 1\n"), "{told}");
}

#[test]
fn a_misspelt_variable_of_this_crate_is_warned_about() {
    if is_child() {
        for warning in config::from_env().warnings() {
            println!("\nwarning: {warning}");
        }
        return;
    }
    let test = a_misspelt_variable_of_this_crate_is_warned_about;
    let vars = [("TAILTRACE_TIAL", "errors".into()), ("TAILTRACE_FILTER", "info".into())];
    let told = run(test, &vars);
    let warnings: Vec<&str> =
        told.lines().filter_map(|line| line.strip_prefix("warning: ")).collect();
    let expected = "TAILTRACE_TIAL is ignored: there is no such variable; did you mean TAILTRACE_TAIL? There are \
                    TAILTRACE_COHERENCE_GROUP, TAILTRACE_COHERENCE_URL, TAILTRACE_FILTER, TAILTRACE_TAIL";
    assert_eq!(warnings, [expected]);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_text_is_warned_about_and_counts_as_unset() {
    use std::os::unix::ffi::OsStringExt;
    if is_child() {
        let settings = config::from_env();
        println!("limit: {}", settings.limits().span.tags);
        for warning in settings.warnings() {
            println!("warning: {warning}");
        }
        return;
    }
    let told = run(
        a_value_that_is_not_text_is_warned_about_and_counts_as_unset,
        &[("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", OsString::from_vec(vec![0xff, 0xfe]))],
    );
    assert!(told.contains("limit: 128\n"), "{told}");
    let line = "warning: OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT is ignored: its value is not UTF-8; \
                set it to plain text\n";
    assert!(told.contains(line), "{told}");
}

#[test]
fn a_child_process_belongs_to_the_trace_of_its_parent() {
    if is_child() {
        let mut incoming = Incoming::default();
        TraceContextPropagator.extract(&EnvCarrier::from_env(), &mut incoming);
        println!("parent: {:?}", incoming.context.map(|parent| parent.span_id.to_hex()));
        return;
    }
    let context = TraceContext::new(TraceId::new(), SpanId::new());
    let mut carrier = EnvCarrier::new();
    TraceContextPropagator.inject(&context, &mut carrier);
    let vars: Vec<(&str, OsString)> =
        carrier.iter().map(|(name, value)| (name, value.into())).collect();
    let told = run(a_child_process_belongs_to_the_trace_of_its_parent, &vars);
    assert!(told.contains(&format!("parent: Some({:?})\n", context.span_id.to_hex())), "{told}");
}
