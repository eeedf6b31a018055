//! Traces that other services kept.

use std::sync::{Arc, Weak};

use super::completion::KeepOutcome;
use super::local::{KeepOrigin, KeepRequest};
use super::recorder::Recorder;
use crate::coherence::{HeardNotice, HeardOutcome, KeepHeard};

/// Keeps in a recorder what other services kept, as long as that recorder is there.
pub(crate) struct HeardKeeper(Weak<Recorder>);

impl HeardKeeper {
    pub(crate) fn new(recorder: &Arc<Recorder>) -> Self {
        Self(Arc::downgrade(recorder))
    }
}

impl KeepHeard for HeardKeeper {
    fn keep_heard(&self, heard: &HeardNotice) -> HeardOutcome {
        let Some(recorder) = self.0.upgrade() else { return HeardOutcome::Unknown };
        let Recorder { traces, completion, clock, .. } = &*recorder;
        let Some(link) = traces.link() else { return HeardOutcome::Unknown };
        let trace_id = heard.notice.trace_id;
        let reason = heard.kept_by();
        let now = clock.now();
        link.remember_reason(trace_id, &reason, now);
        let request = KeepRequest { trace_id, reason: reason.into(), origin: KeepOrigin::Notice };
        let (outcome, over_budget) = completion.keep_one(traces, &request, now);
        link.handle().count_over_budget(over_budget);
        if outcome != KeepOutcome::DroppedOnPurpose {
            link.on_heard(heard, outcome != KeepOutcome::Unknown);
        }
        match outcome {
            KeepOutcome::Exported => HeardOutcome::KeptFromRing,
            KeepOutcome::WhenComplete => HeardOutcome::KeptWhileRunning,
            KeepOutcome::AlreadyKept => HeardOutcome::AlreadyKept,
            KeepOutcome::DroppedOnPurpose => HeardOutcome::DroppedOnPurpose,
            KeepOutcome::Unknown => HeardOutcome::Unknown,
        }
    }
}
