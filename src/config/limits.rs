//! `OTEL_*_LIMIT`: how much one span may hold.

use super::variables::Variables;
use crate::model::Limits;

/// Reads the limits. A limit for spans, events or links alone goes before the general one, and the general one
/// before the default.
pub(super) fn read(vars: &mut Variables<'_>) -> Limits {
    let default = Limits::default();
    let length = vars.count("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT");
    let tags = count(vars, "OTEL_ATTRIBUTE_COUNT_LIMIT");
    let special = |own: Option<u16>, default| own.or(tags).unwrap_or(default);
    let own_length = vars.count("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT");
    let mut count = |variable| count(vars, variable);
    Limits {
        tags: special(count("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"), default.tags),
        logs: count("OTEL_SPAN_EVENT_COUNT_LIMIT").unwrap_or(default.logs),
        links: count("OTEL_SPAN_LINK_COUNT_LIMIT").unwrap_or(default.links),
        fields_per_log: special(count("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"), default.fields_per_log),
        tags_per_link: special(count("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"), default.tags_per_link),
        value_bytes: own_length.or(length).unwrap_or(default.value_bytes),
        ..default
    }
}

fn count(vars: &mut Variables<'_>, variable: &str) -> Option<u16> {
    vars.count(variable).map(|count| u16::try_from(count).unwrap_or(u16::MAX))
}
