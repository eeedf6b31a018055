//! Each variable by itself.

use std::time::Duration;

use tailtrace::delivery::DeliveryConfig;
use tailtrace::model::{Limits, TraceFlags};
use tailtrace::propagation::Propagator;
use tailtrace::time::Clock;
use tailtrace::{
    LogLevel, SamplingDecision, SamplingRequest, SpanId, TagValue, TraceContext, TraceId,
};

use super::{fine, read, refused, warned};

#[test]
fn without_any_variable_everything_has_its_default() {
    let settings = fine(&[]);
    assert!(!settings.is_disabled());
    assert_eq!(settings.resource().service_name(), "unknown_service");
    assert_eq!(settings.log_level(), None);
    assert_eq!(settings.limits(), tailtrace::record::RecordLimits::default());
    assert_eq!(settings.delivery(), DeliveryConfig::default());
    assert!(settings.sampler().is_none());
    assert_eq!(settings.propagator().fields(), ["traceparent", "tracestate", "baggage"]);
}

#[test]
fn what_is_empty_counts_as_unset() {
    for name in super::hostile::ALL {
        let settings = fine(&[(name, "")]);
        assert_eq!(format!("{settings:?}"), format!("{:?}", fine(&[])), "{name}");
    }
}

#[test]
fn only_true_disables_and_what_is_no_flag_does_not() {
    let disabled = |value| read(&[("OTEL_SDK_DISABLED", value)]).is_disabled();
    for (value, expected) in [("true", true), ("TRUE", true), ("false", false), ("False", false)] {
        assert_eq!(fine(&[("OTEL_SDK_DISABLED", value)]).is_disabled(), expected);
    }
    for value in ["1", "yes", "truely"] {
        assert!(!refused("OTEL_SDK_DISABLED", value).is_disabled() && !disabled(value));
    }
}

#[test]
fn the_name_goes_before_the_attribute_and_that_before_the_default() {
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=attribute,zone=a%2Cb");
    let resource = fine(&[attributes]).resource();
    assert_eq!(resource.service_name(), "attribute");
    assert_eq!(resource.get("zone"), Some(&TagValue::from("a,b")));
    let resource = fine(&[attributes, ("OTEL_SERVICE_NAME", "name")]).resource();
    assert_eq!(resource.service_name(), "name");
    assert_eq!(resource.iter().count(), 2);
    let named = |vars: &[(&str, &str)]| fine(vars).with_default_service_name("default").resource();
    assert_eq!(named(&[]).service_name(), "default");
    assert_eq!(named(&[attributes]).service_name(), "attribute");
}

#[test]
fn one_attribute_that_cannot_be_decoded_costs_the_whole_variable() {
    for value in ["a=1,b", "a=1,b=%zz", "a=1,=2", "a=%ff"] {
        let settings = refused("OTEL_RESOURCE_ATTRIBUTES", value);
        assert_eq!(settings.resource().iter().count(), 1, "{value}");
    }
}

#[test]
fn the_log_level_is_handed_out() {
    let level = |value| fine(&[("OTEL_LOG_LEVEL", value)]).log_level();
    assert_eq!(level("debug"), Some(LogLevel::Debug));
    assert_eq!(level("ERROR"), Some(LogLevel::Error));
    assert_eq!(refused("OTEL_LOG_LEVEL", "loud").log_level(), None);
}

#[test]
fn propagators_come_in_the_order_of_the_list_and_once() {
    let fields = |value| fine(&[("OTEL_PROPAGATORS", value)]).propagator().fields().to_vec();
    assert_eq!(fields("baggage,tracecontext"), ["baggage", "traceparent", "tracestate"]);
    assert_eq!(fields("b3,B3"), ["b3"]);
    assert_eq!(fields("b3multi"), ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"]);
    assert_eq!(fields("jaeger"), ["uber-trace-id"]);
    assert!(fields("none").is_empty());
}

#[test]
fn unknown_propagators_are_named_once_and_the_others_count() {
    let settings = read(&[("OTEL_PROPAGATORS", "xray,b3,ottrace")]);
    assert_eq!(warned(&settings), ["OTEL_PROPAGATORS"]);
    let line = settings.warnings()[0].to_string();
    assert!(line.contains("\"xray,ottrace\"") && line.ends_with("; until then b3"), "{line}");
    assert_eq!(settings.propagator().fields(), ["b3"]);
    let settings = read(&[("OTEL_PROPAGATORS", "xray")]);
    let line = settings.warnings()[0].to_string();
    assert!(line.ends_with("; until then tracecontext,baggage"), "{line}");
    assert_eq!(settings.propagator().fields(), ["traceparent", "tracestate", "baggage"]);
    let settings = read(&[("OTEL_PROPAGATORS", "none,b3")]);
    assert_eq!(warned(&settings), ["OTEL_PROPAGATORS"]);
    assert_eq!(settings.propagator().fields(), ["b3"]);
}

#[test]
fn a_rate_that_is_ignored_is_told_with_what_is_sampled_meanwhile() {
    for (name, meanwhile) in [
        ("traceidratio", "every trace is sampled"),
        ("parentbased_traceidratio", "every new trace is sampled"),
    ] {
        let arg = ("OTEL_TRACES_SAMPLER_ARG", "10%");
        let settings = read(&[("OTEL_TRACES_SAMPLER", name), arg]);
        assert_eq!(warned(&settings), ["OTEL_TRACES_SAMPLER_ARG"]);
        let line = settings.warnings()[0].to_string();
        assert!(line.contains("=\"10%\" is ignored: use a rate between 0 and 1"), "{line}");
        assert!(line.ends_with(&format!("; until then {meanwhile}")), "{line}");
    }
}

#[test]
fn an_argument_that_no_sampler_takes_is_warned_about() {
    let arg = ("OTEL_TRACES_SAMPLER_ARG", "0.1");
    let cure = "set OTEL_TRACES_SAMPLER to parentbased_traceidratio for a rate";
    for (vars, why) in [
        (&[arg][..], "no sampler is chosen that takes it"),
        (&[arg, ("OTEL_TRACES_SAMPLER", "always_on")], "the sampler that is chosen takes none"),
    ] {
        let lines: Vec<String> = read(vars).warnings().iter().map(ToString::to_string).collect();
        assert_eq!(lines, [format!("OTEL_TRACES_SAMPLER_ARG=\"0.1\" is ignored: {why}; {cure}")]);
    }
    // One warning is enough.
    assert_eq!(warned(&read(&[arg, ("OTEL_TRACES_SAMPLER", "xray")])), ["OTEL_TRACES_SAMPLER"]);
}

/// What a sampler says about a new trace, a sampled caller's and one that was not sampled.
fn decisions(vars: &[(&str, &str)]) -> [SamplingDecision; 3] {
    let sampler = fine(vars).sampler().expect("a sampler is set");
    // Its randomness is ce929d0e0e4736: within a quarter, but not within a tenth.
    let id = TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
    let root = SamplingRequest::new(id, "op", Clock::system().now());
    let ask = |sampled: bool| {
        let flags = TraceFlags::default().with_sampled(sampled);
        let caller = TraceContext::new(id, SpanId::new()).with_flags(flags).remote();
        sampler.should_sample(&root.with_parent(&caller)).decision
    };
    [sampler.should_sample(&root).decision, ask(true), ask(false)]
}

#[test]
fn every_sampler_decides_as_its_name_says() {
    use SamplingDecision::{Drop, Record, Sample};
    for (name, arg, expected) in [
        ("always_on", "", [Sample, Sample, Sample]),
        ("always_off", "", [Drop, Drop, Drop]),
        ("traceidratio", "0.25", [Sample, Sample, Sample]),
        ("traceidratio", "0.1", [Record, Record, Record]),
        ("traceidratio", "", [Sample, Sample, Sample]),
        ("parentbased_always_on", "", [Sample, Sample, Drop]),
        ("parentbased_always_off", "", [Drop, Sample, Drop]),
        ("parentbased_traceidratio", "0.1", [Record, Sample, Drop]),
        ("PARENTBASED_TRACEIDRATIO", "1", [Sample, Sample, Drop]),
    ] {
        let vars = [("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", arg)];
        assert_eq!(decisions(&vars), expected, "{name} {arg}");
    }
}

#[test]
fn samplers_that_are_not_there_count_as_unset() {
    for name in ["jaeger_remote", "parentbased_jaeger_remote", "xray", "sometimes"] {
        assert!(refused("OTEL_TRACES_SAMPLER", name).sampler().is_none());
    }
}

#[test]
fn a_rate_out_of_range_is_warned_about_and_everything_is_sampled() {
    for arg in ["1.1", "-0.1", "NaN", "half", "10%"] {
        let vars = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", arg)];
        let settings = read(&vars);
        assert_eq!(warned(&settings), ["OTEL_TRACES_SAMPLER_ARG"]);
        let request = SamplingRequest::new(TraceId::new(), "op", Clock::system().now());
        assert!(settings.sampler().unwrap().should_sample(&request).is_sampled());
    }
}

#[test]
fn a_special_limit_goes_before_the_general_one_and_that_before_the_default() {
    let limits = |vars: &[(&str, &str)]| fine(vars).limits().span;
    let general = ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10");
    let expected = Limits::default().with_tags(10).with_fields_per_log(10).with_tags_per_link(10);
    assert_eq!(limits(&[general]), expected);
    assert_eq!(limits(&[general, ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "7")]).tags, 7);
    assert_eq!(limits(&[general, ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "8")]).fields_per_log, 8);
    assert_eq!(limits(&[general, ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "9")]).tags_per_link, 9);
    let length = ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100");
    assert_eq!(limits(&[length]).value_bytes, 100);
    assert_eq!(limits(&[length, ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5")]).value_bytes, 5);
}

#[test]
fn zero_is_a_limit_and_more_than_can_be_held_is_the_most() {
    let limits = |name, value| fine(&[(name, value)]).limits().span;
    assert_eq!(limits("OTEL_SPAN_EVENT_COUNT_LIMIT", "0").logs, 0);
    assert_eq!(limits("OTEL_SPAN_LINK_COUNT_LIMIT", "3").links, 3);
    assert_eq!(limits("OTEL_SPAN_EVENT_COUNT_LIMIT", "70000").logs, u16::MAX);
}

#[test]
fn what_is_no_limit_counts_as_unset() {
    for name in super::hostile::ALL.iter().filter(|name| name.ends_with("_LIMIT")) {
        for value in ["-1", "many", "1.5", "0x10"] {
            assert_eq!(refused(name, value).limits().span, Limits::default());
        }
    }
}

#[test]
fn the_batch_processors_variables_become_queue_and_batches() {
    let settings = fine(&[
        ("OTEL_BSP_SCHEDULE_DELAY", "1000"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "2000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "50"),
    ]);
    let delivery = settings.delivery();
    assert_eq!(delivery.export_timeout, Duration::from_secs(2));
    assert_eq!(delivery.max_queued_traces, 100);
    let batching = delivery.batching.unwrap();
    assert_eq!((batching.max_age, batching.max_spans), (Duration::from_secs(1), 50));
}

#[test]
fn an_export_timeout_of_zero_is_none() {
    let settings = fine(&[("OTEL_BSP_EXPORT_TIMEOUT", "0")]);
    assert_eq!(settings.delivery().export_timeout, Duration::MAX);
    assert_eq!(settings.delivery().batching, None);
}

#[test]
fn a_batch_beyond_the_queue_is_lowered_with_a_warning() {
    let vars = [("OTEL_BSP_MAX_QUEUE_SIZE", "10"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "20")];
    let settings = read(&vars);
    assert_eq!(warned(&settings), ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"]);
    assert_eq!(settings.delivery().batching.unwrap().max_spans, 10);
}

#[test]
fn sizes_begin_at_one_and_times_at_zero() {
    for (name, value) in [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-5"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
        ("OTEL_BSP_SCHEDULE_DELAY", "5s"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "soon"),
    ] {
        assert_eq!(refused(name, value).delivery(), DeliveryConfig::default());
    }
}

#[test]
fn a_file_is_not_supported_and_the_other_variables_count() {
    for variable in ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"] {
        let settings = read(&[(variable, "otel.yaml"), ("OTEL_SERVICE_NAME", "checkout")]);
        assert_eq!(warned(&settings), [variable]);
        assert_eq!(settings.resource().service_name(), "checkout");
    }
}
