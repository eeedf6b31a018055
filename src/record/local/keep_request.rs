//! Who asks for a trace by its id, and why.

use std::borrow::Cow;

use crate::model::TraceId;
use crate::model::text::cut;
use crate::trace::KeepReason;

/// The reason of a request that gives none.
pub(crate) const ASKED_FOR: &str = "asked for";

/// The most bytes of a reason that is held, once for each trace that is asked for and lives.
const MOST_REASON: usize = 256;

/// A request to keep the local traces of a trace id.
#[derive(Clone, Debug)]
pub(crate) struct KeepRequest {
    pub(crate) trace_id: TraceId,
    /// What [`Trace::kept_by`](crate::Trace::kept_by) says of a trace that is kept for it alone.
    pub(crate) reason: Cow<'static, str>,
    pub(crate) origin: KeepOrigin,
}

/// Where a request to keep a trace comes from; the greater one is the stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KeepOrigin {
    /// Another service has told that it kept the trace. A drop on purpose is stronger.
    Notice = 1,
    /// The program, or a person by way of it. It is stronger than a drop on purpose.
    Person = 2,
}

impl KeepOrigin {
    /// The origin of this number; `None` where there is none.
    pub(super) const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => None,
            1 => Some(Self::Notice),
            _ => Some(Self::Person),
        }
    }
}

impl KeepRequest {
    /// A request of the program, or of a person by way of it. A long reason is cut.
    pub(crate) fn by_person(trace_id: TraceId, reason: Cow<'static, str>) -> Self {
        let reason = match reason {
            Cow::Owned(text) if text.capacity() > MOST_REASON => {
                Cow::Owned(cut(&text, MOST_REASON).to_owned())
            }
            reason => reason,
        };
        Self { trace_id, reason, origin: KeepOrigin::Person }
    }

    /// The mark of a trace that is kept for this request: how likely that was is not known.
    pub(in crate::record) fn kept(&self) -> KeepReason {
        kept_for(self.reason.clone())
    }
}

/// The mark of a trace that is kept because a request gave this reason.
pub(in crate::record) const fn kept_for(policy: Cow<'static, str>) -> KeepReason {
    KeepReason {
        policy,
        threshold: None,
        is_late: false,
        is_part: false,
        is_unfinished: false,
        is_hidden: false,
    }
}
