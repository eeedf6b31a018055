//! Trace ids in the lines of logs, whatever writes them.

use std::fmt;

use super::lines::Lines;
use super::support::keeping;
use tailtrace::{InMemoryExporter, TraceIds, TraceSpanExt};
use tracing::{Event, Subscriber, info, info_span};
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// A format that writes its text as it is.
struct Raw(&'static str);

impl<S, N> FormatEvent<S, N> for Raw
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        _: &Event<'_>,
    ) -> fmt::Result {
        // A character at a time: the ids must not need the whole line at once.
        self.0.chars().try_for_each(|c| writer.write_char(c))
    }
}

/// The line of an event in a span under this format, with the ids replaced by `ID` and `SPAN`.
fn line<F>(format: F) -> String
where
    F: FormatEvent<Registry, DefaultFields> + Send + Sync + 'static,
{
    line_of(|lines| {
        let logs = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(lines);
        logs.event_format(format).boxed()
    })
}

fn line_of(logs: impl FnOnce(Lines) -> Box<dyn Layer<Registry> + Send + Sync>) -> String {
    let pipeline = keeping().with_exporter(InMemoryExporter::new()).start().unwrap();
    let lines = Lines::default();
    let subscriber =
        tracing_subscriber::registry().with(logs(lines.clone())).with(pipeline.layer());
    let ids = tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("order");
        span.in_scope(|| info!("asking"));
        (span.trace_id().unwrap().to_hex(), span.span_id().unwrap().to_hex())
    });
    lines.text().replace(&ids.0, "ID").replace(&ids.1, "SPAN")
}

#[test]
fn an_object_gets_members_and_text_gets_words_whichever_form_was_asked_for() {
    let ids = r#""trace_id":"ID","span_id":"SPAN""#;
    assert_eq!(line(TraceIds::text(Raw("{}"))), format!("{{{ids}}}"));
    assert_eq!(line(TraceIds::text(Raw("{ }"))), format!("{{{ids} }}"));
    assert_eq!(line(TraceIds::text(Raw(r#"{"a":1}"#))), format!(r#"{{{ids},"a":1}}"#));
    assert_eq!(line(TraceIds::json(Raw(r#"{"a":1}"#))), format!(r#"{{{ids},"a":1}}"#));
    assert_eq!(line(TraceIds::text(Raw("asking"))), "trace_id=ID span_id=SPAN asking");
    assert_eq!(line(TraceIds::json(Raw("asking"))), "asking");
    assert_eq!(line(TraceIds::text(Raw(""))), "");
}

#[test]
fn the_json_of_tracing_subscriber_stays_json_with_the_ids() {
    let told = line_of(|lines| {
        let logs = tracing_subscriber::fmt::layer().json().with_writer(lines);
        logs.map_event_format(TraceIds::text).boxed()
    });
    let value: serde_json::Value = serde_json::from_str(told.trim()).unwrap();
    assert_eq!((value["trace_id"].as_str(), value["span_id"].as_str()), (Some("ID"), Some("SPAN")));
    assert_eq!(value["fields"]["message"], "asking");
    let told = line(TraceIds::text(tracing_subscriber::fmt::format().compact()));
    assert!(told.starts_with("trace_id=ID span_id=SPAN "), "{told}");
}
