//! Spans as lines of JSON. Pure: bytes out, no files.

use std::io::Write;

use crate::export::json::{array, display, key, number, visible_string as string};
use crate::model::{Resource, Status, TagRef};
use crate::time::unix_nanos;
use crate::trace::{LinkRef, LogRef, SpanRef, Trace};

/// Adds one line for each span of a trace.
pub(super) fn write_trace(out: &mut Vec<u8>, trace: &Trace) {
    let mut shared = Vec::new();
    write_shared(&mut shared, trace);
    for span in trace.spans() {
        write_span(out, span);
        out.extend_from_slice(&shared);
        out.extend_from_slice(b"}\n");
    }
}

/// What all spans of a trace have in common, ready to end an object with.
fn write_shared(out: &mut Vec<u8>, trace: &Trace) {
    let resource = trace.resource();
    key(out, ",\"service\":");
    string(out, resource.service_name());
    key(out, ",\"resource\":");
    let described = resource.iter().filter(|(name, _)| *name != Resource::SERVICE_NAME);
    object(out, described.map(|(name, tag)| (name, tag.as_ref())));
    key(out, ",\"kept_by\":");
    match trace.kept_by() {
        "" => key(out, "null"),
        policy => string(out, policy),
    }
    key(out, ",\"probability\":");
    match trace.threshold() {
        None => key(out, "null"),
        Some(threshold) => number(out, threshold.probability()),
    }
    key(out, ",\"late\":");
    display(out, trace.is_late());
    key(out, ",\"part\":");
    display(out, trace.is_part());
    key(out, ",\"unfinished\":");
    display(out, trace.is_unfinished());
}

fn write_span(out: &mut Vec<u8>, span: SpanRef<'_>) {
    key(out, "{\"trace_id\":\"");
    display(out, span.trace_id());
    key(out, "\",\"span_id\":\"");
    display(out, span.span_id());
    key(out, "\",\"parent_span_id\":");
    match span.parent_span_id() {
        None => key(out, "null"),
        Some(parent) => {
            key(out, "\"");
            display(out, parent);
            key(out, "\"");
        }
    }
    key(out, ",\"name\":");
    string(out, span.operation_name());
    key(out, ",\"kind\":");
    string(out, span.kind().as_str());
    key(out, ",\"start\":");
    time(out, unix_nanos(span.start_time()));
    key(out, ",\"duration_ns\":");
    if span.is_finished() {
        display(out, span.duration().as_nanos());
    } else {
        key(out, "null");
    }
    let (status, error) = match span.status() {
        Status::Unset => ("unset", None),
        Status::Ok => ("ok", None),
        Status::Error { description } => ("error", Some(description)),
    };
    key(out, ",\"status\":");
    string(out, status);
    key(out, ",\"error\":");
    match error {
        None => key(out, "null"),
        Some(description) => string(out, &description),
    }
    key(out, ",\"tags\":");
    object(out, span.tags());
    key(out, ",\"logs\":");
    array(out, span.logs(), log);
    key(out, ",\"links\":");
    array(out, span.links(), link);
    let tags = span.dropped_tags();
    let logs = span.dropped_logs();
    let links = span.dropped_links();
    if (tags, logs, links) != (0, 0, 0) {
        key(out, ",\"dropped\":{\"tags\":");
        display(out, tags);
        key(out, ",\"logs\":");
        display(out, logs);
        key(out, ",\"links\":");
        display(out, links);
        key(out, "}");
    }
}

fn log(out: &mut Vec<u8>, log: LogRef<'_>) {
    key(out, "{\"time\":");
    time(out, unix_nanos(log.time()));
    key(out, ",\"level\":");
    string(out, log.level().as_str());
    key(out, ",\"message\":");
    string(out, log.message());
    key(out, ",\"fields\":");
    object(out, log.fields());
    key(out, "}");
}

fn link(out: &mut Vec<u8>, link: LinkRef<'_>) {
    key(out, "{\"trace_id\":\"");
    display(out, link.context().trace_id);
    key(out, "\",\"span_id\":\"");
    display(out, link.context().span_id);
    key(out, "\",\"tags\":");
    object(out, link.tags());
    key(out, "}");
}

fn object<'a>(out: &mut Vec<u8>, tags: impl Iterator<Item = (&'a str, TagRef<'a>)>) {
    out.push(b'{');
    for (index, (name, tag)) in tags.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string(out, name);
        out.push(b':');
        value(out, tag);
    }
    out.push(b'}');
}

fn value(out: &mut Vec<u8>, tag: TagRef<'_>) {
    match tag {
        TagRef::Bool(flag) => display(out, flag),
        TagRef::I64(whole) => display(out, whole),
        TagRef::F64(value) => number(out, value),
        TagRef::Str(text) => string(out, text),
        // As hexadecimal digits, which is how bytes print.
        TagRef::Bytes(_) => string(out, &tag.to_string()),
        TagRef::BoolArray(flags) => array(out, flags.iter(), display),
        TagRef::I64Array(wholes) => array(out, wholes.iter(), display),
        TagRef::F64Array(values) => array(out, values.iter(), |out, value| number(out, *value)),
        TagRef::StringArray(texts) => array(out, texts.iter(), |out, text| string(out, text)),
    }
}

/// A time of day as RFC 3339 in UTC with nanoseconds, so that text order is time order.
fn time(out: &mut Vec<u8>, nanos: u64) {
    let seconds = nanos / 1_000_000_000;
    let nanos = nanos % 1_000_000_000;
    let (year, month, day) = date(seconds / 86_400);
    let hour = seconds / 3_600 % 24;
    let minute = seconds / 60 % 60;
    let second = seconds % 60;
    // Writing into a Vec cannot fail.
    let _ = write!(
        out,
        "\"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z\""
    );
}

/// The date so many days after 1970-01-01, in the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // Years are counted from March here, so that the leap day is the last of its year. The calendar
    // repeats every 400 years, which are 146,097 days; 1970-01-01 is day 719,468 after 0000-03-01.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    // Without the leap days of the years before, a year is 365 days.
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Five months from March on always have 153 days.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, next_year) =
        if month_from_march < 10 { (month_from_march + 3, 0) } else { (month_from_march - 9, 1) };
    (era * 400 + year_of_era + next_year, month, day)
}

#[cfg(test)]
mod tests;
