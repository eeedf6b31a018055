//! Records of the `log` crate.

use super::support::{keeping, trace, trace_with};
use crate::way;
use tailtrace::model::TagRef;
use tailtrace::{LogLevel, Pipeline};
use tracing::{info, info_span};
use tracing_log::format_trace;
use tracing_log::log::{Level, Record};

fn say(level: Level, message: &str) {
    let message = format_args!("{message}");
    let record = Record::builder()
        .args(message)
        .level(level)
        .target("library::part")
        .module_path(Some("library::part::inner"))
        .file(Some("library/src/part.rs"))
        .line(Some(4711))
        .build();
    format_trace(&record).unwrap();
}

#[test]
fn a_record_is_a_log_entry_of_the_span_around_it() {
    let outcome = trace(|| {
        let _span = info_span!("span").entered();
        say(Level::Info, "info");
        say(Level::Error, "error");
        say(Level::Trace, "trace");
    });
    assert_eq!(
        outcome.trees(),
        "span error: \"error\"\n     info: \"info\"\n     error: \"error\"\n     \
         trace: \"trace\""
    );
}

#[test]
fn a_record_says_its_own_target_and_place() {
    let all =
        |pipeline: &Pipeline| way::builder(pipeline).with_location(true).with_target(true).build();
    let outcome = trace_with(keeping(), all, || {
        info_span!("span").in_scope(|| say(Level::Warn, "said"));
    });
    let span = outcome.span("span");
    let log = span.logs().next().unwrap();
    assert_eq!((log.level(), log.message()), (LogLevel::Warn, "said"));
    assert_eq!(
        log.fields().collect::<Vec<_>>(),
        [
            ("target", TagRef::Str("library::part")),
            ("code.file.path", TagRef::Str("library/src/part.rs")),
            ("code.module.name", TagRef::Str("library::part::inner")),
            ("code.line.number", TagRef::I64(4711)),
        ]
    );
}

#[test]
fn fields_of_an_event_that_are_called_like_those_of_a_record_are_its_own() {
    let outcome = trace(|| {
        let _span = info_span!("span", log.target = "span's").entered();
        info!(log.target = "event's", log.line = 7, "said");
    });
    assert_eq!(
        outcome.trees(),
        "span log.target=\"span's\"\n     info: \"said\" log.target=\"event's\" log.line=7"
    );
}

#[test]
fn a_record_outside_of_all_spans_is_recorded_nowhere() {
    assert_eq!(trace(|| say(Level::Error, "said")).stats.started, 0);
}
