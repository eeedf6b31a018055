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
    pub(super) fn of_root<'b>(
        &'b self,
        baggage: &'b Baggage,
    ) -> impl Iterator<Item = (Cow<'static, str>, TagValue)> {
        self.members(baggage).map(|(key, value)| (key.clone(), TagValue::from(value.to_owned())))
    }

    /// The tags of a span below a local root.
    pub(super) fn of_child<'b>(
        &'b self,
        baggage: &'b Baggage,
    ) -> impl Iterator<Item = (&'b Cow<'static, str>, &'b str)> {
        self.members(baggage).filter(|_| self.on_every_span)
    }

    fn members<'b>(
        &'b self,
        baggage: &'b Baggage,
    ) -> impl Iterator<Item = (&'b Cow<'static, str>, &'b str)> {
        self.keys.iter().filter_map(|key| Some((key, baggage.get(key)?)))
    }
}
