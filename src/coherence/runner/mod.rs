//! The thread of coherence, and the handle to it that the pipeline holds.

#[cfg(test)]
mod tests;
mod transport;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::config::Coherence;
use super::heard::KeepHeard;
use super::inbox::Inbox;
use super::member::Member;
use super::notice::Notice;
use super::remembered::Remembered;
use crate::kit::Random;
use crate::ledger::{CoherenceCounters, CoherenceStats};
use crate::time::Clock;
use transport::Runner;

/// What a pipeline holds of its coherence: any thread may announce, and ask for what is remembered.
///
/// Dropping it ends the thread, without waiting for it.
#[derive(Debug)]
pub(crate) struct CoherenceHandle {
    inbox: Arc<Inbox>,
    remembered: Arc<Remembered>,
    counters: Arc<CoherenceCounters>,
}

impl CoherenceHandle {
    /// Starts the thread for the pipeline of `service`; `keeper` is its recorder. Connects to nothing yet.
    ///
    /// # Errors
    /// When the system refuses a thread or what a runtime needs.
    pub(crate) fn start(
        coherence: &Coherence,
        service: &str,
        keeper: Arc<dyn KeepHeard>,
        clock: Clock,
        random: Random,
    ) -> io::Result<Self> {
        let (capacity, lifetime) = coherence.remembered();
        let remembered = Arc::new(Remembered::new(capacity, lifetime, &random));
        let counters = Arc::<CoherenceCounters>::default();
        let inbox = Arc::<Inbox>::default();
        let settings = coherence.member_settings(service);
        let member = Member::new(
            &settings,
            Arc::clone(&remembered),
            Arc::clone(&counters),
            random.clone(),
            clock.now(),
        );
        let runner = Runner {
            bus: Arc::clone(coherence.bus()),
            group: settings.group,
            member: Mutex::new(member),
            inbox: Arc::clone(&inbox),
            keeper,
            counters: Arc::clone(&counters),
            clock,
            random,
        };
        runner.start()?;
        Ok(Self { inbox, remembered, counters })
    }

    /// Tells the other services that a trace was kept, by a policy of content or by a budget. Never waits: a short
    /// lock, and where the thread of coherence sleeps, a call to wake it.
    ///
    /// What was kept for a notice must not be announced; what is remembered is not announced again.
    pub(crate) fn announce(&self, notice: Notice) {
        if !self.inbox.add(notice) {
            self.counters.lost_on_the_way_out(1);
        }
    }

    /// The ids that other services kept: to be asked where a trace would be dropped.
    pub(crate) fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// Counts a trace that was kept because its id was remembered.
    pub(crate) fn count_kept_when_it_came(&self) {
        self.counters.kept_when_they_came(1);
    }

    /// Counts parts that were not kept, because as many parts of their trace were as may be.
    pub(crate) fn count_over_budget(&self, parts: u64) {
        self.counters.over_budget(parts);
    }

    /// Counts a part with a watched id, whose notice came in time or too late.
    pub(crate) fn count_watched(&self, is_in_time: bool) {
        if is_in_time {
            self.counters.watched_in_time(1);
        } else {
            self.counters.watched_too_late(1);
        }
    }

    pub(crate) fn stats(&self) -> CoherenceStats {
        self.counters.snapshot()
    }

    /// Publishes what was announced before, and waits for that; with the bus away it returns at once.
    /// `false` when the time was up first.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        self.inbox.flush(timeout)
    }

    /// Publishes what was announced before, and ends the thread. `false` when the time was up first: the thread ends
    /// by itself then.
    pub(crate) fn shutdown(&self, timeout: Duration) -> bool {
        self.inbox.end();
        self.inbox.wait_for_end(timeout)
    }
}

impl Drop for CoherenceHandle {
    fn drop(&mut self) {
        self.inbox.end();
    }
}
