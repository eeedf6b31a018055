//! What can be set about coherence.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::bus::KeepBus;
use super::codec::ProtocolVersion;
use super::member::MemberSettings;
use crate::kit::secret::Secret;
use crate::model::SettingError;

/// The most ids that are remembered: a gibibyte of them.
const MOST_REMEMBERED: usize = 1 << 24;
/// How far back what was kept is repeated at least: the ring of another service may reach further than the one here.
const LEAST_REPEATED: Duration = Duration::from_secs(10);

/// Keeps in all services of a group the traces that one of them keeps, over a message bus.
///
/// Each service tells the others the ids of the traces that its tail kept for what is in them; 16 bytes each, and no
/// spans. The others keep their parts: from the ring of dropped traces, when they are complete, or when they come. The
/// chapter [Across services](crate::manual::across_services) says what is promised.
///
/// `new` connects to nothing: a bus that is away when the pipeline starts is a bad day, not an error. A clone shares the
/// bus.
///
/// ```
/// use tailtrace::coherence::{Coherence, MemoryBus};
///
/// let coherence = Coherence::new(MemoryBus::new()).with_group("prod");
/// ```
#[derive(Clone)]
pub struct Coherence {
    bus: Arc<dyn KeepBus>,
    group: String,
    version: ProtocolVersion,
    batch_age: Duration,
    ring_reach: Duration,
    ring_cap: usize,
    announced_per_second: u32,
    accepted_per_second: u32,
    remembered: usize,
    remembered_for: Duration,
}

impl Coherence {
    /// Coherence over a bus, in the group `default`.
    #[must_use]
    pub fn new(bus: impl KeepBus + 'static) -> Self {
        Self {
            bus: Arc::new(bus),
            group: "default".to_owned(),
            version: ProtocolVersion::default(),
            batch_age: Duration::from_millis(60),
            ring_reach: Duration::from_secs(10),
            ring_cap: 256 * 1_024 * 1_024,
            announced_per_second: 1_000,
            accepted_per_second: 10_000,
            remembered: 65_536,
            remembered_for: Duration::from_secs(60),
        }
    }

    /// Sets the group: the services that keep their traces together. Default `default`.
    ///
    /// Its name also decides which traces come first where a budget is spent. A name that callers cannot guess, such as
    /// `prod-` and some random letters, keeps them from choosing ids that do.
    ///
    /// It becomes part of a subject or a channel, and has 1 to 64 letters, digits, `-` or `_`; the pipeline does not
    /// start with another one.
    #[must_use]
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// Sets how long an id may wait for others, to share a message with them. Default 60 ms.
    ///
    /// Longer saves messages, of which each costs a delivery to every instance of the group; the ring must reach that
    /// much further back.
    #[must_use]
    pub fn with_batch_age(mut self, age: Duration) -> Self {
        self.batch_age = age;
        self
    }

    /// Sets how far back the ring of dropped traces is to reach. Default 10 s.
    ///
    /// As long as the longest trace that matters, and what a notice may be late. Costs memory: the bytes that are
    /// dropped in this time. As far back, and 10 s at least, is repeated what was kept, for services that were cut off:
    /// an outage of the bus that is to be survived belongs to the reach.
    #[must_use]
    pub fn with_ring_reach(mut self, reach: Duration) -> Self {
        self.ring_reach = reach;
        self
    }

    /// Sets the most memory of that ring, in bytes. Default 256 MiB.
    #[must_use]
    pub fn with_ring_cap(mut self, bytes: usize) -> Self {
        self.ring_cap = bytes;
        self
    }

    /// Sets how many traces this service may announce per second. Default 1,000.
    ///
    /// Beyond it, those that come first in an order of the group's are announced, which are the same ones in all services.
    #[must_use]
    pub fn with_announced_per_second(mut self, traces: u32) -> Self {
        self.announced_per_second = traces;
        self
    }

    /// Sets how many traces of other services this service may keep per second. Default 10,000.
    ///
    /// Beyond it, those that come first in an order of the group's are kept, which are the same ones in all services.
    #[must_use]
    pub fn with_accepted_per_second(mut self, traces: u32) -> Self {
        self.accepted_per_second = traces;
        self
    }

    /// Sets how many ids are remembered for parts that come later, and for how long. Default 65,536 for 60 s.
    ///
    /// Costs 34 to 68 bytes for each, from the start of the pipeline; at most 16,777,216 ids.
    #[must_use]
    pub fn with_remembered(mut self, ids: usize, time: Duration) -> Self {
        self.remembered = ids.min(MOST_REMEMBERED);
        self.remembered_for = time;
        self
    }

    /// Holds what this service sends at a form of the protocol. Default the newest.
    #[must_use]
    pub fn with_protocol(mut self, version: ProtocolVersion) -> Self {
        self.version = version;
        self
    }

    /// Checks what the setters took as it came.
    pub(crate) fn check(&self) -> Result<(), SettingError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if self.group.is_empty() || self.group.len() > 64 || !self.group.chars().all(is_plain) {
            let group = Secret::name(self.group.chars().take(80).collect::<String>());
            return Err(SettingError::new(format_args!(
                "{group:?} cannot be a group: use 1 to 64 letters, digits, `-` or `_`"
            )));
        }
        Ok(())
    }

    pub(crate) fn ring_reach(&self) -> Duration {
        self.ring_reach
    }

    pub(crate) fn ring_cap(&self) -> usize {
        self.ring_cap
    }

    pub(super) fn bus(&self) -> &Arc<dyn KeepBus> {
        &self.bus
    }

    pub(super) fn remembered(&self) -> (usize, Duration) {
        (self.remembered, self.remembered_for)
    }

    pub(super) fn member_settings(&self, service: &str) -> MemberSettings {
        MemberSettings {
            group: self.group.clone(),
            service: service.into(),
            version: self.version,
            batch_age: self.batch_age,
            repeat_back: self.ring_reach.max(LEAST_REPEATED),
            announced_per_second: self.announced_per_second.into(),
            accepted_per_second: self.accepted_per_second.into(),
        }
    }
}

impl fmt::Debug for Coherence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coherence")
            .field("group", &Secret::name(&*self.group))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coherence::MemoryBus;

    #[test]
    fn a_group_that_could_reach_into_another_subject_is_refused() {
        for group in ["", "a.b", "*", ">", "a b", "é", &"x".repeat(65)] {
            let refused = Coherence::new(MemoryBus::new()).with_group(group).check().unwrap_err();
            assert!(refused.to_string().contains("1 to 64"), "{refused}");
        }
        Coherence::new(MemoryBus::new()).with_group("prod-eu_1").check().unwrap();
    }

    #[test]
    fn the_ring_and_repeats_reach_ten_seconds_back_unless_told_otherwise() {
        let coherence = Coherence::new(MemoryBus::new());
        assert_eq!(coherence.ring_reach(), Duration::from_secs(10));
        assert_eq!(coherence.clone().with_ring_cap(5).ring_cap(), 5);
        for (reach, repeated) in [(2, 10), (60, 60)] {
            let coherence = coherence.clone().with_ring_reach(Duration::from_secs(reach));
            let settings = coherence.member_settings("shop");
            assert_eq!(settings.repeat_back, Duration::from_secs(repeated));
        }
    }
}
