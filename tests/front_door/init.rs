//! What one line sets up.

use std::time::Duration;

use tailtrace::init::{Guard, InitError};
use tailtrace::{Errors, InMemoryExporter, TailSampler, Trace, TraceSubscriber};
use tracing::{debug, error, info, info_span};

use crate::process::{is_child, run};

const CONSOLE: (&str, &str) = ("OTEL_TRACES_EXPORTER", "console");

fn place_order(fails: bool) {
    let _span = info_span!("place_order").entered();
    info!("asking the bank");
    debug!("at length");
    if fails {
        error!("card declined");
    }
}

/// Places orders, which fail or not, under what one line sets up; what is exported of them.
fn order_under_init(orders: &[bool]) -> (Guard, Vec<Trace>) {
    let memory = InMemoryExporter::new();
    let guard = tailtrace::init::builder("shop").with_exporter(memory.clone()).start().unwrap();
    orders.iter().for_each(|fails| place_order(*fails));
    guard.pipeline().flush(Duration::from_secs(60)).unwrap();
    (guard, memory.traces())
}

#[test]
fn one_line_gives_json_logs_with_trace_ids_and_the_traces_where_the_environment_says() {
    let test = one_line_gives_json_logs_with_trace_ids_and_the_traces_where_the_environment_says;
    if is_child() {
        println!(); // The harness has begun a line.
        let _guard = tailtrace::init("shop").unwrap();
        place_order(true);
        return;
    }
    let said = run(test, &[CONSOLE]);
    let line = said.out.lines().find(|line| line.contains("asking the bank")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let trace_id = line["trace_id"].as_str().unwrap();
    assert_eq!(trace_id.len(), 32);
    assert!(!said.out.contains("at length"), "{}", said.out);
    assert!(said.out.contains("── shop · place_order"), "{}", said.out);
    assert!(said.out.contains(&format!("kept by Errors · {trace_id}\n")), "{}", said.out);
}

#[test]
fn without_a_destination_a_line_says_that_nothing_is_exported() {
    if is_child() {
        let guard = tailtrace::init("shop").unwrap();
        place_order(false);
        assert_eq!(guard.pipeline().stats().sampled_out, 1);
        return;
    }
    let said = run(without_a_destination_a_line_says_that_nothing_is_exported, &[]);
    assert!(said.out.contains("traces are recorded nowhere"), "{}", said.out);
}

#[test]
fn a_collector_that_is_down_costs_a_warning_and_no_error() {
    if is_child() {
        let _guard = tailtrace::init::builder("shop").with_exporter(Refusing).start().unwrap();
        place_order(true);
        return;
    }
    let said = run(a_collector_that_is_down_costs_a_warning_and_no_error, &[]);
    let warning = said.out.lines().find(|line| line.contains(r#""level":"WARN""#)).unwrap();
    assert!(warning.contains("nobody is there"), "{}", said.out);
}

#[derive(Debug)]
struct Refusing;

#[async_trait::async_trait]
impl tailtrace::Exporter for Refusing {
    async fn export(
        &self,
        _: tailtrace::export::Batch,
    ) -> Result<(), tailtrace::export::ExportError> {
        Err(tailtrace::export::ExportError::permanent("nobody is there"))
    }
}

#[test]
fn the_filters_of_logs_and_spans_are_apart() {
    let test = the_filters_of_logs_and_spans_are_apart;
    if is_child() {
        let (_guard, traces) = order_under_init(&[true]);
        let root = traces[0].root().unwrap();
        let logs: Vec<&str> = root.logs().map(|log| log.message()).collect();
        println!("recorded: {logs:?}");
        return;
    }
    let said = run(test, &[("TAILTRACE_FILTER", "debug"), ("RUST_LOG", "warn")]);
    let all = r#"recorded: ["asking the bank", "at length", "card declined"]"#;
    assert!(said.out.contains(all), "{}", said.out);
    assert!(!said.out.contains(r#""asking the bank"}"#), "{}", said.out);
    let said = run(test, &[("TAILTRACE_FILTER", "a=b=c"), ("RUST_LOG", "=,=")]);
    assert!(said.out.contains(r#"recorded: ["asking the bank", "card declined"]"#), "{}", said.out);
    assert!(said.out.contains("TAILTRACE_FILTER: "), "{}", said.out);
    assert!(said.out.contains("RUST_LOG: "), "{}", said.out);
}

#[test]
fn the_subscriber_records_unless_the_filter_asks_for_more_than_targets() {
    let test = the_subscriber_records_unless_the_filter_asks_for_more_than_targets;
    if is_child() {
        let (_guard, traces) = order_under_init(&[true]);
        let by_subscriber = tracing::dispatcher::get_default(|installed| {
            installed.downcast_ref::<TraceSubscriber>().is_some()
        });
        let entries = traces[0].root().unwrap().logs().count();
        println!("{entries} entries, by the subscriber: {by_subscriber}");
        return;
    }
    for (filter, expected) in [
        ("debug,hyper=off", "3 entries, by the subscriber: true"),
        ("info,[place_order]=debug", "3 entries, by the subscriber: false"),
    ] {
        let said = run(test, &[("TAILTRACE_FILTER", filter)]);
        assert!(said.out.contains(expected), "{filter}: {}", said.out);
        // The lines are the same.
        let line = said.out.lines().find(|line| line.contains("card declined")).unwrap();
        for part in [r#""span":{"name":"place_order"}"#, r#""trace_id":""#, r#""level":"ERROR""#] {
            assert!(line.contains(part), "{filter}: {line}");
        }
    }
}

#[test]
fn the_filter_of_logs_hides_no_warning_of_the_crate_unless_it_names_its_target() {
    let test = the_filter_of_logs_hides_no_warning_of_the_crate_unless_it_names_its_target;
    if is_child() {
        let _guard = tailtrace::init::builder("shop").with_exporter(Refusing).start().unwrap();
        place_order(true);
        return;
    }
    for filter in ["shop=info", "error", "shop"] {
        let said = run(test, &[("RUST_LOG", filter), ("OTEL_BSP_MAX_QUEUE_SIZE", "x")]);
        assert!(said.out.contains("nobody is there"), "{filter}: {}", said.out);
        assert!(said.out.contains("OTEL_BSP_MAX_QUEUE_SIZE="), "{filter}: {}", said.out);
    }
    for filter in ["off", "info,tailtrace=off"] {
        let said = run(test, &[("RUST_LOG", filter), ("OTEL_BSP_MAX_QUEUE_SIZE", "x")]);
        assert!(!said.out.contains(r#""level":"WARN""#), "{filter}: {}", said.out);
    }
}

#[test]
fn a_mistyped_level_costs_a_warning_and_nothing_else() {
    let test = a_mistyped_level_costs_a_warning_and_nothing_else;
    if is_child() {
        let _guard = tailtrace::init("shop").unwrap();
        place_order(true);
        return;
    }
    let said = run(test, &[CONSOLE, ("RUST_LOG", "wran"), ("TAILTRACE_FILTER", "debgu")]);
    assert!(said.out.contains("card declined"), "{}", said.out);
    assert!(said.out.contains("── shop · place_order"), "{}", said.out);
    for told in ["is no level; use warn", "is no level; use debug"] {
        assert_eq!(said.out.matches(told).count(), 1, "{}", said.out);
    }
}

#[test]
fn a_program_whose_filter_hides_all_spans_is_asked_about_the_filter() {
    let test = a_program_whose_filter_hides_all_spans_is_asked_about_the_filter;
    if is_child() {
        let _guard = tailtrace::init("shop").unwrap();
        place_order(false);
        return;
    }
    let said = run(test, &[CONSOLE, ("TAILTRACE_FILTER", "elsewhere")]);
    let asked = "pipeline; does TAILTRACE_FILTER let spans through, and did `main` hold the guard";
    assert_eq!(said.out.matches(asked).count(), 1, "{}", said.out);
}

#[test]
fn the_operator_chooses_the_tail() {
    let test = the_operator_chooses_the_tail;
    if is_child() {
        let (_guard, traces) = order_under_init(&[false, true]);
        let kept: Vec<String> = traces.iter().map(|trace| trace.kept_by().to_owned()).collect();
        println!("kept by: {kept:?}");
        return;
    }
    let said = run(test, &[]);
    assert!(said.out.contains(r#"kept by: ["PerSecond", "Errors"]"#), "{}", said.out);
    let said = run(test, &[("TAILTRACE_TAIL", "errors,slow=10s")]);
    assert!(said.out.contains(r#"kept by: ["Errors"]"#), "{}", said.out);
    let said = run(test, &[("TAILTRACE_TAIL", "fraction=1,budget=50/s")]);
    let both = r#"kept by: ["Fraction and PerSecond", "Fraction and PerSecond"]"#;
    assert!(said.out.contains(both), "{}", said.out);
    let said = run(test, &[("TAILTRACE_TAIL", "everything")]);
    assert!(said.out.contains(r#"kept by: ["PerSecond", "Errors"]"#), "{}", said.out);
    assert_eq!(said.out.matches("TAILTRACE_TAIL is ignored").count(), 1, "{}", said.out);
}

#[test]
fn a_panic_keeps_the_trace_it_happens_in_and_the_hook_there_was_is_called() {
    let test = a_panic_keeps_the_trace_it_happens_in_and_the_hook_there_was_is_called;
    if is_child() {
        let tail = TailSampler::new().keep(Errors);
        let _guard = tailtrace::init::builder("shop").with_tail(tail).start().unwrap();
        let _ = std::panic::catch_unwind(|| {
            let _span = info_span!("place_order").entered();
            panic!("out of stock");
        });
        return;
    }
    let said = run(test, &[CONSOLE]);
    assert!(said.out.contains("panicked: out of stock"), "{}", said.out);
    assert!(said.out.contains("── shop · place_order"), "{}", said.out);
    assert!(said.err.contains("out of stock"), "{}", said.err);
}

#[test]
fn a_second_subscriber_is_an_error_that_says_the_cure() {
    if is_child() {
        let guard = tailtrace::init("shop").unwrap();
        let error = tailtrace::init("shop").unwrap_err();
        assert!(matches!(error, InitError::Installed(_)));
        assert!(error.to_string().contains("call `tailtrace::init` once"), "{error}");
        place_order(false);
        drop(guard);
        return;
    }
    let said = run(a_second_subscriber_is_an_error_that_says_the_cure, &[CONSOLE]);
    assert!(!said.out.contains("no span arrived"), "{}", said.out);
}

#[test]
fn what_is_switched_off_records_nothing_until_it_is_switched_on() {
    if is_child() {
        let memory = InMemoryExporter::new();
        let builder = tailtrace::init::builder("shop").with_exporter(memory.clone());
        let guard = builder.start().unwrap();
        let pipeline = guard.pipeline();
        pipeline.set_enabled(false);
        place_order(true);
        let running = info_span!("outer").entered();
        info_span!("inner").in_scope(|| pipeline.set_enabled(true));
        drop(running);
        place_order(true);
        pipeline.flush(Duration::from_secs(60)).unwrap();
        assert_eq!(memory.traces().len(), 1);
        let stats = pipeline.stats();
        assert_eq!((stats.sampled_out, stats.exported), (3, 1));
        assert!(stats.balances(), "{stats}");
        return;
    }
    run(what_is_switched_off_records_nothing_until_it_is_switched_on, &[]);
}

#[test]
fn a_pipeline_that_saw_no_span_asks_for_the_subscriber_even_where_there_is_none() {
    let test = a_pipeline_that_saw_no_span_asks_for_the_subscriber_even_where_there_is_none;
    if is_child() {
        let pipeline = tailtrace::Pipeline::builder("shop")
            .with_exporter(InMemoryExporter::new())
            .start()
            .unwrap();
        place_order(true);
        pipeline.shutdown(Duration::from_secs(60)).unwrap();
        pipeline.shutdown(Duration::from_secs(60)).unwrap();
        return;
    }
    let said = run(test, &[]);
    let asked = "is a subscriber with its layer installed";
    assert_eq!(said.err.matches(asked).count(), 1, "{}", said.err);
}
