//! Logs beside the subscriber: what they write is what they would write alone.

use std::io;
use std::sync::LazyLock;

use super::lines::Lines;
use super::support::{Run, keeping};
use super::text::program;
use tailtrace::{Pipeline, TraceIds, TraceSpanExt};
use tracing::dispatcher::with_default;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Subscriber, debug, debug_span, field, info, info_span};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, prelude::*, reload};

/// Has run the program once. `tracing` may show a call site to no filter that is made while another thread meets it for
/// the first time, and a filter by spans would not know it then.
static HAS_RUN: LazyLock<()> =
    LazyLock::new(|| with_default(&Dispatch::new(Registry::default()), program));

/// Runs the program under logs alone, then under the subscriber with the same logs; what both wrote.
#[track_caller]
fn same<S>(logs: impl Fn(Lines) -> S) -> String
where
    S: Subscriber + Send + Sync + 'static,
{
    LazyLock::force(&HAS_RUN);
    let alone = Lines::default();
    let dispatch = Dispatch::new(logs(alone.clone()));
    with_default(&dispatch, program);
    drop(dispatch);
    let beside = Lines::default();
    let pipeline = keeping().with_exporter(tailtrace::InMemoryExporter::new()).start().unwrap();
    let dispatch = Dispatch::new(pipeline.subscriber().with_logs(logs(beside.clone())));
    with_default(&dispatch, program);
    drop(dispatch);
    assert_eq!(beside.text(), alone.text());
    assert!(!alone.text().is_empty());
    alone.text()
}

fn plain<S>(lines: Lines) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fmt::layer().without_time().with_ansi(false).with_writer(lines)
}

#[test]
fn lines_of_text_are_the_same() {
    same(|lines| tracing_subscriber::registry().with(plain(lines)));
}

#[test]
fn lines_of_json_are_the_same() {
    same(|lines| {
        let json = fmt::layer().json().with_current_span(true).with_span_list(true);
        tracing_subscriber::registry().with(json.without_time().with_writer(lines))
    });
}

#[test]
fn lines_of_new_entered_and_closed_spans_are_the_same() {
    for filter in ["trace", "info"] {
        same(|lines| {
            let logs = fmt::layer().with_span_events(FmtSpan::FULL).without_time();
            let logs = logs.with_ansi(false).with_writer(lines);
            tracing_subscriber::registry().with(logs).with(EnvFilter::new(filter))
        });
    }
}

#[test]
fn lines_under_filters_are_the_same() {
    for filter in
        ["info", "warn", "warn,[outer]=debug", "warn,[inner{n=7}]=trace", "error,[hidden]=trace"]
    {
        same(|lines| {
            tracing_subscriber::registry().with(plain(lines)).with(EnvFilter::new(filter))
        });
    }
}

#[test]
fn lines_under_filters_on_the_layers_are_the_same() {
    same(|lines| {
        let warnings = plain(lines.clone()).with_filter(LevelFilter::WARN);
        let all = plain(lines).with_filter(EnvFilter::new("debug,[outer]=trace"));
        tracing_subscriber::registry().with(warnings).with(all)
    });
}

#[test]
fn a_filter_of_the_logs_that_is_exchanged_holds_from_then_on() {
    let lines = Lines::default();
    let mut handle = None;
    let run = Run::start(keeping(), |pipeline: &Pipeline| {
        let (filter, reloads) = reload::Layer::new(LevelFilter::WARN);
        handle = Some(reloads);
        pipeline
            .subscriber()
            .with_logs(tracing_subscriber::registry().with(plain(lines.clone())).with(filter))
    });
    with_default(&run.dispatch, || {
        for _ in 0..2 {
            info_span!("span").in_scope(|| info!("said"));
            handle.take().iter().for_each(|filter| filter.reload(LevelFilter::INFO).unwrap());
        }
    });
    let outcome = run.end();
    assert_eq!(outcome.trees(), "span\n     info: \"said\"\nspan\n     info: \"said\"");
    assert_eq!(lines.text().lines().count(), 1, "{}", lines.text());
}

#[test]
fn logs_are_not_shown_what_they_do_not_want() {
    let lines = Lines::default();
    let run = Run::start(keeping(), |pipeline: &Pipeline| {
        let logs = plain(lines.clone()).and_then(fmt::layer().with_writer(io::sink));
        let logs = tracing_subscriber::registry().with(logs).with(LevelFilter::INFO);
        pipeline.subscriber().with_filter(LevelFilter::DEBUG).with_logs(logs)
    });
    with_default(&run.dispatch, || {
        let outer = info_span!("outer").entered();
        let hidden = debug_span!("hidden").entered();
        let registry = run.dispatch.downcast_ref::<Registry>().unwrap();
        use tracing_subscriber::registry::LookupSpan;
        assert!(registry.span(&outer.id().unwrap()).is_some());
        assert!(registry.span(&hidden.id().unwrap()).is_none());
        debug!("only traced");
        info!("both");
        tracing::trace!("nobody's");
        let inner = info_span!("inner").entered();
        assert_eq!(tracing::Span::current().id(), inner.id());
        drop((inner, hidden, outer));
    });
    let outcome = run.end();
    assert_eq!(
        outcome.trees(),
        "outer\n└─ hidden\n   │    debug: \"only traced\"\n   │    info: \"both\"\n   └─ inner"
    );
    assert_eq!(lines.text(), " INFO outer: subscriber::logs: both\n");
}

#[test]
fn spans_that_only_the_logs_have_are_passed_over_in_the_traces() {
    let lines = Lines::default();
    let run = Run::start(keeping(), |pipeline: &Pipeline| {
        let logs = tracing_subscriber::registry().with(plain(lines.clone()));
        pipeline.subscriber().with_filter(LevelFilter::INFO).with_logs(logs)
    });
    with_default(&run.dispatch, || {
        let outer = info_span!("outer").entered();
        let hidden = debug_span!("hidden").entered();
        assert_eq!(tracing::Span::current().id(), hidden.id());
        assert_eq!(hidden.context().map(|all| all.span_id), outer.context().map(|all| all.span_id));
        debug!("only logged");
        info!("both");
        drop(info_span!("inner"));
        drop(info_span!(parent: &hidden, "named"));
        info!(parent: &hidden, "named");
    });
    assert_eq!(
        run.end().trees(),
        "outer\n│    info: \"both\"\n│    info: \"named\"\n├─ inner\n└─ named"
    );
    assert_eq!(lines.text().lines().count(), 3, "{}", lines.text());
}

#[test]
fn spans_that_are_not_logged_keep_their_fields_and_end_below_one_that_is() {
    let run = Run::start(keeping(), |pipeline: &Pipeline| {
        let logs = tracing_subscriber::registry().with(plain(Lines::default()));
        let logs = logs.with(LevelFilter::INFO);
        pipeline.subscriber().with_filter(LevelFilter::DEBUG).with_logs(logs)
    });
    let work = || {
        for _ in 0..3 {
            let outer = info_span!("outer").entered();
            let first = debug_span!("first", early = 1, late = field::Empty);
            let second = debug_span!("second", early = 2, late = field::Empty);
            for (span, late) in [(&first, 3), (&second, 4)] {
                span.record("late", late);
                span.in_scope(|| debug!("inside"));
            }
            drop((first, second, outer));
        }
    };
    // One thread after the other, so that their traces come in order.
    for _ in 0..40 {
        std::thread::scope(|scope| {
            scope.spawn(|| with_default(&run.dispatch, work));
        });
    }
    let trees = run.end().trees();
    let first = "├─ first early=1 late=3\n│       debug: \"inside\"";
    let second = "└─ second early=2 late=4\n        debug: \"inside\"";
    let one = format!("outer\n{first}\n{second}");
    assert_eq!(trees, vec![one; 120].join("\n"));
}

#[test]
fn lines_have_the_ids_of_their_spans() {
    for is_json in [false, true] {
        let lines = Lines::default();
        let mut ids = String::new();
        let run = Run::start(keeping(), |pipeline: &Pipeline| {
            let text = fmt::layer().without_time().with_ansi(false).with_writer(lines.clone());
            let logs = if is_json {
                let json = fmt::layer().json().without_time().with_writer(lines.clone());
                json.map_event_format(TraceIds::json).boxed()
            } else {
                text.map_event_format(TraceIds::text).boxed()
            };
            let logs = tracing_subscriber::registry().with(logs).with(LevelFilter::INFO);
            pipeline.subscriber().with_logs(logs)
        });
        with_default(&run.dispatch, || {
            let outer = info_span!("outer").entered();
            let hidden = debug_span!("hidden").entered();
            info!("said");
            let outer_ids = outer.context().unwrap();
            ids = format!("{} {}", outer_ids.trace_id, outer_ids.span_id);
            drop((hidden, outer));
        });
        drop(run.end());
        let (trace_id, span_id) = ids.split_once(' ').unwrap();
        let text = lines.text();
        let expected = if is_json {
            format!(r#"{{"trace_id":"{trace_id}","span_id":"{span_id}","#)
        } else {
            format!("trace_id={trace_id} span_id={span_id} ")
        };
        assert!(text.starts_with(&expected), "{text}");
    }
}

#[test]
fn records_of_the_log_crate_reach_both_under_their_own_filters() {
    use tracing_log::log;
    let lines = Lines::default();
    let run = Run::start(keeping(), |pipeline: &Pipeline| {
        let filter = EnvFilter::new("warn,loud=info");
        let logs = tracing_subscriber::registry().with(plain(lines.clone())).with(filter);
        pipeline.subscriber().with_filter(LevelFilter::INFO).with_logs(logs)
    });
    with_default(&run.dispatch, || {
        let _span = info_span!("span").entered();
        for (target, level) in
            [("quiet", log::Level::Info), ("loud", log::Level::Info), ("loud", log::Level::Debug)]
        {
            let message = format!("{target} {level}");
            let mut record = log::Record::builder();
            let record = record.target(target).level(level);
            tracing_log::format_trace(&record.args(format_args!("{message}")).build()).unwrap();
        }
    });
    let outcome = run.end();
    assert_eq!(outcome.logs("span"), ["quiet INFO", "loud INFO"]);
    assert!(lines.text().ends_with("loud INFO\n") || lines.text().contains("loud INFO"));
    assert!(!lines.text().contains("quiet") && !lines.text().contains("DEBUG"), "{}", lines.text());
}

#[test]
fn span_traces_of_errors_reach_the_logs() {
    let run = Run::start(keeping(), |pipeline: &Pipeline| {
        let logs = tracing_subscriber::registry().with(tracing_error::ErrorLayer::default());
        pipeline.subscriber().with_logs(logs)
    });
    with_default(&run.dispatch, || {
        let _outer = info_span!("outer").entered();
        let _inner = info_span!("inner", a = 1).entered();
        let trace = tracing_error::SpanTrace::capture();
        assert_eq!(trace.status(), tracing_error::SpanTraceStatus::CAPTURED);
        let text = trace.to_string();
        assert!(text.contains("inner") && text.contains("a=1") && text.contains("outer"), "{text}");
    });
    assert_eq!(run.end().trees(), "outer\n└─ inner a=1");
}
