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
        let full = recorder.traces.reach_of_full_ring(now);
        let message = shortage(full, recorder.limits.ring_age, duration)?;
        self.told = Some(now);
        Some(message)
    }
}

/// What to say of a ring that lets go of traces at this age, where they take this long; and how far back it reaches with
/// how many bytes, where it is full before that.
fn shortage(full: Option<(Duration, usize)>, age: Duration, duration: Duration) -> Option<String> {
    let needed = duration + LATEST_NOTICE;
    let mut settings = Vec::new();
    if let Some((reach, bytes)) = full.filter(|(reach, _)| *reach < needed) {
        let factor = needed.as_secs_f64() / reach.as_secs_f64().max(0.001);
        let mebibytes = (bytes as f64 * factor * 1.1 / f64::from(1 << 20)).ceil();
        settings.push(format!(
            "`Coherence::with_ring_cap`, or `RecordLimits::ring_bytes` where the program sets that, to {mebibytes} MiB"
        ));
    }
    if age < needed {
        let seconds = (needed.as_secs_f64() * 1.1).ceil();
        settings.push(format!(
            "`Coherence::with_ring_reach`, or `RecordLimits::ring_age` where the program sets that, to {seconds} s"
        ));
    }
    if settings.is_empty() {
        return None;
    }
    let reach = full.map_or(age, |(reach, _)| reach.min(age));
    Some(format!(
        "the ring of dropped traces reaches {:.1} s back, and one trace in a hundred takes {:.1} s or more: of traces \
         that other services keep, parts of this service may be gone; set {}",
        reach.as_secs_f64(),
        duration.as_secs_f64(),
        settings.join(", and "),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_that_is_too_small_names_the_size_that_would_do() {
        let second = Duration::from_secs(1);
        let age = 10 * second;
        assert_eq!(shortage(Some((4 * second, 1 << 20)), age, second), None);
        let told = shortage(Some((second, 8 << 20)), age, second).unwrap();
        assert!(told.contains("reaches 1.0 s back") && told.ends_with("36 MiB"), "{told}");
    }

    #[test]
    fn a_ring_that_lets_go_too_early_names_the_reach_that_would_do() {
        let second = Duration::from_secs(1);
        assert_eq!(shortage(None, 10 * second, 7 * second), None);
        let told = shortage(None, 10 * second, 17 * second).unwrap();
        assert!(told.contains("reaches 10.0 s back") && told.ends_with("to 22 s"), "{told}");
        let both = shortage(Some((second, 8 << 20)), 3 * second, second).unwrap();
        assert!(both.contains("36 MiB") && both.ends_with("to 5 s"), "{both}");
    }
}
