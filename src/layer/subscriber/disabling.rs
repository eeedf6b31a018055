//! Spans and events that are not made where their trace is not recorded.

use tracing::Metadata;

use super::callsites::CallsiteNotes;

/// What a subscriber that disables knows of the callsites.
///
/// When `tracing` asks whether a callsite is enabled, it does not say whether the span will name its parent. But a
/// callsite either does or does not, so that the first span that it makes tells of all.
#[derive(Debug, Default)]
pub(super) struct Disabling(CallsiteNotes);

/// What is to be made of a callsite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enablement {
    /// It is not known.
    Unknown,
    /// The filter is against it.
    Filtered,
    Enabled,
    /// It is enabled unless the thread is inside of a trace that is not recorded.
    EnabledByParent,
}

impl Disabling {
    const TRACED: usize = 0b001;
    const TAKES_CURRENT: usize = 0b010;
    const ENABLED_BY_PARENT: usize = Self::TRACED | Self::TAKES_CURRENT;
    const NAMES_PARENT: usize = 0b100;

    /// Notes what the filter says of a callsite.
    pub(super) fn note_filter(&self, metadata: &'static Metadata<'static>, is_traced: bool) {
        let known = self.0.get(metadata).unwrap_or_default() & !Self::TRACED;
        self.0.set(metadata, if is_traced { known | Self::TRACED } else { known });
    }

    /// Notes how a span or an event of a callsite finds its parent.
    #[inline(never)]
    pub(super) fn note_parent(&self, metadata: &'static Metadata<'static>, is_contextual: bool) {
        let note = if is_contextual { Self::TAKES_CURRENT } else { Self::NAMES_PARENT };
        let known = self.0.get(metadata).unwrap_or(Self::TRACED);
        if known & note == 0 {
            self.0.set(metadata, known | note);
        }
    }

    /// Whether a callsite is known to be [enabled by its parent](Enablement::EnabledByParent), found out with one look.
    #[inline(always)]
    pub(super) fn is_enabled_by_parent(&self, metadata: &Metadata<'_>) -> bool {
        self.0.is(metadata, Self::ENABLED_BY_PARENT)
    }

    pub(super) fn of(&self, metadata: &Metadata<'_>) -> Enablement {
        let Some(note) = self.0.get(metadata) else { return Enablement::Unknown };
        if note & Self::TRACED == 0 {
            Enablement::Filtered
        } else if note == Self::ENABLED_BY_PARENT {
            Enablement::EnabledByParent
        } else {
            Enablement::Enabled
        }
    }
}
