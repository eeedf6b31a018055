//! Tells the operator when an exporter begins to fail and when it works again.

use std::time::Duration;

use crate::export::ExportError;
use crate::kit::Tick;

/// Lines about one exporter are at least this far apart.
const APART: Duration = Duration::from_secs(10);

/// What one exporter's operator has been told.
#[derive(Debug, Default)]
pub(super) struct Health {
    told_failing: bool,
    last_line: Option<Tick>,
}

impl Health {
    /// A try failed; the sentence for the log, if it is time for one.
    pub(super) fn failed(&mut self, now: Tick, name: &str, error: &ExportError) -> Option<String> {
        if self.told_failing || !self.may_speak(now) {
            return None;
        }
        self.told_failing = true;
        Some(if error.is_retryable() {
            format!("exporter `{name}` fails, its spans wait and are tried again: {error}")
        } else {
            format!("exporter `{name}` lost spans: {error}")
        })
    }

    /// A try worked; the sentence for the log, if the operator thinks otherwise.
    pub(super) fn worked(&mut self, now: Tick, name: &str) -> Option<String> {
        if !self.told_failing || !self.may_speak(now) {
            return None;
        }
        self.told_failing = false;
        Some(format!("exporter `{name}` works again"))
    }

    fn may_speak(&mut self, now: Tick) -> bool {
        let may = self.last_line.is_none_or(|last| now.since(last) >= APART);
        if may {
            self.last_line = Some(now);
        }
        may
    }
}

#[cfg(all(test, not(tailtrace_loom)))]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Tick {
        Tick::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn an_outage_is_told_once_and_its_end_once() {
        let mut health = Health::default();
        let down = ExportError::retryable("connection refused");
        assert_eq!(health.worked(at(0), "otlp"), None);
        let first = health.failed(at(1), "otlp", &down).unwrap();
        assert!(first.contains("`otlp`") && first.contains("connection refused"));
        assert_eq!(health.failed(at(60), "otlp", &down), None);
        assert!(health.worked(at(90), "otlp").is_some());
        assert_eq!(health.worked(at(200), "otlp"), None);
    }

    #[test]
    fn an_exporter_that_flaps_speaks_once_in_ten_seconds() {
        let mut health = Health::default();
        let down = ExportError::retryable("503");
        let mut lines = 0;
        for second in 0..100 {
            lines += usize::from(health.failed(at(second), "otlp", &down).is_some());
            lines += usize::from(health.worked(at(second), "otlp").is_some());
        }
        assert_eq!(lines, 10);
    }
}
