//! The decision about a trace, and what backends are told of it.

use std::sync::Arc;

use super::Trace;
use crate::model::{TagRef, Threshold};
use crate::trace::SpanRef;

/// The tag of a span that had not ended when it was sent, and of the root above it.
pub(crate) const UNFINISHED: &str = "tailtrace.unfinished";

impl Trace {
    /// The name of its root, for which no span of another tracer is converted.
    pub(crate) fn operation(&self) -> &str {
        let own = || self.root().map_or("", SpanRef::operation_name);
        self.0.store.foreign_operation().unwrap_or_else(own)
    }

    /// The name of the policy that kept the trace; empty for a trace made by hand.
    #[must_use]
    pub fn kept_by(&self) -> &str {
        &self.0.reason.policy
    }

    /// The threshold with which the trace was kept, from which a backend scales counts back up; `None` when its
    /// probability is not known.
    #[must_use]
    pub fn threshold(&self) -> Option<Threshold> {
        self.0.reason.threshold
    }

    /// Whether these are spans that ended after the rest of their trace had been decided.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.0.reason.is_late
    }

    /// Whether these spans are a part of a trace, of which others leave apart from them.
    ///
    /// A trace that stays open for longer than [`RecordLimits::part_age`](crate::record::RecordLimits::part_age), or
    /// that fills half of one of its limits, is decided in parts; one that is larger than the export queue allows leaves
    /// in parts. Exporters write it as `tailtrace.part`.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.0.reason.is_part
    }

    /// Whether some of these spans had not ended when they were sent, which
    /// [`flush_open`](crate::Pipeline::flush_open) does. Each of those has the tag `tailtrace.unfinished`, unless
    /// [`with_decision_tags`](crate::pipeline::PipelineBuilder::with_decision_tags) is off.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.0.reason.is_unfinished
    }

    /// What is told of the decision, as tags for the local [root](Self::root): `tailtrace.kept_by`,
    /// `tailtrace.part` where the spans are a [part](Self::is_part), `tailtrace.unfinished` where some of them had
    /// [not ended](Self::is_unfinished), and `tailtrace.late` for spans that came after the rest of their trace.
    ///
    /// Exporters write them beside the root's own tags. They are no tags of the span in the record, so that no policy
    /// sees them. Empty for a trace made by hand, and
    /// [where the program wants none](crate::pipeline::PipelineBuilder::with_decision_tags).
    pub fn notes(&self) -> impl Iterator<Item = (&'static str, TagRef<'_>)> {
        let reason = &self.0.reason;
        let kept_by = !reason.is_hidden && !reason.policy.is_empty();
        let kept_by = kept_by.then(|| ("tailtrace.kept_by", TagRef::Str(&reason.policy)));
        kept_by.into_iter().chain(self.rare_notes().into_iter().flatten())
    }

    /// What few traces are told of beside the policy.
    fn rare_notes(&self) -> Option<impl Iterator<Item = (&'static str, TagRef<'_>)>> {
        let reason = &self.0.reason;
        let is_rare = reason.is_part || reason.is_unfinished || reason.is_late;
        if reason.is_hidden || !is_rare {
            return None;
        }
        // A root that had not ended itself has it as a tag of its own.
        let is_said = || self.root().is_some_and(|root| root.tag(UNFINISHED).is_some());
        let notes = [
            ("tailtrace.part", reason.is_part),
            (UNFINISHED, reason.is_unfinished && !is_said()),
            ("tailtrace.late", reason.is_late),
        ];
        Some(
            notes
                .into_iter()
                .filter(|(_, holds)| *holds)
                .map(|(name, _)| (name, TagRef::Bool(true))),
        )
    }

    /// This trace without notes, whatever was decided about it.
    pub(crate) fn without_notes(mut self) -> Self {
        Arc::make_mut(&mut self.0).reason.is_hidden = true;
        self
    }
}
