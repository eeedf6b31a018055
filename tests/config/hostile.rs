//! Any bytes in any variable.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tailtrace::config;
use tailtrace::propagation::Propagator;

/// Every variable that is read.
pub(crate) const ALL: &[&str] = &[
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_BSP_EXPORT_TIMEOUT",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_CONFIG_FILE",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_EXPERIMENTAL_CONFIG_FILE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_INSECURE",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
    "OTEL_EXPORTER_ZIPKIN_TIMEOUT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOG_LEVEL",
    "OTEL_PROPAGATORS",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_TRACES_EXPORTER",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "REQUEST_METHOD",
    "RUST_LOG",
    "TAILTRACE_COHERENCE_GROUP",
    "TAILTRACE_COHERENCE_URL",
    "TAILTRACE_FILTER",
    "TAILTRACE_TAIL",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Nonsense, and what comes near to sense.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "(https?://)?[a-z.:@/?#\\[\\]0-9]{0,20}",
        "([a-z]{0,3}=(%[0-9a-f]{2}|[a-z%;])*,?){0,4}",
        "-?[0-9]{0,25}(\\.[0-9]*)?",
        "((none|b3|console|otlp|zipkin|grpc|true|traceidratio|parentbased_traceidratio),?){0,3}",
    ]
}

proptest! {
    #[test]
    fn any_text_in_any_variable_costs_one_warning_for_each_at_the_most(
        vars in proptest::collection::btree_map(proptest::sample::select(ALL), value(), 0..20),
    ) {
        let settings = config::from_vars(&|name| vars.get(name).cloned());
        let mut seen = BTreeSet::new();
        for warning in settings.warnings() {
            prop_assert!(seen.insert(warning.variable()), "twice: {}", warning);
            prop_assert!(vars.contains_key(warning.variable()), "not set: {}", warning);
            let line = warning.to_string();
            prop_assert!(line.starts_with(warning.variable()) && line.len() < 500, "{}", line);
        }
        // Whatever was read can be used: only files and TLS may prevent an exporter.
        let names = ["CERTIFICATE", "ENDPOINT", "CLIENT_KEY"];
        if !vars.keys().any(|name| names.iter().any(|end| name.ends_with(end))) {
            prop_assert!(settings.exporters().is_ok());
        }
        prop_assert!(settings.pipeline().is_ok());
        prop_assert!(!settings.otlp().endpoint.is_empty());
        let is_text = settings.resource().get("service.name").is_some_and(|name| name.as_str().is_some());
        prop_assert!(is_text && settings.propagator().fields().len() < 20);
        drop((settings.sampler(), settings.clone()));
    }
}

#[test]
fn every_variable_is_read_and_no_other() {
    let asked = std::cell::RefCell::new(BTreeMap::new());
    let values = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("TAILTRACE_COHERENCE_URL", "nats://localhost:4222"),
    ];
    // What is read only with another variable is read without it too, to be warned about.
    for values in [&values[..], &[]] {
        asked.borrow_mut().clear();
        let _ = config::from_vars(&|name| {
            *asked.borrow_mut().entry(name.to_owned()).or_insert(0) += 1;
            let value = values.iter().find(|(known, _)| *known == name);
            value.map(|(_, value)| (*value).to_owned())
        });
        let asked = asked.borrow();
        assert_eq!(asked.keys().collect::<Vec<_>>(), ALL.iter().collect::<Vec<_>>());
        assert!(asked.values().all(|times| *times == 1), "{asked:?}");
    }
}
