//! How much one span may hold.

/// The most that one span may hold; what goes beyond is dropped and counted.
///
/// The defaults for counts are OpenTelemetry's (specification, "SDK span limits"); the length limit
/// is ours, because a value without one can be as large as its writer likes.
///
/// ```
/// use tailtrace::Limits;
/// let limits = Limits { tags: 32, ..Limits::default() };
/// assert_eq!(limits.logs, 128);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tags of a span. Default 128.
    pub tags: u16,
    /// Log entries of a span. Default 128. At the limit an entry of level error takes the place of a
    /// lesser one.
    pub logs: u16,
    /// Links of a span. Default 128.
    pub links: u16,
    /// Fields of one log entry. Default 128.
    pub fields_per_log: u16,
    /// Tags of one link. Default 128.
    pub tags_per_link: u16,
    /// Bytes of a string or byte value, of a name, of a key and of a log message; longer ones are cut
    /// at a character. Default 16 KiB.
    pub value_bytes: u32,
}

impl Limits {
    /// No limits, for copies of what is within limits already.
    pub(super) const NONE: Self = Self {
        tags: u16::MAX,
        logs: u16::MAX,
        links: u16::MAX,
        fields_per_log: u16::MAX,
        tags_per_link: u16::MAX,
        value_bytes: u32::MAX,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tags: 128,
            logs: 128,
            links: 128,
            fields_per_log: 128,
            tags_per_link: 128,
            value_bytes: 16 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::kit::Tick;
    use crate::model::head::TraceHead;
    use crate::model::store::{NewSpan, SpanStore};
    use crate::model::{
        Kept, Resource, Span, SpanId, SpanKind, SpanRef, TagRef, TagValue, Trace, TraceId,
    };

    #[test]
    fn a_copy_holds_more_than_the_default_limits_if_the_original_does() {
        let generous = Limits { tags: 1_000, value_bytes: 100_000, ..Limits::default() };
        let (id, start, name, kind) =
            (SpanId::new(), Tick::from_nanos(1), "wide".into(), SpanKind::Internal);
        let mut store = SpanStore::default();
        store.push_span(NewSpan { id, parent: None, start, name, kind }, &generous).unwrap();
        let long = TagValue::from("x".repeat(50_000));
        for n in 0..500 {
            store.set_tag(0, format!("key {n}").into(), TagRef::I64(n), &generous);
        }
        store.set_tag(0, "long".into(), long.as_ref(), &generous);
        let (head, resource) = (TraceHead::made_by_hand(TraceId::new()), Resource::new("shop"));
        let recorded = Trace::frozen(head, store, Arc::new(resource), Kept::default());

        let copies: Vec<Span> = recorded.spans().map(SpanRef::to_span).collect();
        let mut again = Trace::new(recorded.trace_id());
        copies.into_iter().for_each(|span| again.add_span(span));
        let copy = again.spans().next().unwrap();
        assert_eq!((copy.tags().count(), copy.dropped_tags()), (501, 0));
        assert_eq!(copy.tag("long"), Some(long.as_ref()));
    }
}
