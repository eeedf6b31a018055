//! A span of the registry that has not closed, as this layer knows it.

use std::mem;
use std::sync::Arc;

use tracing::Metadata;

use super::after_close::Ending;
use super::builder::Options;
use super::timing::Timing;
use crate::model::{TagRef, TraceContext, TraceId};
use crate::record::neighbour::Shown;
use crate::record::{ActiveSpan, Answer, Completed, Draft, Question, Recorder, TakenOut};
use crate::time::Tick;
use crate::trace::SpanMut;

/// An open span.
#[derive(Debug)]
pub(super) struct OpenSpan {
    held: Held,
    /// Which callsite it comes from: what tells it from one of another registry with the same id.
    metadata: &'static Metadata<'static>,
    /// Whether it has children or somebody was told its ids, so that its parent cannot change any more.
    exposed: bool,
    extras: Option<Box<Extras>>,
}

/// How far the recorder knows it.
#[derive(Debug)]
pub(super) enum Held {
    /// The sampler has not been asked.
    Draft(Draft),
    /// It has started.
    Active(ActiveSpan),
    /// It is between the two, which only a lock's holder can see.
    Moving,
}

/// What only few options ask for.
#[derive(Debug)]
pub(super) struct Extras {
    pub(super) timing: Option<Timing>,
    /// How many events there were, where they are counted.
    pub(super) events: Option<i64>,
}

impl Extras {
    #[cold]
    fn write(&self, edit: &mut SpanMut<'_>) {
        if let Some(events) = self.events {
            edit.set_tag("otel.tracing_event_count", TagRef::I64(events));
        }
        if let Some(timing) = &self.timing {
            edit.set_tag("busy_ns", TagRef::I64(timing.busy()));
            edit.set_tag("idle_ns", TagRef::I64(timing.idle()));
        }
    }
}

/// What became of the attempt to take a span out of its trace.
pub(super) enum Moved {
    /// It is a draft. What it left behind may be a complete trace.
    Draft(Option<Completed>),
    /// It is not recorded and has to be started anew.
    StartAnew,
    /// Its ids are known, or it is beyond its trace's limit.
    Refused,
}

/// Whether a span is worth being shown.
pub(super) enum Sight {
    Of(Shown),
    OfNoUse,
}

impl OpenSpan {
    #[inline]
    pub(super) fn new(held: Held, metadata: &'static Metadata<'static>) -> Self {
        Self { held, metadata, exposed: false, extras: None }
    }

    pub(super) fn metadata(&self) -> &'static Metadata<'static> {
        self.metadata
    }

    pub(super) fn extras(&mut self) -> Option<&mut Extras> {
        self.extras.as_deref_mut()
    }

    pub(super) fn expose(&mut self) {
        self.exposed = true;
    }

    /// Starts a child; `None` when it has to be settled first.
    #[inline(always)]
    pub(super) fn child(&mut self, metadata: &'static Metadata<'static>) -> Option<Self> {
        let Held::Active(span) = &self.held else { return None };
        self.exposed = true;
        Some(Self::new(Held::Active(span.child(metadata.name().into())), metadata))
    }

    /// Says several things about it; whether it has to be settled now, because it has grown too large for
    /// a draft.
    #[inline]
    pub(super) fn edit(&mut self, edit: impl FnOnce(&mut SpanMut<'_>)) -> bool {
        self.held.edit(edit)
    }

    /// Prepares it to be said to have failed: a span for which its trace had no room gets one.
    pub(super) fn rescue(&self) {
        self.held.rescue();
    }

    /// The moment, and how long a value may be, if what is said about it may be kept.
    #[inline]
    pub(super) fn moment(&self) -> Option<(Tick, usize)> {
        self.held.moment()
    }

    /// Writes down what was counted and measured.
    #[inline]
    fn write_extras(&mut self) {
        if let Some(extras) = self.extras.take() {
            self.held.edit(|edit| extras.write(edit));
        }
    }

    /// How long a value may be, if what is said about it may be kept.
    #[inline(always)]
    pub(super) fn value_bytes(&self) -> Option<usize> {
        self.held.value_bytes()
    }

    /// What it tells the next, without settling it.
    pub(super) fn context(&self) -> Option<TraceContext> {
        match &self.held {
            Held::Active(span) => Some(span.context()),
            Held::Draft(draft) => draft.provisional(),
            Held::Moving => None,
        }
    }

    /// What others may know of it and do with it; `None` unless it has started. `is_in_dropped` tells
    /// whether that is of no use, because the thread is inside of a dropped trace.
    pub(super) fn shown(&self, is_in_dropped: impl FnOnce(TraceId) -> bool) -> Option<Sight> {
        let Held::Active(span) = &self.held else { return None };
        let dropped = span.dropped_trace();
        if dropped.is_some_and(is_in_dropped) {
            return Some(Sight::OfNoUse);
        }
        let (context, hand) = (span.context(), span.hand());
        Some(Sight::Of(Shown { context, hand, is_dropped: dropped.is_some() }))
    }

    /// Whether it waits to be started by this recorder.
    pub(super) fn is_draft_of(&self, recorder: &Recorder) -> bool {
        matches!(&self.held, Held::Draft(draft) if std::ptr::eq(&**draft.recorder(), recorder))
    }

    /// What to ask before it can start; `None` when it has started.
    pub(super) fn question(&self, parent: Option<&TraceContext>) -> Option<Question> {
        match &self.held {
            Held::Draft(draft) => draft.question(parent),
            Held::Active(_) | Held::Moving => None,
        }
    }

    /// Starts it; false when somebody else was faster.
    pub(super) fn settle(&mut self, answer: Answer) -> bool {
        match mem::replace(&mut self.held, Held::Moving) {
            Held::Draft(draft) => {
                self.held = Held::Active(draft.settle(answer));
                true
            }
            held => {
                self.held = held;
                false
            }
        }
    }

    /// Makes it a draft again, to be put under another parent.
    pub(super) fn take_out(&mut self) -> Moved {
        if self.exposed {
            return Moved::Refused;
        }
        match mem::replace(&mut self.held, Held::Moving) {
            Held::Draft(draft) => {
                self.held = Held::Draft(draft);
                Moved::Draft(None)
            }
            Held::Active(span) => match span.take_out() {
                TakenOut::Draft(draft, completed) => {
                    self.held = Held::Draft(draft);
                    Moved::Draft(completed)
                }
                TakenOut::Unrecorded(span) => {
                    self.held = Held::Active(span);
                    Moved::StartAnew
                }
                TakenOut::Refused(span) => {
                    self.held = Held::Active(span);
                    Moved::Refused
                }
            },
            Held::Moving => Moved::Refused,
        }
    }

    /// Puts what was started anew in the place of what was not recorded; gives it back when a child or
    /// another parent came first.
    pub(super) fn start_anew(&mut self, span: ActiveSpan) -> Result<(), ActiveSpan> {
        if self.exposed || !matches!(self.held, Held::Active(ActiveSpan::Unrecorded(_))) {
            return Err(span);
        }
        if let Held::Active(old) = mem::replace(&mut self.held, Held::Active(span)) {
            old.take_back();
        }
        Ok(())
    }

    /// Ends it; what is to be asked goes to `ending`.
    #[inline(always)]
    pub(super) fn close(&mut self, ending: &mut Option<Ending>) {
        self.write_extras();
        match &mut self.held {
            Held::Active(ActiveSpan::Unrecorded(_)) | Held::Moving => {}
            Held::Active(span) => span.close(None, |completed| *ending = Some(completed.into())),
            Held::Draft(_) => {
                let draft = mem::replace(&mut self.held, Held::Moving);
                *ending = Ending::of_draft(draft);
            }
        }
    }

    /// Ends it where nothing may be asked.
    #[cold]
    pub(super) fn postpone(mut self) {
        let recorder = self.held.recorder().map(Arc::clone);
        let mut ending = None;
        self.close(&mut ending);
        if let (Some(recorder), Some(ending)) = (recorder, ending) {
            recorder.drop_later(ending);
        }
    }

    /// Counts and measures what few options ask for.
    #[cold]
    pub(super) fn set_extras(&mut self, options: &Options) {
        let Some((now, _)) = self.held.moment().filter(|_| options.needs_extras()) else { return };
        self.extras = Some(Box::new(Extras {
            timing: options.inactivity.then(|| Timing::new(now)),
            events: options.counting_filter.is_some().then_some(0),
        }));
    }
}

impl Held {
    #[inline]
    pub(super) fn edit(&mut self, edit: impl FnOnce(&mut SpanMut<'_>)) -> bool {
        match self {
            Self::Draft(draft) => draft.edit(edit),
            Self::Active(span) => {
                span.edit(edit);
                false
            }
            Self::Moving => false,
        }
    }

    pub(super) fn rescue(&self) {
        if let Self::Active(span) = self {
            span.rescue();
        }
    }

    /// The moment, and how long a value may be, if what is said about it may be kept.
    #[inline]
    pub(super) fn moment(&self) -> Option<(Tick, usize)> {
        let recorder = self.recorder()?;
        Some((recorder.clock.now(), recorder.limits.span.most_bytes()))
    }

    #[inline(always)]
    fn recorder(&self) -> Option<&Arc<Recorder>> {
        match self {
            Self::Draft(draft) => Some(draft.recorder()),
            Self::Active(span) => span.recorder(),
            Self::Moving => None,
        }
    }

    /// How long a value may be, if what is said about it may be kept.
    #[inline(always)]
    pub(super) fn value_bytes(&self) -> Option<usize> {
        self.recorder().map(|recorder| recorder.limits.span.most_bytes())
    }
}
