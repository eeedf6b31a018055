//! Baggage.

use opentelemetry::StringValue;
use opentelemetry::baggage::{Baggage as OtelBaggage, BaggageMetadata};

use super::super::release_line;
use crate::model::Baggage;

/// The baggage, its members in alphabetical order, since OpenTelemetry's have none.
///
/// Members that cannot stand in a header are left out, and those that do not fit into it.
#[must_use]
pub fn from_baggage(baggage: &OtelBaggage) -> Baggage {
    updated_baggage(&Baggage::new(), baggage)
}

/// The baggage with the members of OpenTelemetry's baggage instead of its own. Members that both have alike
/// keep their place.
pub(crate) fn updated_baggage(arrived: &Baggage, current: &OtelBaggage) -> Baggage {
    let mut updated = arrived.clone();
    for name in arrived.iter().map(|member| member.name) {
        if !release_line::has_member(current, name) {
            updated = updated.without(name);
        }
    }
    let mut members: Vec<_> = current.iter().map(|(key, member)| (key.as_str(), member)).collect();
    members.sort_by_key(|(name, _)| *name);
    for (name, (value, metadata)) in members {
        let value = &*release_line::baggage_text(value);
        let metadata = metadata.as_str();
        let is_same = updated.iter().any(|member| {
            member.name == name && member.value == value && member.metadata.trim() == metadata
        });
        if !is_same && let Ok(changed) = updated.with_metadata(name, value, metadata) {
            updated = changed;
        }
    }
    updated
}

/// The baggage.
#[must_use]
pub fn to_baggage(baggage: &Baggage) -> OtelBaggage {
    let mut made = OtelBaggage::new();
    for member in baggage.iter() {
        let name = member.name.to_owned();
        let value = StringValue::from(member.value.to_owned());
        made.insert_with_metadata(name, value, BaggageMetadata::from(member.metadata));
    }
    made
}
