//! What the recorder is asked for when another service has kept a trace.

use std::sync::Arc;

use super::notice::Notice;
use crate::ledger::CoherenceCounters;

/// The most parts of one trace that notices may have kept here, from the ring, while they run or when they come; further
/// ones count as over budget.
pub(crate) const MOST_RING_ENTRIES: usize = 64;

/// A notice, on its way to the recorder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HeardNotice {
    pub(crate) notice: Notice,
    /// The service that announced it; empty where the message did not say.
    pub(crate) service: Arc<str>,
    /// Whether this pipeline announced it itself: then only earlier parts of the same trace are in question, and
    /// only those from the ring are counted.
    pub(crate) is_own: bool,
}

impl HeardNotice {
    /// What the parts that it keeps say about who kept them: the policy and the service.
    pub(crate) fn kept_by(&self) -> String {
        match (&*self.notice.policy, &*self.service) {
            ("", "") => "another service".to_owned(),
            ("", service) => format!("service {service}"),
            (policy, "") => format!("{policy} of another service"),
            (policy, service) => format!("{policy} of {service}"),
        }
    }
}

/// What became of a notice in the recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeardOutcome {
    /// Entries of the ring were exported.
    KeptFromRing,
    /// A live trace will be kept when it is complete.
    KeptWhileRunning,
    AlreadyKept,
    DroppedOnPurpose,
    /// No trace of this id is known: its parts are kept when they come, for as long as the id is remembered.
    Unknown,
}

impl HeardOutcome {
    /// Counts what became of `heard`.
    pub(super) fn count(self, heard: &HeardNotice, counters: &CoherenceCounters) {
        match self {
            Self::KeptFromRing => counters.kept_from_ring(1),
            _ if heard.is_own => {}
            Self::KeptWhileRunning => counters.kept_while_running(1),
            Self::AlreadyKept => counters.already_kept(1),
            Self::DroppedOnPurpose => counters.dropped_on_purpose(1),
            Self::Unknown => counters.unknown_here(1),
        }
    }
}

/// The recorder, as coherence sees it. Called on the thread of coherence, under no lock of its.
pub(crate) trait KeepHeard: Send + Sync {
    /// Keeps what the recorder has of the notice's trace, up to [`MOST_RING_ENTRIES`] parts of it. Counts those beyond.
    fn keep_heard(&self, heard: &HeardNotice) -> HeardOutcome;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TraceId;

    fn heard(policy: &str, service: &str) -> HeardNotice {
        let notice = Notice::new(TraceId::new()).with_policy(policy);
        HeardNotice { notice, service: service.into(), is_own: false }
    }

    #[test]
    fn what_it_keeps_says_by_whom_as_far_as_that_is_known() {
        let texts = [("Errors", "bank"), ("Errors", ""), ("", "bank"), ("", "")];
        let texts = texts.map(|(policy, service)| heard(policy, service).kept_by());
        let expected =
            ["Errors of bank", "Errors of another service", "service bank", "another service"];
        assert_eq!(texts, expected);
    }

    #[test]
    fn each_outcome_has_its_count() {
        let counters = CoherenceCounters::default();
        for outcome in [
            HeardOutcome::KeptFromRing,
            HeardOutcome::KeptWhileRunning,
            HeardOutcome::AlreadyKept,
            HeardOutcome::DroppedOnPurpose,
            HeardOutcome::Unknown,
        ] {
            outcome.count(&heard("", ""), &counters);
        }
        let stats = counters.snapshot();
        assert_eq!(stats.rows().map(|(_, count)| count).sum::<u64>(), 5);
    }
}
