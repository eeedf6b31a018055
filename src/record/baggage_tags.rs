//! Baggage that stands on spans as tags.

use std::borrow::Cow;

use crate::model::{Baggage, TagValue};

/// Which members of baggage become tags, and of which spans.
#[derive(Clone, Debug, Default)]
pub(crate) struct BaggageTags {
    keys: Vec<Cow<'static, str>>,
    /// Whether all spans have them, and not only local roots.
    on_every_span: bool,
}

impl BaggageTags {
    pub(crate) fn new(keys: Vec<Cow<'static, str>>, on_every_span: bool) -> Self {
        Self { keys, on_every_span }
    }

    /// The tags of a local root with this baggage.
    pub(super) fn of_root(&self, baggage: &Baggage) -> Vec<(Cow<'static, str>, TagValue)> {
        if self.keys.is_empty() || baggage.is_empty() {
            return Vec::new();
        }
        let member = |key: &Cow<'static, str>| {
            let value = baggage.get(key)?;
            Some((key.clone(), TagValue::from(value.to_owned())))
        };
        self.keys.iter().filter_map(member).collect()
    }

    /// The tags of a span below a local root.
    pub(super) fn of_child(&self, baggage: &Baggage) -> Vec<(Cow<'static, str>, TagValue)> {
        if self.on_every_span { self.of_root(baggage) } else { Vec::new() }
    }
}
