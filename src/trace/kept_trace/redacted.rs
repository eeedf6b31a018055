//! A trace without what must not be told.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use super::{Trace, TraceData};
use crate::model::redact::{Redact, RedactedValue};
use crate::model::{Limits, Link, Status, TagRef};
use crate::trace::store::SpanStore;
use crate::trace::{Span, SpanRef};

impl Trace {
    /// The trace without what must not be told, and how many values and texts that were.
    pub(crate) fn redacted(self, redact: &Redact) -> (Self, u64) {
        if !self.spans().any(|span| Redaction::new(redact).finds(span)) {
            return (self, 0);
        }
        let data = &*self.0;
        let mut clean = Self(Arc::new(TraceData {
            header: data.header.clone(),
            store: SpanStore::default(),
            order: OnceLock::new(),
            resource: Arc::clone(&data.resource),
            reason: data.reason.clone(),
        }));
        let mut redaction = Redaction::new(redact);
        for span in self.spans() {
            clean.add_span(redaction.copy(span));
        }
        (clean, redaction.count)
    }
}

struct Redaction<'r> {
    redact: &'r Redact,
    count: u64,
}

impl<'r> Redaction<'r> {
    fn new(redact: &'r Redact) -> Self {
        Self { redact, count: 0 }
    }

    fn finds(&self, span: SpanRef<'_>) -> bool {
        let finds =
            |(key, value): (&str, TagRef<'_>)| self.redact.value(key, value) != RedactedValue::Kept;
        let is_secret = |text: &str| self.redact.text(text).is_some();
        is_secret(span.operation_name())
            || is_secret(span.status_description())
            || span.tags().any(finds)
            || span.logs().any(|log| is_secret(log.message()) || log.fields().any(finds))
            || span.links().any(|link| link.tags().any(finds))
    }

    fn text<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        match self.redact.text(text) {
            Some(replaced) => {
                self.count += 1;
                replaced.into()
            }
            None => text.into(),
        }
    }

    /// The pairs that may be told.
    fn pairs<'t>(
        &mut self,
        pairs: impl Iterator<Item = (&'t str, TagRef<'t>)>,
        mut each: impl FnMut(&'t str, TagRef<'_>),
    ) {
        for (key, value) in pairs {
            match self.redact.value(key, value) {
                RedactedValue::Kept => each(key, value),
                RedactedValue::Removed => self.count += 1,
                RedactedValue::Replaced(text) => {
                    self.count += 1;
                    each(key, TagRef::Str(&text));
                }
            }
        }
    }

    fn copy(&mut self, span: SpanRef<'_>) -> Span {
        let name = self.text(span.operation_name()).into_owned();
        let mut copy = Span::started_at(name, span.context(), span.start_time());
        let mut to = copy.as_mut().with_limits(&Limits::NONE);
        to.set_kind(span.kind()).set_parent_remote(span.is_parent_remote());
        self.pairs(span.tags(), |key, value| {
            to.set_tag(key.to_owned(), value);
        });
        for log in span.logs() {
            let message = self.text(log.message());
            let mut fields = Vec::new();
            self.pairs(log.fields(), |key, value| fields.push((key.to_owned(), value.to_value())));
            to.log_at(log.time(), log.level(), message, fields);
        }
        for link in span.links() {
            let mut kept = Link::new(link.context().clone());
            self.pairs(link.tags(), |key, value| {
                kept = std::mem::replace(&mut kept, Link::new(link.context().clone()))
                    .with_tag(key.to_owned(), value.to_value());
            });
            to.add_link(kept);
        }
        if span.failed() {
            to.mark_failed();
        }
        to.set_status(match span.status() {
            Status::Error { description } => Status::error(self.text(&description).into_owned()),
            status => status,
        });
        to.count_dropped(span.dropped_tags(), span.dropped_logs(), span.dropped_links());
        if let Some(end) = span.end_time() {
            to.finish_at(end);
        }
        copy
    }
}
