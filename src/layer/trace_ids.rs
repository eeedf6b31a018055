//! Trace ids in ordinary logs.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::layer_list::{self, FoundSpan};
use crate::model::TraceContext;

/// An event format of `tracing_subscriber::fmt` whose lines say to which trace and span they belong.
///
/// It wraps the format that you use. Lines of text begin with `trace_id=… span_id=…`; lines of JSON have the
/// members `trace_id` and `span_id`. Lines that belong to no span stay as they are. The layers may stand
/// in any order; only the lines that `fmt` writes itself when spans are new and when they close
/// (`FmtSpan`) have ids where the layer knows the span at that moment: the new ones with `fmt` added
/// after it, the closing ones with `fmt` added before it. Costs a look-up for each line. A span whose
/// ids were written cannot be given another parent any more.
///
/// ```
/// use tailtrace::{ConsoleExporter, Pipeline, TraceIds};
/// use tracing_subscriber::fmt;
/// use tracing_subscriber::prelude::*;
/// let pipeline = Pipeline::builder("checkout").with_exporter(ConsoleExporter::stdout()).start()?;
/// let logs = fmt::layer().compact().map_event_format(TraceIds::text);
/// let subscriber = tracing_subscriber::registry().with(logs).with(pipeline.layer());
/// # let _ = subscriber;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TraceIds<F> {
    inner: F,
    is_json: bool,
}

impl<F> TraceIds<F> {
    /// Around any format: the default one, `compact()`, `pretty()`, `json()` or your own. A line that begins with `{`
    /// counts as a JSON object, and gets members; in front of any other line stand the ids as text.
    pub const fn text(inner: F) -> Self {
        Self { inner, is_json: false }
    }

    /// Around a format that writes one JSON object for each event, as in
    /// `fmt::layer().json().map_event_format(TraceIds::json)`, which needs the feature `json` of
    /// `tracing-subscriber`.
    ///
    /// What begins with something else than an object stays as it is. A member of one of these names that the event
    /// has already, as with `flatten_event(true)`, stays, and is not written a second time.
    pub const fn json(inner: F) -> Self {
        Self { inner, is_json: true }
    }
}

impl<S, N, F> FormatEvent<S, N> for TraceIds<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(TraceContext { trace_id, span_id, .. }) = context_of(ctx, event) else {
            return self.inner.format_event(ctx, writer, event);
        };
        if writer.has_ansi_escapes() && !self.is_json {
            write!(writer, "trace_id={trace_id} span_id={span_id} ")?;
            return self.inner.format_event(ctx, writer, event);
        }
        let mut line = String::new();
        self.inner.format_event(ctx, Writer::new(&mut line), event)?;
        let Some(members) = line.strip_prefix('{') else {
            if !self.is_json && !line.is_empty() {
                write!(writer, "trace_id={trace_id} span_id={span_id} ")?;
            }
            return writer.write_str(&line);
        };
        // A member that the event itself has stays, and stands once: of two, each reader takes another.
        let mut comma = "";
        writer.write_char('{')?;
        if !has_member(&line, r#""trace_id""#) {
            write!(writer, r#""trace_id":"{trace_id}""#)?;
            comma = ",";
        }
        if !has_member(&line, r#""span_id""#) {
            write!(writer, r#"{comma}"span_id":"{span_id}""#)?;
            comma = ",";
        }
        let is_empty = members.trim_start().starts_with('}');
        writer.write_str(if is_empty { "" } else { comma })?;
        writer.write_str(members)
    }
}

/// Whether an object of JSON has a member of this name, which stands in its quotes and needs no escapes, itself and not
/// in another object.
fn has_member(line: &str, quoted: &str) -> bool {
    if !line.contains(quoted) {
        return false;
    }
    let mut depth = 0_u32;
    let mut text_from = None;
    let mut is_escaped = false;
    for (at, byte) in line.bytes().enumerate() {
        if let Some(from) = text_from {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => {
                    let is_name = || {
                        line.get(at + 1..).is_some_and(|rest| rest.trim_start().starts_with(':'))
                    };
                    if depth == 1 && line.get(from..=at) == Some(quoted) && is_name() {
                        return true;
                    }
                    text_from = None;
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => text_from = Some(at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The context of the span an event belongs to.
fn context_of<S, N>(ctx: &FmtContext<'_, S, N>, event: &Event<'_>) -> Option<TraceContext>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let span = ctx.parent_span()?;
    let context = layer_list::find_by_callsite(
        &span.id(),
        Some(span.metadata()),
        |_| true,
        || {
            // A span that the thread is inside of and the layer does not know is hidden by a filter. One
            // that is named may as well be closing, or not be known yet: its ancestors' ids would be wrong.
            let ancestors = span.scope().skip(1).filter(|_| event.is_contextual());
            ancestors.map(|span| (span.id(), span.metadata())).collect()
        },
        |FoundSpan { layer, id, .. }| layer.context(id),
    );
    context.flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_counts_where_it_is_one_of_the_object_itself() {
        for line in [r#"{"trace_id":1}"#, r#"{"a":"\"{","b":[{}],"trace_id" : "x"}"#] {
            assert!(has_member(line, r#""trace_id""#), "{line}");
        }
        for line in [
            "{}",
            r#"{"fields":{"trace_id":1}}"#,
            r#"{"a":"trace_id"}"#,
            r#"{"a":"\"trace_id\":1"}"#,
            r#"{"a":["trace_id"]}"#,
        ] {
            assert!(!has_member(line, r#""trace_id""#), "{line}");
        }
    }
}
