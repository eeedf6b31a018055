//! Tells when loss starts and when it ends, once each.

use std::time::Duration;

use super::{Reason, Stats};
use crate::time::Tick;

/// How long nothing must be lost before the loss counts as over.
const QUIET: Duration = Duration::from_secs(10);

/// What the operator is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LossChange {
    /// Spans are being lost.
    Started {
        /// Why, for most of them.
        reason: Reason,
        /// How many so far.
        spans: u64,
    },
    /// No span has been lost for a while.
    Ended {
        /// How many were lost in all.
        spans: u64,
    },
}

/// Looks at snapshots and finds where loss starts and ends.
#[derive(Debug, Default)]
pub(crate) struct LossWatch {
    last: Option<Stats>,
    episode: Option<Episode>,
}

#[derive(Debug)]
struct Episode {
    spans: u64,
    last_loss: Tick,
}

impl LossWatch {
    /// Compares a snapshot with the one before.
    pub(crate) fn observe(&mut self, now: Tick, stats: &Stats) -> Option<LossChange> {
        let last = self.last.replace(*stats);
        let fresh = last.map_or(stats.dropped, |last| stats.dropped_since(&last));
        let tells = |reason: Reason| reason.is_loss() && !reason.is_told_by_exporter();
        let losses = || Reason::ALL.into_iter().zip(fresh).filter(|(reason, _)| tells(*reason));
        let spans: u64 = losses().map(|(_, spans)| spans).sum();
        match &mut self.episode {
            Some(episode) if spans > 0 => {
                episode.spans += spans;
                episode.last_loss = now;
                None
            }
            Some(episode) if now.since(episode.last_loss) >= QUIET => {
                let spans = episode.spans;
                self.episode = None;
                Some(LossChange::Ended { spans })
            }
            Some(_) => None,
            None => {
                let (reason, _) =
                    losses().filter(|(_, spans)| *spans > 0).max_by_key(|(_, spans)| *spans)?;
                self.episode = Some(Episode { spans, last_loss: now });
                Some(LossChange::Started { reason, spans })
            }
        }
    }
}

impl LossChange {
    /// The sentence for the log.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Started { reason, spans } => format!(
                "spans are being lost: {spans} so far, {}; the ledger (`Pipeline::stats`) has the account",
                reason.as_str()
            ),
            Self::Ended { spans } => {
                format!(
                    "no span was lost for {} seconds; {spans} were lost before that",
                    QUIET.as_secs()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;

    fn at(seconds: u64) -> Tick {
        Tick::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn loss_is_told_once_when_it_starts_and_once_when_it_ends() {
        let ledger = Ledger::default();
        let mut watch = LossWatch::default();
        assert_eq!(watch.observe(at(0), &ledger.counters()), None);
        ledger.dropped(Reason::QueueFull, 3);
        let started = watch.observe(at(1), &ledger.counters());
        assert_eq!(started, Some(LossChange::Started { reason: Reason::QueueFull, spans: 3 }));
        ledger.dropped(Reason::QueueFull, 4);
        assert_eq!(watch.observe(at(2), &ledger.counters()), None);
        assert_eq!(watch.observe(at(11), &ledger.counters()), None);
        assert_eq!(watch.observe(at(12), &ledger.counters()), Some(LossChange::Ended { spans: 7 }));
        assert_eq!(watch.observe(at(30), &ledger.counters()), None);
    }

    #[test]
    fn what_a_policy_drops_is_no_loss() {
        let ledger = Ledger::default();
        let mut watch = LossWatch::default();
        watch.observe(at(0), &ledger.counters());
        ledger.dropped(Reason::NotKept, 1_000);
        assert_eq!(watch.observe(at(1), &ledger.counters()), None);
    }
}
