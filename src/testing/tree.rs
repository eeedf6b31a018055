//! A trace as text that a test can compare.

use std::fmt::Write;

use crate::export::escape::escape;
use crate::export::tree::{Row, rows};
use crate::model::{SpanKind, TagRef};
use crate::trace::Trace;

/// The spans of a trace as a tree of names, kinds, errors, tags and logs, without times and ids.
///
/// Siblings stand in the order they started; spans that run side by side may start in another order in
/// the next run.
///
/// ```
/// use tailtrace::testing::{span, trace, tree};
/// use tailtrace::{LogLevel, SpanKind};
/// let made = trace(
///     span("GET /cart")
///         .kind(SpanKind::Server)
///         .child(span("query").tag("db", "orders").log(LogLevel::Info, "3 rows")),
/// );
/// assert_eq!(tree(&made), "\
/// GET /cart (server)
/// └─ query db=\"orders\"
///         info: \"3 rows\"");
/// ```
#[must_use]
pub fn tree(trace: &Trace) -> String {
    let mut lines = Vec::with_capacity(trace.span_count());
    for row in rows(trace) {
        lines.push(span_line(&row));
        for log in row.span.logs() {
            let level = log.level().as_str().to_ascii_lowercase();
            let mut line = format!("{}  {level}: {:?}", row.below(u32::MAX), log.message());
            log.fields().for_each(|field| push_pair(&mut line, field));
            lines.push(line);
        }
    }
    lines.join("\n")
}

fn span_line(row: &Row<'_>) -> String {
    let span = row.span;
    let mut line = row.branch(u32::MAX);
    line.push_str(&escape(span.operation_name()));
    if span.kind() != SpanKind::Internal {
        line.push_str(" (");
        line.push_str(span.kind().as_str());
        line.push(')');
    }
    if span.has_error_status() {
        line.push_str(" error");
        if !span.status_description().is_empty() {
            // Writing into a String cannot fail.
            let _ = write!(line, ": {:?}", span.status_description());
        }
    }
    span.tags().for_each(|tag| push_pair(&mut line, tag));
    line
}

/// Text in quotes, so that it differs from a number of the same digits.
fn push_pair(line: &mut String, (key, value): (&str, TagRef<'_>)) {
    let key = escape(key);
    // Writing into a String cannot fail.
    let _ = match value {
        TagRef::Str(text) => write!(line, " {key}={text:?}"),
        other => write!(line, " {key}={other}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LogLevel;
    use crate::testing::{span, trace};

    #[test]
    fn a_tree_tells_everything_but_times_and_ids() {
        let made = trace(
            span("POST /orders")
                .kind(SpanKind::Server)
                .tag("http.status", 500)
                .child(
                    span("query")
                        .kind(SpanKind::Client)
                        .log(LogLevel::Info, "3 \"rows\"")
                        .child(span("row").tag("1", "1").tag("one", 1)),
                )
                .child(span("charge").error("card declined\n"))
                .child(span("a\tb").error("")),
        );
        assert_eq!(
            tree(&made),
            r#"POST /orders (server) http.status=500
├─ query (client)
│  │    info: "3 \"rows\""
│  └─ row 1="1" one=1
├─ charge error: "card declined\n"
└─ a\tb error"#
        );
    }
}
