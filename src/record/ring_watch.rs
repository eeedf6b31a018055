//! A ring that is too small for what other services keep.

use std::time::Duration;

use super::recorder::Recorder;
use crate::time::Tick;

/// How often the ring is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);
/// How long after it was told it is told again, if it is still so.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(3_600);
/// How late a notice may come: the bus was away for a moment, and was repeated after it.
const LATEST_NOTICE: Duration = Duration::from_secs(3);

/// Tells when the ring of dropped traces does not reach back far enough for what other services keep.
#[derive(Debug, Default)]
pub(crate) struct RingWatch {
    looked: Option<Tick>,
    told: Option<Tick>,
}

impl RingWatch {
    /// What there is to tell at this moment.
    pub(crate) fn observe(&mut self, recorder: &Recorder, now: Tick) -> Option<String> {
        let is_since = |before: Option<Tick>, time| before.is_none_or(|at| now.since(at) >= time);
        if !is_since(self.looked, BETWEEN_LOOKS) || !is_since(self.told, BETWEEN_WARNINGS) {
            return None;
        }
        self.looked = Some(now);
        let duration = recorder.traces.link()?.longest_duration()?;
        let (reach, bytes) = recorder.traces.reach_of_full_ring(now)?;
        let message = shortage(reach, bytes, duration)?;
        self.told = Some(now);
        Some(message)
    }
}

/// What to say of a full ring of so many bytes that reaches so far back, where traces take this long.
fn shortage(reach: Duration, bytes: usize, duration: Duration) -> Option<String> {
    let needed = duration + LATEST_NOTICE;
    if reach >= needed {
        return None;
    }
    let factor = needed.as_secs_f64() / reach.as_secs_f64().max(0.001);
    let mebibytes = (bytes as f64 * factor * 1.1 / f64::from(1 << 20)).ceil();
    Some(format!(
        "the ring of dropped traces reaches {:.1} s back, and one trace in a hundred takes {:.1} s or more: of traces \
         that other services keep, parts of this service may be gone; set `Coherence::with_ring_cap`, or \
         `RecordLimits::ring_bytes` where the program sets that, to {mebibytes} MiB",
        reach.as_secs_f64(),
        duration.as_secs_f64(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_that_is_too_small_names_the_size_that_would_do() {
        let second = Duration::from_secs(1);
        assert_eq!(shortage(4 * second, 1 << 20, second), None);
        let told = shortage(second, 8 << 20, second).unwrap();
        assert!(told.contains("reaches 1.0 s back") && told.contains("36 MiB"), "{told}");
    }
}
