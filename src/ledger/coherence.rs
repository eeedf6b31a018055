//! The account of coherence: what a service told the others, what it heard, and what became of it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! columns {
    ($($(#[doc = $doc:literal])+ $name:ident: $row:literal,)+) => {
        /// What became of notices so far, in traces: the second table of [`Stats`](super::Stats).
        ///
        /// `Display` prints it. A notice that is heard is refused by a budget, or ends up in one of the columns
        /// from `kept_from_ring` to `dropped_on_purpose`, among which `kept_when_they_came` counts parts besides.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct CoherenceStats {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl CoherenceStats {
            /// Each count with its name in the table and in metrics.
            pub fn rows(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$(($row, self.$name),)+].into_iter()
            }
        }

        /// The counters. Writing is wait-free.
        // Relaxed throughout: a count orders no other access.
        #[derive(Debug, Default)]
        pub(crate) struct CoherenceCounters {
            $($name: AtomicU64,)+
        }

        impl CoherenceCounters {
            pub(crate) fn snapshot(&self) -> CoherenceStats {
                CoherenceStats { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }

            $(pub(crate) fn $name(&self, traces: u64) {
                self.$name.fetch_add(traces, Ordering::Relaxed);
            })+
        }
    };
}

columns! {
    /// Traces, and parts of traces, that were announced to the other services.
    announced: "announced",
    /// What a budget refused: to announce, to accept, or to keep more than 64 parts of one trace, over all notices
    /// of it: from the ring, while they run, and when they come.
    over_budget: "over budget",
    /// Announced while the bus was away for longer than what is repeated reaches back.
    lost_on_the_way_out: "lost on the way out",
    /// Notices of other services, each trace once for as long as it is remembered.
    heard: "heard",
    /// Heard, and kept from the ring of dropped traces.
    kept_from_ring: "kept from the ring",
    /// Heard, and kept while they were still running.
    kept_while_running: "kept while running",
    /// Parts that came after their trace was heard of, whether some of it was known then or not, and were kept when they
    /// came.
    kept_when_they_came: "kept when they came",
    /// Heard, and kept already.
    already_kept: "already kept",
    /// Heard, and not known here at that moment.
    unknown_here: "unknown here",
    /// Heard, and dropped here on purpose.
    dropped_on_purpose: "dropped on purpose",
    /// Announced by other services and not heard, by the gaps in the counts of the senders.
    missed_on_the_bus: "missed on the bus",
    /// What of these came with a repeat.
    made_up_by_repeats: "made up by repeats",
    /// Of the watched ids, which are one in 64: heard in time, so that the part of this service is kept.
    watched_in_time: "watched, heard in time",
    /// Of the watched ids: heard after the part of this service had left the ring.
    watched_too_late: "watched, heard too late",
    /// Messages that could not be read, one each: no messages, or of a later protocol.
    malformed: "malformed",
}

impl CoherenceStats {
    /// An estimate of the share of parts, of those that this service has of traces which others keep, that are kept
    /// here too: from zero to one. `None` before a part with a watched id was heard of.
    ///
    /// One id in 64 is watched, by a hash that has nothing to do with what is kept: of those, parts that had left the
    /// ring when their notice came are known. Notices that were missed on the bus count as parts that are not kept, as
    /// often as those that were heard concern a part of this service. An alert on 0.999 tells that the ring is too small
    /// or the bus unreliable. What budgets refuse is not in it: `over_budget` counts that.
    ///
    /// ```
    /// use tailtrace::{InMemoryExporter, Pipeline};
    /// let pipeline = Pipeline::builder("shop").with_exporter(InMemoryExporter::new()).start()?;
    /// assert_eq!(pipeline.stats().coherence.kept_share(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn kept_share(&self) -> Option<f64> {
        let watched = self.watched_in_time + self.watched_too_late;
        let missed = self.missed_on_the_bus.saturating_sub(self.made_up_by_repeats);
        let heard_share = self.heard as f64 / (self.heard + missed).max(1) as f64;
        (watched > 0).then(|| heard_share * self.watched_in_time as f64 / watched as f64)
    }
}

impl fmt::Display for CoherenceStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:<28}{:>12}", "coherence, in traces", "count")?;
        for (name, count) in self.rows() {
            write!(f, "\n  {name:<28}{count:>12}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_or_too_late_lowers_the_share_that_is_kept() {
        let mut stats = CoherenceStats { heard: 900, ..CoherenceStats::default() };
        assert_eq!(stats.kept_share(), None);
        stats.watched_in_time = 9;
        assert_eq!(stats.kept_share(), Some(1.0));
        stats.watched_too_late = 1;
        assert_eq!(stats.kept_share(), Some(0.9));
        stats.missed_on_the_bus = 110;
        stats.made_up_by_repeats = 10;
        assert!((stats.kept_share().unwrap() - 0.81).abs() < 1e-9);
    }

    #[test]
    fn the_table_has_a_row_for_each_count() {
        let counters = CoherenceCounters::default();
        counters.announced(3);
        counters.malformed(1);
        let stats = counters.snapshot();
        assert_eq!(stats.announced, 3);
        assert_eq!(stats.to_string().lines().count(), stats.rows().count() + 1);
        assert_eq!(stats.rows().map(|(_, count)| count).sum::<u64>(), 4);
    }
}
